"""Attribution of 500 positions: the revaluation on marks, a booking, the message, beside plain Python floats."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from andon.benches.rows import Row, row
from andon.benches.steps import MID, SEED, START_NS, frozen, some_quotes
from bus.events import Boot
from bus.instruments import InstrumentSpec
from core.engine import attribution, books, pnlview, snapshot
from core.engine.config import EngineConfig
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step
from core.kernels.attribution import PARTS, cut

POSITIONS = 500
HOLDERS = ("momentum", "maker", "hold", "reversion")
UPDATE_US, BOOKING_US = 100.0, 50.0  # goals


def engine(positions: int) -> State:
    """A running engine that holds every instrument, each by one of four strategies, some ticks later."""
    rng = np.random.default_rng(SEED)
    specs = tuple(InstrumentSpec(symbol=f"C{i}/USDT", base=f"C{i}") for i in range(positions))
    state = snapshot.create(EngineConfig(cash={"USDT": 1e6}, instruments=specs))
    step(state, Boot(START_NS - 1, 1, True, autostart=True))
    step(state, Ticks(some_quotes(rng, np.arange(positions), still=True)))
    for i in range(positions):
        _trade(state, i, int(rng.integers(1, 50)), 0.01)
    step(state, Ticks(some_quotes(rng, np.arange(positions))))
    return state


def _trade(state: State, i: int, lots: int, fee: float) -> None:
    price = MID * 0.01
    books.move(state, i, lots, price, fee)
    books.share(state, state.holding(HOLDERS[i % len(HOLDERS)], i), lots, price, fee)


def update(state: State, by_holder: np.ndarray) -> int:
    """What ten times a second costs: every share revalued, every sum by symbol, holder and part."""
    rows = attribution.rows_of(state)
    attribution.pend(state)
    table = rows.by_symbol
    return int(cut(rows.table, rows.used, rows.parts, rows.pend, len(state.specs), table, by_holder))


def plain(state: State) -> Callable[[], float]:
    """The same sums by a loop over plain floats and dictionaries: what a bot does, and it does not add up exactly."""
    held = [
        (e.holder, e.instrument, e.lots, float(e.whole) + e.atto / 1e18, [float(n) for n in e.parts])
        for e in state.cold.ledger.entries.values()
    ]
    marks, sizes = state.markets["mark_px"].tolist(), state.instruments["lot_value"].tolist()

    def loop() -> float:
        total = 0.0
        by_symbol: dict[int, list[float]] = {}
        by_holder: dict[str, list[float]] = {}
        for holder, i, lots, cash, parts in held:
            made = cash + lots * sizes[i] * marks[i]
            for sums in (by_symbol.setdefault(i, [0.0] * PARTS), by_holder.setdefault(holder, [0.0] * PARTS)):
                for part, amount in enumerate(parts):
                    sums[part] += amount
                sums[0] += made
            total += made
        return total

    return loop


def _us(call: Callable[[], object], rounds: int, times: int) -> float:
    """The median round, us a call."""
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter_ns()
        for _ in range(times):
            call()
        spent.append((time.perf_counter_ns() - begin) / times / 1e3)
    return float(np.median(spent))


def measure(positions: int, rounds: int) -> Iterator[Row]:
    """The rows, at any size."""
    state = engine(positions)
    by_holder = np.zeros((len(attribution.rows_of(state).holders), PARTS), dtype=np.int64)
    update(state, by_holder)
    with frozen():
        updated = _us(lambda: update(state, by_holder), rounds, 50)
        looped = _us(plain(state), rounds, 3)
        yield row("attribution.update", updated, "us", UPDATE_US, peer="plain Python", peer_value=looped)

        def booking() -> None:
            attribution.book(state, HOLDERS[0], 0, 1, MID * 0.01, 0.01)
            attribution.check(state)

        def message() -> None:
            pnlview.pnl_view(state)

        yield row("attribution.booking", _us(booking, rounds, 50), "us", BOOKING_US)
        yield row("attribution.message", _us(message, rounds, 10), "us")


BENCHES = {"attribution": lambda: measure(POSITIONS, 30)}
