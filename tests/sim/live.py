"""The same worlds on the live loop: ``Loop`` and ``Performer`` as they run in a core, told the time by a virtual clock.

What is pretended here is only what surrounds them: an event loop whose time is virtual, a disk that becomes durable
late (or before ``append`` has returned, as a quick thread may), a bus that nobody listens to. At the door of each
venue stands a sentry that judges every request as it leaves, which is later than the moment the engine asked for it:

    L1   an order never leaves after its cancel has, nor does an amendment that adds risk while a cancel is out
    L2   an order that adds risk leaves only when the record of its cause is durable
    L3   no order that adds risk leaves while its scope is held at REDUCING or above (READY after a re-arm cancels
         nothing: what was asked for before it may still leave, as what was on its way may still arrive)
    L4   whatever the engine counts as sent has left, is waiting for the disk, or was withdrawn and said so
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from bus.effects import Effect, NewOrder, ReplaceOrder
from bus.enums import OrdStatus, TradingState
from bus.events import Event
from core.adapters.journal import TICKS
from core.app.inbox import Inbox
from core.app.loop import Loop
from core.engine import ladder
from core.engine.market import Ticks
from core.engine.state import State
from core.kernels.tables import TICK, Table

from .cable import Cable
from .watch import need
from .world import World

FAR_NS = 1 << 62
ROWS_MAX = 12  # of one delivery by the feed
DISK_MS = (0.0, 0.3, 2.0, 25.0, 400.0)  # how late a record becomes durable


class Handle:
    """What asyncio gives for a planned call."""

    def __init__(self) -> None:
        self.off = False

    def cancel(self) -> None:
        self.off = True


class Aio:
    """As much of an event loop as ``Loop`` uses, in virtual time."""

    def __init__(self, now_ns: int) -> None:
        self.now = now_ns
        self._heap: list[tuple[int, int, Handle, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def now_ns(self) -> int:
        return self.now

    def call_soon(self, call: Callable[..., None], *args: Any) -> Handle:
        return self.at(self.now, call, *args)

    call_soon_threadsafe = call_soon

    def call_later(self, delay_s: float, call: Callable[..., None], *args: Any) -> Handle:
        return self.at(self.now + max(1, math.ceil(delay_s * 1e9)), call, *args)

    def at(self, due_ns: int, call: Callable[..., None], *args: Any) -> Handle:
        self._count += 1
        handle = Handle()
        heapq.heappush(self._heap, (due_ns, self._count, handle, call, args))
        return handle

    def run_until(self, until_ns: int) -> None:
        while self._heap and self._heap[0][0] <= until_ns:
            due_ns, _, handle, call, args = heapq.heappop(self._heap)
            self.now = max(self.now, due_ns)
            if not handle.off:
                call(*args)
        self.now = max(self.now, until_ns)


class Disk:
    """A journal and a stop record whose thread is sometimes slow and sometimes very quick."""

    def __init__(self, aio: Aio, rng: random.Random) -> None:
        self._aio, self._rng = aio, rng
        self.last_seq = self.durable = 0
        self.accepts_ticks = True
        self._busy_ns = 0
        self.on_durable: Callable[[int], None] = lambda _seq: None

    def append(self, *_record: Any, **_named: Any) -> int:
        self.last_seq += 1
        delay_ns = int(self._rng.choice(DISK_MS) * 1e6)
        self._busy_ns = max(self._busy_ns, self._aio.now + delay_ns)
        if self._busy_ns <= self._aio.now:
            self._commit(self.last_seq)  # its thread was quicker than our return
        else:
            self._aio.at(self._busy_ns, self._commit, self.last_seq)
        return self.last_seq

    def _commit(self, seq: int) -> None:
        self.durable = max(self.durable, seq)
        self.on_durable(seq)

    def snapshot(self, _seq: int, _raw: bytes) -> None:
        """Not needed: a restart here takes the state as it is."""

    def write(self, seq: int, _record: dict[str, Any], done: Callable[[int, bool, str], None]) -> None:
        """The stop record."""
        self._aio.call_later(self._rng.uniform(0.0, 0.02), done, seq, True, "")


class Silence:
    """Bus, publisher and feed with nobody at the other end."""

    def effect(self, _publish: Any) -> None: ...

    def reply(self, *_args: Any, **_named: Any) -> None: ...

    def rows(self, _now_ns: int) -> None:
        return None

    def next_ns(self) -> int:
        return FAR_NS


class WatchedLoop(Loop):
    """``Loop`` with an ear at the place where it records what it did."""

    hear: Callable[[Any, list[Effect], int], None]

    def handle(self, event: Event) -> None:
        self._heard: Any = event
        super().handle(event)

    def _record(self, kind: str, ts_ns: int, body: bytes, effects: list[Effect], *rest: Any) -> None:
        event = Ticks(np.frombuffer(body, dtype=TICK).copy()) if kind == TICKS else self._heard
        self.hear(event, effects, self.journal.last_seq + 1)
        super()._record(kind, ts_ns, body, effects, *rest)


class Sentry:
    """Stands between the performer and one venue."""

    def __init__(self, driver: LiveDriver, venue: Cable) -> None:
        self._driver, self._venue, self.id = driver, venue, venue.id
        for name in (
            "next_due_ns",
            "due",
            "on_ticks",
            "mass_cancel",
            "query_order",
            "query_open",
            "query_positions",
        ):
            setattr(self, name, getattr(venue, name))

    def submit(self, order: NewOrder, now_ns: int) -> None:
        self._driver.leaves(order, order.cl_ord_id)
        self._venue.submit(order, now_ns)

    def replace(self, order: ReplaceOrder, now_ns: int) -> None:
        self._driver.leaves(order, f"{order.cl_ord_id}#{order.revision}")
        self._venue.replace(order, now_ns)

    def cancel(self, effect: Any, now_ns: int) -> None:
        self._driver.cancelled[effect.cl_ord_id] = None
        self._venue.cancel(effect, now_ns)


class LiveDriver:
    """Has the face of ``Driver``; inside turns the live loop."""

    def __init__(
        self,
        state: State,
        venues: list[Cable],
        seed: int,
        on_step: Callable[[Any, list[Effect]], None],
        now_ns: int,
    ) -> None:
        self.state, self._on_step, self._rng = state, on_step, random.Random(f"live-{seed}-{now_ns}")
        self.aio = Aio(now_ns)
        self.disk = Disk(self.aio, self._rng)
        self.cancelled: dict[str, None] = {}
        self.left: dict[str, None] = {}
        self.cause: dict[str, int] = {}  # order (or amendment) -> journal seq of its cause
        silence: Any = Silence()
        aio: Any = self.aio
        disk: Any = self.disk
        self.loop = WatchedLoop(
            state,
            clock=aio,
            journal=disk,
            latches=disk,
            server=silence,
            publisher=silence,
            venues=[Sentry(self, venue) for venue in venues],  # type: ignore[misc]
            feed=silence,
            inbox=Inbox(65_536, 65_536),
            snapshot_every=(1 << 60, 1e18),
        )
        self.loop.hear = self._hear
        self.loop._aio = aio
        self.disk.on_durable = self.loop.on_durable

    @property
    def now_ns(self) -> int:
        return self.aio.now

    def send(self, event: Event) -> None:
        """An event from outside: on the lane, and looked at now."""
        self.aio.run_until(event.ts_ns)
        self.loop.post(event)
        self.aio.run_until(self.aio.now)

    def feed(self, rows: Table) -> None:
        """Deliveries of a few rows, each at the time of its last."""
        at = 0
        while at < len(rows):
            stop = min(at + self._rng.randint(1, ROWS_MAX), len(rows))
            self.aio.run_until(int(rows["ts_ns"][stop - 1]))
            self.loop.inbox.put_ticks(rows[at:stop])
            self.loop.wake()
            self.aio.run_until(self.aio.now)
            at = stop

    def run_until(self, until_ns: int) -> None:
        self.loop.wake()
        self.aio.run_until(until_ns)

    def _hear(self, event: Any, effects: list[Effect], seq: int) -> None:
        for effect in effects:
            if isinstance(effect, NewOrder):
                self.cause[effect.cl_ord_id] = seq
            elif isinstance(effect, ReplaceOrder):
                self.cause[f"{effect.cl_ord_id}#{effect.revision}"] = seq
        self._on_step(event, effects)

    def leaves(self, effect: NewOrder | ReplaceOrder, key: str) -> None:
        """Judge a request that is on its way out of the door."""
        id = effect.cl_ord_id
        if isinstance(effect, NewOrder):
            need(id not in self.cancelled, "L1", f"{key} leaves after its cancel")
        else:  # a cancel that the venue has refused is over; one that is out is not overtaken
            going = self.state.cold.orders[id].status is OrdStatus.PENDING_CANCEL
            need(not going or effect.approval.reducing, "L1", f"{key} adds risk and leaves after its cancel")
        need(key not in self.left, "L4", f"{key} leaves twice")
        self.left[key] = None
        if effect.approval.reducing:
            return
        seq = self.cause.get(key, FAR_NS)
        need(seq <= self.disk.durable, "L2", f"{key} leaves at record {seq}, durable is {self.disk.durable}")
        order, spec = self.state.cold.orders[id], self.state.specs[effect.instrument]
        scopes = (f"venue:{spec.venue}", f"strategy:{order.strategy}", f"symbol:{spec.symbol}")
        level = ladder.level_of(self.state.cold.kills, scopes)
        need(level < TradingState.REDUCING, "L3", f"{key} adds risk and leaves under {level.name}")


class LiveWorld(World):
    """A world whose engine is turned by the live loop."""

    def __init__(self, seed: int, *, replay: bool | None = None) -> None:
        self.left = 0
        super().__init__(seed, replay=replay)

    def _driver(self) -> Any:
        now_ns = max(self.state.cold.now_ns, self.tape_start_ns())
        return LiveDriver(self.state, self.venues, self.seed, self._on_step, now_ns)

    def tape_start_ns(self) -> int:
        from .draw import T0

        return int(T0)

    def _final(self) -> None:
        driver: Any = self.driver
        need(
            driver.loop.performer.held == 0,
            "L4",
            f"{driver.loop.performer.held} orders wait for a disk that is done",
        )
        super()._final()
