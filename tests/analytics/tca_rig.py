"""A made tape through the whole engine, with a recorder beside it and a journal written as the live core writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bus.effects import Effect, Publish
from bus.enums import Role
from bus.events import Boot, Command, Event
from bus.instruments import InstrumentSpec
from bus.views import FillView
from core.adapters.journal import Journal
from core.adapters.journal_format import TICKS
from core.adapters.sim_venue import SimVenue
from core.analytics.tca_trade import Trade
from core.app.drive import Driver, effects_digest
from core.app.replay import OFF
from core.app.tca_record import Recorder
from core.engine import snapshot
from core.engine.config import EngineConfig, encode
from core.engine.market import Ticks
from core.engine.trail import lines
from core.kernels.tables import TICK, TICK_BUY, TICK_QUOTE, TICK_SELL, TICK_TRADE

SECOND = 10**9
T0 = 1_700_000_000 * SECOND
SPEC = InstrumentSpec(symbol="AAA/USDT", base="AAA", tick_size=0.5, lot_size=0.1)


def made(seconds: int, *, seed: int = 7, per_s: int = 10, base_ticks: int = 2000) -> np.ndarray:
    """Trades ten a second: a random walk in ticks, sizes 1 to 20 lots, one tick of spread, 10 lots shown."""
    rng = np.random.default_rng(seed)
    n = seconds * per_s
    rows = np.zeros(n, dtype=TICK)
    rows["ts_ns"] = T0 + np.arange(n) * (SECOND // per_s)
    walk = base_ticks + np.cumsum(rng.integers(-1, 2, n))
    buy = rng.random(n) < 0.5
    rows["bid_ticks"], rows["ask_ticks"] = walk, walk + 1
    rows["last_ticks"] = np.where(buy, walk + 1, walk)
    rows["bid_lots"] = rows["ask_lots"] = 10
    rows["last_lots"] = rng.integers(1, 21, n)
    rows["flags"] = TICK_QUOTE | TICK_TRADE | np.where(buy, TICK_BUY, TICK_SELL)
    return rows


def mid_at(rows: np.ndarray, ns: int) -> float:
    """The mid after the last row at or before ``ns``, quote: written down once more, without the recorder."""
    row = rows[rows["ts_ns"] <= ns][-1]
    return (int(row["bid_ticks"]) + int(row["ask_ticks"])) / 2 * SPEC.tick_size


@dataclass
class Told:
    """What the run said by itself."""

    trades: list[Trade]
    fills: list[tuple[int, FillView]] = field(default_factory=list)
    state: Any = None


def run(
    rows: np.ndarray,
    orders: Sequence[tuple[float, dict[str, Any]]],
    *,
    journal: Path | None = None,
    tau_s: float = 5.0,
    record_from_s: float = 0.0,
    restart_s: float = 0.0,
) -> Told:
    """``orders``: (seconds after T0, submit_order data). A restart is a second boot, as after a crash."""
    config = EngineConfig(
        instruments=(SPEC,), cash={"USDT": 1e7}, switches=OFF, env="REPLAY", signal_interval_s=3600.0
    )
    config = msgspec.structs.replace(config, gate=msgspec.structs.replace(config.gate, order_value_max=1e9))
    state, recorder = snapshot.create(config), Recorder(tau_s=tau_s)
    told = Told([], [])
    book = Journal(journal, 1) if journal is not None else None

    def on_step(event: Event | Ticks, effects: list[Effect]) -> None:
        if driver.now_ns >= T0 + int(record_from_s * SECOND):
            recorder.on_step(state, event, effects)
        if book is not None:
            ticks = isinstance(event, Ticks)
            kind = TICKS if ticks else type(event).__struct_config__.tag
            body = event.rows.tobytes() if ticks else msgspec.msgpack.encode(event)
            audit = lines(state, event, effects) if effects else b""
            book.append(kind, event.ts_ns, body, effects_digest(effects), audit)

    def on_effect(effect: Effect) -> None:
        if isinstance(effect, Publish) and isinstance(effect.data, FillView):
            told.fills.append((driver.now_ns, effect.data))

    venue = SimVenue(0, (SPEC,), seed=3, latency_ms=20.0, jitter_ms=10.0, session="t")
    driver = Driver(state, [venue], on_step=on_step, on_effect=on_effect)
    driver.send(Boot(T0 - 1, 1, True, autostart=True, config=encode(config)))
    fed = 0
    acts = sorted([*orders, *([(restart_s, None)] if restart_s else [])], key=lambda each: each[0])
    for k, (at_s, data) in enumerate(acts):
        at_ns = T0 + int(at_s * SECOND)
        upto = int(np.searchsorted(rows["ts_ns"], at_ns, side="right"))
        driver.feed(rows[fed:upto])
        driver.run_until(at_ns)
        fed = upto
        if data is None:
            driver.send(Boot(at_ns, 2, True, autostart=True, config=encode(config)))
        else:
            kind = "cancel_all" if data.get("cancel") else "submit_order"
            driver.send(Command(at_ns, f"c{k}", "alice", Role.OPERATOR, kind, data, "test"))
    driver.feed(rows[fed:])
    driver.run_until(int(rows["ts_ns"][-1]) + 20 * SECOND)
    if book is not None:
        assert book.close()
    told.trades, told.state = recorder.finish(state), state
    return told


def buy(qty: str, **more: Any) -> dict[str, Any]:
    return {"symbol": SPEC.symbol, "side": "buy", "qty": qty, "type": "market"} | more


def sell(qty: str, **more: Any) -> dict[str, Any]:
    return buy(qty, **more) | {"side": "sell"}
