"""Own flow made by hand: orders, executions and marks as a journal would hold them, a line at a time."""

from __future__ import annotations

from bus import trail
from bus.enums import ReportKind
from bus.events import Boot, Report
from bus.instruments import InstrumentSpec
from bus.trail import Line
from core.analytics.surveillance import Flow
from core.engine.config import EngineConfig, encode

SECOND = 10**9
T0 = 1_700_000_000 * SECOND
CLOSE = T0 + 20_000 * SECOND
SPECS = (
    InstrumentSpec(symbol="AAA", venue="one", tick_size=0.01, lot_size=1.0),
    InstrumentSpec(symbol="BBB", venue="one", tick_size=0.01, lot_size=1.0),
)


class Tale:
    """Tells a flow. Times in seconds after T0; quantities in lots of 1."""

    def __init__(self) -> None:
        self.flow = Flow()
        config = EngineConfig(instruments=SPECS, day_opens_ns=(CLOSE, CLOSE + 86_400 * SECOND))
        self.flow.take(T0, Boot(T0, 1, True, config=encode(config)), ())
        self.count = 0

    def order(
        self, at: float, side: str, qty: float, price: float | None = None, *, who: str = "s1", symbol: str = "AAA",
        venue: str = "one",
    ) -> str:  # fmt: skip
        self.count += 1
        key = f"o{self.count}"
        line = Line(
            trail.ORDER, who, venue, "approved", order=key, symbol=symbol, side=side, qty=qty, price=price
        )
        self.flow.take(self.ns(at), None, [line])
        return key

    def fill(self, at: float, order: str, qty: int, price: float, *, maker: bool = False) -> None:
        self.count += 1
        report = Report(
            self.ns(at), 0, order, ReportKind.TRADE, f"x{self.count}", qty, price * 100, maker=maker
        )
        self.flow.take(report.ts_ns, report, ())

    def cancel(self, at: float, order: str, who: str = "s1") -> None:
        line = Line(trail.CANCEL, who, "one", "asked", order=order)
        self.flow.take(self.ns(at), None, [line])
        report = Report(self.ns(at) + 1000, 0, order, ReportKind.CANCELED)
        self.flow.take(report.ts_ns, report, ())

    def trade(
        self, at: float, side: str, qty: int, price: float, *, maker: bool = False, **named: str
    ) -> str:
        """An order that fills at once: a limit one where it stood, a market one where it came."""
        key = self.order(at, side, qty, price if maker else None, **named)
        self.fill(at + 0.001, key, qty, price, maker=maker)
        return key

    def mark(self, at: float, price: float, symbol: str = "AAA") -> None:
        self.flow.marks.setdefault(symbol, []).append((self.ns(at), price))
        self.flow.last_ns = max(self.flow.last_ns, self.ns(at))

    @staticmethod
    def ns(at: float) -> int:
        return T0 + round(at * SECOND)
