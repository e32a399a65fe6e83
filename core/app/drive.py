"""The virtual-time driver: engine and simulated venues in lockstep, told the time by the tape or the test.

Three hands turn the clock: the next tick, the next thing the venue has to say, the next engine timer. The earliest
goes first (venue, then timer, then tick when equal), so every fill falls between the ticks it belongs to. Ticks are
taken in blocks cut where any of that happens, which is what makes replay fast and exact at once.

Simulation, drill, replay and backtest all run on this one loop; the live loop (loop.py) has the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from bus.effects import (
    CancelOrder,
    Effect,
    MassCancel,
    NewOrder,
    Publish,
    QueryOpen,
    QueryOrder,
    QueryPositions,
    ReplaceOrder,
    Reply,
    WhatIf,
    WriteLatch,
)
from bus.events import Event, LatchStored, Timer
from core.adapters.venue import Venue
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step
from core.kernels.tables import Table

FAR_NS = 1 << 62
LATCH_NS = 2_000_000  # virtual time a latch record takes to reach the disk
_ENCODER = msgspec.msgpack.Encoder()


def effects_digest(effects: Sequence[Effect]) -> bytes:
    """Eight bytes that change when any effect does; empty for none."""
    if not effects:
        return b""
    return hashlib.blake2b(_ENCODER.encode(effects), digest_size=8).digest()


class Driver:
    """One engine, its venues, and a clock that is told."""

    def __init__(
        self,
        state: State,
        venues: Sequence[Venue],
        *,
        on_step: Callable[[Event | Ticks, list[Effect]], None] | None = None,
        on_effect: Callable[[Effect], None] | None = None,
    ) -> None:
        self.state = state
        self.venues = venues
        self.now_ns = state.cold.now_ns
        self.events = 0
        self.digest = hashlib.sha256()
        self._on_step = on_step
        self._on_effect = on_effect
        self._latches: list[tuple[int, LatchStored]] = []

    def send(self, event: Event) -> list[Effect]:
        """One event now; its effects are carried out at its time."""
        self.now_ns = max(self.now_ns, event.ts_ns)
        self.events += 1
        effects = step(self.state, event)
        self._after(event, effects)
        return effects

    def feed(self, rows: Table) -> None:
        """Ticks in time order, with everything that falls between them."""
        start, total = 0, len(rows)
        times = rows["ts_ns"]
        while start < total:
            due = self.next_due_ns()
            first = int(times[start])
            if due <= first:
                self._wake(due)
                continue
            stop = (
                total
                if due > int(times[-1])
                else start + int(np.searchsorted(times[start:], due, side="left"))
            )
            start += self._block(rows[start:stop])

    def run_until(self, until_ns: int) -> None:
        """Let time pass without ticks: venue words and timers up to ``until_ns``."""
        while (due := self.next_due_ns()) <= until_ns:
            self._wake(due)
        self.now_ns = max(self.now_ns, until_ns)

    def next_due_ns(self) -> int:
        """When anything but a tick wants to happen."""
        due = self.state.next_due_ns()
        for venue in self.venues:
            due = min(due, venue.next_due_ns())
        if self._latches:
            due = min(due, self._latches[0][0])
        return due

    def _block(self, rows: Table) -> int:
        """Offer rows up to the first that a venue acts on; returns how many the engine took."""
        offered = min(venue.first_touch(rows) for venue in self.venues) if self.venues else len(rows)
        block = Ticks(rows[:offered])
        effects = step(self.state, block)
        taken = self.state.consumed
        if taken < offered:
            block = Ticks(rows[:taken])
        for venue in self.venues:
            venue.on_ticks(block.rows)
        self.events += taken
        self.now_ns = max(self.now_ns, int(rows["ts_ns"][taken - 1]))
        self._after(block, effects)
        return taken

    def _wake(self, due_ns: int) -> None:
        self.now_ns = max(self.now_ns, due_ns)
        for venue in self.venues:
            if venue.next_due_ns() <= due_ns:
                for event in venue.due(due_ns):
                    self.send(event)
        while self._latches and self._latches[0][0] <= due_ns:
            self.send(self._latches.pop(0)[1])
        if self.state.next_due_ns() <= due_ns:
            self.send(Timer(due_ns))

    def _after(self, event: Event | Ticks, effects: list[Effect]) -> None:
        if self._on_step is not None:
            self._on_step(event, effects)
        if effects:
            self.digest.update(effects_digest(effects))
            for effect in effects:
                self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        if self._on_effect is not None:
            self._on_effect(effect)
        match effect:
            case Publish() | Reply():
                return
            case WhatIf():
                return  # nobody computes beside a told clock: the question runs out of time
            case WriteLatch():
                self._latches.append(
                    (self.now_ns + LATCH_NS, LatchStored(self.now_ns + LATCH_NS, effect.seq, True))
                )
            case _:
                if effect.venue < len(self.venues):
                    hand_over(self.venues[effect.venue], effect, self.now_ns)


Request = NewOrder | ReplaceOrder | CancelOrder | MassCancel | QueryOrder | QueryOpen | QueryPositions


def hand_over(venue: Venue, effect: Request, now_ns: int) -> None:
    """Give one request to its venue adapter."""
    match effect:
        case NewOrder():
            venue.submit(effect, now_ns)
        case ReplaceOrder():
            venue.replace(effect, now_ns)
        case CancelOrder():
            venue.cancel(effect, now_ns)
        case MassCancel():
            venue.mass_cancel(effect, now_ns)
        case QueryOrder():
            venue.query_order(effect, now_ns)
        case QueryOpen():
            venue.query_open(effect, now_ns)
        case QueryPositions():
            venue.query_positions(effect, now_ns)
