"""The table of this console, on Textual's Line API.

It keeps the keys in order and formats visible rows only, so that 5,000 rows cost what 40 do. Header, frame and
rows are one widget with its own offset: scrolling is a different choice of keys, never a layout. The order is
remade when rows come or go, and otherwise at most twice a second: rows that jump while being read are misread.
"""

from __future__ import annotations

from textual.events import Click, MouseScrollDown, MouseScrollUp

from tui.lines.table import Table, header_line, join
from tui.scene import Line, Scene
from tui.widgets.frame import framed, titled
from tui.widgets.painted import Painted

REORDER_NS = 500_000_000
TOP = 2  # frame and column names above the first row


class Grid(Painted):
    """``compact`` grids stand on the dashboard: no cursor, and a last line that says how many more there are."""

    def __init__(self, table: Table, *, compact: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = table
        self.compact = compact
        self.words = ""
        self.sort = table.sorts[0]
        self.keys: list[str] = []
        self.cursor = 0
        self.offset_rows = 0
        self._made: tuple[int, str, str] = (-1, "", "")
        self._made_mono_ns = 0

    # what is shown

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        self._order(scene)
        inner, rows = width - 2, max(0, height - 3)
        self._follow(rows)
        body: list[Line] = [header_line(self.table.columns, inner)]
        more = len(self.keys) - rows if self.compact else 0
        last = rows - 1 if more > 0 else rows
        for key in self.keys[self.offset_rows : self.offset_rows + last]:
            body.append(join(self.table.cells(scene, key), self.table.columns, inner))
        if more > 0:
            body.append(((f"… {len(self.keys) - last} more", "dim"),))
        if not self.keys:
            body.append(((self._nothing(scene), "dim"),))
        self.cursor_y = -1 if self.compact or not self.keys else TOP + self.cursor - self.offset_rows
        title = titled(scene, self._title(scene), self.table.age_ns(scene), self._page())
        return framed(title, body, width, height, scene.env)

    def _nothing(self, scene: Scene) -> str:
        if not scene.view.snapshots:
            return "unknown: waiting for the core"
        return f"no row matches /{self.words}" if self.words else self.table.empty

    def _page(self) -> str:
        return self.table.page if self.compact else ""

    def _title(self, scene: Scene) -> str:
        total = str(self.table.total(scene)) if scene.view.snapshots else "?"
        parts = [f"{self.table.name} {total}"]
        if len(self.table.sorts) > 1 and not self.compact:
            parts.append(f"order:{self.sort}")
        if self.words:
            parts.append(f"filter:{self.words}  {len(self.keys)} shown")
        if self.table.heading is not None:
            parts.append(self.table.heading(scene))
        return "  ".join(p for p in parts if p)

    def _order(self, scene: Scene) -> None:
        made = (scene.view.version[self.table.version], self.words, self.sort)
        due = scene.moment.mono_ns - self._made_mono_ns >= REORDER_NS
        if made == self._made and not due:
            return
        fresh = self.table.keys(scene, self.words, self.sort)
        if not due and made[1:] == self._made[1:] and set(fresh) == set(self.keys):
            return
        chosen = self.selected
        self.keys, self._made, self._made_mono_ns = fresh, made, scene.moment.mono_ns
        if chosen in fresh:
            self.cursor = fresh.index(chosen)

    def _follow(self, rows: int) -> None:
        self.cursor = max(0, min(self.cursor, len(self.keys) - 1))
        if self.compact:
            self.offset_rows = 0
            return
        low = max(0, self.cursor - rows + 1)
        self.offset_rows = max(low, min(self.offset_rows, self.cursor, max(0, len(self.keys) - rows)))

    # what the operator does with it

    @property
    def selected(self) -> str:
        """Key of the row under the cursor, "" when there is none."""
        return self.keys[self.cursor] if 0 <= self.cursor < len(self.keys) else ""

    def move(self, what: str) -> None:
        """``what``: down | up | page_down | page_up | top | bottom."""
        page = max(1, self.size.height - 4)
        steps = {"down": 1, "up": -1, "page_down": page, "page_up": -page}
        self.cursor = {"top": 0, "bottom": len(self.keys) - 1}.get(what, self.cursor + steps.get(what, 0))
        self.cursor = max(0, min(self.cursor, len(self.keys) - 1))
        self._again()

    def filter(self, words: str) -> None:
        self.words, self.cursor = words, 0
        self._again()

    def next_sort(self) -> None:
        sorts = self.table.sorts
        self.sort = sorts[(sorts.index(self.sort) + 1) % len(sorts)]
        self._again()

    def _again(self) -> None:
        if self.scene is not None:
            self.pull(self.scene)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self.move("down")

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self.move("up")

    def on_click(self, event: Click) -> None:
        row = self.offset_rows + event.y - TOP
        if not self.compact and 0 <= row < len(self.keys):
            self.cursor = row
            self._again()
