"""Kills of a part of the book: whose orders, whose share, and two on the same instrument."""

from __future__ import annotations

import pytest

from bus.enums import Purpose, ReportKind, Side

from .kit import Bench, config, row, strategy

FLATTEN = {"scope": "all", "level": "flatten"}


@pytest.mark.parametrize(
    ("scope", "doomed"),
    [("all", "abc"), ("symbol:AAA/USDT", "ac"), ("strategy:hold-1", "c"), ("venue:sim", "abc")],
)
def test_the_scope_says_whose_orders(scope, doomed) -> None:
    bench = Bench(config(strategies=(strategy(),)))
    orders = {
        "a": bench.working(0, Side.BUY, 5, 98.0),
        "b": bench.working(1, Side.BUY, 5, 98.0),
        "c": bench.working(0, Side.BUY, 5, 98.0, purpose=Purpose.STRATEGY, strategy="hold-1"),
    }
    bench.command("kill", {"scope": scope, "level": "halt"})
    assert bench.cancelled() == [orders[name].cl_ord_id for name in doomed]


def shared() -> Bench:
    """Two strategies long in one instrument, 30 and 70."""
    bench = Bench(config(strategies=(strategy(), strategy("hold-2")), signal_interval_s=3600.0))
    for name, lots in (("hold-1", 30), ("hold-2", 70)):
        bench.hold(0, lots, purpose=Purpose.STRATEGY, strategy=name)
    return bench


def test_a_strategys_flatten_closes_its_share_while_the_other_trades_on() -> None:
    bench = shared()
    bench.command("kill", {"scope": "strategy:hold-1", "level": "flatten"})
    bench.answer_open()
    bench.answer_positions()
    (order,) = bench.sent()
    assert (order.side, order.qty_lots) == (Side.SELL, 30)
    bench.hold(0, 11, purpose=Purpose.STRATEGY, strategy="hold-2")
    bench.fill(order.cl_ord_id, 30)
    bench.finish_kill()
    assert bench.state.qty(0) == 81 and bench.state.holding("hold-1", 0).qty_lots == 0
    assert bench.state.holding("hold-2", 0).qty_lots == 81


def test_a_strategys_flatten_does_not_wait_for_the_quotes_of_others() -> None:
    bench = shared()
    bench.working(0, Side.BUY, 5, 98.0, purpose=Purpose.STRATEGY, strategy="hold-2")
    bench.command("kill", {"scope": "strategy:hold-1", "level": "flatten"})
    bench.answer_open(*[row(o) for o in bench.state.working.values()])
    bench.answer_positions()
    assert [o.qty_lots for o in bench.sent()] == [30]


def test_a_strategys_flatten_makes_room_for_its_exit() -> None:
    """The other's offer of 90 and our 30 could take the 100 we hold through zero."""
    bench = shared()
    quote = bench.working(0, Side.SELL, 90, 102.0, purpose=Purpose.STRATEGY, strategy="hold-2")
    bench.command("kill", {"scope": "strategy:hold-1", "level": "flatten"})
    bench.answer_open(*[row(o) for o in bench.state.working.values()])
    bench.answer_positions()
    assert not bench.sent() and bench.cancelled() == [quote.cl_ord_id]
    bench.report(quote.cl_ord_id, ReportKind.CANCELED)
    assert [o.qty_lots for o in bench.sent()] == [30]


def test_shares_that_offset_each_other_are_named_and_left() -> None:
    bench = Bench(config(strategies=(strategy(), strategy("hold-2")), signal_interval_s=3600.0))
    bench.hold(0, 30, purpose=Purpose.STRATEGY, strategy="hold-1")
    bench.hold(0, -30, purpose=Purpose.STRATEGY, strategy="hold-2")
    bench.command("kill", {"scope": "strategy:hold-1", "level": "flatten"})
    bench.finish_kill()
    assert bench.state.qty(0) == 0 and bench.kill("operator@strategy:hold-1").left_lots == 30


def test_two_kills_on_one_instrument_close_it_once() -> None:
    bench = Bench()
    bench.hold(0, 100)
    bench.command("kill", FLATTEN)
    bench.command("kill", {"scope": "symbol:AAA/USDT", "level": "flatten"})
    bench.finish_kill()
    closing = [e for e in bench.sent(bench.all) if e.side is Side.SELL]
    assert [o.qty_lots for o in closing] == [100]
