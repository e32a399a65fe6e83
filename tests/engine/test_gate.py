"""The gate: a row for each layer and code, in their order; and the cases in which other engines err."""

from __future__ import annotations

import math

import msgspec
import pytest

from bus.effects import NewOrder
from bus.enums import GateLayer, OrdType, Purpose, Side, TimeInForce, TradingState
from bus.events import VenueStatus
from core.engine import gate, kill
from core.engine.gate import Denial

from .kit import SPECS, WIDE, Bench, config, strategy

BUY, SELL = Side.BUY, Side.SELL
L = GateLayer


def limits(**named):
    return config(gate=msgspec.structs.replace(WIDE, **named))


def spec0(**named):
    return config(instruments=(msgspec.structs.replace(SPECS[0], **named), *SPECS[1:]))


def halted(bench: Bench, level: TradingState, scope: str = "all") -> Bench:
    kill.pull(bench.state, "operator", scope, level, reason="test")
    return bench


def unpriced() -> Bench:
    bench = Bench()
    bench.state.markets["mark_px"][0] = 0.0
    return bench


def broke() -> Bench:
    bench = Bench()
    bench.state.account["equity"] = math.nan
    return bench


def down() -> Bench:
    bench = Bench()
    bench.do(VenueStatus(bench.now, 0, up=False, reason="cable"))
    return bench


def stale() -> Bench:
    bench = Bench()
    bench.wait(11.0)
    return bench


def crowded() -> Bench:
    bench = Bench(limits(open_orders_max=2))
    for _ in range(2):
        bench.working(1)
    return bench


def disabled() -> Bench:
    bench = Bench(config(strategies=(strategy(enabled=False),)))
    bench.agree()
    return bench


def hasty() -> Bench:
    bench = Bench(config(strategies=(strategy(symbols=()),), min_trade_interval_s=5.0))
    bench.state.cold.hosts["hold-1"].last_entry_ns[0] = bench.now - 10**9
    return bench


MINE = {"purpose": Purpose.STRATEGY, "strategy": "hold-1"}
ROWS = [  # layer, code, bench, wish
    (L.FORM, "UNKNOWN_INSTRUMENT", Bench, {"instrument": 3}),
    (L.FORM, "UNKNOWN_INSTRUMENT", Bench, {"instrument": -1}),
    (L.FORM, "BAD_QUANTITY", Bench, {"lots": 0}),
    (L.FORM, "BAD_QUANTITY", Bench, {"lots": -5}),
    (L.FORM, "BAD_QUANTITY", Bench, {"lots": 1 << 41}),
    (L.FORM, "BAD_PRICE", Bench, {"ord_type": OrdType.LIMIT, "price_ticks": 0}),
    (L.FORM, "BAD_PRICE", Bench, {"price_ticks": -1}),
    (L.FORM, "BAD_PRICE", Bench, {"price_ticks": 1 << 63}),
    (L.FORM, "PRICE_ON_MARKET", Bench, {"ord_type": OrdType.MARKET, "price_ticks": 9900}),
    (L.FORM, "POST_ONLY", Bench, {"post_only": True}),
    (L.FORM, "POST_ONLY", Bench, {"post_only": True, "price_ticks": 9900, "tif": TimeInForce.IOC}),
    (L.AUTHORITY, "RESTRICTED", lambda: Bench(config(restricted=("AAA/USDT",))), {}),
    (L.AUTHORITY, "STRATEGY_OFF", disabled, MINE),
    (L.AUTHORITY, "STRATEGY_OFF", Bench, {"purpose": Purpose.STRATEGY, "strategy": "nobody"}),
    (L.STATE, "NOT_REDUCING", Bench, {"reduce_only": True}),
    (L.STATE, "REDUCING", lambda: halted(Bench(), TradingState.REDUCING), {}),
    (L.STATE, "HALTED", lambda: halted(Bench(), TradingState.HALTED, "symbol:AAA/USDT"), {}),
    (L.STATE, "FLATTENING", lambda: halted(Bench(), TradingState.FLATTENING, "venue:sim"), {}),
    (L.STATE, "SHUTDOWN", lambda: halted(Bench(), TradingState.SHUTDOWN), {}),
    (L.STATE, "NOT_STARTED", lambda: Bench(start=False), {}),
    (L.STATE, "VENUE_DOWN", down, {}),
    (L.PRICE, "NO_PRICE", unpriced, {}),
    (L.DATA, "STALE", stale, {}),
    (L.PRICE, "COLLAR", Bench, {"price_ticks": 9400}),
    (L.PRICE, "COLLAR", lambda: Bench(limits(price_collar=math.nan)), {"price_ticks": 9999}),
    (L.SIZE, "TOO_LARGE", lambda: Bench(spec0(qty_lots_max=9)), {}),
    (L.SIZE, "TOO_SMALL", lambda: Bench(spec0(qty_lots_min=11)), {}),
    (L.SIZE, "LOTS_MAX", lambda: Bench(limits(order_lots_max=9)), {}),
    (L.SIZE, "VALUE_MAX", lambda: Bench(limits(order_value_max=999.0)), {}),
    (L.SIZE, "VALUE_MAX", lambda: Bench(limits(order_value_max=math.nan)), {}),
    (L.SIZE, "NOTIONAL_MIN", lambda: Bench(spec0(notional_min=1001.0)), {}),
    (L.FLOW, "OPEN_ORDERS", crowded, {}),
    (L.FLOW, "TRADE_INTERVAL", hasty, MINE),
    (L.EXPOSURE, "NO_EQUITY", broke, {}),
    (L.EXPOSURE, "CONCENTRATION", lambda: Bench(limits(concentration_max=0.0099)), {}),
    (L.EXPOSURE, "CONCENTRATION", lambda: Bench(limits(concentration_max=math.nan)), {}),
    (L.EXPOSURE, "GROSS_LEVERAGE", lambda: Bench(limits(gross_leverage_max=0.0099)), {}),
    (L.EXPOSURE, "GROSS_LEVERAGE", lambda: Bench(limits(gross_leverage_max=math.nan)), {}),
    (L.EXPOSURE, "NET_LEVERAGE", lambda: Bench(limits(net_leverage_max=0.0099)), {}),
    (L.EXPOSURE, "MARGIN", lambda: Bench(limits(margin_ratio_min=1001.0)), {}),
    (L.EXPOSURE, "MARGIN", lambda: Bench(limits(margin_ratio_min=math.nan)), {}),
]


@pytest.mark.parametrize(
    ("layer", "code", "make", "wish"), ROWS, ids=[f"{r[0].name}-{r[1]}-{n}" for n, r in enumerate(ROWS)]
)
def test_each_refusal(layer, code, make, wish) -> None:
    bench = make()
    working = bench.state.positions["work_buy_lots"].copy()
    denial = bench.submit(**wish)

    assert isinstance(denial, Denial)
    assert (denial.layer, denial.code) == (layer, code)
    assert bench.effects == [] and (bench.state.positions["work_buy_lots"] == working).all()


def test_every_layer_has_rows() -> None:
    assert {row[0] for row in ROWS} == {layer for layer, _, _ in gate.LAYERS}


def test_the_order_of_the_layers_is_the_order_of_refusal() -> None:
    """A wish that everything is wrong with meets the layers one after the other, as the faults are taken away."""
    bench = halted(Bench(limits(order_value_max=1.0, concentration_max=0.0)), TradingState.HALTED)
    faults = [bench.submit(lots=0), bench.submit()]
    bench.state.cold.kills.clear()
    bench.state.markets["mark_px"][0] = 0.0
    faults.append(bench.submit())
    bench.price(0, 100.0)
    faults.append(bench.submit())
    bench.state.cold.limits["order_value_max"] = 1e9
    bench.state.desk.limits.clear()
    faults.append(bench.submit())
    assert [f.layer.name for f in faults] == ["FORM", "STATE", "PRICE", "SIZE", "EXPOSURE"]


def test_a_pass_carries_the_stamp_of_every_layer() -> None:
    bench = Bench()
    bench.submit()
    (order,) = bench.effects
    assert isinstance(order, NewOrder)
    assert (
        order.approval.layers == sum(1 << layer for layer, _, _ in gate.LAYERS) and not order.approval.reducing
    )


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


def test_least_time_between_entries_exempts_exits_and_other_symbols() -> None:
    bench = hasty()
    assert isinstance(bench.submit(**MINE), Denial)
    assert not isinstance(bench.submit(1, **MINE), Denial)
    bench.state.positions["qty_lots"][0] = 10
    assert not isinstance(bench.submit(0, SELL, 10, **MINE), Denial)
    bench.wait(4.0)
    bench.price(0, 100.0)
    assert not isinstance(bench.submit(0, BUY, 1, **MINE), Denial)
