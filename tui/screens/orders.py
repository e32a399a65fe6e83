"""Page 3: orders and the one under the cursor."""

from __future__ import annotations

from tui.lines.orders import ORDERS, detail
from tui.screens.page import TablePage


class Orders(TablePage):
    number = "3"
    table = ORDERS
    detail = staticmethod(detail)
