"""``amend_order``: accepted, answered, refused by name; and a stop order by hand."""

from __future__ import annotations

import pytest

from bus.effects import ReplaceOrder
from bus.enums import OrdStatus, OrdType, ReportKind, Side, TimeInForce

from .kit import Bench
from .test_amend import amended, answer

S, R = OrdStatus, ReportKind


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_ends_when_the_venue_has_answered() -> None:
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    bench.command("amend_order", {"cl_ord_id": order.cl_ord_id, "qty": "12", "price": "98.5"}, id="a")
    [sent] = [e for e in bench.effects if isinstance(e, ReplaceOrder)]
    assert (sent.qty_lots, sent.price_ticks, sent.revision) == (12, 9850, 1)
    assert [r.status for r in bench.replies("a")] == ["accepted"]
    answer(bench, order, R.REPLACED, order_lots=12, order_ticks=9850)
    assert bench.replies("a")[-1].status == "done" and bench.replies("a")[-1].data["status"] == "NEW"


def test_the_command_fails_when_the_venue_refuses() -> None:
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    bench.command("amend_order", {"cl_ord_id": order.cl_ord_id, "qty": "12"}, id="a")
    answer(bench, order, R.REPLACE_REJECTED, reason="closed")
    last = bench.replies("a")[-1]
    assert (last.status, last.error_code, last.error_message) == ("failed", "REPLACE_REJECTED", "closed")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"cl_ord_id": "nobody", "qty": "5"}, "UNKNOWN_ORDER"),
        ({"qty": "10"}, "SAME"),
        ({}, "SAME"),
        ({"qty": "2"}, "BELOW_FILLED"),
        ({"qty": "0.5"}, "OFF_STEP"),
        ({"qty": "-5"}, "BAD_NUMBER"),
        ({"price": "98.123"}, "OFF_STEP"),
        ({"stop": "98"}, "STOP_ON_LIMIT"),
        ({"price": "150"}, "COLLAR"),
    ],
)
def test_what_cannot_be_is_refused_by_name(data, code: str) -> None:
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    bench.fill(order.cl_ord_id, 2)
    bench.command("amend_order", {"cl_ord_id": order.cl_ord_id} | data, id="a")
    last = bench.replies("a")[-1]
    assert (last.status, last.error_code) == ("rejected", code) and order.status is S.PARTIALLY_FILLED


def test_one_amendment_at_a_time_and_none_before_the_acknowledgement() -> None:
    bench, order = amended(12)
    bench.command("amend_order", {"cl_ord_id": order.cl_ord_id, "qty": "9"}, id="a")
    assert bench.replies("a")[-1].error_code == "NOT_AMENDABLE"
    young = bench.submit(0, Side.BUY, 3, price_ticks=9900, tif=TimeInForce.GTC)
    bench.command("amend_order", {"cl_ord_id": young.cl_ord_id, "qty": "9"}, id="b")
    assert bench.replies("b")[-1].error_code == "NOT_AMENDABLE"


def test_a_stop_order_by_hand_and_its_trigger_amended() -> None:
    bench = Bench()
    bench.hold(0, 10)
    data = {
        "symbol": "AAA/USDT",
        "side": "sell",
        "qty": "10",
        "type": "stop",
        "stop": "95",
        "reduce_only": True,
    }
    bench.command("submit_order", data, id="s")
    [sent] = bench.sent()
    assert (sent.ord_type, sent.stop_ticks, sent.price_ticks) == (OrdType.STOP, 9500, 0)
    bench.report(sent.cl_ord_id, R.ACK)
    bench.command("amend_order", {"cl_ord_id": sent.cl_ord_id, "stop": "96"}, id="a")
    [replace] = [e for e in bench.effects if isinstance(e, ReplaceOrder)]
    assert (replace.stop_ticks, replace.qty_lots) == (9600, 10)
    answer(bench, bench.state.cold.orders[sent.cl_ord_id], R.REPLACED, order_lots=10, order_stop=9600)
    assert bench.state.cold.orders[sent.cl_ord_id].stop_ticks == 9600


def test_an_order_that_was_told_to_go_is_not_amended_even_when_its_cancel_was_refused() -> None:
    """It is chased until the venue ends it: an amendment would give new life to what somebody wanted gone."""
    bench = Bench()
    order = bench.working(0, Side.BUY, 10)
    bench.command("cancel_order", {"cl_ord_id": order.cl_ord_id})
    bench.report(order.cl_ord_id, ReportKind.CANCEL_REJECTED)
    bench.report(order.cl_ord_id, ReportKind.STATUS, cum_lots=0, order_lots=10, order_ticks=9900)
    assert order.status is OrdStatus.NEW and order.cancels

    bench.command("amend_order", {"cl_ord_id": order.cl_ord_id, "price": "98.50"}, id="late")
    assert bench.replies("late")[-1].error_code == "NOT_AMENDABLE"
