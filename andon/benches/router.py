"""One routing decision: two venues of ten levels, through admission, ladders, prices, room and walk; and what it saves.

The peer is the same question put as an integer programme to scipy's solver (where scipy is there): quantity first, then
cost, as the tests do it. What routing saves is measured on the two books of the embedded market, told for ten minutes:
all-in cost of a random order once a second, routed, against sending each to the one venue that is better on average;
over the orders that either venue alone can fill.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import numpy as np

from andon.benches.rows import Row, quantile, row, skipped
from bus.enums import Side
from bus.events import Boot, Depth, OpenOrders, Positions
from bus.instruments import InstrumentSpec
from core.adapters.catalogue import embedded_catalogue
from core.adapters.market import EmbeddedMarket
from core.adapters.sim_venue import SimVenue
from core.app.drive import Driver
from core.engine import router, snapshot
from core.engine.config import EngineConfig
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step
from core.kernels.tables import TICK, TICK_QUOTE, zeros

START_NS = 1_700_000_000_000_000_000
LEVELS, LOTS = 10, 50
CALLS, ROUNDS = 400, 15
MINUTES = 10
GOAL_US = 250.0
SIZES = (10_000, 50_000, 100_000, 200_000, 400_000)  # lots: 0.1 to 4 BTC


def route() -> Iterator[Row]:
    """Microseconds a route, equal lots and coarse ones, and the saving in basis points."""
    even = _told(lot_size=1.0, tick_size=0.01)
    yield from _timed("router.even", lambda: router.route(even, 0, Side.BUY, 623, 10_012), _programme(even))
    coarse = _told(lot_size=10.0, tick_size=0.05)
    yield from _timed("router.coarse", lambda: router.route(coarse, 0, Side.BUY, 623, 10_012), None)
    yield from _saving()


def _told(*, lot_size: float, tick_size: float) -> State:
    """A core with two venues that list one thing, each with ten levels a side."""
    specs = (
        InstrumentSpec(symbol="AAA/USDT", base="AAA", tick_size=0.01, lot_size=1.0, notional_min=5.0),
        InstrumentSpec(
            symbol="AAA/USDT@alt",
            base="AAA",
            venue="alt",
            tick_size=tick_size,
            lot_size=lot_size,
            notional_min=5.0,
            fee_rate_taker=0.0003,
        ),
    )
    state = _ready(EngineConfig(instruments=specs, venues=("sim", "alt"), cash={"USDT": 1e6}))
    for i, spec in enumerate(specs):
        mid, lots = round(100.0 / spec.tick_size), int(LOTS / spec.lot_size)
        bids = tuple((mid - 1 - n, lots) for n in range(LEVELS))
        asks = tuple((mid + 1 + n, lots) for n in range(LEVELS))
        rows = zeros(TICK, 1)
        rows["ts_ns"], rows["instrument"], rows["flags"] = START_NS + 1, i, TICK_QUOTE
        rows["bid_ticks"], rows["bid_lots"] = bids[0]
        rows["ask_ticks"], rows["ask_lots"] = asks[0]
        step(state, Ticks(rows))
        step(state, Depth(START_NS + 1, i, bids, asks))
    return state


def _ready(config: EngineConfig) -> State:
    """Booted, and reconciled with venues that hold nothing."""
    state = snapshot.create(config)
    for effect in step(state, Boot(START_NS, 1, clean=True, autostart=True)):
        request = getattr(effect, "request", 0)
        if type(effect).__name__ == "QueryOpen":
            step(state, OpenOrders(START_NS, effect.venue, request, True))  # type: ignore[union-attr]
        elif type(effect).__name__ == "QueryPositions":
            step(state, Positions(START_NS, effect.venue, request, True))  # type: ignore[union-attr]
    return state


def _timed(name: str, call: Callable[[], object], peer: float | None) -> Iterator[Row]:
    times: list[float] = []
    for _ in range(ROUNDS):
        for _ in range(CALLS):
            began = time.perf_counter_ns()
            call()
            times.append((time.perf_counter_ns() - began) / 1e3)
    label = "scipy.optimize.milp" if peer else ""
    yield row(f"{name}.p50", quantile(times, 50), "us", GOAL_US, peer=label, peer_value=peer)
    yield row(f"{name}.p99", quantile(times, 99), "us")


def _programme(state: State) -> float | None:
    """Microseconds that the solver takes for the even book, set-up of the matrices left out; None without scipy."""
    try:
        from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return None
    cost, shown = [], []
    for i, fee in ((0, 0.0005), (1, 0.0003)):
        for ticks, lots in state.depths[i].asks:
            cost.append(ticks * 0.01 * (1.0 + fee))
            shown.append(float(lots))
    n = len(cost)
    ones = np.ones((1, n))
    bounds, whole = Bounds(np.zeros(n), np.array(shown)), np.ones(n)
    times = []
    for _ in range(15):
        began = time.perf_counter_ns()
        milp(
            np.array(cost),
            constraints=[LinearConstraint(ones, 623.0, 623.0)],
            bounds=bounds,
            integrality=whole,
        )
        times.append((time.perf_counter_ns() - began) / 1e3)
    return quantile(times, 50)


def _saving() -> Iterator[Row]:
    """Basis points of value saved by splitting, over the better single venue."""
    specs = tuple(spec for spec in embedded_catalogue(2) if spec.base == "BTC" and not spec.inverse)
    state = snapshot.create(EngineConfig(instruments=specs, venues=("sim", "sim2"), cash={"USDT": 1e7}))
    venues = [SimVenue(n, specs, lists=[n], depth_of=[n], seed=n) for n in range(2)]
    driver = Driver(state, venues)
    market = EmbeddedMarket(specs, 7, 20.0, start_ns=START_NS)
    driver.send(Boot(START_NS, 1, clean=True, autostart=True))
    rng = random.Random("router-bench")
    costs: list[tuple[float, ...]] = []  # routed, at the first, at the second; bps of the mark
    short = 0
    for second in range(1, 60 * MINUTES):
        until = START_NS + second * 1_000_000_000
        driver.feed(market.block(until))
        driver.run_until(until)
        side, lots = rng.choice((Side.BUY, Side.SELL)), rng.choice(SIZES)
        found = [router.plan(state, 0, side, lots, 0, allowed) for allowed in ((), (0,), (1,))]
        if any(one.left_lots for one in found[1:]):
            short += not found[0].left_lots
        else:
            mark = state.mark(0) * lots
            costs.append(
                tuple((_cost(one, side) / mark - (1 if side is Side.BUY else -1)) * 1e4 for one in found)
            )
    if not costs:
        yield skipped("router.saving", "bps", "no book could fill an order at either venue")
        return
    routed, first, second_ = np.mean(np.array(costs), axis=0)
    better = float(min(first, second_))
    yield row(
        "router.cost", float(routed), "bps of value, all in", better, peer="better venue", peer_value=better
    )
    yield row("router.saving", better - float(routed), "bps of value", 0.0, at_least=True)
    yield row("router.only_together", short / (60 * MINUTES), "fraction of orders")


def _cost(found: router.Route, side: Side) -> float:
    """All-in cost in quote per lot: what the legs expect to pay, with each venue's fee and drift."""
    sign = 1.0 if side is Side.BUY else -1.0
    rates = {note.instrument: note.fee + note.drift for note in found.notes}
    return sum(leg.expect_px * leg.parent_lots * (sign + rates[leg.instrument]) for leg in found.legs)


BENCHES = {"router": route}
