"""The heart of the console: a few times a second, take what the link has, fold it into the view, paint what changed.

It never waits: the link is drained, not awaited, and when the terminal has not taken the last frames the paint is
skipped while keys, commands and the view go on. ``beat_mono_ns`` is the proof of life the tests look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.alarms import raise_silence
from tui.model.reduce import apply

if TYPE_CHECKING:
    from tui.app import Console

HZ = 10.0
BACKLOG_MAX = 3  # writes still queued: one frame is up to three


class PaintPump:
    """``start`` once; ``tick`` may also be called by tests."""

    def __init__(self, app: Console) -> None:
        self.app = app
        self.ticks = 0
        self.skipped = 0
        self.beat_mono_ns = 0
        self.beat_gap_ns_max = 0

    def start(self) -> None:
        self.app.set_interval(1.0 / HZ, self.tick)

    def tick(self) -> None:
        self._beat()
        self.fold()
        backlog, dropped = self.app.backlog(), self.app.take_dropped()
        if backlog > BACKLOG_MAX:
            self.skipped += 1
            self.app.owed_repaint |= dropped > 0
            return
        if dropped or self.app.owed_repaint:
            self.app.owed_repaint = False
            self.app.refresh()
        self.app.paint()

    def fold(self) -> None:
        """Drain the link into the view."""
        app = self.app
        mono_ns = app.clock.mono_ns()
        for event in app.link.drain():
            apply(app.view, event, mono_ns)
        moment = app.moment()
        raise_silence(app.view, moment.core_ns, mono_ns, app.instead)

    def _beat(self) -> None:
        now_ns = self.app.clock.mono_ns()
        if self.ticks:
            self.beat_gap_ns_max = max(self.beat_gap_ns_max, now_ns - self.beat_mono_ns)
        self.ticks += 1
        self.beat_mono_ns = now_ns
