"""A command that says done has done it: closes that left something open, amendments of orders that ended first."""

from __future__ import annotations

import msgspec
import pytest

from bus.enums import ReportKind
from core.engine.orders import Order

from .kit import SPECS, Bench, config

R = ReportKind


def closing(lots: int, bench: Bench | None = None) -> tuple[Bench, Order]:
    b = bench or Bench()
    b.hold(0, lots)
    b.command("close_position", {"symbol": "AAA/USDT"}, id="x")
    [order] = b.state.working.values()
    b.report(order.cl_ord_id, R.ACK)
    return b, order


@pytest.mark.parametrize("lots", [10, -10])
@pytest.mark.parametrize("filled", [0, 3])
@pytest.mark.parametrize("end", [R.CANCELED, R.EXPIRED])
def test_a_close_that_left_lots_open_has_failed(lots: int, filled: int, end: ReportKind) -> None:
    b, order = closing(lots)
    if filled:
        b.fill(order.cl_ord_id, filled)
    b.report(order.cl_ord_id, end)
    said = b.replies("x")[-1]
    assert (said.status, said.error_code, said.data["filled"]) == ("failed", "NOT_FLAT", float(filled))
    assert f"{10 - filled} AAA/USDT" in said.error_message


def test_a_close_larger_than_one_order_may_be_says_what_is_left() -> None:
    specs = (msgspec.structs.replace(SPECS[0], qty_lots_max=8), *SPECS[1:])
    b = Bench(config(instruments=specs))
    b.hold(0, 8)
    b, order = closing(8, b)
    b.fill(order.cl_ord_id, 8)
    assert b.replies("x")[-1].error_code == "NOT_FLAT" and b.state.qty(0) == 8


def test_a_close_that_closed_is_done_whoever_has_opened_again() -> None:
    b, order = closing(10)
    other = b.submit(0, lots=5)
    assert isinstance(other, Order)
    b.fill(other.cl_ord_id, 5)
    b.fill(order.cl_ord_id, 10)
    assert b.replies("x")[-1].status == "done" and b.state.qty(0) == 5


@pytest.mark.parametrize("end", [R.CANCELED, R.EXPIRED])
def test_an_amendment_of_an_order_that_ended_first_has_failed(end: ReportKind) -> None:
    b = Bench()
    order = b.working()
    b.command("amend_order", {"cl_ord_id": order.cl_ord_id, "price": "98"}, id="a")
    b.report(order.cl_ord_id, end)
    said = b.replies("a")[-1]
    assert (said.status, said.error_code) == ("failed", order.status.name)


def test_an_amendment_that_took_before_the_order_ended_is_done() -> None:
    b = Bench()
    order = b.working()
    b.command("amend_order", {"cl_ord_id": order.cl_ord_id, "price": "98"}, id="a")
    b.report(order.cl_ord_id, R.REPLACED, order_lots=10, order_ticks=9800, revision=1)
    b.report(order.cl_ord_id, R.CANCELED)
    assert b.replies("a")[-1].status == "done"
