"""Page 7: alarms and the one under the cursor."""

from __future__ import annotations

from tui.lines.alarms import ALARMS, detail
from tui.screens.page import TablePage


class Alarms(TablePage):
    number = "7"
    table = ALARMS
    detail = staticmethod(detail)
