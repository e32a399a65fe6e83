"""A framed panel whose words come from a pure function of the scene."""

from __future__ import annotations

from collections.abc import Callable

from tui.scene import Line, Scene
from tui.widgets.frame import framed, titled
from tui.widgets.painted import Painted

Build = Callable[[Scene, int, int], tuple[str, list[Line]]]  # scene, inner width, inner height -> title, body


class Panel(Painted):
    """``build`` is given the room inside the frame."""

    def __init__(
        self, build: Build, *, page: str = "", id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._build = build
        self._page = page

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        title, body = self._build(scene, width - 2, height - 2)
        return framed(titled(scene, title, scene.age_ns, self._page), body, width, height, scene.env)
