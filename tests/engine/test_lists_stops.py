"""Protective stops: one that goes missing, one cancelled by hand, and what a stop of ours does to them."""

from __future__ import annotations

from typing import Any

import pytest

from bus.effects import NewOrder
from bus.enums import OrdStatus, OrdType, ReportKind, Side
from core.engine.listed import ENDED

from .kit import only
from .listed_kit import Listed

S, R = OrdStatus, ReportKind


# --- a stop that goes missing ----------------------------------------------------------------------------------------


def test_a_stop_that_the_venue_ends_is_placed_again_and_slower_and_alarmed() -> None:
    at = Listed()
    at.fill("entry", 10)
    ids = []
    for _ in range(4):
        ids.append(at.list.stop)
        at.bench.report(at.list.stop, R.CANCELED)
        before = at.bench.now
        while at.list.stop == ids[-1] or at.order("stop").status is not S.PENDING_NEW:
            at.bench.wait(0.25)
            assert at.bench.now - before < 12 * 10**9
    assert len(set(ids)) == 4 and at.bench.alerts("UNPROTECTED")
    at.heard()
    at.bench.wait(30.0)
    at.bench.price(0, 100.0)
    assert at.sizes() == (10, 10)


def test_a_take_profit_that_others_cancel_stays_cancelled() -> None:
    at = Listed()
    at.fill("entry", 10)
    at.bench.report(at.list.take, R.CANCELED)
    at.bench.wait(30.0)
    assert at.sizes() == (0, 10)


@pytest.mark.parametrize(("leg", "left"), [("take", (0, 10)), ("stop", (10, 0))])
def test_a_leg_cancelled_by_hand_stays_cancelled(leg: str, left: tuple[int, int]) -> None:
    at = Listed()
    at.fill("entry", 10)
    at.bench.command("cancel_order", {"cl_ord_id": getattr(at.list, leg)})
    at.cancelled()
    at.bench.wait(30.0)
    assert at.sizes() == left


def test_a_trigger_amended_by_hand_stays() -> None:
    at = Listed()
    at.fill("entry", 5)
    at.bench.command("amend_order", {"cl_ord_id": at.list.stop, "stop": "97"}, id="a")
    stop = at.order("stop")
    at.bench.report(stop.cl_ord_id, R.REPLACED, order_lots=5, order_stop=9700, revision=stop.revision)
    at.fill("entry", 5)
    assert at.sizes() == (10, 10) and at.order("stop").stop_ticks == at.list.stop_ticks == 9700
    at.bench.command("amend_order", {"cl_ord_id": at.list.stop, "qty": "3"}, id="b")
    assert at.bench.replies("b")[-1].error_code == "LISTED"


# --- what a stop of ours does ----------------------------------------------------------------------------------------

HALTS = [("cancel_all", {}), ("stop", {}), ("kill", {"level": "halt"})]


def halted(mode: str, what: str, data: dict[str, Any]) -> Listed:
    """Half an entry filled, then a stop that keeps positions; the venue carries it out."""
    at = Listed(mode)
    at.fill("entry", 5)
    at.bench.command(what, data, id="x")
    for _ in range(6):
        at.cancelled()
        for kill in list(at.bench.state.cold.kills.values()):
            for request, venue in list(kill.requests.items()):
                at.bench._answer(request, venue)
        at.bench.wait(1.1)
        at.heard()
    assert at.bench.replies("x")[-1].status == "done"
    return at


@pytest.mark.parametrize(("what", "data"), HALTS)
def test_keep_leaves_the_protective_stop_alone(what: str, data: dict[str, Any]) -> None:
    at = halted("keep", what, data)
    assert at.sizes() == (0, 5) and at.order("stop").cancels == 0 and at.list.stops == 1


@pytest.mark.parametrize(("what", "data"), HALTS)
def test_replace_cancels_it_and_places_it_anew(what: str, data: dict[str, Any]) -> None:
    at = halted("replace", what, data)
    assert at.sizes() == (0, 5) and at.list.stops == 2


@pytest.mark.parametrize(("what", "data"), HALTS)
def test_cancel_takes_it_away(what: str, data: dict[str, Any]) -> None:
    at = halted("cancel", what, data)
    assert at.sizes() == (0, 0) and not at.bench.state.working and at.list.status == ENDED


@pytest.mark.parametrize("mode", ["keep", "replace", "cancel"])
@pytest.mark.parametrize("level", ["flatten", "shutdown"])
def test_what_flattens_leaves_nothing_of_it(mode: str, level: str) -> None:
    at = Listed(mode)
    at.fill("entry", 5)
    stop = at.list.stop
    at.bench.command("kill", {"level": level})
    assert stop in at.bench.cancelled()
    assert stop in at.bench.kill("operator@all").pending, "and waited for, before anything is closed"
    at.bench.finish_kill()
    at.bench.wait(30.0)
    assert at.bench.state.qty(0) == 0 and not at.bench.state.working and at.list.status == ENDED


def test_a_late_fill_under_a_halt_is_guarded_too() -> None:
    at = Listed()
    at.bench.command("kill", {"level": "halt"})
    at.cancelled()
    at.fill("entry", 4)
    assert at.sizes() == (0, 4)


def test_a_reducing_kill_leaves_both_exits() -> None:
    at = Listed()
    at.fill("entry", 5)
    at.bench.command("kill", {"level": "reduce"})
    at.cancelled()
    assert at.sizes() == (5, 5)


def test_exits_make_room_for_a_cut_and_come_back_for_what_is_left() -> None:
    at = Listed(switches=only(leverage=0.008, leverage_target=0.004))
    at.fill("entry", 10)
    assert "leverage@all" in at.bench.kills()
    at.bench.finish_kill()
    at.heard()
    at.bench.wait(1.1)
    at.heard()
    assert at.bench.state.qty(0) == 4 and at.sizes() == (4, 4)


def test_a_halt_raised_to_flatten_cancels_what_it_had_kept() -> None:
    at = Listed()
    at.fill("entry", 5)
    at.bench.command("kill", {"level": "halt"})
    at.cancelled()
    at.bench.finish_kill()
    assert at.sizes() == (0, 5)
    at.bench.command("kill", {"level": "flatten"})
    assert at.list.stop in at.bench.cancelled()
    at.bench.finish_kill()
    assert at.bench.state.qty(0) == 0 and not at.bench.state.working


def test_a_stop_stands_beside_the_quotes_of_others() -> None:
    """What others quote could take the account through zero; the stop, reduce-only at the venue, cannot."""
    at = Listed()
    quote = at.bench.working(0, Side.SELL, 30, 101.0)
    at.fill("entry", 10)
    assert at.sizes() == (10, 10)
    stops = [e for e in at.bench.all if isinstance(e, NewOrder) and e.ord_type is OrdType.STOP]
    assert [stop.approval.reducing for stop in stops] == [False], "it waits for the disk, like what adds risk"
    assert quote.is_open


def test_beside_the_quotes_of_others_it_waits_while_nothing_may_be_added() -> None:
    at = Listed()
    quote = at.bench.working(0, Side.SELL, 30, 101.0)
    at.bench.command("kill", {"scope": "symbol:AAA/USDT", "level": "reduce"})
    at.bench.fill(at.list.entry, 4)
    assert at.sizes() == (0, 0) and not at.bench.sent()
    at.bench.report(quote.cl_ord_id, R.CANCELED)
    at.bench.wait(2.1)
    at.heard()
    assert at.sizes()[1] == 4, "as soon as the quote is gone"
