"""Every bench runs at a size that takes a moment and gives rows as promised. What they measure is not judged here."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from andon.benches import COLUMNS, complete, discover, gate, kill, replays, risk_live, startup, steps, stop
from andon.benches.rows import row, skipped

Row = dict[str, Any]


def judged(rows: Iterable[Row]) -> dict[str, Row]:
    """The rows by name, each with all columns, a number, and a verdict exactly where there is a goal."""
    found = {}
    for measured in rows:
        whole = complete(measured)
        assert set(COLUMNS) == set(whole), whole
        assert math.isfinite(whole["value"]), whole
        assert (whole["goal"] is None) == (whole["ok"] is None), whole
        assert whole["name"] not in found, whole
        found[whole["name"]] = whole
    assert found
    return found


def test_a_row_keeps_or_misses_its_goal_in_the_right_direction() -> None:
    assert row("a", 2.0, "ms", 2.0)["ok"] is True
    assert row("a", 2.1, "ms", 2.0)["ok"] is False
    assert row("a", 2.1, "per s", 2.0, at_least=True)["ok"] is True
    assert row("a", 1.9, "per s", 2.0, at_least=True)["ok"] is False
    assert row("a", math.nan, "ms", 2.0)["ok"] is False
    assert row("a", 1.9, "ms")["ok"] is None


def test_the_ratio_says_how_many_times_better_than_the_peer() -> None:
    assert row("a", 2.0, "ms", peer="slow", peer_value=6.0)["ratio"] == 3.0
    assert row("a", 6.0, "per s", at_least=True, peer="slow", peer_value=2.0)["ratio"] == 3.0
    assert row("a", 6.0, "ms")["ratio"] is None


def test_what_was_not_measured_is_neither_kept_nor_missed() -> None:
    told = skipped("a", "MB", "no tape")
    assert told["value"] is told["ok"] is None
    assert "no tape" in told["peer"]


def test_every_bench_is_found_by_name() -> None:
    assert {"step", "replay", "stop", "kill", "core"} <= discover().keys()


def test_the_gate_alone() -> None:
    rows = judged(gate.measure(instruments=6, working=4, count=40, rounds=2))
    assert {"gate.entry.p50", "gate.entry.p99"} <= rows.keys()


def test_a_quote_through_the_engine() -> None:
    rows = judged(steps.measure(instruments=6, quotes=60, rounds=2))
    assert {"step.quote.p50", "step.quote.p99"} <= rows.keys()


def test_a_tape_through_the_engine_and_the_switches() -> None:
    rows = judged(replays.measure(replays.walk(3_000), replays.walk(500, seed=2), rounds=1))
    assert rows["replay.digests (generated walk)"]["value"] == 1
    assert rows["replay.switches (generated walk)"]["peer_value"] > 0


@pytest.mark.slow
def test_a_breach_on_a_whole_core_in_this_process() -> None:
    rows = judged(stop.measure(orders=30, rate=500.0, count=2, stalled=1))
    assert rows["stop.stalled.first_cancel.p50"]["value"] <= rows["stop.stalled.last_cancel.p50"]["value"]


@pytest.mark.slow
def test_the_cord_from_a_second_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANDON_HOME", raising=False)
    rows = judged(kill.measure(tmp_path, orders=20, rate=500.0, count=1, trip_count=5))
    assert rows["kill.accepted.max"]["value"] <= rows["kill.confirmed.max"]["value"]


@pytest.mark.slow
def test_a_start_and_a_first_paint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANDON_HOME", raising=False)
    rows = judged(startup.measure(tmp_path, count=1, settle_s=0.0, paints=1))
    assert rows["core.ready.p50"]["value"] <= rows["core.ready.max"]["value"]


def test_the_analysts_work_and_what_it_costs_a_quote() -> None:
    rows = judged([*risk_live.profile(4, 8, 0.3), *risk_live.beside(4, 8, 0.1, 2)])
    assert {"risk.profile.4x8.10hz", "risk.beside.step.p99", "risk.beside.turn.p99"} <= rows.keys()
