"""Algorithms on tapes: the same order, at several times, on both sides, by each algorithm, through the whole engine.

Each run is a fresh engine and a fresh simulated venue, fed the tape from ``WARM_S`` before the order on. The order goes
in by the ``submit_order`` command, as an operator's would, and its children pass the gate. What comes out is the cost
that ``andon tca`` would tell of the journal of such a run, but for one thing: VWAP and participation are of the whole
planned window for every algorithm, so that all are held against the same prices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from bus.effects import Effect, Reply
from bus.enums import Role
from bus.events import Boot, Command
from config.settings import Settings
from core.adapters.sim_venue import SimVenue
from core.analytics.tca import BPS
from core.analytics.tca_compare import Run
from core.analytics.tca_cost import cost_of
from core.analytics.tca_trade import Interval, Trade
from core.app.drive import Driver
from core.app.replay import OFF
from core.app.setup import engine_config
from core.app.tca_ask import Ask, commands, depths
from core.app.tca_market import SECOND_NS, Market, starts_of
from core.app.tca_record import Recorder
from core.engine import snapshot
from core.engine.config import EngineConfig
from core.kernels.tables import TICK_TRADE, Table

WARM_S = 60.0  # of tape before an order: prices, volatility, volume
SETTLE_S = 15.0  # after its planned end: what is on its way, and the mids some time later
CASH_MULTIPLE = (
    100.0  # opening balance over the order's value: the study is not about the concentration limit
)


def study_config(market: Market, settings: Settings, qty: float) -> EngineConfig:
    """Switches and vetoes off, and an account so large that its limits are not what is studied."""
    config = engine_config(settings, market.specs, env="REPLAY", now_ns=market.first_ns)
    spec, rows = market.specs[0], market.rows
    px = float(rows["last_ticks"][rows["instrument"] == 0].max()) * spec.tick_size
    value = qty * px
    cash = {**config.cash, config.ccy: max(config.cash.get(config.ccy, 0.0), CASH_MULTIPLE * value)}
    gate = msgspec.structs.replace(
        config.gate,
        order_value_max=max(config.gate.order_value_max, 2.0 * value),
        participation_max=0.0,
        microstructure_veto=False,  # what a large order at once costs is a question of the study
        momentum_veto=False,
    )
    algos = msgspec.structs.replace(config.algos, own_in_tape=False)
    return msgspec.structs.replace(config, switches=OFF, cash=cash, gate=gate, algos=algos, strategies=())


def run_one(
    market: Market,
    config: EngineConfig,
    ask: Ask,
    algo: str,
    side: str,
    start_ns: int,
    *,
    instrument: int = 0,
) -> Run:
    """One order for ``instrument``, from its command to ``SETTLE_S`` after its planned end."""
    run = Run(market=market.name, algo=algo, side=side, start_ns=start_ns)
    recorder, replies = Recorder(tau_s=ask.tau_s), list[Reply]()
    state = snapshot.create(config)

    def keep(effect: Effect) -> None:
        if isinstance(effect, Reply):
            replies.append(effect)

    driver = Driver(
        state,
        _venues(market, ask),
        on_step=lambda event, effects: recorder.on_step(state, event, effects),
        on_effect=keep,
    )
    end_ns = start_ns + int(ask.over_s * SECOND_NS)
    last_ns = end_ns + int(SETTLE_S * SECOND_NS)
    begin_ns = start_ns - int(WARM_S * SECOND_NS)
    driver.send(Boot(begin_ns - 1, 1, True, autostart=True))
    fed = begin_ns
    for at_ns, data in commands(market, ask, algo, side, start_ns, instrument):
        driver.feed(_between(market.rows, fed, at_ns))
        driver.run_until(at_ns)
        fed = at_ns
        for depth in depths(market, at_ns):
            driver.send(depth)
        driver.send(Command(at_ns, f"{algo}-{at_ns}", "study", Role.OPERATOR, "submit_order", data, "study"))
    driver.feed(_between(market.rows, fed, last_ns))
    driver.run_until(last_ns)
    trades = recorder.finish(state)
    if not trades:
        run.refused = next(
            (f"{r.error_code}: {r.error_message}" for r in replies if r.error_code), "no answer"
        )
        return run
    run.trade = trades[0] if len(trades) == 1 else merged(trades, algo)
    run.trade.algo = algo
    run.trade.intervals = _window(market, {child.symbol for child in run.trade.children}, start_ns, end_ns)
    run.cost = cost_of(run.trade, tau_s=ask.tau_s)
    run.rest_bps = max(1.0 - run.cost.filled_ratio, 0.0) * market.specs[instrument].fee_rate_taker * BPS
    return run


def _venues(market: Market, ask: Ask) -> list[SimVenue]:
    names = list(dict.fromkeys(spec.venue for spec in market.specs))
    return [
        SimVenue(
            i,
            market.specs,
            seed=ask.seed + i,
            latency_ms=ask.latency_ms,
            jitter_ms=ask.jitter_ms,
            session="study",
        )
        for i in range(len(names))
    ]


def _between(rows: Table, from_ns: int, to_ns: int) -> Table:
    """Rows after ``from_ns`` up to and with ``to_ns``."""
    first, last = rows["ts_ns"].searchsorted([from_ns, to_ns], side="right")
    return rows[first:last]


def _window(market: Market, symbols: set[str], from_ns: int, to_ns: int) -> list[Interval]:
    """What the tapes of ``symbols`` traded in the planned window."""
    rows = _between(market.rows, from_ns, to_ns)
    rows = rows[(rows["flags"] & TICK_TRADE) != 0]
    result = []
    for i, spec in enumerate(market.specs):
        if spec.symbol in symbols:
            own = rows[rows["instrument"] == i]
            lots, ticks = own["last_lots"].astype(np.float64), own["last_ticks"].astype(np.float64)
            value = float(np.dot(lots, ticks)) * spec.lot_size * spec.tick_size
            result.append(
                Interval(symbol=spec.symbol, volume_qty=float(lots.sum()) * spec.lot_size, turnover=value)
            )
    return result


def merged(trades: Sequence[Trade], algo: str) -> Trade:
    """Orders of one intention as one: decided and arrived with the first, ended with the last."""
    first, last = trades[0], trades[-1]
    whole = msgspec.structs.replace(first, algo=algo, qty=sum(trade.qty for trade in trades))
    whole.children = [child for trade in trades for child in trade.children]
    whole.fills = [fill for trade in trades for fill in trade.fills]
    whole.ended_ns, whole.end_px, whole.after_px = last.ended_ns, last.end_px, last.after_px
    whole.path = []
    return whole


def study(
    market: Market,
    settings: Settings,
    ask: Ask,
    algos: Sequence[str],
    *,
    starts: int,
    sides: Sequence[str] = ("buy", "sell"),
    progress: Callable[[], None] | None = None,
) -> list[Run]:
    """Every algorithm at every start on every side. Raises ValueError where the tape is too short."""
    config = study_config(market, settings, ask.qty)
    times = starts_of(market, over_s=ask.over_s, count=starts, warm_s=WARM_S, settle_s=SETTLE_S)
    runs = []
    for start_ns in times:
        for algo in algos:
            for side in sides:
                runs.append(run_one(market, config, ask, algo, side, start_ns))
                if progress is not None:
                    progress()
    return runs
