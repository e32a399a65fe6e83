"""Page ?: every key and word, from the registry."""

from __future__ import annotations

from tui.lines import help as words
from tui.screens.page import Page
from tui.widgets.panel import Panel


class Help(Page):
    number = "?"

    def __init__(self) -> None:
        super().__init__([Panel(words.keys, id="help-keys"), Panel(words.safety, id="help-safety")])
