"""Exits that were withdrawn for a while: they come back when it is over, at once, and not after a cancel of everything."""

from __future__ import annotations

import pytest

from bus.enums import KillPhase, OrdStatus, ReportKind, Side, TimeInForce
from bus.instruments import InstrumentSpec
from core.engine import list_stops, lists, snapshot

from .kit import Bench, config, only
from .listed_kit import BUY_10, EXITS, Listed

S, R = OrdStatus, ReportKind
CUT = only(leverage=0.008, leverage_target=0.004)


def being_cut() -> Listed:
    """A list whose exits have made room for a cut that is still running."""
    at = Listed(switches=CUT)
    at.bench.wait(2.0)
    at.fill("entry", 10)
    assert at.bench.kills()["leverage@all"][1] is KillPhase.CANCELLING
    for request, venue in list(at.bench.kill("leverage@all").requests.items()):
        at.bench._answer(request, venue)
    at.bench.wait(1.2)
    at.cancelled()
    assert at.sizes() == (0, 0) and at.bench.kill("leverage@all").phase is KillPhase.FLATTENING
    return at


def test_they_are_back_in_the_step_that_confirms_a_cut() -> None:
    """No timer and no further event is needed: the next one may be the re-arm, and after that nothing at all."""
    at = being_cut()
    at.bench.finish_kill()
    assert at.sizes() == (4, 4)
    at.bench.command("rearm", {"switch": "all"})
    assert at.sizes() == (4, 4)


@pytest.mark.parametrize("what", ["cancel_all", "stop"])
def test_a_cancel_of_everything_names_also_what_is_withdrawn(what: str) -> None:
    at = being_cut()
    at.bench.command(what)
    at.bench.finish_kill()
    at.bench.wait(30.0)
    at.heard()
    assert at.sizes() == (0, 4) and at.list.take_off


def test_a_cancel_of_one_strategy_leaves_the_lists_of_others() -> None:
    at = Listed()
    at.fill("entry", 10)
    lists.to_cancel(at.bench.state, [], "somebody-else")
    assert not at.list.take_off


def test_after_a_close_that_fails_both_exits_come_back() -> None:
    at = Listed()
    at.fill("entry", 10)
    at.bench.wait(2.0)
    at.bench.command("close_position", {"symbol": "AAA/USDT"}, id="x")
    at.cancelled()
    [close] = at.bench.state.working.values()
    at.bench.report(close.cl_ord_id, R.REJECTED, reason="no")
    assert at.bench.replies("x")[-1].status == "failed" and at.sizes() == (10, 10)


def test_after_a_close_that_gives_up_the_stop_does_not_wait_for_somebody_to_move() -> None:
    at = Listed()
    at.fill("entry", 10)
    b = at.bench
    b.wait(2.0)
    b.command("close_position", {"symbol": "AAA/USDT"}, id="x")
    while b.replies("x")[-1].status != "failed":
        going = [order.cl_ord_id for order in b.state.working.values() if order.cancels]
        for key in going[:-1]:
            b.report(key, R.CANCELED)
        b.submit(0, Side.SELL, 30, price_ticks=10100, tif=TimeInForce.GTC)  # somebody keeps quoting
        b.report(going[-1], R.CANCELED)
    assert b.replies("x")[-1].error_code == "NOT_REDUCING" and at.sizes()[1] == 10


def test_an_exit_that_was_told_to_go_is_not_amended() -> None:
    """Its cancel was refused, so the venue works it; it is chased all the same, and another takes its place."""
    at = Listed("replace")
    at.fill("entry", 5)
    at.bench.command("cancel_all")
    at.bench.report(at.list.stop, R.CANCEL_REJECTED)
    at.bench.report(at.list.stop, R.STATUS, cum_lots=0)
    stop = at.order("stop")
    assert stop.status is S.NEW and stop.cancels
    at.bench.fill(at.list.entry, 5)
    assert not stop.revision and not stop.want_lots


def test_what_they_stand_under_is_part_of_a_snapshot() -> None:
    at = being_cut()
    again = snapshot.load(snapshot.save(at.bench.state))
    assert again.cold.lists_stops == at.bench.state.cold.lists_stops == list_stops.stops_of(again)


def test_a_kill_that_stays_does_not_have_every_list_looked_at_in_every_step(monkeypatch) -> None:
    """Five hundred lists under a latched halt made each report take 20 ms, and a thousand confirmations 10 s."""
    specs = tuple(
        InstrumentSpec(symbol=f"S{i}/USDT", base=f"S{i}", tick_size=0.01, lot_size=1.0, margin_rate=0.1) for i in range(40)
    )  # fmt: skip
    b = Bench(config(instruments=specs, cash={"USDT": 1e9}))
    for i, spec in enumerate(specs):
        b.command("submit_list", BUY_10 | EXITS | {"symbol": spec.symbol})
        entry = next(o for o in b.state.working.values() if o.instrument == i)
        b.report(entry.cl_ord_id, R.ACK)
        b.fill(entry.cl_ord_id, 10)
    b.command("kill", {"level": "halt"})
    looked: list[str] = []
    see = list_stops.level_of
    monkeypatch.setattr(
        list_stops, "level_of", lambda state, held: looked.append(held.id) or see(state, held)
    )
    going = [order for order in b.state.working.values() if order.cancels]
    for order in going:
        b.report(order.cl_ord_id, R.CANCELED)
    assert len(going) == 40 and len(looked) <= 2 * len(going)
