"""Page ?: every key and word, from the registry."""

from __future__ import annotations

from tui.lines.help import HELP, detail
from tui.screens.page import TablePage


class Help(TablePage):
    number = "?"
    table = HELP
    detail = staticmethod(detail)
