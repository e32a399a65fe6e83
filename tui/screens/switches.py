"""Page 4: switches and the one under the cursor."""

from __future__ import annotations

from tui.lines.switches import SWITCHES, detail
from tui.screens.page import TablePage


class Switches(TablePage):
    number = "4"
    table = SWITCHES
    detail = staticmethod(detail)
