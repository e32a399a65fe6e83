"""A whole running core in this process, wired as the service wires it, with clocks where a stop can be timed.

Real: loop, engine, journal and stop record with their fsyncs, bus server, publisher and its table clock, the embedded
market at full rate. Simulated: only the exchange behind the venue adapter. Added: the
time of each cancel handed to the venue, of each stop record on disk, and one tick that breaks a limit on demand.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from andon.errors import CliError
from bus.address import Address, local_endpoints, write_core
from bus.effects import CancelOrder
from bus.enums import OrdStatus, Role
from bus.events import Boot, Command
from bus.server import BusServer
from core.adapters.catalogue import embedded_catalogue
from core.adapters.clock import SystemClock
from core.adapters.journal import Journal
from core.adapters.latch_store import Done, LatchStore
from core.adapters.market import EmbeddedMarket
from core.adapters.sim_venue import SimVenue
from core.app.inbox import Inbox
from core.app.loop import Loop
from core.app.publisher import Publisher
from core.app.pulse import Pulse
from core.engine import snapshot
from core.engine.config import EngineConfig, GateLimits, SwitchLimits, encode
from core.kernels.tables import TICK, TICK_QUOTE, Table, zeros
from core.kernels.warm import warm

DROP = 0.15  # of the held instrument's price: 7.5 % of equity
HELD = 0  # instrument id of BTC/USDT
HELD_QTY = "8"  # about half of equity
CASH = 1_000_000.0
WAIT_S = 20.0
VENUE_MS = 1.0  # so that the exchange's own work, which is simulated, does not fall between two cancels


class TimedVenue(SimVenue):
    """A simulated venue that notes when each cancel reached it."""

    cancels: list[float]
    first_cpu = 0.0  # what the thread had computed by the first of them, s

    def cancel(self, order: CancelOrder, now_ns: int) -> None:
        if not self.cancels:
            self.first_cpu = time.thread_time()
        self.cancels.append(time.perf_counter())
        super().cancel(order, now_ns)


class TimedLatches(LatchStore):
    """A stop-record store that notes when each record was on disk."""

    stored: list[float]

    def write(self, seq: int, record: dict[str, Any], done: Done) -> None:
        def noted(seq: int, ok: bool, reason: str) -> None:
            self.stored.append(time.perf_counter())
            done(seq, ok, reason)

        super().write(seq, record, noted)


class BreachFeed:
    """The embedded market, and a tick through a limit when it is told to."""

    ended = False

    def __init__(self, market: EmbeddedMarket) -> None:
        self._market = market
        self.breach: Table | None = None
        self.handed = self.handed_cpu = (
            0.0  # perf_counter, thread_time when the breaching tick was handed over
        )

    def rows(self, now_ns: int) -> Table | None:
        block = self._market.block(now_ns) if self._market.next_ns() <= now_ns else None
        if self.breach is not None:
            tick, self.breach = self.breach, None
            tick["ts_ns"] = now_ns
            block = tick if block is None else np.concatenate([block, tick])
            self.handed, self.handed_cpu = time.perf_counter(), time.thread_time()
        return block

    def next_ns(self) -> int:
        return 0 if self.breach is not None else self._market.next_ns()


class Rig:
    """One core. ``start`` on a running asyncio loop; ``close`` in the end."""

    def __init__(self, folder: Path, tick_rate_per_s: float) -> None:
        warm()
        self.folder, self.clock = folder, SystemClock()
        now_ns = self.clock.now_ns()
        self.config = _config()
        self.state = snapshot.create(self.config)
        specs = self.state.specs
        self.latches = TimedLatches(folder, 1)
        self.latches.stored = []
        self.journal = Journal(
            folder / "journal.db",
            1,
            on_durable=lambda seq: self.loop.on_durable(seq),  # noqa: PLW0108  (the loop is made below)
            on_failed=lambda reason: self.loop.on_journal(ok=False, reason=reason),
            ticks_keep_mb=64,
        )
        endpoints = local_endpoints(folder)
        self.server = BusServer(
            state_endpoints=[endpoints[0]],
            command_endpoints=[endpoints[1]],
            epoch=1,
            on_request=lambda _request, _identity: None,
            on_noise=lambda _kind, _text: None,
            clock_ns=self.clock.now_ns,
        )
        self.venue = TimedVenue(0, specs, seed=1, latency_ms=VENUE_MS, jitter_ms=0.0, session="bench")
        self.venue.cancels = []
        self.feed = BreachFeed(EmbeddedMarket(specs, 1, tick_rate_per_s, start_ns=now_ns))
        self.loop = Loop(
            self.state,
            clock=self.clock,
            journal=self.journal,
            latches=self.latches,
            server=self.server,
            publisher=Publisher(self.server, self.state),
            venues=[self.venue],
            feed=self.feed,
            inbox=Inbox(65_536, 65_536),
            snapshot_every=(50_000, 300.0),
        )
        self.pulse = Pulse(self.loop, 4.0, 10.0)

    async def start(self) -> None:
        """Boot, reconcile, buy what will lose."""
        aio = asyncio.get_running_loop()
        self.server.start(aio)
        self.loop.start(aio)
        self.loop.handle(Boot(self.clock.now_ns(), 1, True, autostart=True, config=encode(self.config)))
        self.pulse.start(aio)
        self.loop.wake()
        write_core(
            self.folder,
            Address(
                state=self.server.state_endpoints[0],
                command=self.server.command_endpoints[0],
                epoch=1,
                pid=os.getpid(),
            ),
        )
        await self.until(lambda: self.state.mark(HELD) > 0 and self.state.cold.venues[0].reconciled)
        self.send("submit_order", symbol="BTC/USDT", side="buy", qty=HELD_QTY, type="market")
        await self.until(lambda: self.state.qty(HELD) > 0 and not self.state.working)

    def close(self) -> None:
        """Take it down."""
        self.pulse.stop()
        self.loop.stop()
        self.latches.close()
        self.journal.close()
        self.server.close()

    def send(self, type_: str, reason: str = "bench", **data: str) -> None:
        """A command of an operator."""
        now_ns, id_ = self.clock.now_ns(), str(uuid.uuid4())
        self.loop.post(Command(now_ns, id_, "bench", Role.OPERATOR, type_, dict(data), reason))

    async def work(self, orders: int) -> None:
        """Rest ``orders`` limit orders at the venue, far below the market, over all linear USDT instruments."""
        specs = [(i, s) for i, s in enumerate(self.state.specs) if s.settle == "USDT" and i != HELD]
        for n in range(orders):
            i, spec = specs[n % len(specs)]
            price = (
                int(self.state.mark(i) / spec.tick_size * (0.4 + 0.0001 * (n // len(specs)))) * spec.tick_size
            )
            lots = int(20.0 / spec.lot_value(price)) + 1
            qty = f"{lots * spec.lot_size:.8f}"
            self.send(
                "submit_order", symbol=spec.symbol, side="buy", qty=qty, type="limit", price=f"{price:.8f}"
            )
            if n % 50 == 49:
                await asyncio.sleep(0)
        await self.until(
            lambda: sum(o.status is OrdStatus.NEW for o in self.state.working.values()) == orders
        )

    def arm_breach(self) -> None:
        """The next look at the feed brings a tick that takes 7.5 % off the equity."""
        spec, tick = self.state.specs[HELD], zeros(TICK, 1)
        bid = int(self.state.mark(HELD) * (1.0 - DROP) / spec.tick_size)
        tick["instrument"], tick["flags"], tick["bid_ticks"], tick["ask_ticks"] = (
            HELD,
            TICK_QUOTE,
            bid,
            bid + 1,
        )
        tick["bid_lots"] = tick["ask_lots"] = 1_000_000
        self.feed.breach = tick

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait without weighing on the loop; CliError when it takes absurdly long."""
        give_up = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > give_up:
                last = [alert.message for alert in self.state.cold.alerts.values()][-1:]
                raise CliError(f"andon bench: its core is stuck; last alarm: {last}", "run it again")
            await asyncio.sleep(0.005)


def _config() -> EngineConfig:
    """Only the drawdown switch can act on the breach; flow limits are out of the way of placing a thousand orders."""
    return EngineConfig(
        cash={"USDT": CASH},
        instruments=embedded_catalogue(),
        switches=SwitchLimits(position_loss=None, order_rate_per_s=None, stale_data_s=None),
        gate=GateLimits(price_collar=0.95, order_value_max=1e9, concentration_max=10.0),
    )
