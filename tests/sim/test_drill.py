"""`andon drill`: every switch against every fault, and that its judge can say no."""

from __future__ import annotations

import pytest

from bus.enums import Switch
from core.adapters.sim_venue import SimVenue
from core.app import drill_evidence
from core.app.drill import FAULTS, SWITCHES, drill, run_one
from core.engine import flatten, kill

ROW = {
    "switch", "fault", "seed", "ended", "latched", "audited", "cancels", "residual_orders", "residual_positions", "ok",
}  # fmt: skip
CANNOT_CONFIRM = {"hang", "reject", "disconnect", "fail_queries"}  # while they last
FLATTENS = {"position_loss", "emergency", "operator"}


def test_every_switch_under_every_fault() -> None:
    done: list[tuple[int, int]] = []
    rows = list(drill(SWITCHES, FAULTS, 1, lambda n, total: done.append((n, total))))

    assert len(rows) == len(SWITCHES) * len(FAULTS) == 13 * 11
    assert done[-1] == (len(rows), len(rows))
    assert [row for row in rows if not row["ok"]] == []
    assert all(set(row) >= ROW and row["latched"] and row["audited"] for row in rows)
    for row in rows:
        assert (row["ended"] == "alarmed") == (row["fault"] in CANNOT_CONFIRM) or row["fault"] == "late", row
        if row["ended"] == "flat":
            assert row["switch"] in FLATTENS and row["residual_positions"] == row["residual_orders"] == 0
        if row["ended"] == "halted":
            assert row["residual_orders"] == 0 and row["cancels"] >= 2


@pytest.mark.parametrize("seed", [2, 3])
def test_other_seeds(seed) -> None:
    assert [row for row in drill(SWITCHES, FAULTS, seed) if not row["ok"]] == []


def test_names_are_checked() -> None:
    with pytest.raises(ValueError, match="no 'gravity'"):
        list(drill(["gravity"], ["none"], 1))
    with pytest.raises(ValueError, match="no 'rain'"):
        list(drill(["operator"], ["rain"], 1))


def test_an_engine_that_believes_itself_is_not_ok(monkeypatch) -> None:
    """Positions believed flat without the venue's word: the judge looks at the venue."""
    monkeypatch.setattr(flatten, "advance", lambda state, held: True)
    row = run_one(Switch.OPERATOR, "none", 1)
    assert not row["ok"] and "positions still held" in row["why"]


def test_cancels_that_never_leave_are_not_ok(monkeypatch) -> None:
    monkeypatch.setattr(SimVenue, "cancel", lambda self, order, now_ns: None)
    monkeypatch.setattr(SimVenue, "mass_cancel", lambda self, request, now_ns: None)
    row = run_one(Switch.DRAWDOWN, "none", 1)
    assert not row["ok"] and "orders still work" in row["why"]


def test_a_silent_alarm_is_not_ok(monkeypatch) -> None:
    monkeypatch.setattr(kill, "_alarm", lambda state, held: None)
    row = run_one(Switch.DRAWDOWN, "hang", 1)
    assert not row["ok"] and "no alarm" in row["why"]


def test_the_judge_notices_a_switch_that_did_not_trip(monkeypatch) -> None:
    monkeypatch.setattr(kill, "pull", lambda *args, **named: None)
    row = run_one(Switch.DRAWDOWN, "none", 1)
    assert not row["ok"] and "did not trip" in row["why"]
    assert drill_evidence.WELL_S > 0
