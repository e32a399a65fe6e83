"""One quote through the whole engine at 512 instruments with a position in each, beside plain Python objects.

Instruments rotate at random, so that no call finds its rows in the nearest cache; garbage collection is frozen as it
is in a running core. On a shared machine a round may be disturbed from outside: each quantile is taken per round, and
the row gives the median round; ``worst`` is the worst round's tail.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from andon.benches.rows import Row, quantile, row
from bus.events import Boot
from bus.instruments import InstrumentSpec
from core.engine import snapshot
from core.engine.config import EngineConfig
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step
from core.kernels.portfolio import apply_fill
from core.kernels.tables import TICK, TICK_QUOTE, Table, zeros

INSTRUMENTS = 512
SEED = 20_240_808
START_NS = 1_700_000_000_000_000_000
MID = 10_000  # ticks


class Held:
    """A position as an object: what a plain bot keeps."""

    __slots__ = ("cost", "mark", "qty", "unrealized")

    def __init__(self, qty: float, mark: float) -> None:
        self.qty, self.mark, self.cost, self.unrealized = qty, mark, abs(qty) * mark, 0.0


class PlainBook:
    """Mark one, then look at all: equity, exposure and the worst loss after every tick."""

    def __init__(self, lots: list[int], cash: float) -> None:
        self.held = [Held(n * 0.001, MID * 0.01) for n in lots]
        self.cash, self.peak, self.day_open = cash, cash, cash

    def quote(self, instrument: int, bid: int, ask: int) -> bool:
        """Apply a quote; True when one of the six limits is passed."""
        ticked = self.held[instrument]
        ticked.mark = 0.5 * (bid + ask) * 0.01
        ticked.unrealized = ticked.qty * ticked.mark - (ticked.cost if ticked.qty > 0 else -ticked.cost)
        equity, gross, worst = self.cash, 0.0, 0.0
        for held in self.held:
            equity += held.unrealized
            gross += abs(held.qty) * held.mark
            if held.unrealized < 0.0:
                worst = max(worst, -held.unrealized / held.cost)
        self.peak = max(self.peak, equity)
        drawdown, daily = (self.peak - equity) / self.peak, (self.day_open - equity) / self.day_open
        return (
            drawdown >= 0.05
            or worst >= 0.02
            or daily >= 0.10
            or max(drawdown, daily) >= 0.15
            or gross / equity >= 5.0
            or equity < 1.2 * 0.1 * gross
        )


def engine(rng: np.random.Generator, instruments: int) -> tuple[State, list[int]]:
    """An engine that holds every instrument; (state, lots by instrument)."""
    specs = tuple(InstrumentSpec(symbol=f"C{i}/USDT", base=f"C{i}") for i in range(instruments))
    state = snapshot.create(EngineConfig(cash={"USDT": 1e6}, instruments=specs))
    step(state, Boot(START_NS - 1, 1, True, autostart=True))
    step(state, Ticks(some_quotes(rng, np.arange(instruments), still=True)))
    lots = [int(n) for n in rng.integers(1, 50, instruments)]
    tables = state.instruments, state.markets, state.positions, state.currencies, state.account
    for i, n in enumerate(lots):
        apply_fill(i, n, MID * 0.01, 0.0, *tables)
    return state, lots


def some_quotes(rng: np.random.Generator, which: np.ndarray[Any, Any], *, still: bool = False) -> Table:
    ticks = zeros(TICK, len(which))
    ticks["ts_ns"], ticks["flags"], ticks["instrument"] = START_NS + np.arange(len(which)), TICK_QUOTE, which
    mid = MID + (0 if still else rng.integers(-20, 21, len(which)))
    ticks["bid_ticks"], ticks["ask_ticks"], ticks["bid_lots"], ticks["ask_lots"] = mid - 1, mid + 1, 9, 9
    return ticks


@contextmanager
def frozen() -> Iterator[None]:
    """No garbage collection inside."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _timed(calls: list[Callable[[], object]]) -> list[int]:
    spent = []
    for call in calls:
        begin = time.perf_counter_ns()
        call()
        spent.append(time.perf_counter_ns() - begin)
    return spent


def measure(instruments: int, quotes: int, rounds: int) -> Iterator[Row]:
    """The rows, at any size."""
    rng = np.random.default_rng(SEED)
    state, lots = engine(rng, instruments)
    ticks = some_quotes(rng, rng.integers(0, instruments, quotes))
    blocks = [Ticks(ticks[k : k + 1]) for k in range(quotes)]
    plain = PlainBook(lots, 1e6)
    columns = (ticks[name].tolist() for name in ("instrument", "bid_ticks", "ask_ticks"))
    few = list(zip(*columns, strict=True))[: max(quotes // 20, 1)]
    own, other = [], []
    with frozen():
        for _ in range(rounds):
            spent = []
            for block in blocks:
                begin = time.perf_counter_ns()
                step(state, block)
                spent.append(time.perf_counter_ns() - begin)
            own.append([quantile(spent, q) / 1e3 for q in (50, 99)])
            took = _timed([lambda quote=quote: plain.quote(*quote) for quote in few])  # type: ignore[misc]
            other.append([quantile(took, q) / 1e3 for q in (50, 99)])
    assert not state.cold.kills, "a switch tripped: the bench's quotes are meant to be calm"
    peer = f"plain Python, {instruments} objects"
    for at, (name, goal) in enumerate((("p50", 2.0), ("p99", 10.0))):
        values, peers = [r[at] for r in own], [r[at] for r in other]
        yield row(
            f"step.quote.{name}", quantile(values, 50), "us", goal, peer=peer, peer_value=quantile(peers, 50)
        )
    yield row("step.quote.p99.worst", max(r[1] for r in own), "us")


def steps() -> Iterator[Row]:
    """step(quote) at 512 instruments: goal p50 2 us, p99 10 us."""
    yield from measure(INSTRUMENTS, 20_000, 9)


BENCHES = {"step": steps}
