"""The live loop: the only caller of ``step`` in a running core.

One turn: take what the venues have to say, fire what is due, empty the control lane, work on requests for a moment,
then one block of ticks, and look at control again. After each event, in this order: risk-reducing effects leave; the
event and the digest of its effects are queued for the journal; words go out on the bus; new risk waits until the
journal says durable.

The turn is short by construction (bounded blocks, bounded tables) and everything that can block (disk, key checks)
lives in threads of its own. Garbage collection runs when a quiet moment allows, never inside a burst.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence

import msgspec

from bus.effects import CancelOrder, Effect, Reply, WhatIf, WriteLatch
from bus.events import Event, JournalStatus, LatchStored, Report, RiskResult, Timer
from bus.server import BusServer
from bus.wire import Error
from core.adapters.clock import SystemClock
from core.adapters.journal import TICKS, Journal
from core.adapters.latch_store import LatchStore
from core.adapters.venue import Venue
from core.app.drive import effects_digest
from core.app.feeds import Feed
from core.app.inbox import Inbox
from core.app.perform import Performer
from core.app.publisher import Publisher
from core.engine import snapshot
from core.engine.leaving import may_leave
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step
from core.engine.trail import lines, sealed

BLOCK_ROWS = 2048  # ticks taken in one step, so that control waits for at most this many
REQUESTS_MAX = 8  # worked on before bus and market are looked at again: two or three milliseconds
FEED_S = 0.002  # least time between two looks at the feed
QUIET_GC_S = 2.0
SWITCH_S = 0.0001  # longest a disk thread waits for the interpreter, and the loop for a disk thread
_encode = msgspec.msgpack.Encoder().encode


class Loop:
    """Wires one engine to its lanes, disk, venues and bus. All methods belong to the loop's thread."""

    def __init__(
        self,
        state: State,
        *,
        clock: SystemClock,
        journal: Journal,
        latches: LatchStore,
        server: BusServer,
        publisher: Publisher,
        venues: Sequence[Venue],
        feed: Feed,
        inbox: Inbox,
        snapshot_every: tuple[int, float],
    ) -> None:
        self.state, self.clock, self.journal, self.inbox = state, clock, journal, inbox
        self.publisher, self.server = publisher, server
        self._latches, self._venues, self._feed = latches, venues, feed
        self._snapshot_events, self._snapshot_s = snapshot_every
        self._snapshot_at = (0, time.monotonic())
        self._handle: asyncio.TimerHandle | asyncio.Handle | None = None
        self._aio: asyncio.AbstractEventLoop | None = None
        self._busy = False
        self._fed_at = self._collected_at = 0.0
        self.watch: Callable[[Event | Ticks, bytes], None] | None = None  # surveillance, told of every step
        self.latches_pending = 0  # stop records on their way to disk
        self.broken = ""  # what the engine failed with; "" while it works
        self.on_broken: Callable[[], None] = lambda: None
        self.lag_us = 0.0  # how late the last planned turn came
        self._planned_at = 0.0
        self.performer = Performer(
            venues,
            publish=publisher.effect,
            reply=self._reply,
            latch=self._write_latch,
            post=self._post_report,
            ask=lambda question: self.ask(question),  # noqa: PLW0108  (whoever answers comes later)
            may=lambda request: may_leave(state, request),
        )
        self.ask: Callable[[WhatIf], None] = self._nobody

    # -- life

    def start(self, aio: asyncio.AbstractEventLoop) -> None:
        """Begin to turn; garbage of start-up is frozen out of every later collection.

        A thread that wants the interpreter while another computes gets it after the switch interval, and a write to
        disk asks for it several times. At the usual 5 ms a stop record took 33 ms beside 1,000 cancels; so, shorter.
        """
        self._aio = aio
        sys.setswitchinterval(SWITCH_S)
        gc.collect()
        gc.freeze()
        gc.disable()
        self.wake()

    def stop(self) -> None:
        """No more turns."""
        if self._handle is not None:
            self._handle.cancel()
        self._aio = None
        gc.enable()

    def wake(self) -> None:
        """Turn as soon as possible."""
        if self._aio is not None and not self._busy:
            if self._handle is not None:
                self._handle.cancel()
            self._planned_at = 0.0
            self._handle = self._aio.call_soon(self.turn)

    def post(self, event: Event) -> None:
        """Put an event on the control lane and have it looked at now."""
        self.inbox.put(event)
        self.wake()

    def post_from_thread(self, make: Callable[[], Event]) -> None:
        """The same from the journal's or the latch store's thread."""
        aio = self._aio
        if aio is not None:
            aio.call_soon_threadsafe(lambda: self.post(make()))

    # -- turning

    def turn(self) -> None:
        """One turn, then plan the next."""
        if self._planned_at:
            self.lag_us = max((time.monotonic() - self._planned_at) * 1e6, 0.0)
        self._busy = True
        try:
            self._control()
            self._market()
        except Exception as error:
            self._break_off(error)
            raise
        finally:
            self._busy = False
        self._plan()

    def _break_off(self, error: Exception) -> None:
        """The engine has failed in the middle of a step: what it asked for is lost, what it knows means nothing.

        So everything it had working is cancelled, but for protective stops, nothing that waits leaves, and the core
        ends without the mark of a clean stop. The next one comes up halted and asks the venues.
        """
        self.broken = f"{type(error).__name__}: {error}"
        self.stop()
        self.performer.forget()
        now_ns = self.clock.now_ns()
        for order in list(self.state.working.values()):
            if not order.protects:
                effect = CancelOrder(order.cl_ord_id, order.venue, order.instrument)
                self._venues[order.venue].cancel(effect, now_ns)
        self.on_broken()

    def _control(self) -> None:
        """Venue words and due timers in order of time and whatever stops; then requests, one by one, not for long."""
        control, requests = self.inbox.control, self.inbox.requests
        left = REQUESTS_MAX
        while True:
            if not control:
                self._due()
            if control:
                self.handle(control.popleft())
                continue
            if not requests or left == 0:
                return
            left -= 1
            self.handle(requests.popleft())

    def _due(self) -> None:
        """Put on the lane what has come due."""
        now_ns, lane = self.clock.now_ns(), self.inbox.control
        for venue in self._venues:
            if venue.next_due_ns() <= now_ns:
                lane.extend(venue.due(now_ns))
        if self.state.next_due_ns() <= now_ns:
            lane.append(Timer(now_ns))

    def _market(self) -> None:
        now = time.monotonic()
        if now - self._fed_at >= FEED_S:
            self._fed_at = now
            rows = self._feed.rows(self.clock.now_ns())
            if rows is not None:
                self.inbox.put_ticks(rows)
        while (block := self.inbox.take_ticks(BLOCK_ROWS)) is not None:
            if not self.journal.accepts_ticks:
                self.inbox.ticks_dropped += len(block)
                continue
            self._ticks(Ticks(block))
            self._control()

    def _ticks(self, block: Ticks) -> None:
        effects = step(self.state, block)
        taken = self.state.consumed
        if taken < len(block.rows):
            self.inbox.give_back(block.rows[taken:])
            block = Ticks(block.rows[:taken])
        now_ns = self.clock.now_ns()
        self._reduce(effects, now_ns)
        for venue in self._venues:
            venue.on_ticks(block.rows)
        self._record(TICKS, block, block.rows.tobytes(), effects)

    def handle(self, event: Event) -> None:
        """One event through the engine."""
        effects = step(self.state, event)
        self._reduce(effects, self.clock.now_ns())
        self._record(str(event.__struct_config__.tag), event, _encode(event), effects)

    def _reduce(self, effects: list[Effect], now_ns: int) -> None:
        """What lowers risk leaves; what adds some, still waits and has been stopped is withdrawn."""
        self.performer.reduce(effects, now_ns)
        if self.state.cold.kills and self.performer.held:
            self.performer.recall(now_ns)

    def _record(self, kind: str, event: Event | Ticks, body: bytes, effects: list[Effect]) -> None:
        """What it was told and what it decided, in one record; then words leave, and name that record."""
        audit = lines(self.state, event, effects) if effects else b""
        seq = self.journal.append(kind, event.ts_ns, body, effects_digest(effects), audit)
        if effects:
            self.performer.rest(sealed(effects, seq, audit), seq)
        if self.watch is not None:
            self.watch(event, audit)
        self._maybe_snapshot(seq)

    def _maybe_snapshot(self, seq: int) -> None:
        since_seq, since = self._snapshot_at
        if seq - since_seq >= self._snapshot_events or (
            seq % 64 == 0 and time.monotonic() - since >= self._snapshot_s
        ):
            self.snapshot()

    def snapshot(self) -> None:
        """The state as of the last record, queued behind it."""
        seq = self.journal.last_seq
        self.journal.snapshot(seq, snapshot.save(self.state))
        self._snapshot_at = (seq, time.monotonic())

    def _plan(self) -> None:
        if self._aio is None:
            return
        now_ns = self.clock.now_ns()
        due = min(self.state.next_due_ns(), *(venue.next_due_ns() for venue in self._venues))
        delay_s = (due - now_ns) / 1e9
        feed_s = (self._feed.next_ns() - now_ns) / 1e9
        if feed_s < delay_s:
            delay_s = max(feed_s, self._fed_at + FEED_S - time.monotonic())
        delay_s = 0.0 if self.inbox.requests else min(max(delay_s, 0.0), 0.1)
        self._collect_if_quiet(delay_s)
        self._planned_at = time.monotonic() + delay_s
        self._handle = self._aio.call_later(delay_s, self.turn)

    def _collect_if_quiet(self, delay_s: float) -> None:
        """A young collection costs about a millisecond: only where a pause is due anyway."""
        now = time.monotonic()
        if delay_s > FEED_S / 2 and now - self._collected_at > QUIET_GC_S:
            self._collected_at = now
            gc.collect(1)

    # -- the outside's answers

    def on_durable(self, seq: int) -> None:
        """Journal thread: everything up to ``seq`` is on disk."""
        aio = self._aio
        if aio is not None and self.performer.held:
            aio.call_soon_threadsafe(self._release, seq)

    def _release(self, seq: int) -> None:
        self.performer.release(seq, self.clock.now_ns())
        self.wake()

    def on_journal(self, *, ok: bool, reason: str) -> None:
        """Journal thread: it cannot write, or can again."""
        self.post_from_thread(lambda: JournalStatus(self.clock.now_ns(), ok, reason))

    def _write_latch(self, effect: WriteLatch) -> None:
        self.latches_pending += 1
        self._latches.write(effect.seq, effect.record, self._latch_done)

    def _latch_done(self, seq: int, ok: bool, reason: str) -> None:
        def stored() -> Event:
            self.latches_pending -= 1 if ok else 0
            return LatchStored(self.clock.now_ns(), seq, ok, reason)

        self.post_from_thread(stored)

    def _nobody(self, question: WhatIf) -> None:
        """Risk calculations are switched off: a question is told so at once."""
        now_ns = self.clock.now_ns()
        why = "risk calculations are off ([risk] enabled = false)"
        self.post(RiskResult(now_ns, "what_if", now_ns, {"id": question.id, "code": "OFF", "error": why}))

    def _post_report(self, report: Report) -> None:
        self.inbox.put(report)
        self.wake()

    def _reply(self, reply: Reply) -> None:
        error = Error(code=reply.error_code, message=reply.error_message) if reply.error_code else None
        self.server.reply(reply.id, reply.status, reply.data, error=error)
