"""What a painter is given: the view, one moment, and who is looking. No terminal library in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.model.alarms import Entry
from tui.model.derive import STALE_NS, core_age_ns
from tui.model.view import Moment, View

if TYPE_CHECKING:
    from tui.panic import Cord

Span = tuple[str, str]  # text, style name
Line = tuple[Span, ...]


@dataclass(slots=True)
class Scene:
    """One instant of one console."""

    view: View
    moment: Moment
    operator: str = "?"
    view_only: bool = False
    instead: str = 'andon kill --reason "…"'  # the way round this console
    cord: Cord | None = None
    blink: bool = True
    alarms: dict[str, Entry] = field(default_factory=dict)  # the alarm list of this moment, made once

    @property
    def env(self) -> str:
        """PAPER | LIVE | REPLAY, "" while unknown."""
        if self.view.heartbeat is not None:
            return self.view.heartbeat.env
        return self.view.account.env if self.view.account is not None else ""

    @property
    def account(self) -> str:
        if self.view.heartbeat is not None:
            return self.view.heartbeat.account
        return self.view.account.account if self.view.account is not None else "?"

    @property
    def word(self) -> str:
        """The state word; ``?`` until the core has said one."""
        return self.view.state.state if self.view.state is not None else "?"

    @property
    def up(self) -> bool:
        return self.view.link.state == "up"

    @property
    def age_ns(self) -> int | None:
        """How old everything on the screen is at least."""
        return core_age_ns(self.view, self.moment)

    @property
    def stale(self) -> bool:
        """Nothing on the screen may be taken for the present."""
        age_ns = self.age_ns
        return age_ns is not None and age_ns > STALE_NS

    @property
    def lost_s(self) -> float:
        """Seconds without a link, 0 when it is up."""
        since = self.view.lost_mono_ns
        return max(0.0, (self.moment.mono_ns - since) / 1e9) if since else 0.0


def width_of(line: Line) -> int:
    """Cells; every glyph of this console is one cell wide (tested)."""
    return sum(len(text) for text, _ in line)


def fit(line: Line, width: int) -> Line:
    """Exactly ``width`` cells: cut at the right, or filled with blanks."""
    out: list[Span] = []
    left = width
    for text, style in line:
        if left <= 0:
            break
        piece = text[:left]
        out.append((piece, style))
        left -= len(piece)
    if left > 0:
        out.append((" " * left, "text"))
    return tuple(out)


def ends(left: Line, right: Line, width: int) -> Line:
    """Left part, blanks, right part; the right part yields when there is no room."""
    gap = width - width_of(left) - width_of(right)
    if gap < 1:
        return fit(left, width)
    return (*left, (" " * gap, "text"), *right)
