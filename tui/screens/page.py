"""What a page is: some painted widgets, one of which the row keys move."""

from __future__ import annotations

from collections.abc import Callable

from textual.containers import Container
from textual.widget import Widget

from tui.lines.table import Table
from tui.scene import Line, Scene
from tui.widgets.grid import Grid
from tui.widgets.painted import Painted
from tui.widgets.panel import Panel

Detail = Callable[[Scene, str], list[tuple[str, str]]]


class Page(Container):
    """``grid``: where ``j k / o y`` act; None when the page has none."""

    number = ""

    def __init__(self, parts: list[Widget], grid: Grid | None = None) -> None:
        super().__init__(*parts, classes=f"page {type(self).__name__.lower()}")
        self.grid = grid
        self._painted = [p for p in parts if isinstance(p, Painted)]

    def pull(self, scene: Scene) -> None:
        for painted in self._painted:
            painted.pull(scene)

    def set_scene(self, scene: Scene) -> None:
        """So that the first layout already has something to paint."""
        for painted in self._painted:
            painted.scene = scene


class TablePage(Page):
    """One table over the full width and, under it, the row under the cursor in words."""

    table: Table
    detail: Detail
    detail_title = "DETAIL"

    def __init__(self) -> None:
        grid = Grid(self.table, id=f"grid-{type(self).__name__.lower()}")
        super().__init__([grid, Panel(self._detail, classes="detail")], grid)

    def _detail(self, scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
        key = self.grid.selected if self.grid is not None else ""
        lines: list[Line] = [
            ((f"  {label:<11}", "dim"), (text, "text")) for label, text in type(self).detail(scene, key)
        ]
        return key or self.detail_title, lines or [(("  no row", "dim"),)]
