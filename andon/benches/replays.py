"""A trade tape through the whole engine, and through the switches alone.

The real tapes are recorded days of trades kept beside the project; where they are absent a generated walk of the same
size stands in, and the row says so. Reading the file is not part of the measurement. ``events`` counts what the engine
was given: ticks, timers, and the venue's reports.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from andon.benches.rows import Row, quantile, row, skipped
from bus.events import Boot
from bus.instruments import InstrumentSpec
from config.settings import Settings
from core.adapters.tape import Tape, open_tape
from core.app.replay import run_tape
from core.app.replay_result import ReplayResult
from core.app.setup import engine_config
from core.engine import snapshot
from core.engine.config import StrategyConfig
from core.engine.market import Ticks
from core.engine.step import step
from core.kernels.batch import run_block
from core.kernels.portfolio import apply_fill
from core.kernels.tables import TICK, TICK_TRADE, Table, zeros

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LONG, SHORT = "trades_spy_5days_lean.csv.gz", "trades_usdm_btcusdt_20240808.csv.gz"
SEED = 20_240_808
START_NS = 1_723_075_200_000_000_000


def walk(rows: int, seed: int = SEED) -> Tape:
    """A calm walk of trade prints, ten a second, in one instrument."""
    rng = np.random.default_rng(seed)
    ticks = zeros(TICK, rows)
    ticks["ts_ns"] = START_NS + np.cumsum(rng.integers(1, 200_000_000, rows))
    ticks["flags"], ticks["last_lots"] = TICK_TRADE, rng.integers(1, 500, rows)
    ticks["last_ticks"] = 52_000 + np.cumsum(rng.choice([-1, 0, 0, 0, 0, 0, 1], rows))
    spec = InstrumentSpec(symbol="WALK", base="WALK", lot_size=1.0)
    return Tape(path="generated walk", kind="trades", specs=(spec,), rows=ticks, bad=0)


def _tape(name: str, rows: int) -> Tape:
    path = DATA / name
    return open_tape(path, settle="USDT") if path.is_file() else walk(rows)


def run_once(tape: Tape, strategies: tuple[str, ...]) -> ReplayResult:
    """The tape through engine, gate, strategies and simulated venue."""
    settings = Settings()
    config = engine_config(settings, tape.specs, env="REPLAY", now_ns=int(tape.rows["ts_ns"][0]))
    chosen = tuple(StrategyConfig(id=kind, kind=kind) for kind in strategies)
    return run_tape(tape, msgspec.structs.replace(config, strategies=chosen), settings)


def switches_only(tape: Tape) -> tuple[float, float]:
    """(ticks/s of the switches on every row with a position held, ticks/s of the same rows in plain Python)."""
    config = engine_config(Settings(), tape.specs, env="REPLAY", now_ns=int(tape.rows["ts_ns"][0]))
    state = snapshot.create(config)
    step(state, Boot(int(tape.rows["ts_ns"][0]) - 1, 1, True, autostart=True))
    step(state, Ticks(tape.rows[:1]))
    tables = state.instruments, state.markets, state.positions, state.currencies, state.account
    lots = max(int(1_000.0 / tape.specs[0].lot_value(state.mark(0))), 1)
    apply_fill(0, lots, state.mark(0), 0.0, *tables)
    state.positions["loss_limit"] = 0.9  # tested on every row, and far away
    began = time.perf_counter()
    taken = int(run_block(tape.rows, 0, *tables, state.switches))
    rate = taken / (time.perf_counter() - began)
    assert taken == len(tape.rows), "a switch tripped: the position is meant to be small"
    return rate, _plain_rate(tape.rows, lots * tape.specs[0].lot_size, tape.specs[0].tick_size)


def _plain_rate(rows: Table, qty: float, tick_size: float) -> float:
    """Mark one position and test six limits on each price, as a plain loop does."""
    prices = rows["last_ticks"][:50_000].tolist()
    entry = prices[0] * tick_size
    cash, peak, cost = 1e6, 1e6, qty * entry
    trips = 0
    began = time.perf_counter()
    for ticks in prices:
        value = qty * ticks * tick_size
        equity = cash + value - cost
        peak = max(peak, equity)
        drawdown, daily = (peak - equity) / peak, (cash - equity) / cash
        trips += (
            drawdown >= 0.05
            or (cost - value) / cost >= 0.9
            or daily >= 0.10
            or max(drawdown, daily) >= 0.15
            or value / equity >= 5.0
            or equity < 1.2 * 0.1 * value
        )
    return len(prices) / (time.perf_counter() - began)


def measure(long: Tape, short: Tape, rounds: int) -> Iterator[Row]:
    """The rows, for any tapes."""
    name = Path(long.path).name
    runs = [run_once(long, ("hold", "momentum")) for _ in range(rounds)]
    rates = [run.events / run.seconds for run in runs]
    alone = [switches_only(long) for _ in range(rounds)]
    fast, plain = quantile([a for a, _ in alone], 50), quantile([p for _, p in alone], 50)
    yield row(f"replay.engine ({name})", quantile(rates, 50), "events/s", 250_000, at_least=True)
    ticks = [len(long.rows) / run.seconds for run in runs]
    yield row(f"replay.engine.ticks ({name})", quantile(ticks, 50), "ticks/s", at_least=True)
    yield row(
        f"replay.switches ({name})",
        fast,
        "ticks/s",
        1e7,
        at_least=True,
        peer="plain Python",
        peer_value=plain,
    )
    digests = {run_once(short, ("momentum",)).digest for _ in range(2)}
    yield row(f"replay.digests ({Path(short.path).name})", len(digests), "different in 2 runs", 1)


def replays() -> Iterator[Row]:
    """Whole engine with hold and momentum: 250,000 events/s; switches alone: 10 million ticks/s; twice one digest."""
    for name in (LONG, SHORT):
        if not (DATA / name).is_file():
            yield skipped(f"replay.tape ({name})", "", f"no {name} here; a generated walk stands in")
    yield from measure(_tape(LONG, 1_000_000), _tape(SHORT, 20_000), 3)


BENCHES = {"replay": replays}
