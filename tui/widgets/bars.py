"""The fixed rows: two of annunciator, banners when there is something to say, one of keys or of input."""

from __future__ import annotations

from tui.actions import footer
from tui.lines.header import annunciator, banner
from tui.scene import Line, Scene, Span, ends, fit
from tui.widgets.painted import Painted
from tui.widgets.prompt import Prompt


class Annunciator(Painted):
    """Rows one and two of every page."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        return list(annunciator(scene, width))


class Banner(Painted):
    """Nothing, or as many full-width rows as there are things that must not be missed."""

    def pull(self, scene: Scene) -> int:
        wanted = banner(scene)
        if len(wanted) != (self.styles.height.value if self.styles.height else 0) or self.display != bool(
            wanted
        ):
            self.styles.height = len(wanted)
            self.display = bool(wanted)
        return super().pull(scene)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        return [_stretched(line, width) for line in banner(scene)]


def _stretched(line: Line, width: int) -> Line:
    """A banner's ground reaches both edges; its end is cut by ``…`` on a narrow screen."""
    style = line[-1][1]
    text_cells = sum(len(text) for text, _ in line)
    if text_cells > width:
        return (*fit(line, width - 2), ("… ", style))
    return (*line, (" " * (width - text_cells), style))


class Footer(Painted):
    """Keys of the page; a notice for a few seconds; or the line being typed."""

    page = "1"
    notice = ""
    notice_until_ns = 0

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.prompt: Prompt | None = None

    def say(self, text: str, mono_ns: int, seconds: float = 6.0) -> None:
        self.notice, self.notice_until_ns = text, mono_ns + int(seconds * 1e9)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        if self.prompt is not None:
            return [self.prompt.line(width)]
        hints = footer(self.page, scene.view_only)
        cord = hints[-1]
        right: Line = ((cord[0], "key"), (f" {cord[1]} ", "text"))
        if scene.moment.mono_ns < self.notice_until_ns:
            return [ends(((f" {self.notice}", "old"),), right, width)]
        spans: list[Span] = []
        for key, label in hints[:-1]:
            close = self.page == "1" and len(key) == 1 and key in "0123456789?"
            spans += [
                (" " if close else "  ", "text"),
                (key, "key"),
                (label if close else f" {label}", "dim"),
            ]
        return [ends(tuple(spans), right, width)]
