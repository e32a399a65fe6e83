"""replay, drill, bench and core hand their words on and turn results into tables, JSON and exit codes.

The engine behind them is a fake here: what they do with the real one is tested where the real one is.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from andon import benches, cli

SUMMARY = {
    "events": 1000,
    "seconds": 0.5,
    "events_per_s": 2000.0,
    "fills": 3,
    "equity_start": 1e6,
    "equity_end": 950_000.0,
    "realized": -50_000.0,
    "unrealized": math.nan,
    "fees": 1.5,
    "max_drawdown": 0.0501,
    "switches": [
        {"name": "drawdown", "scope": "all", "ts": 17, "value": 0.0501, "limit": 0.05},
        {"name": "operator", "scope": "symbol:BTC/USDT", "ts": 18, "value": None, "limit": None},
    ],
    "digest": "abc",
}
ROW = {
    "switch": "drawdown",
    "fault": "hang",
    "seed": 1,
    "ended": "alarmed",
    "latched": True,
    "audited": True,
    "cancels": 5,
    "residual_orders": 1,
    "residual_positions": 0,
    "ok": True,
}
Fake = Callable[..., ModuleType]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    def put(name: str, **members: Any) -> ModuleType:
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return put


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path))


class FakeResult:
    def summary(self) -> dict[str, Any]:
        return dict(SUMMARY)

    def write_report(self, folder: Path) -> Path:
        return folder / "report.html"


def rows(text: str) -> list[dict[str, Any]]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "tape.csv"
    path.write_text("ts_ns,price,qty,side\n")
    return path


def test_replay_hands_its_words_on(fake: Fake, tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: dict[str, Any] = {}

    def replay(path: Path, **options: Any) -> FakeResult:
        seen.update(options, path=path)
        return FakeResult()

    fake("core.app.replay", replay=replay)
    words = "--strategy hold --strategy maker --notional 5e4 --symbol A/B --skip-bad --seed 9 --no-switches --json"
    assert cli.main(["replay", str(tape), *words.split()]) == 0
    [row] = rows(capsys.readouterr().out)
    assert row == {**SUMMARY, "unrealized": None}
    assert seen.pop("settings").switches.drawdown.limit == 0.05
    seen.pop("progress")
    assert seen == {
        "path": tape,
        "tca": False,
        "strategies": ("hold", "maker"),
        "notional": 50_000.0,
        "symbol": "A/B",
        "skip_bad": True,
        "seed": 9,
        "switches_on": False,
    }


def test_replay_tells_a_person_what_tripped(
    fake: Fake, tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake("core.app.replay", replay=lambda *words, **options: FakeResult())
    assert cli.main(["replay", str(tape), "--report", "out"]) == 0
    out = capsys.readouterr().out
    assert "TRIPPED drawdown at 1970-01-01 00:00:00.000Z: value 0.0501, limit 0.0500" in out
    assert "TRIPPED operator in symbol:BTC/USDT at 1970-01-01 00:00:00.000Z: value ?, limit ?" in out
    assert "report out/report.html" in out


def test_a_malformed_tape_is_1_with_its_line(
    fake: Fake, tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.adapters.tape_read import TapeError

    def replay(*words: Any, **options: Any) -> FakeResult:
        raise TapeError(tape, 7, "price is nan")

    fake("core.app.replay", replay=replay)
    assert cli.main(["replay", str(tape)]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "line 7: price is nan" in err


@pytest.mark.parametrize("ok", [True, False])
def test_verify_exits_by_the_proof(
    fake: Fake, tmp_path: Path, ok: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"ok": ok, "records": 12, "effects_equal": ok, "first_difference": None if ok else 7}
    fake("core.app.replay", verify_journal=lambda path, progress: found)
    (tmp_path / "journal.db").write_bytes(b"")
    assert cli.main(["replay", "--verify", "--json"]) == (0 if ok else 1)
    assert rows(capsys.readouterr().out) == [found]


def drills(*found: dict[str, Any]) -> Callable[..., Iterator[dict[str, Any]]]:
    return lambda switches, faults, seed, progress: iter(found)


@pytest.mark.parametrize(("found", "code"), [([ROW], 0), ([ROW, {**ROW, "ok": False}], 1), ([], 1)])
def test_drill_is_0_only_when_every_row_is_ok(
    fake: Fake, found: list[dict[str, Any]], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fake("core.app.drill", drill=drills(*found), SWITCHES=("drawdown",), FAULTS=("hang", "lie"))
    assert cli.main(["drill", "--json"]) == code
    assert rows(capsys.readouterr().out) == found


def test_drill_takes_names_and_knows_the_nearest(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Any] = []

    def drill(*words: Any) -> Iterator[dict[str, Any]]:
        asked.extend(words[:3])
        return iter([ROW])

    fake("core.app.drill", drill=drill, SWITCHES=("drawdown", "margin"), FAULTS=("hang", "lie"))
    assert cli.main(["drill", "margin", "--faults", "lie,hang", "--seed", "3"]) == 0
    assert asked == [["margin"], ["lie", "hang"], 3]
    assert cli.main(["drill", "margn"]) == 2
    assert "did you mean margin?" in capsys.readouterr().err


def test_core_hands_its_words_on(fake: Fake, tape: Path) -> None:
    seen: list[Any] = []
    fake("core.app.service", run=lambda options: seen.append(options) or 0)
    words = f"core --replay {tape} --speed max --headless-seconds 2 --seed 5 --venue sim --quiet"
    assert cli.main(words.split()) == 0
    [options] = seen
    assert (options.replay, options.speed, options.headless_seconds) == (tape, math.inf, 2.0)
    assert (options.seed, options.venues, options.quiet, options.loaded.profile) == (
        5,
        ("sim",),
        True,
        "paper",
    )


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (None, 0), (False, 1)])
def test_bench_is_1_when_a_goal_is_missed(
    monkeypatch: pytest.MonkeyPatch, ok: bool | None, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def bench() -> Iterable[dict[str, Any]]:
        yield {"name": "step", "value": 1.5, "unit": "us", "goal": 2.0, "ok": ok}

    monkeypatch.setattr("andon.commands.bench.discover", lambda: {"step": bench})
    assert cli.main(["bench", "step", "--json"]) == code
    [row] = rows(capsys.readouterr().out)
    assert set(row) == set(benches.COLUMNS)
    assert row["peer"] is None
