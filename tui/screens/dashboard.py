"""Page 1: can it hurt me (limits), what has it done (equity), what is on, what is wrong (alarms)."""

from __future__ import annotations

from tui.lines import pnl
from tui.lines.alarms import ALARMS
from tui.lines.orders import ORDERS
from tui.lines.positions import POSITIONS
from tui.lines.switches import SWITCHES
from tui.screens.page import Page
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel


class Dashboard(Page):
    number = "1"

    def __init__(self) -> None:
        super().__init__(
            [
                Grid(SWITCHES, compact=True, id="dash-switches"),
                Panel(pnl.panel, id="dash-equity"),
                Grid(POSITIONS, compact=True, id="dash-positions"),
                Grid(ALARMS, compact=True, id="dash-alarms"),
                Grid(ORDERS, compact=True, id="dash-orders"),
            ]
        )
