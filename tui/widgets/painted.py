"""A widget that paints styled lines and remembers them.

``pull(scene)`` builds the lines anew, compares them with what is on the screen and asks only for the rows that
changed to be repainted: no DataTable, no layout, no reactive. Building the forty visible rows of a page costs well
under a millisecond; sending a row that did not change over SSH is what would cost.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui import theme
from tui.scene import Line, Scene, fit

STYLES = theme.build_styles()
CURSOR_STYLES = {name: theme.on_cursor(style) for name, style in STYLES.items()}
REPAINT_ALL = 0.7  # of the rows dirty: one whole refresh is cheaper than many regions


class Painted(Widget):
    """Base of everything on the screen. Subclasses say what the lines are."""

    ascii = False  # set once, before the first paint

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.scene: Scene | None = None
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        self._width = 0
        self.cursor_y = -1  # the row to be shown as selected, -1 = none
        self._painted_cursor = -1

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """What to show; too few are filled with blanks, too many are cut."""
        raise NotImplementedError

    def pull(self, scene: Scene) -> int:
        """Bring the screen up to date with the scene; returns how many rows changed."""
        self.scene = scene
        width, height = self.size.width, self.size.height
        if not width or not height or not self.display:
            return 0
        fresh = [fit(line, width) for line in self.lines(scene, width, height)[:height]]
        fresh += [fit((), width)] * (height - len(fresh))
        old = self._lines if self._width == width else []
        moved = {self.cursor_y, self._painted_cursor} if self.cursor_y != self._painted_cursor else set()
        dirty = [y for y, line in enumerate(fresh) if y >= len(old) or line != old[y] or y in moved]
        self._lines, self._width, self._painted_cursor = fresh, width, self.cursor_y
        for y in dirty:
            self._strips.pop(y, None)
        if len(dirty) > REPAINT_ALL * height:
            self.refresh()
        elif dirty:
            self.refresh(*(Region(0, y, width, 1) for y in dirty))
        return len(dirty)

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strip(y)
            self._strips[y] = strip
        return strip

    def _strip(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip([Segment(" " * self.size.width, STYLES["text"])], self.size.width)
        styles = CURSOR_STYLES if y == self.cursor_y else STYLES
        segments = [
            Segment(text.translate(theme.ASCII) if self.ascii else text, styles[style])
            for text, style in self._lines[y]
        ]
        return Strip(segments, self._width)

    def text_of(self, y: int) -> str:
        """The words of a painted row."""
        return "".join(text for text, _ in self._lines[y]) if 0 <= y < len(self._lines) else ""

    def on_resize(self, event: Resize) -> None:
        self._strips.clear()
        self._lines = []
        if self.scene is not None:
            self.pull(self.scene)
