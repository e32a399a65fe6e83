"""Surveillance while the core runs: the same detectors, in a thread of their own, over a bounded window.

The loop hands over what it journals (a pointer into a queue); the thread builds the rows, looks every ``every_s``, and
posts what is new as a ``RiskResult`` of kind "surveillance". It cannot hold the loop up: the queue is bounded, and what
does not fit is counted and shown in health; ``andon surveil`` over the journal sees all of it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from bus import trail
from bus.events import Boot, Event, Report, RiskResult
from bus.views import HealthView
from config.settings import SurveillanceSettings
from core.analytics.surveillance import Finding, Flow, Thresholds, inspect
from core.analytics.surveillance_flow import SECOND_NS
from core.engine.market import Ticks
from core.engine.surveilled import KIND

if TYPE_CHECKING:
    from core.app.loop import Loop

QUEUE_MAX = 100_000  # steps waiting for the thread
TELL_NS = 5 * SECOND_NS
GROWN = 0.2  # an episode that is still going on is told again when its score has grown by this


def thresholds_of(settings: SurveillanceSettings) -> Thresholds:
    """The detectors' part of the settings."""
    return Thresholds(**{name: getattr(settings, name) for name in Thresholds.__struct_fields__})


class Known:
    """What was told already: an episode is one finding however long it lasts."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str], Finding] = {}

    def new(self, found: list[Finding]) -> list[Finding]:
        """Those not told yet, or grown much since."""
        fresh = []
        for finding in found:
            key = (finding.kind, finding.symbol, finding.who)
            before = self._told.get(key)
            same = before is not None and finding.from_ns <= before.to_ns and finding.to_ns >= before.from_ns
            if before is not None and finding.to_ns < before.from_ns:
                continue  # an older one, seen again
            if not same or (before is not None and finding.score >= before.score + GROWN):
                fresh.append(finding)
                self._told[key] = finding
            elif before is not None and finding.to_ns > before.to_ns:
                told = {name: getattr(before, name) for name in Finding.__struct_fields__}
                self._told[key] = Finding(**{**told, "to_ns": finding.to_ns})
        return fresh


class Surveillance:
    """Owner of the thread. ``watch`` belongs to the loop's thread."""

    def __init__(self, loop: Loop, settings: SurveillanceSettings) -> None:
        self._loop, self._settings = loop, settings
        self._limits = thresholds_of(settings)
        self._queue: deque[tuple[Event | Ticks, bytes]] = deque()
        self._flow = Flow(settings.close_window_s)
        self._known = Known()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="surveillance", daemon=True)
        self._ticks_at = (0, 0)  # ns UTC: ticks between these are worth keeping
        self.dropped = 0
        self.trouble = ""
        self.found = 0
        self._tell_ns = 0
        if settings.enabled:
            loop.watch = self.watch

    def start(self) -> None:
        """Begin to look, unless the settings say no."""
        if self._settings.enabled:
            self._thread.start()

    def stop(self) -> None:
        """A look under way is not waited for long."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def watch(self, event: Event | Ticks, audit: bytes) -> None:
        """After each step; most are of no interest."""
        if event.ts_ns >= self._tell_ns:
            self._tell_ns = event.ts_ns + TELL_NS
            self._loop.publisher.health(self.health())
        if isinstance(event, Ticks):
            if not audit and not self._ticks_at[0] <= event.ts_ns <= self._ticks_at[1]:
                return
        elif not audit and not isinstance(event, Report):
            return
        if len(self._queue) >= QUEUE_MAX:
            self.dropped += 1
        else:
            self._queue.append((event, audit))

    def health(self) -> HealthView:
        """Its standing, for ``health.surveillance``."""
        dead = self._settings.enabled and self._thread.ident is not None and not self._thread.is_alive()
        detail = "the thread has died: andon surveil over the journal" if dead else self.trouble
        if not detail and self.dropped:
            detail = f"{self.dropped} steps were not looked at: andon surveil over the journal sees them"
        status = "fail" if dead else ("warn" if detail else "ok")
        values = {"found": self.found, "dropped": self.dropped}
        return HealthView(component="surveillance", status=status, detail=detail, values=values)

    # -- the thread's side

    def _run(self) -> None:
        while not self._ended.wait(self._settings.every_s):
            try:
                self.look()
                self.trouble = ""
            except Exception as error:  # noqa: BLE001  (said in health; the next look tries again)
                self.trouble = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"

    def look(self) -> list[Finding]:
        """Take in what waits, inspect, post what is new; returns that. Public for tests."""
        begin = time.perf_counter()
        while self._queue:
            event, audit = self._queue.popleft()
            if isinstance(event, Ticks):
                self._flow.ticks(event.rows)
            of_interest = event if isinstance(event, Boot | Report) else None
            self._flow.take(event.ts_ns, of_interest, trail.decode(audit))
        self._ticks_at = self._flow.close_span(self._flow.last_ns)
        self._flow.prune(self._flow.last_ns - int(self._settings.keep_s * SECOND_NS))
        fresh = self._known.new(inspect(self._flow, self._limits))
        for finding in fresh:
            self._post(finding, (time.perf_counter() - begin) * 1e3)
        self.found += len(fresh)
        return fresh

    def _post(self, finding: Finding, elapsed_ms: float) -> None:
        data = {name: getattr(finding, name) for name in Finding.__struct_fields__}
        as_of = finding.to_ns
        clock = self._loop.clock
        self._loop.post_from_thread(lambda: RiskResult(clock.now_ns(), KIND, as_of, data, elapsed_ms))
