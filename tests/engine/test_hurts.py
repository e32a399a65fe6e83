"""What has hurt people who run bots, one row each: whose, what happened, and what happens here instead.

The incidents are from the public trackers of the engines they ran. Each test does to this engine what the venue, the
network or the operator did to theirs.
"""

from __future__ import annotations

import msgspec
import pytest

from bus.effects import CancelOrder, NewOrder, QueryOrder, QueryPositions
from bus.enums import KillPhase, OrdStatus, OrdType, ReportKind, Side, TimeInForce
from bus.events import Boot, OpenOrder
from core.engine import oms, snapshot
from core.engine.gate import Denial
from core.engine.orders import NOT_FOUND_MAX, Order
from core.engine.step import step

from .kit import WIDE, Bench, config, only, row

S, R = OrdStatus, ReportKind


def work(bench: Bench, side: str = "buy") -> int:
    return int(bench.state.positions[f"work_{side}_lots"][0])


def test_a_timeout_is_not_a_rejection() -> None:
    """NautilusTrader: a submit without an answer was resolved as REJECTED; the order lived, the position was orphaned."""
    bench = Bench()
    order = bench.submit(0, Side.BUY, 10, price_ticks=9900, tif=TimeInForce.GTC)
    bench.report(order.cl_ord_id, R.UNKNOWN, reason="timed out")
    bench.wait(600.0)
    assert order.status is S.PENDING_UNKNOWN and work(bench) == 10, "open until the venue says otherwise"
    bench.fill(order.cl_ord_id, 10)
    assert order.status is S.FILLED and bench.state.qty(0) == 10


def test_a_restart_forgets_no_working_order() -> None:
    """NautilusTrader: reconciliation at start dropped fourteen working orders."""
    bench = Bench()
    ids = [bench.working(0, Side.BUY, 1, 97.0 + n / 10).cl_ord_id for n in range(14)]
    state = snapshot.load(snapshot.save(bench.state), bench.config)
    bench.state = state
    bench.do(Boot(bench.now, 2, clean=True))
    assert list(state.working) == ids and work(bench) == 14
    strangers = [OpenOrder(f"there-{n}", 0, Side.BUY, 2, 0, 9000) for n in range(3)]
    bench.answer_open(*[row(o) for o in state.working.values()], *strangers)
    assert work(bench) == 20 and len(state.working) == 17, "what it shows and we do not know is ours now"


def test_a_position_that_cannot_be_explained_does_not_keep_us_from_closing_it() -> None:
    """NautilusTrader: a long-lived position could not reconcile, and the node would not start: no way out."""
    bench = Bench(config(switches=only(reconciliation=True)))
    for _ in range(3):
        bench.wait(1.0)
        bench.answer_positions({0: 7})
    assert bench.state.qty(0) == 7, "the venue's word, said three times"
    assert "reconciliation@venue:sim" in bench.kills(), "and told: entries are refused"
    bench.command("close_position", {"symbol": "AAA/USDT"}, id="close")
    [closing] = [o for o in bench.state.working.values() if o.command == "close"]
    assert (closing.side, closing.qty_lots, closing.reduce_only) == (Side.SELL, 7, True)


def test_a_retry_of_the_same_intent_is_the_same_order() -> None:
    """NautilusTrader: a submit was retried after the order had been accepted; the id collided."""
    bench = Bench()
    data = {
        "symbol": "AAA/USDT",
        "side": "buy",
        "qty": "5",
        "type": "limit",
        "price": "99",
        "intent": "plan-7",
    }
    bench.command("submit_order", data, id="first")
    [sent] = bench.sent()
    bench.report(sent.cl_ord_id, R.UNKNOWN)
    bench.command("submit_order", data, id="second")
    assert not bench.sent() and bench.replies("second")[-1].error_code == "DUPLICATE"
    assert oms.client_order_id(1, "operator", "plan-7") == sent.cl_ord_id
    assert oms.client_order_id(2, "operator", "plan-7") != sent.cl_ord_id, "another start is another order"


def test_a_rejection_as_duplicate_means_it_is_there() -> None:
    """ccxt: a duplicate id comes back as an invalid order; read as a rejection, the living order is forgotten."""
    bench = Bench()
    order = bench.submit(0, Side.BUY, 10, price_ticks=9900, tif=TimeInForce.GTC)
    bench.report(order.cl_ord_id, R.REJECTED, reason="duplicate")
    assert order.status is S.REJECTED
    bench.report(order.cl_ord_id, R.STATUS, cum_lots=0)
    assert order.status is S.NEW and work(bench) == 10, "the venue that shows it is believed"
    bench.fill(order.cl_ord_id, 10)
    assert bench.state.qty(0) == 10


@pytest.mark.parametrize("filled", [1, 6, 10])
def test_closing_waits_for_the_cancels_and_is_sized_by_what_filled_meanwhile(filled: int) -> None:
    """NautilusTrader: cancel and close were sent together; fills in flight left the book open or turned it."""
    bench = Bench()
    bench.hold(0, 10)
    order = bench.working(0, Side.SELL, 10, 101.0, reduce_only=True)
    bench.command("close_position", {"symbol": "AAA/USDT"}, id="close")
    assert bench.cancelled() == [order.cl_ord_id] and not bench.sent()
    bench.fill(order.cl_ord_id, filled, 101.0)
    assert filled == 10 or not bench.sent(), "still waiting"
    if filled < 10:
        bench.report(order.cl_ord_id, R.CANCELED)
        assert [sent.qty_lots for sent in bench.sent()] == [10 - filled]
        bench.fill(bench.sent()[0].cl_ord_id, 10 - filled)
    assert bench.state.qty(0) == 0 and bench.replies("close")[-1].status == "done"


def test_an_exit_is_a_loop_with_confirmation() -> None:
    """The same, second report: a fill after the cancel's answer opened the position again under the exit."""
    bench = Bench()
    bench.hold(0, 10)
    entry = bench.working(0, Side.BUY, 5, 99.0)
    bench.command("kill", {"level": "flatten"})
    bench.finish_kill()
    assert bench.state.qty(0) == 0
    bench.fill(entry.cl_ord_id, 5)  # late
    assert bench.kill("operator@all").phase is not KillPhase.LATCHED
    bench.finish_kill()
    assert bench.state.qty(0) == 0 and bench.alerts("LATE_FILL")


@pytest.mark.parametrize("failures", [1, 5, 50])
def test_a_network_error_is_not_a_not_found(failures: int) -> None:
    """Hummingbot: errors of the connection were counted as "order not found"; six living orders were dropped."""
    bench = Bench()
    order = bench.submit(0, Side.BUY, 10, price_ticks=9900, tif=TimeInForce.GTC)
    for _ in range(failures):
        bench.report(order.cl_ord_id, R.UNKNOWN, reason="connection reset")
        bench.wait(1.0)
    assert order.status is S.PENDING_UNKNOWN and order.not_found == 0 and work(bench) == 10
    for n in range(NOT_FOUND_MAX):
        assert order.is_open, n
        bench.report(order.cl_ord_id, R.NOT_FOUND)
    assert order.status is S.CANCELED and work(bench) == 0, "only the venue's own word, several times"


def test_a_failed_open_order_query_says_nothing() -> None:
    """Hummingbot, four years before, the same class: a failed poll emptied the list of orders."""
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    bench.command("kill", {"level": "halt"})
    bench.answer_open(ok=False)
    assert order.is_open and work(bench) == 10
    assert bench.kill("operator@all").phase is KillPhase.CANCELLING


def test_an_empty_open_order_list_makes_us_ask_by_name() -> None:
    """ccxt: the stream of orders misses or coalesces updates; it can never be the only source of fills."""
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    bench.wait(400.0)
    bench.answer_open()
    assert order.is_open, "not shown proves nothing yet"
    assert any(isinstance(e, QueryOrder) and e.cl_ord_id == order.cl_ord_id for e in bench.effects)
    bench.report(order.cl_ord_id, R.TRADE, exec_id="missed", last_lots=10, px_ticks=9900.0, cum_lots=10)
    assert bench.state.qty(0) == 10


def test_fills_dropped_in_a_disconnect_are_recovered() -> None:
    """Lean: fills during a disconnect of the broker were never recovered."""
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    bench.report(order.cl_ord_id, R.STATUS, cum_lots=6)
    assert bench.state.qty(0) == 6 and work(bench) == 4, "the venue's count is booked at once"
    bench.fill(order.cl_ord_id, 6, 99.0)
    assert bench.state.qty(0) == 6, "and its paper is not booked again"


def test_a_pulled_switch_sends_its_cancels_whatever_breaks_on_the_way() -> None:
    """Hummingbot: the kill switch fired, raised, and the bot went on quoting; nothing was cancelled."""
    bench = Bench(config(switches=only(drawdown=0.05)))
    bench.hold(0, 400)
    order = bench.working(1, Side.BUY, 10, 99.0)
    bench.price(0, 50.0)
    assert "drawdown@all" in bench.kills() and bench.cancelled() == [order.cl_ord_id]
    assert isinstance(bench.submit(1, Side.BUY, 1), Denial)


def test_stopped_and_paused_are_different_words_and_both_are_said() -> None:
    """Hummingbot and freqtrade: users wanted to pause and go on; "stop" hid that exits went on."""
    bench = Bench()
    bench.hold(0, 10)
    bench.command("stop", {})
    assert isinstance(bench.submit(0, Side.BUY, 1), Denial), "no entries"
    assert isinstance(bench.submit(0, Side.SELL, 10), Order), "exits go on"
    assert not bench.kills(), "nothing is latched: start leads back"
    bench.command("start", {}, id="go")
    assert bench.replies("go")[-1].status == "done"


@pytest.mark.parametrize("level", ["halt", "shutdown"])
def test_stopped_and_out_are_possible_together(level: str) -> None:
    """freqtrade: after stop nothing could be exited; exit first, and the bot bought again."""
    bench = Bench()
    bench.hold(0, 10)
    bench.command("kill", {"level": level})
    if level == "shutdown":
        bench.finish_kill()
        assert bench.state.qty(0) == 0
        return
    assert isinstance(bench.submit(0, Side.BUY, 1), Denial)
    closing = bench.submit(0, Side.SELL, 10, reduce_only=True)
    assert isinstance(closing, Order) and closing.qty_lots == 10


def test_a_kill_leaves_no_manual_limit_that_could_fill_after_flat() -> None:
    """go-trader: resting limits placed by hand outlived the kill and filled after the book was flat."""
    bench = Bench()
    bench.hold(0, 10)
    order = bench.working(0, Side.BUY, 5, 99.0)
    bench.command("submit_list", {"symbol": "BBB/USDT", "side": "buy", "qty": "3", "stop_loss": "95"})
    bench.command("kill", {"level": "flatten"})
    bench.answer_open(OpenOrder("by-hand", 2, Side.BUY, 4, 0, 9000))
    assert "by-hand" in bench.state.working, "a stranger's order is cancelled too"
    bench.finish_kill()
    assert not bench.state.working and order.status is S.CANCELED and bench.state.qty(0) == 0


def test_one_bad_tick_does_not_latch_a_stop() -> None:
    """Forven: a kill latched on a single bad equity tick. A tick that no book could show is refused, not believed."""
    bench = Bench(config(switches=only(drawdown=0.05)))
    bench.hold(0, 400)
    bench.price(0, 100.0, bid=100.0, ask=-5.0)
    bench.price(0, 100.0, bid=0.0, ask=0.0)
    assert not bench.kills() and bench.state.equity == pytest.approx(100_000.0, rel=1e-3)


# --- unknown counts both ways ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "lots", "worst"),
    [
        (Side.BUY, 5, 15),  # as if the unknown sell had not filled: it makes no room for entries
        (Side.SELL, 25, 25),  # as if it had: 10 held, 10 gone, 25 more make 25 short
    ],
)
def test_an_unknown_order_counts_as_filled_and_as_open(side: Side, lots: int, worst: int) -> None:
    """ccxt and its users: a network error read as "order lost": it may be open, filled, or nowhere."""
    for limit, passes in ((worst * 100.0 + 1.0, True), (worst * 100.0 - 1.0, False)):
        gate = msgspec.structs.replace(WIDE, gross_leverage_max=limit / 100_000.0)
        bench = Bench(config(gate=gate))
        bench.hold(0, 10)
        unknown = bench.submit(0, Side.SELL, 10, price_ticks=10100, tif=TimeInForce.GTC)
        bench.report(unknown.cl_ord_id, R.UNKNOWN)
        sent = bench.submit(0, side, lots)
        assert isinstance(sent, Order) is passes, sent


def test_an_unknown_exit_leaves_no_room_for_another() -> None:
    """The same: as long as the first may fill, a second exit of the whole position could turn it."""
    bench = Bench()
    bench.hold(0, 10)
    unknown = bench.submit(0, Side.SELL, 10, price_ticks=10100, tif=TimeInForce.GTC)
    bench.report(unknown.cl_ord_id, R.UNKNOWN)
    again = bench.submit(0, Side.SELL, 10, reduce_only=True)
    assert isinstance(again, Denial) and again.code == "NOT_REDUCING"


def test_an_unknown_order_is_shown_with_its_age() -> None:
    from core.engine.views import order_view

    bench = Bench()
    order = bench.submit(0, Side.BUY, 10, price_ticks=9900, tif=TimeInForce.GTC)
    bench.report(order.cl_ord_id, R.UNKNOWN)
    since = bench.now
    bench.wait(7.0)
    view = order_view(bench.state, order)
    assert (view.status, view.unknown_ns, view.unknown_ms) == ("PENDING_UNKNOWN", since, 7000.0)
    bench.report(order.cl_ord_id, R.ACK)
    assert order_view(bench.state, order).unknown_ns == 0


def test_a_venues_positions_are_asked_for_after_an_execution_nobody_knows() -> None:
    """ccxt: an order without an id in the answer; its fill comes as a stranger's."""
    bench = Bench()
    said = bench.report("x-TKT5PX2F1234", R.TRADE, exec_id="e", last_lots=3, px_ticks=9900.0)
    assert any(isinstance(e, QueryPositions) for e in said) and bench.state.qty(0) == 0


def test_a_protective_stop_is_at_the_venue_and_not_in_our_head() -> None:
    """Stops that a bot only watches for die with the bot."""
    bench = Bench()
    data = {"symbol": "AAA/USDT", "side": "buy", "qty": "10", "stop_loss": "95"}
    bench.command("submit_list", data)
    [entry] = bench.sent()
    bench.report(entry.cl_ord_id, R.ACK)
    bench.fill(entry.cl_ord_id, 10)
    [stop] = bench.sent()
    assert (stop.ord_type, stop.stop_ticks, stop.reduce_only) == (OrdType.STOP, 9500, True)
    effects = step(snapshot.load(snapshot.save(bench.state), bench.config), Boot(bench.now, 2, clean=False))
    assert not [e for e in effects if isinstance(e, (NewOrder, CancelOrder))], (
        "over a restart it stays where it is"
    )
