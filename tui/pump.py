"""The heart of the console: take what the link has, fold it into the view, paint what changed.

It never waits: the link is drained, not awaited, and when the terminal has not taken the last frames the paint is
skipped while keys, commands and the view go on. Numbers that tick are painted five times a second, which is as fast
as they can be read and half the bytes of ten; a state, an alarm, a phase of a kill or an answer to a command is
painted at the next beat, within a twentieth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.alarms import raise_silence, raise_unheard, settle_silence
from tui.model.commands import ACK_WITHIN_NS
from tui.model.reduce import apply

if TYPE_CHECKING:
    from tui.app import Console

BEATS_PER_S = 20.0
PAINT_EVERY_NS = 190_000_000  # a little less than four beats, so that jitter does not make it five
BACKLOG_MAX = 3  # writes still queued: one frame is up to three


class PaintPump:
    """``start`` once. ``skipped`` counts paints that a slow terminal has cost."""

    def __init__(self, app: Console) -> None:
        self.app = app
        self.skipped = 0
        self._painted_ns = 0
        self._urgent: object = None

    def start(self) -> None:
        self.app.set_interval(1.0 / BEATS_PER_S, self.beat)

    def beat(self) -> None:
        """Fold always, paint when it is time or when something may not wait."""
        self.fold()
        urgent = self._urgent_part()
        if urgent != self._urgent or self.app.clock.mono_ns() - self._painted_ns >= PAINT_EVERY_NS:
            self._urgent = urgent
            self.show()

    def tick(self) -> None:
        """Fold and paint at once."""
        self.fold()
        self.show()

    def fold(self) -> None:
        """Drain the link into the view."""
        app = self.app
        mono_ns = app.clock.mono_ns()
        for event in app.link.drain():
            apply(app.view, event, mono_ns)
        core_ns = app.moment().core_ns
        raise_silence(app.view, core_ns, mono_ns, app.instead)
        self._cord(core_ns, mono_ns)

    def _cord(self, core_ns: int, mono_ns: int) -> None:
        """The cord goes its own way; that nobody has answered it is an alarm here all the same."""
        app = self.app
        pull = app.cord.last if app.cord is not None else None
        if pull is None:
            return
        if pull.ack_ms is not None:
            settle_silence(app.view, pull.id)
        elif mono_ns - pull.at_mono_ns > ACK_WITHIN_NS:
            raise_unheard(app.view, pull.id, "CANCEL ALL", core_ns, app.instead)

    def show(self) -> None:
        """Paint, unless the terminal is behind; make good what it has missed."""
        app = self.app
        backlog, dropped = app.backlog(), app.take_dropped()
        if backlog > BACKLOG_MAX:
            self.skipped += 1
            app.owed_repaint |= dropped > 0
            return
        if dropped or app.owed_repaint:
            app.owed_repaint = False
            app.refresh()
        self._painted_ns = app.clock.mono_ns()
        app.paint()

    def _urgent_part(self) -> object:
        view = self.app.view
        phases = [(s.name, s.phase, s.cancelled, s.flat, s.unconfirmed) for s in view.switches.values()]
        versions = (view.version["state"], view.version["alerts"], view.version["commands"])
        return (view.link.state, versions, phases, self.app.cord.last if self.app.cord is not None else None)
