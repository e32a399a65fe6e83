"""Page 5: execution algorithms and the one under the cursor."""

from __future__ import annotations

from tui.lines.algos import ALGOS, detail
from tui.screens.page import TablePage


class Algos(TablePage):
    number = "5"
    table = ALGOS
    detail = staticmethod(detail)
