"""Page 0: the kill panel."""

from __future__ import annotations

from tui.lines import kill
from tui.screens.page import Page
from tui.widgets.panel import Panel


class Kill(Page):
    number = "0"

    def __init__(self) -> None:
        super().__init__(
            [
                Panel(kill.choices, id="kill-choices"),
                Panel(kill.progress, id="kill-progress"),
                Panel(kill.commands, id="kill-commands"),
                Panel(kill.tail, id="kill-tail"),
            ]
        )
