"""Whatever the wish and whatever the book: an approval means nine layers passed, and an exit is not kept in."""

from __future__ import annotations

import math

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.effects import NewOrder
from bus.enums import GateLayer, OrdType, Purpose, Side, TimeInForce
from core.engine import gate
from core.engine.config import GateLimits
from core.engine.gate import Denial, Wish

from .kit import Bench, config, only, strategy

NEVER_FOR_EXITS = {GateLayer.AUTHORITY, GateLayer.DATA, GateLayer.EXPOSURE, GateLayer.LOSS}
ALLOWED_FOR_EXITS = {"BAD_QUANTITY", "BAD_PRICE", "PRICE_ON_MARKET", "BAD_STOP", "STOP_TIF", "POST_ONLY",
                     "UNKNOWN_INSTRUMENT", "COLLAR", "TOO_LARGE", "DUPLICATE"}  # fmt: skip

wishes = st.builds(
    Wish,
    cl_ord_id=st.sampled_from(["a", "b"]),
    instrument=st.integers(-1, 3),
    side=st.sampled_from(list(Side)),
    qty_lots=st.one_of(st.integers(-1, 60), st.integers(0, 1 << 62)),
    strategy=st.sampled_from(["operator", "hold-1", "nobody"]),
    purpose=st.sampled_from([Purpose.STRATEGY, Purpose.OPERATOR, Purpose.ALGO, Purpose.KILL]),
    ord_type=st.sampled_from(list(OrdType)),
    price_ticks=st.one_of(st.just(0), st.integers(9_000, 11_000), st.integers(-1, 1 << 62)),
    tif=st.sampled_from(list(TimeInForce)),
    reduce_only=st.booleans(),
    post_only=st.booleans(),
    stop_ticks=st.one_of(st.just(0), st.integers(9_000, 11_000)),
)
amounts = st.sampled_from([0.0, 0.5, 1.0, 100.0, 1e9, math.nan])
gates = st.builds(
    GateLimits,
    price_collar=st.sampled_from([0.05, math.nan]),
    order_value_max=amounts,
    concentration_max=amounts,
    gross_leverage_max=amounts,
    margin_ratio_min=st.sampled_from([0.0, 1.2, math.nan]),
    open_orders_max=st.sampled_from([0, 5000]),
    data_age_max_s=st.sampled_from([10.0, math.nan]),
    range_collar=st.sampled_from([0.03, math.nan]),
    spread_bps_max=st.sampled_from([0.0, 0.1, 100.0]),
    momentum_max=st.sampled_from([0.0, 1.0]),
    participation_max=st.sampled_from([0.0, 0.1]),
    messages_per_s=st.sampled_from([0.0, 0.1]),
    duplicate_window_ms=st.sampled_from([0.0, 250.0]),
    stress_move=st.sampled_from([0.0, 0.05, math.nan]),
    var_max=st.sampled_from([0.0, 0.0, 0.02]),
)
books = st.fixed_dictionaries(
    {
        "held": st.integers(-50, 50),
        "mark": st.sampled_from([100.0, 100.0, 0.0, math.nan]),
        "equity": st.sampled_from([100_000.0, 100_000.0, 0.0, math.nan]),
        "age_s": st.sampled_from([0, 0, 100, -100]),
        "resting": st.booleans(),
    }
)


def bench(limits: GateLimits, book: dict) -> Bench:
    at = Bench(config(strategies=(strategy(symbols=()),)))
    if book["resting"]:
        at.working(0, Side.BUY, 3, 99.0)
        at.working(0, Side.SELL, 3, 101.0)
    at.state.config = msgspec.structs.replace(at.state.config, gate=limits, switches=only(drawdown=0.05))
    at.state.desk.forget_limits()
    at.state.positions["qty_lots"][0] = book["held"]
    at.state.markets["mark_px"][0] = book["mark"]
    at.state.account["equity"] = book["equity"]
    at.state.markets["ts_ns"][0] -= book["age_s"] * 10**9
    return at


@settings(max_examples=400, deadline=None)
@given(wish=wishes, limits=gates, book=books)
def test_an_approval_means_that_every_layer_passed(wish, limits, book) -> None:
    at = bench(limits, book)
    verdicts = gate.inspect(at.state, wish)
    before = msgspec.structs.asdict(at.state.cold)["orders"].copy()
    decided = gate.approve(at.state, wish)
    assert at.state.cold.orders == before, "the gate judges and changes nothing"
    if isinstance(decided, NewOrder):
        kill = wish.purpose is Purpose.KILL
        assert decided.approval.layers == (gate.KILL_STAMP if kill else gate.FULL_STAMP)
        assert kill or (len(verdicts) == 9 and all(v.ok for v in verdicts))
    elif wish.purpose is not Purpose.KILL:
        first = next(v for v in verdicts if not v.ok)
        assert (first.layer, first.code) == (decided.layer.name, decided.code), "the first refusal wins"


@settings(max_examples=400, deadline=None)
@given(wish=wishes, limits=gates, book=books)
def test_an_exit_is_never_refused_for_want_of_a_price_a_limit_or_a_budget(wish, limits, book) -> None:
    at = bench(limits, book)
    if not (0 <= wish.instrument < 3 and gate.reduces(at.state, wish)):
        return
    decided = gate.approve(at.state, wish)
    if isinstance(decided, Denial):
        assert decided.layer not in NEVER_FOR_EXITS
        assert decided.code in ALLOWED_FOR_EXITS, decided
        assert decided.code != "COLLAR" or book["mark"] > 0.0


@settings(max_examples=200, deadline=None)
@given(lots=st.integers(1, 60), held=st.integers(-50, 50), side=st.sampled_from(list(Side)), book=books)
def test_reducing_means_no_larger_and_never_through_zero(lots, held, side, book) -> None:
    at = bench(GateLimits(), book | {"held": held})
    wish = Wish(
        cl_ord_id="x", instrument=0, side=side, qty_lots=lots, strategy="operator", purpose=Purpose.OPERATOR
    )
    working = 3 if book["resting"] else 0
    sign = 1 if side is Side.BUY else -1
    assert gate.reduces(at.state, wish) == (held * sign < 0 and working + lots <= abs(held))
