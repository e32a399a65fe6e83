"""The gate and exits: what other engines get wrong, and what an exit is never refused for."""

from __future__ import annotations

import math

import pytest

from bus.enums import GateLayer, Purpose, TradingState
from core.engine import gate
from core.engine.gate import Denial

from .kit import Bench, config, strategy
from .test_gate import BUY, MINE, SELL, L, halted, hasty, limits

# --- where another engine errs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "level", [TradingState.REDUCING, TradingState.HALTED, TradingState.FLATTENING, TradingState.SHUTDOWN]
)
def test_selling_nine_times_the_long_is_no_reduction(level) -> None:
    bench = Bench()
    bench.hold(0, 10)
    halted(bench, level)
    bench.state.cold.orders.clear()
    denial = bench.submit(0, SELL, 90)
    assert isinstance(denial, Denial) and denial.layer is GateLayer.STATE


@pytest.mark.parametrize("level", [TradingState.REDUCING, TradingState.HALTED])
@pytest.mark.parametrize("lots", [10, -10])
def test_the_exact_closing_order_passes_in_every_state(level, lots) -> None:
    bench = Bench()
    bench.hold(0, lots)
    halted(bench, level)
    side = SELL if lots > 0 else BUY
    assert isinstance(bench.submit(0, side, 11), Denial)
    order = bench.submit(0, side, 10)
    assert not isinstance(order, Denial) and bench.sent()[0].approval.reducing and bench.sent()[0].reduce_only


def test_working_exits_count_before_they_fill() -> None:
    bench = Bench()
    bench.hold(0, 10)
    halted(bench, TradingState.REDUCING)
    assert not isinstance(bench.submit(0, SELL, 6), Denial)
    denial = bench.submit(0, SELL, 5)
    assert isinstance(denial, Denial) and denial.code == "REDUCING"
    assert not isinstance(bench.submit(0, SELL, 4), Denial)


def test_a_missing_price_or_equity_never_refuses_the_exit() -> None:
    bench = Bench(limits(order_value_max=math.nan, concentration_max=math.nan))
    bench.state.positions["qty_lots"][0] = 10
    bench.state.account["equity"] = math.nan
    bench.state.markets["mark_px"][0] = 0.0
    assert not isinstance(bench.submit(0, SELL, 10), Denial)
    assert isinstance(bench.submit(0, BUY, 1), Denial)


def test_a_short_book_is_reduced_by_buying() -> None:
    bench = Bench()
    bench.hold(0, -10)
    halted(bench, TradingState.HALTED)
    assert isinstance(bench.submit(0, SELL, 1), Denial)
    assert not isinstance(bench.submit(0, BUY, 10), Denial)


def test_working_orders_count_in_every_exposure() -> None:
    """Three resting bids of 40 % each: the third finds the cap of 100 % taken, though nothing has filled."""
    bench = Bench(limits(concentration_max=1.0))
    for _ in range(2):
        bench.working(0, BUY, 400, 99.0)
    denial = bench.submit(0, BUY, 400, price_ticks=9900)
    assert (
        isinstance(denial, Denial)
        and denial.code == "CONCENTRATION"
        and denial.value == pytest.approx(1.2, rel=0.01)
    )


def test_only_the_worst_scope_counts_and_others_trade_on() -> None:
    bench = Bench(config(strategies=(strategy(), strategy("hold-2"))))
    halted(bench, TradingState.HALTED, "strategy:hold-1")
    assert isinstance(bench.submit(**MINE), Denial)
    assert not isinstance(bench.submit(purpose=Purpose.STRATEGY, strategy="hold-2"), Denial)
    assert not isinstance(bench.submit(1), Denial)
    halted(bench, TradingState.REDUCING, "symbol:BBB/USDT")
    assert isinstance(bench.submit(1), Denial) and not isinstance(bench.submit(2), Denial)


def test_the_same_intent_twice_is_one_order() -> None:
    bench = Bench()
    assert not isinstance(bench.submit(cl_ord_id="same"), Denial)
    denial = bench.submit(cl_ord_id="same")
    assert isinstance(denial, Denial) and denial.code == "DUPLICATE"


def test_a_kill_order_skips_what_protects_entries_and_must_reduce() -> None:
    bench = Bench(limits(order_value_max=math.nan, concentration_max=math.nan))
    bench.state.positions["qty_lots"][0] = 10
    kill_wish = {"purpose": Purpose.KILL, "strategy": "kill", "reduce_only": True}
    assert not isinstance(bench.submit(0, SELL, 10, **kill_wish), Denial)
    assert bench.sent()[0].approval.layers == 1 << L.FORM | 1 << L.STATE
    for side, lots in ((SELL, 1), (BUY, 5)):  # ten are on their way; five more would turn it
        denial = bench.submit(0, side, lots, **kill_wish)
        assert isinstance(denial, Denial) and denial.code == "NOT_REDUCING"


def test_inspect_shows_every_layer_and_sends_nothing() -> None:
    bench = halted(Bench(limits(order_value_max=1.0)), TradingState.HALTED)
    verdicts = gate.inspect(bench.state, bench.wish())
    assert [v.layer for v in verdicts] == [layer.name for layer, _, _ in gate.LAYERS]
    assert [v.layer for v in verdicts if not v.ok] == ["STATE", "SIZE"]


def test_an_exit_that_waits_for_a_better_price_is_shown_without_a_collar() -> None:
    bench = Bench()
    bench.hold(0, 10)
    [row] = [
        v
        for v in gate.inspect(bench.state, bench.wish(0, SELL, 10, price_ticks=12_000))
        if v.layer == "PRICE"
    ]
    assert row.ok and row.limit is None and "meets no collar" in row.detail


def test_least_time_between_entries_exempts_exits_and_other_symbols() -> None:
    bench = hasty()
    assert isinstance(bench.submit(**MINE), Denial)
    assert not isinstance(bench.submit(1, **MINE), Denial)
    bench.state.positions["qty_lots"][0] = 10
    assert not isinstance(bench.submit(0, SELL, 10, **MINE), Denial)
    bench.wait(4.0)
    bench.price(0, 100.0)
    assert not isinstance(bench.submit(0, BUY, 1, **MINE), Denial)
