"""Page 2: positions and the one under the cursor."""

from __future__ import annotations

from tui.lines.positions import POSITIONS, detail
from tui.screens.page import TablePage


class Positions(TablePage):
    number = "2"
    table = POSITIONS
    detail = staticmethod(detail)
