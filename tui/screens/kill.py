"""Page 0: the kill panel. While something is tripped its progress stands on top, otherwise the choices do."""

from __future__ import annotations

from tui.lines import kill
from tui.model import derive
from tui.scene import Scene
from tui.screens.page import Page
from tui.widgets.panel import Panel


class Kill(Page):
    number = "0"

    def __init__(self) -> None:
        self.choices = Panel(kill.choices, id="kill-choices")
        self.progress = Panel(kill.progress, id="kill-progress")
        self._killing = False
        commands, tail = Panel(kill.commands, id="kill-commands"), Panel(kill.tail, id="kill-tail")
        super().__init__([self.choices, self.progress, commands, tail])

    def pull(self, scene: Scene) -> None:
        killing = bool(derive.kills(scene.view))
        if killing != self._killing and self.is_mounted:
            self._killing = killing
            if killing:
                self.move_child(self.progress, before=self.choices)
            else:
                self.move_child(self.choices, before=self.progress)
        super().pull(scene)
