"""Order lists: exits sized by what has filled, whoever closes the position, over a restart."""

from __future__ import annotations

from typing import Any

import pytest

from bus.effects import CancelOrder, NewOrder, ReplaceOrder
from bus.enums import OrdStatus, OrdType, Purpose, ReportKind, Side
from core.engine import snapshot
from core.engine.listed import ENDED, WORKING

from .kit import Bench, config, strategy
from .listed_kit import BUY_10, EXITS, Listed

S, R = OrdStatus, ReportKind


# --- sized by facts --------------------------------------------------------------------------------------------------


def test_nothing_guards_what_has_not_filled() -> None:
    at = Listed()
    assert at.sizes() == (0, 0) and len(at.bench.state.working) == 1
    assert (
        at.bench.replies("l")[-1].status == "done"
        and at.bench.replies("l")[-1].data["cl_ord_id"] == at.list.entry
    )


def test_exits_grow_with_the_entry_and_are_reduce_only() -> None:
    at = Listed()
    for lots, held in ((3, 3), (4, 7), (3, 10)):
        at.fill("entry", lots)
        assert at.sizes() == (held, held)
    take, stop = at.order("take"), at.order("stop")
    assert (take.ord_type, take.price_ticks, take.side) == (OrdType.LIMIT, 10400, Side.SELL)
    assert (stop.ord_type, stop.stop_ticks, stop.side) == (OrdType.STOP, 9600, Side.SELL)
    assert take.reduce_only and stop.reduce_only and stop.protects and not take.protects


def test_what_one_exit_fills_the_other_is_shrunk_by() -> None:
    at = Listed()
    at.fill("entry", 10)
    at.fill("take", 4, 104.0)
    assert at.sizes() == (6, 6)
    at.fill("stop", 2, 96.0)
    assert at.sizes() == (4, 4)
    at.fill("take", 4, 104.0)
    at.cancelled()
    assert at.sizes() == (0, 0) and at.bench.state.qty(0) == 0 and at.list.status == ENDED


def test_the_exits_of_a_short_entry_buy() -> None:
    at = Listed(side="sell", take_profit="97", stop_loss="103")
    at.fill("entry", 10)
    assert (
        at.sizes() == (10, 10) and at.order("stop").side is Side.BUY and at.order("stop").stop_ticks == 10300
    )


def test_a_cancelled_entry_leaves_its_filled_part_guarded() -> None:
    at = Listed()
    at.fill("entry", 4)
    at.bench.command("cancel_order", {"cl_ord_id": at.list.entry})
    at.cancelled()
    assert at.sizes() == (4, 4) and at.list.status == WORKING


def test_a_rejected_entry_ends_the_list() -> None:
    at = Listed()
    at.bench.report(at.list.entry, R.REJECTED)
    assert at.list.status == ENDED and not at.bench.state.working


def test_a_late_fill_of_a_dead_entry_is_guarded_all_the_same() -> None:
    at = Listed()
    at.bench.command("cancel_order", {"cl_ord_id": at.list.entry})
    at.cancelled()
    assert at.list.status == ENDED
    at.fill("entry", 4)
    assert at.list.status == WORKING and at.sizes() == (4, 4)


def test_a_bracket_may_have_one_exit() -> None:
    at = Listed(take_profit="")
    at.fill("entry", 10)
    assert at.sizes() == (0, 10)


def test_an_amendment_that_is_refused_is_done_by_cancelling() -> None:
    at = Listed()
    at.bench.fill(at.list.entry, 4)
    at.heard()
    first = at.list.stop
    at.bench.fill(at.list.entry, 6)
    for leg in ("take", "stop"):
        at.bench.report(at.order(leg).cl_ord_id, R.REPLACE_REJECTED, revision=1)
    at.cancelled()
    at.bench.wait(1.1)
    at.heard()
    assert at.sizes() == (10, 10) and at.list.stop != first


# --- positions closed by others --------------------------------------------------------------------------------------


def test_a_position_closed_by_hand_leaves_no_stop_behind() -> None:
    at = Listed()
    at.fill("entry", 10)
    at.bench.command("close_position", {"symbol": "AAA/USDT"}, id="close")
    at.cancelled()
    [closing] = [o for o in at.bench.state.working.values() if o.command == "close"]
    assert closing.qty_lots == 10
    at.bench.fill(closing.cl_ord_id, 10)
    at.bench.wait(30.0)
    assert (
        not at.bench.state.working
        and at.list.status == ENDED
        and at.bench.replies("close")[-1].status == "done"
    )
    at.bench.price(0, 100.0)
    at.bench.hold(0, 5)
    at.bench.wait(30.0)
    assert not at.bench.state.working, "what somebody opens later is not this list's to guard"


def test_part_of_a_position_closed_by_others_shrinks_the_exits() -> None:
    at = Listed()
    at.bench.hold(0, 10)
    at.fill("entry", 10)
    assert at.sizes() == (10, 10)
    at.bench.hold(0, -15)
    at.heard()
    assert at.sizes() == (5, 5), "held 5: no more may be closed"


def test_two_lists_on_one_position_never_guard_more_than_it() -> None:
    at = Listed()
    at.fill("entry", 10)
    at.bench.command("submit_list", BUY_10 | EXITS, id="m")
    at.heard()
    first, second = at.bench.state.cold.lists.values()
    at.bench.fill(second.entry, 10)
    at.heard()
    assert [o.leaves_lots for o in at.bench.state.working.values() if o.protects] == [10, 10]
    at.bench.hold(0, -12)
    at.heard()
    at.cancelled()
    assert [o.leaves_lots for o in at.bench.state.working.values() if o.protects] == [8]
    assert (first.status, second.status) == (WORKING, ENDED), "the older is guarded first"


def test_an_entry_that_only_offsets_what_others_hold_needs_no_exits() -> None:
    at = Listed.__new__(Listed)
    at.bench = Bench()
    at.bench.hold(0, -10)
    at.bench.command("submit_list", BUY_10 | EXITS, id="l")
    at.heard()
    at.fill("entry", 10)
    assert at.bench.state.qty(0) == 0 and not at.bench.state.working and at.list.status == ENDED


# --- one cancels the other -------------------------------------------------------------------------------------------

OCO = {"kind": "oco", "side": "sell"}


def test_an_oco_guards_what_is_held() -> None:
    at = Listed(**OCO)
    assert at.sizes() == (10, 10) and not at.list.entry
    at.fill("take", 10, 104.0)
    at.cancelled()
    assert not at.bench.state.working and at.bench.state.qty(0) == 0


def test_cancelling_one_by_hand_cancels_the_other() -> None:
    at = Listed(**OCO)
    at.bench.command("cancel_order", {"cl_ord_id": at.list.take})
    at.cancelled()
    at.bench.wait(10.0)
    assert not at.bench.state.working and at.list.status == ENDED


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"kind": "ladder"}, "BAD_LIST"),
        ({"take_profit": "", "stop_loss": ""}, "BAD_LIST"),
        ({"take_profit": "99"}, "BAD_LIST"),
        ({"stop_loss": "101"}, "BAD_LIST"),
        ({"reduce_only": True}, "BAD_LIST"),
        ({"stop_loss": "-4"}, "BAD_LIST"),
        ({"stop_loss": "95.123"}, "OFF_STEP"),
        ({"qty": "0"}, "BAD_QUANTITY"),
        ({"kind": "oco"}, "BAD_LIST"),
        ({"kind": "oco", "side": "sell"}, "NOT_HELD"),
        ({"symbol": "ZZZ"}, "UNKNOWN_SYMBOL"),
    ],
)
def test_what_is_no_list_is_refused_by_name(data: dict[str, Any], code: str) -> None:
    bench = Bench()
    bench.command("submit_list", BUY_10 | EXITS | data, id="l")
    last = bench.replies("l")[-1]
    assert (last.status, last.error_code) == ("rejected", code)
    assert not bench.state.cold.lists and not bench.state.working


def test_the_same_intent_twice_is_one_list() -> None:
    bench = Bench()
    for id in ("a", "b"):
        bench.command("submit_list", BUY_10 | EXITS | {"intent": "one"}, id=id)
    assert bench.replies("b")[-1].error_code == "DUPLICATE" and len(bench.state.working) == 1


def test_no_list_begins_under_a_kill_that_flattens() -> None:
    bench = Bench()
    bench.hold(0, 10)
    bench.command("kill", {"level": "flatten"})
    for kind, side in (("bracket", "buy"), ("oco", "sell")):
        bench.command("submit_list", BUY_10 | EXITS | {"kind": kind, "side": side}, id=kind)
        assert bench.replies(kind)[-1].error_code == "FLATTENING" and not bench.sent()


def test_a_dry_run_sends_nothing() -> None:
    bench = Bench()
    bench.command("submit_list", BUY_10 | EXITS | {"dry_run": True}, id="l")
    assert bench.replies("l")[-1].data["dry_run"] and not bench.state.cold.lists and not bench.state.working


# --- restarts --------------------------------------------------------------------------------------------------------


def test_a_list_survives_a_restart() -> None:
    from bus.events import Boot
    from core.engine.step import step

    at = Listed()
    at.fill("entry", 5)
    state = snapshot.load(snapshot.save(at.bench.state), at.bench.config)
    assert snapshot.save(state) == snapshot.save(at.bench.state)
    at.bench.state = state
    effects = step(state, Boot(at.bench.now, 2, clean=False, note="killed"))
    assert not [e for e in effects if isinstance(e, NewOrder)]
    assert {e.cl_ord_id for e in effects if isinstance(e, CancelOrder)} == {at.list.entry, at.list.take}
    at.cancelled()
    at.fill("entry", 2)
    assert at.sizes() == (0, 7), "what filled meanwhile is guarded, under the halt"


def test_every_exit_is_sent_for_no_more_than_the_claim() -> None:
    """Whatever order fills come in."""
    at = Listed()
    entered = exited = 0
    for leg, lots in (("entry", 2), ("entry", 5), ("take", 3), ("entry", 3), ("stop", 4), ("take", 3)):
        before = len(at.bench.all)
        at.fill(leg, lots)
        entered, exited = entered + lots * (leg == "entry"), exited + lots * (leg != "entry")
        for effect in at.bench.all[before:]:
            if isinstance(effect, NewOrder):
                assert effect.qty_lots <= entered - exited
            elif isinstance(effect, ReplaceOrder):
                order = at.bench.state.cold.orders[effect.cl_ord_id]
                assert effect.qty_lots - order.filled_lots <= entered - exited


def test_exits_close_the_share_of_their_own_strategy() -> None:
    bench = Bench(config(strategies=(strategy("other"), strategy("mine"))))
    bench.hold(0, 100, strategy="other")
    at = Listed.__new__(Listed)
    at.bench = bench
    bench.command("submit_list", BUY_10 | EXITS | {"strategy": "mine"})
    at.heard()
    at.fill("entry", 10)
    at.fill("take", 10, 104.0)
    held = {key: holding.qty_lots for key, holding in bench.state.cold.holdings.items()}
    assert held == {"other|0": 100, "mine|0": 0}


def test_while_others_offset_it_there_is_less_to_close_and_then_all_of_it_again() -> None:
    at = Listed.__new__(Listed)
    at.bench = Bench(config(strategies=(strategy("other"), strategy("mine"))))
    at.bench.command("submit_list", BUY_10 | EXITS | {"strategy": "mine"})
    at.heard()
    at.fill("entry", 10)
    named = {"strategy": "other", "purpose": Purpose.STRATEGY}
    for lots, guarded in ((-8, 2), (-5, 0), (8, 5), (5, 10)):
        at.bench.hold(0, lots, **named)
        at.heard()
        at.cancelled()
        at.bench.wait(2.1)
        at.heard()
        at.bench.price(0, 100.0)
        assert at.sizes() == (guarded, guarded), lots
    assert at.list.status == WORKING
