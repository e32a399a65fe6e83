"""Orders changed in place at the simulated venue: queue, refusals, faults; and stop orders."""

from __future__ import annotations

import pytest

from bus.enums import ReportKind, Side, TimeInForce
from bus.events import OpenOrder, OpenOrders
from core.adapters.faults import FaultPlan
from tests.venues.rig import MS, Rig, new, quote, rows, trade

BUY, SELL = Side.BUY, Side.SELL
R = ReportKind


def resting(qty: int = 10, px: int = 999, **more) -> Rig:
    rig = Rig(**more)
    rig.send(new("a", BUY, qty, px))
    rig.wait()
    return rig


def told(rig: Rig, id: str = "a"):
    return rig.reports(id)[-1]


# --- changing --------------------------------------------------------------------------------------------------------


def test_a_replaced_order_is_told_as_it_stands() -> None:
    rig = resting()
    rig.replace("a", 7, 998)
    rig.wait()
    report = told(rig)
    assert (report.kind, report.order_lots, report.order_ticks, report.revision) == (R.REPLACED, 7, 998, 1)
    assert [(row.qty_lots, row.price_ticks) for row in rig.venue.open_orders()] == [(7, 998)]


def test_smaller_at_its_price_keeps_the_place_in_the_queue() -> None:
    rig = resting(px=1000)  # behind the 10 displayed
    rig.feed(trade(rig.now_ns, 1000, 8, buy=False))
    rig.replace("a", 6, 1000)
    rig.wait()
    rig.feed(trade(rig.now_ns, 1000, 5, buy=False))  # 2 were left ahead: 3 are ours
    assert told(rig).last_lots == 3


@pytest.mark.parametrize(("qty", "px"), [(12, 1000), (10, 999)])
def test_larger_or_elsewhere_loses_it(qty: int, px: int) -> None:
    rig = resting(px=1000)
    rig.feed(trade(rig.now_ns, 1000, 8, buy=False))
    rig.replace("a", qty, px)
    rig.wait()
    rig.replace("a", qty, 1000, revision=2)  # back, or not away: behind the displayed size again
    rig.wait()
    rig.feed(trade(rig.now_ns, 1000, 9, buy=False))
    assert told(rig).kind is R.REPLACED
    assert not [r for r in rig.reports("a") if r.kind is R.TRADE]


def test_the_others_at_its_old_price_keep_theirs() -> None:
    rig = resting(px=1000)
    rig.send(new("b", BUY, 4, 1000))
    rig.wait()
    rig.replace("a", 10, 998)
    rig.wait()
    rig.feed(trade(rig.now_ns, 999, 30, buy=False))
    assert told(rig, "b").last_lots == 4 and told(rig).kind is R.REPLACED


def test_a_price_that_crosses_trades_at_once() -> None:
    rig = resting()
    rig.replace("a", 10, 1001)
    rig.wait()
    kinds = rig.kinds("a")
    assert kinds == [R.ACK, R.REPLACED, R.TRADE] and told(rig).px_ticks == 1001.0


def test_below_what_has_filled_it_is_done() -> None:
    rig = resting(px=1000)
    rig.feed(trade(rig.now_ns, 999, 4, buy=False))
    assert told(rig).last_lots == 4
    rig.replace("a", 3, 1000)
    rig.wait()
    assert (told(rig).kind, told(rig).order_lots) == (R.REPLACED, 4)
    assert rig.venue.open_orders() == []
    rig.feed(trade(rig.now_ns, 998, 50, buy=False))
    assert rig.venue.positions() == {0: 4}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"qty": 20_000, "px": 999}, "quantity outside"),
        ({"qty": 10, "px": 0}, "type"),
        ({"qty": 10, "px": 999, "stop": 990}, "type"),
    ],
)
def test_what_it_cannot_be_is_refused_and_it_stands_as_it_was(change, why: str) -> None:
    rig = resting()
    rig.replace("a", change["qty"], change["px"], stop=change.get("stop", 0))
    rig.wait()
    assert told(rig).kind is R.REPLACE_REJECTED and why in told(rig).reason and told(rig).revision == 1
    assert [(row.qty_lots, row.price_ticks) for row in rig.venue.open_orders()] == [(10, 999)]


def test_a_post_only_order_is_not_moved_into_the_market() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 10, 999, post_only=True))
    rig.wait()
    rig.replace("a", 10, 1001)
    rig.wait()
    assert told(rig).kind is R.REPLACE_REJECTED and "post only" in told(rig).reason


def test_filled_cancelled_and_unknown_orders_are_refused() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 5, 1001), new("b", BUY, 5, 990))
    rig.wait()
    rig.cancel("b")
    rig.wait()
    for id, why in (("a", "already filled"), ("b", "already canceled"), ("c", "unknown order")):
        rig.replace(id, 7, 990)
        rig.wait()
        assert (told(rig, id).kind, told(rig, id).reason) == (R.REPLACE_REJECTED, why)


def test_the_same_revision_twice_is_done_once() -> None:
    rig = resting()
    rig.replace("a", 7, 999)
    rig.wait()
    rig.replace("a", 3, 999)  # revision 1 again
    rig.wait()
    assert (told(rig).kind, told(rig).order_lots) == (R.REPLACED, 7)


def test_a_query_shows_quantity_price_and_the_revision_it_has_seen() -> None:
    rig = resting()
    rig.replace("a", 7, 998)
    rig.wait()
    rig.ask(order="a")
    rig.wait()
    report = told(rig)
    assert (report.kind, report.order_lots, report.order_ticks, report.revision) == (R.STATUS, 7, 998, 1)


# --- faults ----------------------------------------------------------------------------------------------------------


def test_the_plan_strikes_amendments_too() -> None:
    rig = resting()
    rig.plan.on("reject", limit=1)
    rig.replace("a", 7, 999)
    rig.wait()
    assert told(rig).kind is R.REPLACE_REJECTED and told(rig).reason == "refused"
    rig.plan.on("hang", limit=1)
    rig.replace("a", 7, 999, revision=2)
    assert not rig.wait(), "no effect, no answer"
    rig.replace("a", 6, 999, revision=3)
    rig.wait()
    assert told(rig).order_lots == 6


def test_a_cut_link_leaves_the_outcome_unknown_and_sometimes_it_took() -> None:
    taken = set()
    for seed in range(12):
        rig = resting(faults=FaultPlan(seed=seed))
        rig.plan.on("disconnect", from_ns=rig.now_ns, until_ns=rig.now_ns + 100 * MS)
        rig.replace("a", 7, 999)
        rig.wait(1000.0)
        kinds = rig.kinds("a")
        assert R.REPLACE_UNKNOWN in kinds and R.REPLACED not in kinds
        assert next(r for r in rig.reports("a") if r.kind is R.REPLACE_UNKNOWN).revision == 1
        taken.add(rig.venue.open_orders()[0].qty_lots)
    assert taken == {7, 10}


# --- stops -----------------------------------------------------------------------------------------------------------


def stopped(side: Side, stop: int, *, held: int = 0, **more) -> Rig:
    rig = Rig()
    if held:
        rig.venue.restore({0: held})
    rig.send(new("s", side, 5, stop_ticks=stop, **more))
    rig.wait()
    return rig


def test_a_stop_rests_unseen_and_is_shown_to_its_owner() -> None:
    rig = stopped(SELL, 990)
    assert rig.kinds("s") == [R.ACK]
    rig.ask(opened=4)
    rig.wait()
    shown = next(e for e in rig.events if isinstance(e, OpenOrders))
    assert shown.orders == (OpenOrder("s", 0, SELL, 5, 0, 0, 990, False),)
    rig.feed(trade(rig.now_ns, 995, 100, buy=True), quote(rig.now_ns, 992, 993))
    assert rig.kinds("s") == [R.ACK]


@pytest.mark.parametrize(
    ("side", "stop", "row"),
    [
        (SELL, 990, trade(0, 990, 1, buy=False)),
        (SELL, 990, quote(0, 989, 992)),
        (BUY, 1010, trade(0, 1011, 1, buy=True)),
        (BUY, 1010, quote(0, 1008, 1010)),
    ],
)
def test_a_trade_or_the_best_price_it_would_take_sets_it_off(side: Side, stop: int, row) -> None:
    rig = stopped(side, stop)
    tick = (rig.now_ns, *row[1:])
    assert rig.venue.first_touch(rows(tick)) == 1
    rig.feed(tick)
    assert rig.kinds("s")[:2] == [R.ACK, R.TRADE]
    assert rig.venue.positions() == {0: 5 if side is BUY else -5} and not rig.venue.open_orders()


def test_one_that_is_touched_already_is_a_market_order() -> None:
    rig = stopped(SELL, 1000)
    assert rig.kinds("s") == [R.ACK, R.TRADE] and told(rig, "s").px_ticks == 1000.0


def test_it_fills_like_a_market_order_and_the_rest_expires() -> None:
    rig = stopped(SELL, 990)
    rig.feed(trade(rig.now_ns, 985, 1, buy=False))  # the quote still stands at 1000
    assert told(rig, "s").px_ticks == 1000.0
    rig = stopped(SELL, 990)
    rig.feed((rig.now_ns, 0, 1, 0, 1002, 0, 0, 10, 0, 0))  # nobody bids
    rig.feed(trade(rig.now_ns, 985, 1, buy=False))
    assert rig.kinds("s") == [R.ACK, R.EXPIRED]


def test_reduce_only_never_goes_through_zero() -> None:
    rig = stopped(SELL, 990, held=3, reduce_only=True)
    rig.feed(quote(rig.now_ns, 989, 991))
    assert told(rig, "s").kind is R.EXPIRED and rig.venue.positions() == {}


def test_reduce_only_without_a_position_is_refused() -> None:
    rig = stopped(SELL, 990, reduce_only=True)
    assert told(rig, "s").kind is R.REJECTED


def test_a_cancelled_stop_is_gone_and_a_moved_one_stands_elsewhere() -> None:
    rig = stopped(SELL, 990)
    rig.cancel("s")
    rig.wait()
    rig.feed(quote(rig.now_ns, 980, 981))
    assert rig.kinds("s") == [R.ACK, R.CANCELED]
    rig = stopped(SELL, 990)
    rig.replace("s", 4, stop=970)
    rig.wait()
    rig.feed(quote(rig.now_ns, 980, 981))
    assert rig.kinds("s") == [R.ACK, R.REPLACED]
    rig.feed(quote(rig.now_ns, 970, 971))
    assert told(rig, "s").kind is R.TRADE and rig.venue.positions() == {0: -4}


def test_a_mass_cancel_takes_stops_too() -> None:
    rig = stopped(SELL, 990)
    rig.cancel_all()
    rig.wait()
    assert rig.kinds("s") == [R.ACK, R.CANCELED] and not rig.venue.open_orders()


def test_blocks_are_cut_at_the_trigger() -> None:
    """``first_touch`` sees a trigger exactly where the venue acts on it."""
    rig = stopped(SELL, 990)
    ticks = [quote(rig.now_ns + k * MS, 1000 - k, 1001 - k) for k in range(20)]
    table = rows(*ticks)
    assert rig.venue.first_touch(table) == 11
    rig.venue.on_ticks(table[:10])
    rig.wait(0.0)
    assert rig.kinds("s") == [R.ACK]


def test_a_stop_with_a_tif_still_rests() -> None:
    rig = stopped(SELL, 990, tif=TimeInForce.GTC)
    assert len(rig.venue.open_orders()) == 1
