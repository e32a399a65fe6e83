"""A tape through the whole engine: gate, kills, strategies and the simulated venue, as fast as it goes.

    replay(path, settings=..., strategies=("momentum",), notional=10_000.0).summary()

Time is the tape's. The venue's latency, fees and queueing are those of the paper market. The same tape, settings and
seed give the same effects, byte for byte: ``digest`` says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from bus.effects import Effect, Publish
from bus.events import Boot, Event
from bus.views import FillView
from config.settings import Settings
from core.adapters.journal_format import Record
from core.adapters.journal_reader import JournalReader
from core.adapters.recovery import JOURNAL
from core.adapters.sim_venue import SimVenue
from core.adapters.tape import Tape, open_tape
from core.app import report_pnl
from core.app.build import build_sha256
from core.app.drive import Driver
from core.app.rebuild import oldest_start, rebuild
from core.app.replay_result import ReplayResult, Trip
from core.app.setup import engine_config
from core.app.tape_pace import at_its_pace
from core.app.tca import Analysis, analyse
from core.app.tca_record import Recorder
from core.engine import ladder, pnlview, snapshot
from core.engine.config import EngineConfig, StrategyConfig, SwitchLimits
from core.engine.ladder import Kill
from core.engine.market import Ticks
from core.engine.state import State

CHUNK_ROWS = 65_536  # rows offered between two looks at the progress bar
CURVE_POINTS = 4000  # of the equity curve
SETTLE_NS = 60 * 1_000_000_000  # after the last tick, for what is still on its way
OFF = SwitchLimits(
    drawdown=None,
    position_loss=None,
    daily_loss=None,
    emergency=None,
    leverage=None,
    margin=None,
    stale_data_s=None,
    venue_down_s=None,
    order_rate_per_s=None,
    reject_rate=None,
)


class _Watch:
    """Collects what the report needs while the tape runs."""

    def __init__(self, first_ns: int, last_ns: int, recorder: Recorder | None = None) -> None:
        self.fills = 0
        self.recorder = recorder
        self.trips: list[Trip] = []
        self.curve: list[tuple[int, float]] = []
        self._gap_ns = max((last_ns - first_ns) // CURVE_POINTS, 1)
        self._next_ns = first_ns
        self.driver: Driver | None = None

    def on_step(self, event: Event | Ticks, effects: list[Effect]) -> None:
        """Equity now and then, and around everything that happens."""
        assert self.driver is not None
        now_ns, state = self.driver.now_ns, self.driver.state
        if self.recorder is not None:
            self.recorder.on_step(state, event, effects)
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + self._gap_ns
            self.curve.append((now_ns, state.equity))
        if len(state.cold.kills) > len(self.trips):  # a tape re-arms nothing: kills only become more
            self._trips(list(state.cold.kills.values())[len(self.trips) :])

    def on_effect(self, effect: Effect) -> None:
        """Fills."""
        if isinstance(effect, Publish) and isinstance(effect.data, FillView):
            self.fills += 1

    def _trips(self, kills: list[Kill]) -> None:
        """From the latches themselves: a switch has one view, but may have tripped in several scopes."""
        for kill in kills:
            level = kill.level.name.lower()
            self.trips.append(Trip(kill.switch, kill.since_ns, kill.value, kill.limit, level, kill.scope))


def replay(
    path: Path,
    *,
    settings: Settings,
    strategies: tuple[str, ...] = (),
    notional: float = 10_000.0,
    symbol: str | None = None,
    skip_bad: bool = False,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    switches_on: bool = True,
    tca: bool = False,
) -> ReplayResult:
    """Run a tape. Raises TapeError or ValueError in one line; ``progress(rows done, rows in all)`` is called often.

    With ``tca`` what each order cost is recorded beside it.
    """
    tape = open_tape(path, symbol, skip_bad, settle=settings.account.ccy)
    config = _config(tape, settings, strategies, notional, switches_on=switches_on)
    seed = seed or settings.market.seed or 1
    return run_tape(tape, config, settings, seed=seed, progress=progress, tca=tca)


def _config(
    tape: Tape, settings: Settings, strategies: tuple[str, ...], notional: float, *, switches_on: bool
) -> EngineConfig:
    first_ns = int(tape.rows["ts_ns"][0])
    config = engine_config(settings, tape.specs, env="REPLAY", now_ns=first_ns)
    chosen = tuple(StrategyConfig(id=kind, kind=kind, notional=notional) for kind in strategies)
    config = at_its_pace(tape, msgspec.structs.replace(config, strategies=chosen))
    return config if switches_on else msgspec.structs.replace(config, switches=OFF)


def run_tape(
    tape: Tape,
    config: EngineConfig,
    settings: Settings,
    *,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
    tca: bool = False,
) -> ReplayResult:
    """The loop itself, on an opened tape and a ready configuration."""
    rows = tape.rows
    watch = _Watch(int(rows["ts_ns"][0]), int(rows["ts_ns"][-1]), Recorder() if tca else None)
    state = snapshot.create(config)
    market = settings.market
    venue = SimVenue(
        0,
        tape.specs,
        seed=seed,
        latency_ms=market.latency_ms,
        jitter_ms=market.latency_jitter_ms,
        session="replay",
    )
    driver = watch.driver = Driver(state, [venue], on_step=watch.on_step, on_effect=watch.on_effect)
    began = time.perf_counter()
    driver.send(Boot(int(rows["ts_ns"][0]) - 1, 1, True, build_sha256=build_sha256(), autostart=True))
    for start in range(0, len(rows), CHUNK_ROWS):
        driver.feed(rows[start : start + CHUNK_ROWS])
        if progress is not None:
            progress(min(start + CHUNK_ROWS, len(rows)), len(rows))
    if state.cold.kills or state.working:
        driver.run_until(int(rows["ts_ns"][-1]) + SETTLE_NS)
    seconds = time.perf_counter() - began
    return _result(tape, driver, watch, seconds)


def _result(tape: Tape, driver: Driver, watch: _Watch, seconds: float) -> ReplayResult:
    state = driver.state
    pnl, account = pnlview.pnl_view(state), state.account[0]
    watch.curve.append((driver.now_ns, state.equity))
    held = {s.symbol: state.qty(i) * s.lot_size for i, s in enumerate(state.specs) if state.qty(i)}
    return ReplayResult(
        tape=Path(tape.path).name,
        ccy=state.config.ccy,
        events=driver.events,
        seconds=seconds,
        fills=watch.fills,
        equity_start=pnl.equity_start,
        equity_end=state.equity,
        realized=pnl.realized,
        unrealized=pnl.unrealized or 0.0,
        fees=pnl.fees,
        funding=pnl.funding,
        max_drawdown=float(account["drawdown_max"]),
        switches=watch.trips,
        state=ladder.state_word(state.cold.kills, started=state.cold.started),
        positions=held,
        digest=driver.digest.hexdigest(),
        curve_ns=[ns for ns, _ in watch.curve],
        curve_equity=[equity if math.isfinite(equity) else float("nan") for _, equity in watch.curve],
        by_strategy=pnl.by_strategy,
        bad_rows=tape.bad,
        attribution=report_pnl.attribution_of(pnl),
        tca=_costs(tape, state, watch.recorder),
    )


def _costs(tape: Tape, state: State, recorder: Recorder | None) -> Analysis | None:
    if recorder is None:
        return None
    return analyse(recorder.finish(state), source=Path(tape.path).name, ccy=state.config.ccy)


# --- proof ---------------------------------------------------------------------------------------------------------


def verify_journal(path: Path, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Replay a journal (a file, or a data folder's) and compare every record's effects with those it holds."""
    db = path / JOURNAL if path.is_dir() else path
    began = time.perf_counter()
    with JournalReader(db) as reader:
        head = reader.last()
        start = oldest_start(reader)
        first = start.seq + 1 if start else 1
        counted = _counted(reader.records(first, head.seq), head.seq - first + 1, progress)
        result = rebuild(counted, start.state if start else None)
    same = not result.differs_at and not result.trouble and result.seq in (0, head.seq)
    return {
        "ok": same,
        "records": result.records,
        "from_seq": first,
        "to_seq": head.seq,
        "effects_equal": not result.differs_at,
        "first_difference": result.differs_at or None,
        "trouble": result.trouble,
        "seconds": time.perf_counter() - began,
        "fingerprint": snapshot.fingerprint(result.state) if result.state else None,
    }


def _counted(
    records: Iterator[Record], total: int, progress: Callable[[int, int], None] | None
) -> Iterator[Record]:
    for n, record in enumerate(records, 1):
        yield record
        if progress is not None and n % 2000 == 0:
            progress(n, total)
