"""The short way through the gate says yes only where all nine layers do, and does say it where nothing is unusual."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.effects import Approval
from bus.enums import OrdType, Purpose, Side, TimeInForce
from core.engine import gate
from core.engine.gate import short
from core.kernels import clear as kernel
from core.kernels.facts import COUNT

from .kit import SPECS, WIDE, Bench, config, strategy

TIGHT = msgspec.structs.replace(
    WIDE,
    concentration_max=0.3,
    order_value_max=20_000.0,
    gross_leverage_max=0.8,
    net_leverage_max=0.6,
    margin_ratio_min=3.0,
    stress_move=0.05,
    open_orders_max=6,
    messages_per_s=8.0,
    duplicate_window_ms=250.0,
    imbalance_max=0.9,
    spread_bps_max=80.0,
    thin_max=2.0,
)


def plain(**named) -> Bench:
    bench = Bench(config(gate=msgspec.structs.replace(TIGHT, **named), strategies=(strategy(),)))
    bench.agree()
    return bench


def both(bench: Bench, wish) -> tuple[bool, object]:
    return short.clear(bench.state, wish), gate.judge_long(bench.state, wish)


def test_an_ordinary_entry_goes_the_short_way() -> None:
    bench = plain()
    for kind in ({"price_ticks": 9_990}, {"ord_type": OrdType.MARKET, "tif": TimeInForce.IOC}):
        for strategy_, purpose in (("operator", Purpose.OPERATOR), ("hold-1", Purpose.STRATEGY)):
            wish = bench.wish(0, Side.BUY, 5, strategy=strategy_, purpose=purpose, **kind)
            said, verdict = both(bench, wish)
            assert said and isinstance(verdict, Approval) and verdict == gate.ENTRY


BREAKS = "mark equity rate limit halt firm off unready stop loss".split()


@pytest.mark.parametrize("what", BREAKS)
def test_nothing_is_clear_once_something_is_wrong(what) -> None:
    """An order that would go the short way, and one thing that is not as it should be."""
    bench = plain()
    wish = bench.wish(0, Side.BUY, 5, price_ticks=9_990, strategy="hold-1", purpose=Purpose.STRATEGY)
    assert short.clear(bench.state, wish)
    break_it(bench, what)
    assert not short.clear(bench.state, wish)
    assert not isinstance(gate.judge_long(bench.state, wish), Approval)


STATES = st.fixed_dictionaries(
    {
        "hold": st.sampled_from([0, 0, 40, -40, 150]),
        "resting": st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(9_800, 10_200)), max_size=3),
        "bid": st.integers(9_900, 10_000),
        "gap": st.integers(0, 150),
        "lots": st.tuples(st.integers(0, 60), st.integers(0, 60)),
        "wait_s": st.sampled_from([0.0, 0.0, 0.0, 2.0, 15.0]),
        "break": st.sampled_from(["", "", "", *BREAKS]),
    }
)
WISHES = st.fixed_dictionaries(
    {
        "side": st.sampled_from(list(Side)),
        "lots": st.integers(-1, 400),
        "price": st.one_of(st.just(0), st.integers(9_000, 11_000)),
        "purpose": st.sampled_from([Purpose.OPERATOR, Purpose.STRATEGY, Purpose.ALGO, Purpose.KILL]),
        "strategy": st.sampled_from(["operator", "hold-1", "nobody"]),
        "reduce_only": st.booleans(),
        "instrument": st.integers(-1, 3),
        "again": st.booleans(),
    }
)


def break_it(bench: Bench, what: str) -> None:
    state = bench.state
    if what == "mark":
        state.markets["mark_px"][0] = 0.0
    elif what == "equity":
        state.account["equity"] = math.nan
    elif what == "rate":
        state.currencies["rate"][:] = math.nan
    elif what == "limit":
        state.cold.limits["order_value_max"] = math.nan
        state.desk.forget_limits()
    elif what == "halt":
        bench.command("kill", {"scope": "symbol:AAA/USDT", "level": "reduce"})
    elif what == "firm":
        bench.command("kill", {"scope": "all", "level": "halt"})
    elif what == "off":
        state.cold.hosts["hold-1"].enabled = False
    elif what == "unready":
        state.cold.venues[0].reconciled = False
    elif what == "stop":
        state.cold.started = False
    elif what == "loss":
        state.switches["limit"][0] = 0.05
        state.account["drawdown"] = 0.0499


@settings(max_examples=1500, deadline=None)
@given(STATES, st.lists(WISHES, min_size=1, max_size=4))
def test_what_is_clear_passes_every_layer(world, wishes) -> None:
    bench = plain()
    if world["hold"]:
        bench.hold(0, world["hold"])
    for side, ticks in world["resting"]:
        bench.submit(0, side, 3, price_ticks=ticks)
    bench.wait(world["wait_s"])
    bid, ask = world["bid"], world["bid"] + world["gap"]
    row = bench.state.markets[0:1]
    row["bid_ticks"], row["ask_ticks"] = bid, ask
    row["bid_lots"], row["ask_lots"] = world["lots"]
    break_it(bench, world["break"])
    for given_ in wishes:
        kind = OrdType.LIMIT if given_["price"] else OrdType.MARKET
        wish = bench.wish(
            given_["instrument"],
            given_["side"],
            given_["lots"],
            ord_type=kind,
            price_ticks=given_["price"],
            purpose=given_["purpose"],
            strategy=given_["strategy"],
            reduce_only=given_["reduce_only"],
        )
        said, verdict = both(bench, wish)
        assert not said or verdict == gate.ENTRY, (wish, verdict)
        if isinstance(verdict, Approval):
            bench.submit(wish.instrument, wish.side, wish.qty_lots, price_ticks=wish.price_ticks, ord_type=kind,
                         purpose=wish.purpose, strategy=wish.strategy, reduce_only=wish.reduce_only)  # fmt: skip


ALWAYS_ON = (
    "data_age_max_s clock_skew_max_s spread_bps_max price_collar lots_min lots_max value_max concentration_max"
    " gross_leverage_max net_leverage_max margin_ratio_min stress_move"
).split()


@pytest.mark.parametrize("bound", ALWAYS_ON)
def test_a_bound_that_is_not_a_number_is_never_clear(bound) -> None:
    bench = plain()
    wish = bench.wish(0, Side.BUY, 5, price_ticks=9_990)
    assert short.clear(bench.state, wish)
    bench.state.desk.lanes["operator", 0].bounds[kernel.BOUNDS.index(bound)] = math.nan
    assert not short.clear(bench.state, wish)


def test_a_changed_limit_is_heard_of_at_once() -> None:
    bench = plain()
    wish = bench.wish(0, Side.BUY, 5, price_ticks=9_990)
    assert short.clear(bench.state, wish)
    bench.do(msgspec.structs.replace(_set_limit(bench, "order_value_max", "100")))
    assert not short.clear(bench.state, wish)


def _set_limit(bench: Bench, name: str, value: str):
    from bus.enums import Role
    from bus.events import Command

    return Command(
        bench.now,
        "limit",
        "root",
        Role.ADMIN,
        "set_limit",
        {"name": name, "scope": "all", "value": value},
        "why",
    )


def test_the_kernel_reads_as_many_bounds_as_there_are() -> None:
    assert (
        kernel.COUNT
        == len(short._bounds(plain().state, short.tight(plain().state, "operator", 0), 0))
        == len(set(kernel.BOUNDS))
    )
    assert np.empty(COUNT).shape == short._OUT.shape and SPECS
