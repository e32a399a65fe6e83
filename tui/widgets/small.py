"""What a terminal that is too small shows instead of half a truth."""

from __future__ import annotations

from tui.lines.header import state_chip
from tui.scene import Line, Scene
from tui.widgets.painted import Painted


class Small(Painted):
    """Covers everything; the cord works all the same."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.display = False

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        return [
            ((f" {scene.env or '?'} ", "chip"), state_chip(scene)),
            ((f" too small: {width}x{height},", "text"),),
            ((" needs 80x24", "text"),),
            ((" ^\\ ^\\ still cancels all", "key"),),
        ]
