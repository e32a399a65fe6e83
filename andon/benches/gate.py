"""The gate alone: nine layers over an entry that passes all of them, at 512 instruments, all held, 100 orders working.

Wishes rotate over instruments and prices, by hand and by a strategy, so that no call finds its rows in the nearest
cache. Every veto, rate, window and budget is on with the shipped defaults; only the message rate is widened, because a
hundred bids at one instant would run into it. Garbage collection is frozen, quantiles are those of the median round.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
import numpy as np

from andon.benches.rows import Row, quantile, row
from andon.benches.steps import START_NS, frozen, some_quotes
from bus.enums import OrdType, Purpose, Side
from bus.events import Boot, OpenOrders, Positions, VenuePosition
from bus.instruments import InstrumentSpec
from config.settings import Settings
from core.app.setup import engine_config
from core.engine import oms, snapshot
from core.engine.config import EngineConfig, StrategyConfig
from core.engine.gate import Denial, Wish, approve
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step
from core.kernels.portfolio import apply_fill

INSTRUMENTS, WORKING, SEED = 512, 100, 20_240_808
MID = 10_000  # ticks


def _config(instruments: int) -> EngineConfig:
    specs = tuple(InstrumentSpec(symbol=f"C{i}/USDT", base=f"C{i}") for i in range(instruments))
    config = engine_config(Settings(), specs, env="PAPER", now_ns=START_NS)
    limits = msgspec.structs.replace(config.gate, messages_per_s=1e6, duplicate_window_ms=250.0)
    plan = StrategyConfig(id="hold-1", kind="hold")
    return msgspec.structs.replace(config, gate=limits, strategies=(plan,), cash={"USDT": 1e6})


def desk(instruments: int, working: int, rng: np.random.Generator) -> State:
    """An engine that holds every instrument, reconciled and started, with bids resting below the market."""
    state = snapshot.create(_config(instruments))
    step(state, Boot(START_NS - 1, 1, True, autostart=True))
    ticks = some_quotes(rng, np.tile(np.arange(instruments), 64), still=True)
    ticks["ts_ns"] = START_NS + np.repeat(np.arange(64), instruments) * 1_000_000_000
    step(state, Ticks(ticks))
    tables = state.instruments, state.markets, state.positions, state.currencies, state.account
    lots = [int(n) for n in rng.integers(1, 50, instruments)]
    for i, n in enumerate(lots):
        apply_fill(i, n, MID * 0.01, 0.0, *tables)
    last = state.cold.now_ns
    request = max(state.cold.asked, default=0)
    for n in range(1, request + 1):
        step(state, OpenOrders(last, 0, n, True))
        step(state, Positions(last, 0, n, True, tuple(VenuePosition(i, n) for i, n in enumerate(lots))))
    for n in range(working):
        sent = oms.submit(
            state, _wish(f"w{n}", int(rng.integers(instruments)), Side.BUY, MID - 20 - n % 30, 10 + n)
        )
        assert not isinstance(sent, Denial), sent
    return state


def _wish(id_: str, instrument: int, side: Side, price: int, lots: int, *, plan: bool = False) -> Wish:
    return Wish(
        cl_ord_id=id_,
        instrument=instrument,
        side=side,
        qty_lots=lots,
        strategy="hold-1" if plan else "operator",
        purpose=Purpose.STRATEGY if plan else Purpose.OPERATOR,
        ord_type=OrdType.LIMIT,
        price_ticks=price,
    )


def wishes(rng: np.random.Generator, instruments: int, count: int) -> list[Wish]:
    """Entries that pass: bids a little below the market, half by hand, half by a strategy."""
    which, away = rng.integers(0, instruments, count).tolist(), rng.integers(2, 40, count).tolist()
    lots = rng.integers(1, 9, count).tolist()
    rows = zip(which, away, lots, strict=True)
    return [_wish(f"x{n}", i, Side.BUY, MID - a, k, plan=n % 2 == 0) for n, (i, a, k) in enumerate(rows)]


def measure(instruments: int, working: int, count: int, rounds: int) -> Iterator[Row]:
    """The rows, at any size."""
    rng = np.random.default_rng(SEED)
    state = desk(instruments, working, rng)
    batch = wishes(rng, instruments, count)
    refused = [decided for wish in batch if isinstance(decided := approve(state, wish), Denial)]
    assert not refused, refused[0]
    took = []
    with frozen():
        for _ in range(rounds):
            spent = []
            for wish in batch:
                begin = time.perf_counter_ns()
                approve(state, wish)
                spent.append(time.perf_counter_ns() - begin)
            took.append([quantile(spent, q) / 1e3 for q in (50, 99)])
    yield row("gate.entry.p50", quantile([r[0] for r in took], 50), "us")
    yield row("gate.entry.p99", quantile([r[1] for r in took], 50), "us", 10.0)
    yield row("gate.entry.p99.worst", max(r[1] for r in took), "us")


def gate() -> Iterator[Row]:
    """approve() for an entry that passes nine layers, 512 instruments, 100 orders working: goal p99 10 us."""
    yield from measure(INSTRUMENTS, WORKING, 10_000, 9)


BENCHES = {"gate": gate}
