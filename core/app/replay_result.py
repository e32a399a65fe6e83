"""What a replay came to, and the summary and report made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.app.tca import Analysis


class Trip(msgspec.Struct):
    """A switch that pulled the cord."""

    name: str
    ts: int  # ns UTC
    value: float | None
    limit: float | None
    state: str = ""
    scope: str = "all"


class ReplayResult(msgspec.Struct):
    """What came of it; money in account currency."""

    tape: str
    ccy: str
    events: int
    seconds: float
    fills: int
    equity_start: float
    equity_end: float
    realized: float
    unrealized: float
    fees: float
    funding: float
    max_drawdown: float
    switches: list[Trip]
    state: str
    positions: dict[str, float]
    digest: str
    curve_ns: list[int]
    curve_equity: list[float]
    by_strategy: dict[str, float]
    bad_rows: int
    tca: Analysis | None = None  # of every order, where it was asked for
    attribution: dict[str, Any] = {}  # total, unit, residual, parts and by_<cut>: see bus.views.PnlView

    def summary(self) -> dict[str, Any]:
        """What ``andon replay --json`` prints."""
        return {
            "tape": self.tape,
            "events": self.events,
            "seconds": self.seconds,
            "events_per_s": self.events / self.seconds if self.seconds > 0 else None,
            "fills": self.fills,
            "equity_start": self.equity_start,
            "equity_end": self.equity_end,
            "realized": self.realized,
            "unrealized": self.unrealized,
            "fees": self.fees,
            "funding": self.funding,
            "max_drawdown": self.max_drawdown,
            "switches": [msgspec.structs.asdict(trip) for trip in self.switches],
            "state": self.state,
            "positions": self.positions,
            "by_strategy": self.by_strategy,
            "ccy": self.ccy,
            "bad_rows": self.bad_rows,
            "attribution": self.attribution,
            "digest": self.digest,
        }

    def write_report(self, folder: Path) -> Path:
        """A page with the equity and drawdown curves; needs the ``report`` extra."""
        from core.app.report import write_report

        return write_report(self, folder)


def drawdown_of(equity: list[float]) -> list[float]:
    """Drawdown from the running peak, fraction, same length."""
    values = np.array(equity)
    peak = np.fmax.accumulate(values)
    return [float(d) for d in (peak - values) / peak]
