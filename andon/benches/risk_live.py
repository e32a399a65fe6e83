"""The analyst's work: what a large book costs ten times a second, and what a quote waits for while it is at it.

500 positions under 1,000 scenarios: book from the tables, scenarios compiled, every one revalued, score, level and the
twenty worst told. The share is of one core, thread time, paced at 10 Hz. Then the same in a thread of its own, at the
same pace (ten times what a core does as it comes), beside a loop that steps a quote every millisecond.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from andon.benches.rows import Row, quantile, row
from andon.benches.steps import START_NS, engine, some_quotes
from core.analytics import live
from core.analytics.book_tables import Copy, Facts, facts, from_tables
from core.analytics.profile import Level
from core.analytics.scenarios import Scenario, compile
from core.app.analyst import copy_of
from core.app.loop import SWITCH_S
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step

POSITIONS, SCENARIOS, HZ = 500, 1_000, 10.0
SEED = 20_241_121
SHARE_MAX = 0.5  # of a core
ADDED_US_MAX = 100.0  # to the 99th percentile of a step: one switch interval of the interpreter


def _scenarios(rng: np.random.Generator, count: int) -> list[Scenario]:
    moves = rng.standard_normal((count, 3))
    return [
        Scenario(
            name=f"s{k}",
            market=float(0.1 * one),
            sigmas=float(abs(two)),
            direction="against" if k % 2 else "down",
            spread=1.0 + float(abs(three)),
            liquidate=0.5,
        )
        for k, (one, two, three) in enumerate(moves)
    ]


def _refresh(known: Facts, copy: Copy, scenarios: list[Scenario]) -> None:
    """All of one refresh: what the desk does with a copy."""
    book = from_tables(known, copy)
    shocks = compile(scenarios, book)
    live.profile_data(book, shocks, Level.LOW, advise=False)
    live.stress_data(book, shocks)


def _known(state: State) -> Facts:
    rng = np.random.default_rng(SEED)
    betas = {spec.symbol: float(rng.uniform(0.5, 1.5)) for spec in state.specs}
    return facts(state.specs, ccy="USDT", currencies=list(state.currencies_ids), betas=betas)


def profile(positions: int = POSITIONS, scenarios: int = SCENARIOS, seconds: float = 5.0) -> Iterator[Row]:
    """Thread time of a refresh, and its share of a core at 10 Hz."""
    rng = np.random.default_rng(SEED)
    state, _ = engine(rng, positions)
    known, copy, what = _known(state), copy_of(state), _scenarios(rng, scenarios)
    _refresh(known, copy, what)
    spent, begin, busy = [], time.perf_counter(), time.thread_time()
    while (now := time.perf_counter()) - begin < seconds:
        used = time.thread_time()
        _refresh(known, copy_of(state), what)
        spent.append(time.thread_time() - used)
        time.sleep(max(0.0, now + 1.0 / HZ - time.perf_counter()))
    share = (time.thread_time() - busy) / (time.perf_counter() - begin)
    name = f"risk.profile.{positions}x{scenarios}"
    yield row(name, quantile(spent, 50) * 1e3, "ms")
    yield row(f"{name}.10hz", share, "of a core", SHARE_MAX)


def beside(
    positions: int = POSITIONS, scenarios: int = SCENARIOS, seconds: float = 0.6, rounds: int = 9
) -> Iterator[Row]:
    """``step(quote)`` and how late its millisecond came, alone and beside the analyst at 10 Hz, in turns.

    Each quantile is taken per round and the median round is told: one round may be disturbed from outside. When a
    millisecond comes has no goal: on two cores it is the scheduler's as much as ours, even while a kernel runs that has
    let go of the interpreter.
    """
    rng = np.random.default_rng(SEED)
    state, _ = engine(rng, positions)
    known, what, copy = _known(state), _scenarios(rng, scenarios), copy_of(state)
    _refresh(known, copy, what)
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    alone, both = [], []
    try:
        for _ in range(rounds):
            alone.append(_stepped(state, rng, seconds))
            with _working(lambda: _refresh(known, copy, what)):
                both.append(_stepped(state, rng, seconds))
    finally:
        sys.setswitchinterval(before)
    for name, k in (("step", 0), ("turn", 1)):
        for percent in (50, 99):
            mine, other = (quantile([quantile(r[k], percent) for r in runs], 50) for runs in (both, alone))
            goal = other + ADDED_US_MAX if (name, percent) == ("step", 99) else None
            yield row(
                f"risk.beside.{name}.p{percent}",
                mine,
                "us",
                goal,
                peer="without the analyst",
                peer_value=other,
            )


@contextmanager
def _working(act: Callable[[], None]) -> Iterator[None]:
    """``act`` ten times a second in a thread."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            begin = time.perf_counter()
            act()
            stop.wait(max(0.0, begin + 1.0 / HZ - time.perf_counter()))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _stepped(state: State, rng: np.random.Generator, seconds: float) -> tuple[list[float], list[float]]:
    """(us of each step, us from when it was due to when it was done); one quote a millisecond."""
    took, late = [], []
    end, due, n = time.perf_counter() + seconds, time.perf_counter(), len(state.specs)
    rows = some_quotes(rng, rng.integers(0, n, int(seconds * 1_000) + 1))
    rows["ts_ns"] += state.cold.now_ns - START_NS
    for at in range(len(rows)):
        due += 0.001
        time.sleep(max(0.0, due - time.perf_counter()))
        begin = time.perf_counter()
        step(state, Ticks(rows[at : at + 1]))
        done = time.perf_counter()
        took.append((done - begin) * 1e6)
        late.append((done - due) * 1e6)
        if done > end:
            break
    return took, late


BENCHES = {"risk.profile": profile, "risk.beside": beside}
