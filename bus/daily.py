"""What each closed day has made: the ``data`` of the topic ``daily``."""

from __future__ import annotations

import msgspec

from bus.views import View


class DayRow(msgspec.Struct):
    """One closed day. ``equity`` at its open; what was made sums over symbols and over strategies alike."""

    start_ns: int
    equity: float
    pnl: float
    by_symbol: dict[str, float] = {}
    by_strategy: dict[str, float] = {}


class DailyView(View):  # topic: daily
    """Closed days, oldest first, account currency; sent when one closes."""

    ccy: str
    days: list[DayRow]
