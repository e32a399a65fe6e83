"""The gate: a row for each layer and code, in their order; and the cases in which other engines err."""

from __future__ import annotations

import math

import msgspec
import pytest

from bus.effects import NewOrder
from bus.enums import GateLayer, OrdType, Purpose, Side, TimeInForce, TradingState
from bus.events import RiskResult, VenueStatus
from core.engine import gate, kill
from core.engine.config import ScopeLimits
from core.engine.gate import Denial

from .kit import SPECS, WIDE, Bench, config, only, strategy

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


def disabled_since() -> Bench:
    bench = hosted()
    bench.command("stop_strategy", {"strategy": "hold-1"})
    return bench


def hosted(**named) -> Bench:
    return Bench(config(strategies=(strategy(**named),)))


def never_ticked() -> Bench:
    bench = Bench()
    bench.state.markets["ts_ns"][0] = 0
    return bench


def ahead() -> Bench:
    bench = Bench()
    bench.state.markets["ts_ns"][0] = bench.state.cold.now_ns + 1_000_000_001
    return bench


def booked(bid: int, ask: int) -> Bench:
    bench = Bench()
    bench.state.markets["bid_ticks"][0], bench.state.markets["ask_ticks"][0] = bid, ask
    return bench


def scoped(scope: str, **named) -> Bench:
    return Bench(config(limits={scope: ScopeLimits(owner="desk", **named)}))


def losing(move: float = 0.05, **switches) -> Bench:
    return Bench(config(switches=only(**switches), gate=msgspec.structs.replace(WIDE, stress_move=move)))


def with_var(var, *, es=0.0, unit=None, age_s=0.0) -> Bench:
    bench = Bench(limits(var_max=0.02, es_max=0.03))
    as_of = bench.state.cold.now_ns - int(age_s * 1e9)
    data = {
        "var": var,
        "es": es,
        "alpha": 0.01,
        "n": 500,
        "unit": {"AAA/USDT": 0.03} if unit is None else unit,
    }
    bench.state.cold.risk["var"] = RiskResult(as_of, "var", as_of, data)
    return bench


STOP = {"ord_type": OrdType.STOP, "stop_ticks": 10_100}
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
    (L.FORM, "BAD_QUANTITY", Bench, {"lots": 1.5}),
    (L.FORM, "BAD_QUANTITY", Bench, {"lots": math.nan}),
    (L.FORM, "BAD_PRICE", Bench, {"ord_type": OrdType.LIMIT, "price_ticks": math.nan}),
    (
        L.FORM,
        "PRICE_ON_MARKET",
        Bench,
        STOP | {"stop_ticks": 10_100, "price_ticks": 10_100, "ord_type": OrdType.STOP},
    ),
    (L.FORM, "BAD_STOP", Bench, STOP | {"stop_ticks": 0}),
    (L.FORM, "BAD_STOP", Bench, STOP | {"stop_ticks": -1}),
    (L.FORM, "BAD_STOP", Bench, STOP | {"stop_ticks": 1 << 63}),
    (L.FORM, "BAD_STOP", Bench, {"stop_ticks": 10_100}),
    (L.FORM, "STOP_TIF", Bench, STOP | {"tif": TimeInForce.IOC}),
    (L.FORM, "POST_ONLY", Bench, STOP | {"post_only": True}),
    (L.FORM, "POST_ONLY", Bench, {"post_only": True}),
    (L.FORM, "POST_ONLY", Bench, {"post_only": True, "price_ticks": 9900, "tif": TimeInForce.IOC}),
    (L.AUTHORITY, "RESTRICTED", lambda: Bench(config(restricted=("AAA/USDT",))), {}),
    (L.AUTHORITY, "STRATEGY_OFF", disabled, MINE),
    (L.AUTHORITY, "STRATEGY_OFF", Bench, {"purpose": Purpose.STRATEGY, "strategy": "nobody"}),
    (L.AUTHORITY, "STRATEGY_OFF", disabled, MINE | {"purpose": Purpose.ALGO}),
    (L.AUTHORITY, "STRATEGY_OFF", disabled_since, MINE),
    (L.AUTHORITY, "UNKNOWN_STRATEGY", Bench, {"strategy": "nobody"}),
    (L.AUTHORITY, "UNKNOWN_STRATEGY", Bench, {"strategy": "nobody", "purpose": Purpose.ALGO}),
    (L.AUTHORITY, "STRATEGY_OFF", Bench, {"strategy": "operator", "purpose": Purpose.STRATEGY}),
    (L.AUTHORITY, "NOT_ITS_SYMBOL", hosted, MINE | {"instrument": 1}),
    (L.AUTHORITY, "NOT_ITS_SYMBOL", hosted, {"strategy": "hold-1", "instrument": 1}),
    (L.AUTHORITY, "NOT_ITS_VENUE", lambda: hosted(venues=("alt",)), MINE),
    (L.AUTHORITY, "VENUE_BARRED", lambda: Bench(limits(venues_barred=("sim",))), {}),
    (L.STATE, "NOT_REDUCING", Bench, {"reduce_only": True}),
    (L.STATE, "REDUCING", lambda: halted(Bench(), TradingState.REDUCING), {}),
    (L.STATE, "HALTED", lambda: halted(Bench(), TradingState.HALTED, "symbol:AAA/USDT"), {}),
    (L.STATE, "FLATTENING", lambda: halted(Bench(), TradingState.FLATTENING, "venue:sim"), {}),
    (L.STATE, "SHUTDOWN", lambda: halted(Bench(), TradingState.SHUTDOWN), {}),
    (L.STATE, "NOT_STARTED", lambda: Bench(start=False), {}),
    (L.STATE, "VENUE_DOWN", down, {}),
    (L.DATA, "NO_DATA", never_ticked, {}),
    (L.DATA, "STALE", lambda: Bench(limits(data_age_max_s=math.nan)), {}),
    (L.DATA, "FUTURE", ahead, {}),
    (L.DATA, "FUTURE", lambda: Bench(limits(clock_skew_max_s=math.nan)), {}),
    (L.DATA, "CROSSED", lambda: booked(10_002, 10_001), {}),
    (L.DATA, "CROSSED", lambda: booked(10_001, 10_001), {}),
    (L.DATA, "ONE_SIDED", lambda: booked(9_999, 0), {}),
    (L.DATA, "ONE_SIDED", lambda: booked(0, 10_001), {"side": SELL}),
    (L.PRICE, "NO_PRICE", unpriced, {}),
    (L.DATA, "STALE", stale, {}),
    (L.PRICE, "COLLAR", Bench, {"price_ticks": 9400}),
    (L.PRICE, "COLLAR", lambda: Bench(limits(price_collar=math.nan)), {"price_ticks": 9999}),
    (L.PRICE, "COLLAR", lambda: booked(9_000, 11_000), {}),  # what a market order would pay
    (L.PRICE, "COLLAR", Bench, STOP | {"stop_ticks": 10_600}),
    (L.PRICE, "STOP_SIDE", Bench, STOP | {"stop_ticks": 10_000}),
    (L.PRICE, "STOP_SIDE", Bench, STOP | {"side": SELL, "stop_ticks": 10_100}),
    (L.PRICE, "RANGE", Bench, {"price_ticks": 10_400}),
    (L.PRICE, "RANGE", Bench, {"side": SELL, "price_ticks": 9_600}),
    (L.PRICE, "RANGE", lambda: Bench(limits(range_collar=math.nan)), {"price_ticks": 10_001}),
    (L.SIZE, "TOO_LARGE", lambda: Bench(spec0(qty_lots_max=9)), {}),
    (L.SIZE, "TOO_SMALL", lambda: Bench(spec0(qty_lots_min=11)), {}),
    (L.SIZE, "LOTS_MAX", lambda: Bench(limits(order_lots_max=9)), {}),
    (L.SIZE, "VALUE_MAX", lambda: Bench(limits(order_value_max=999.0)), {}),
    (L.SIZE, "VALUE_MAX", lambda: Bench(limits(order_value_max=math.nan)), {}),
    (L.SIZE, "NOTIONAL_MIN", lambda: Bench(spec0(notional_min=1001.0)), {}),
    (L.SIZE, "NO_VOLUME", lambda: Bench(limits(participation_max=0.1)), {}),
    (L.SIZE, "NO_EDGE", lambda: hosted(edge=0.01), MINE),
    (L.FLOW, "OPEN_ORDERS", crowded, {}),
    (L.FLOW, "TRADE_INTERVAL", hasty, MINE),
    (L.EXPOSURE, "NO_EQUITY", broke, {}),
    (L.EXPOSURE, "EXPOSURE_MAX", lambda: scoped("all", exposure_max=999.0), {}),
    (L.EXPOSURE, "EXPOSURE_MAX", lambda: scoped("venue:sim", exposure_max=999.0), {}),
    (L.EXPOSURE, "EXPOSURE_MAX", lambda: scoped("symbol:AAA/USDT", exposure_max=math.nan), {}),
    (L.EXPOSURE, "CONCENTRATION", lambda: Bench(limits(concentration_max=0.0099)), {}),
    (L.EXPOSURE, "CONCENTRATION", lambda: Bench(limits(concentration_max=math.nan)), {}),
    (L.EXPOSURE, "GROSS_LEVERAGE", lambda: Bench(limits(gross_leverage_max=0.0099)), {}),
    (L.EXPOSURE, "GROSS_LEVERAGE", lambda: Bench(limits(gross_leverage_max=math.nan)), {}),
    (L.EXPOSURE, "NET_LEVERAGE", lambda: Bench(limits(net_leverage_max=0.0099)), {}),
    (L.EXPOSURE, "MARGIN", lambda: Bench(limits(margin_ratio_min=1001.0)), {}),
    (L.EXPOSURE, "MARGIN", lambda: Bench(limits(margin_ratio_min=math.nan)), {}),
    (L.LOSS, "DRAWDOWN_BUDGET", lambda: losing(drawdown=0.0004), {}),
    (L.LOSS, "DAILY_BUDGET", lambda: losing(daily_loss=0.0004), {}),
    (L.LOSS, "EMERGENCY_BUDGET", lambda: losing(emergency=0.0004), {}),
    (L.LOSS, "DRAWDOWN_BUDGET", lambda: losing(math.nan, drawdown=0.05), {}),
    (L.LOSS, "NO_VAR", lambda: Bench(limits(var_max=0.02)), {}),
    (L.LOSS, "NO_VAR", lambda: Bench(limits(es_max=0.02)), {}),
    (L.LOSS, "NO_VAR", lambda: with_var(None), {}),
    (L.LOSS, "NO_VAR", lambda: with_var(1_000.0, unit={"BBB/USDT": 0.03}), {}),
    (L.LOSS, "STALE_VAR", lambda: with_var(1_000.0, age_s=901.0), {}),
    (L.LOSS, "VAR_MAX", lambda: with_var(1_980.0), {}),
    (L.LOSS, "VAR_MAX", lambda: with_var(math.nan), {}),
    (L.LOSS, "ES_MAX", lambda: with_var(0.0, es=2_980.0), {}),
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


@pytest.mark.parametrize("first", list(L)[1:])
def test_the_order_of_the_layers_is_the_order_of_refusal(first) -> None:
    """With a fault in every layer from ``first`` on, ``first`` refuses."""
    named = {"restricted": ("AAA/USDT",)} if first <= L.AUTHORITY else {}
    wrong = {
        L.SIZE: {"order_value_max": 1.0},
        L.FLOW: {"open_orders_max": 0},
        L.EXPOSURE: {"concentration_max": 0.0},
    }
    gate_limits = {
        name: value for layer, given in wrong.items() if first <= layer for name, value in given.items()
    }
    gate_limits |= {"stress_move": 1.0}
    bench = Bench(
        config(gate=msgspec.structs.replace(WIDE, **gate_limits), switches=only(drawdown=0.001), **named)
    )
    if first <= L.STATE:
        halted(bench, TradingState.HALTED)
    if first <= L.DATA:
        bench.state.markets["ts_ns"][0] = 0
    if first <= L.PRICE:
        bench.state.markets["mark_px"][0] = 0.0
    denial = bench.submit()
    assert isinstance(denial, Denial) and denial.layer is first
    assert isinstance(bench.submit(lots=0), Denial) and bench.submit(lots=0).layer is L.FORM


def test_a_pass_carries_the_stamp_of_every_layer() -> None:
    bench = Bench()
    bench.submit()
    (order,) = bench.effects
    assert isinstance(order, NewOrder)
    assert (
        order.approval.layers == sum(1 << layer for layer, _, _ in gate.LAYERS)
        and not order.approval.reducing
    )
