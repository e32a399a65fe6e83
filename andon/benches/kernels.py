"""Kernels: a tick in a block, a tick alone, switches over a tape, a fill; each beside a peer in the same run.

Every measurement rotates through inputs it has not just seen, and reports a median and a tail over the rounds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from andon.benches.kernel_peers import NumpyBook, PythonBook
from core.kernels._jit import direct
from core.kernels.batch import run_block
from core.kernels.portfolio import apply_fill, rebase
from core.kernels.tables import (
    ACCOUNT,
    CURRENCY,
    INSTRUMENT,
    MARKET,
    POSITION,
    SWITCH,
    SWITCH_ROWS,
    TICK,
    TICK_QUOTE,
    TICK_TRADE,
    Table,
    zeros,
)

Row = dict[str, Any]
Tables = tuple[Table, Table, Table, Table, Table]
LIMITS = [0.5, 0.9, 0.5, 0.6, 50.0, 0.1]  # far away: every switch is tested, none trips
SEED = 20_240_808
CURRENCIES = 3


def _book(instruments_count: int) -> tuple[Tables, Table, np.ndarray[Any, Any]]:
    """A book with a position in everything, a fifth of it inverse, in three currencies; (tables, switches, mids)."""
    rng = np.random.default_rng(SEED)
    instruments = zeros(INSTRUMENT, instruments_count)
    instruments["tick_size"], instruments["margin_rate"], instruments["fx_currency"] = 0.01, 0.1, -1
    instruments["inverse"] = rng.random(instruments_count) < 0.2
    instruments["settle"] = rng.integers(0, CURRENCIES, instruments_count) if instruments_count > 1 else 0
    # Instrument c is linear, settles in the account's currency and gives currency c its rate.
    for c in range(1, min(CURRENCIES, instruments_count)):
        instruments["inverse"][c], instruments["settle"][c], instruments["fx_currency"][c] = 0, 0, c
    instruments["lot_value"] = np.where(instruments["inverse"] == 1, 10.0, 0.001)
    mids = rng.integers(5_000, 15_000, instruments_count)
    markets, positions = zeros(MARKET, instruments_count), zeros(POSITION, instruments_count)
    markets["mark_px"] = mids * 0.01
    positions["loss_limit"] = LIMITS[1]
    currencies, account, switches = zeros(CURRENCY, CURRENCIES), zeros(ACCOUNT, 1), zeros(SWITCH, SWITCH_ROWS)
    currencies["rate"], currencies["cash"] = 1.0, 1e6
    switches["limit"], switches["armed"] = LIMITS, 1
    tables = instruments, markets, positions, currencies, account
    rebase(*tables)
    for i in range(instruments_count):
        lots = int(rng.integers(1, 50)) * (1 if rng.random() < 0.5 else -1)
        apply_fill(i, lots, float(markets["mark_px"][i]), 0.01, *tables)
    account["equity_day_open"] = account["equity"]
    return tables, switches, mids


def _copy(tables: Tables) -> Tables:
    instruments, markets, positions, currencies, account = (table.copy() for table in tables)
    return instruments, markets, positions, currencies, account


def _quotes(mids: np.ndarray[Any, Any], rows: int, seed: int) -> Table:
    """Quotes in random instrument order, within half a percent of the start."""
    rng = np.random.default_rng(seed)
    ticks = zeros(TICK, rows)
    ticks["ts_ns"], ticks["flags"] = np.arange(rows) + 1, TICK_QUOTE
    ticks["instrument"] = rng.integers(0, len(mids), rows)
    mid = mids[ticks["instrument"]] + rng.integers(-25, 26, rows)
    ticks["bid_ticks"], ticks["ask_ticks"] = mid - 1, mid + rng.integers(1, 3, rows)
    return ticks


def _plain(ticks: Table) -> list[tuple[int, int, int]]:
    return list(
        zip(*(ticks[name].tolist() for name in ("instrument", "bid_ticks", "ask_ticks")), strict=True)
    )


def _ns_each(run: Callable[[], object], count: int) -> float:
    start = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - start) / count


def _row(name: str, value: float, unit: str, peer: str, peer_value: float, goal: float | None) -> Row:
    ok = None if goal is None else value <= goal
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "peer": peer,
        "peer_value": peer_value,
        "ratio": peer_value / value,
        "goal": goal,
        "ok": ok,
    }


def batch() -> Iterator[Row]:
    """A block of ticks over 1,000 instruments, every switch after every tick: goal 25 ns a tick."""
    rows, rounds = 5_000, 300
    tables, switches, mids = _book(1_000)
    start = _copy(tables)
    blocks = [_quotes(mids, rows, seed) for seed in range(40)]
    run_block(blocks[0][:1], 0, *tables, switches)
    timed: list[float] = []
    for k in range(rounds):
        block = blocks[k % len(blocks)]
        begin = time.perf_counter_ns()
        consumed = run_block(block, 0, *tables, switches)
        timed.append((time.perf_counter_ns() - begin) / rows)
        assert consumed == rows, "a switch tripped: the bench's limits are meant to be far away"
    median, tail = np.percentile(timed, [50, 99]).tolist()
    for peer, book, count in (
        ("plain Python loop", PythonBook(*start), rows),
        ("numpy at every tick", NumpyBook(*start), 2_000),
    ):
        own = _copy(start)
        run_block(blocks[0][:count], 0, *own, switches)
        plain = _plain(blocks[0][:count])
        spent = time.perf_counter_ns()
        equity = book.run(plain, LIMITS)
        spent = time.perf_counter_ns() - spent
        assert math.isclose(equity, float(own[4]["equity"][0]), rel_tol=1e-9), (
            "the peer computed something else"
        )
        yield _row("kernel.batch.p50", median, "ns/tick", peer, spent / count, 25.0)
        yield _row("kernel.batch.p99", tail, "ns/tick", peer, spent / count, None)


def single() -> Iterator[Row]:
    """One tick a call at 512 instruments, by the direct entry and through numba's dispatcher: goal 1.2 us."""
    tables, switches, mids = _book(512)
    block = _quotes(mids, 20_000, SEED)
    ones = [block[k : k + 1] for k in range(len(block))]
    entry = direct(run_block, ones[0], 0, *tables, switches)
    plain = [[row] for row in _plain(block)]
    peer = PythonBook(*tables)
    python = [_ns_each(lambda row=row: peer.run(row, LIMITS), 1) for row in plain]  # type: ignore[misc]
    for name, call, goal_us in (("direct", entry, 1.2), ("dispatched", run_block, None)):
        spent: list[int] = []
        for one in ones:
            begin = time.perf_counter_ns()
            call(one, 0, *tables, switches)
            spent.append(time.perf_counter_ns() - begin)
        for quantile, goal in ((50, goal_us), (99, None)):
            value = float(np.percentile(spent, quantile)) / 1e3
            other = float(np.percentile(python, quantile)) / 1e3
            yield _row(f"kernel.single.{name}.p{quantile}", value, "us", "plain Python", other, goal)


def tape() -> Iterator[Row]:
    """Switches alone over a tape of trade prints in one instrument, a million rows: goal 10 million ticks/s."""
    rows = 1_000_000
    tables, switches, mids = _book(1)
    rng = np.random.default_rng(SEED)
    ticks = zeros(TICK, rows)
    ticks["ts_ns"], ticks["flags"], ticks["last_lots"] = np.arange(rows) + 1, TICK_TRADE, 100
    steps = rng.choice(
        [-1, 0, 0, 0, 0, 0, 1], rows
    )  # five prints in seven repeat the last price, as SPY's do
    ticks["last_ticks"] = np.clip(mids[0] + np.cumsum(steps), mids[0] // 2, mids[0] * 3 // 2)
    run_block(ticks[:1], 0, *tables, switches)
    timed = sorted(_ns_each(lambda: run_block(ticks, 0, *tables, switches), rows) for _ in range(7))
    count = 50_000
    plain = [(0, px, px) for px in ticks["last_ticks"][:count].tolist()]
    book = PythonBook(*tables)
    other = _ns_each(lambda: book.run(plain, LIMITS), count)
    for name, ns, goal in (("p50", timed[3], 10.0), ("worst", timed[-1], None)):
        row = _row(f"kernel.tape.{name}", 1e3 / ns, "Mticks/s", "plain Python loop", 1e3 / other, None)
        yield {**row, "ratio": other / ns, "goal": goal, "ok": None if goal is None else 1e3 / ns >= goal}


def fill() -> Iterator[Row]:
    """One fill booked and carried up to the account at 512 instruments (its currency is summed afresh)."""
    tables, _, mids = _book(512)
    entry = direct(apply_fill, 0, 1, 1.0, 0.0, *tables)
    rng = np.random.default_rng(SEED)
    calls = [
        (int(i), int(lots), float(mids[i]) * 0.01)
        for i, lots in zip(rng.integers(0, 512, 20_000), rng.integers(1, 9, 20_000), strict=True)
    ]
    spent: list[int] = []
    for k, (i, lots, px) in enumerate(calls):
        begin = time.perf_counter_ns()
        entry(i, lots if k % 2 else -lots, px, 0.01, *tables)
        spent.append(time.perf_counter_ns() - begin)
    numpy_ns = min(_ns_each(lambda: _resum(tables), 1) for _ in range(200))
    for quantile in (50, 99):
        value = float(np.percentile(spent, quantile)) / 1e3
        yield _row(f"kernel.fill.p{quantile}", value, "us", "numpy sums alone", numpy_ns / 1e3, None)


def _resum(tables: Tables) -> float:
    instruments, _, positions, currencies, _ = tables
    settle = instruments["settle"]
    sums = [
        np.bincount(settle, weights, CURRENCIES)
        for weights in (positions["unrealized"], np.abs(positions["exposure"]), positions["margin"])
    ]
    return float(currencies["rate"] @ (currencies["cash"] + sums[0]))


BENCHES = {"kernel.batch": batch, "kernel.single": single, "kernel.tape": tape, "kernel.fill": fill}
