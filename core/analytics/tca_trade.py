"""What was done and what the market did meanwhile: the material of cost analysis, collected from a run or a journal.

Quantities are base units (contracts for inverse instruments), prices quote, fees settlement currency, times ns UTC.
None means not known, and stays not known: ``core.analytics.tca_cost`` says why instead of computing with zero.
"""

from __future__ import annotations

import math

import msgspec


class Execution(msgspec.Struct, kw_only=True):
    """One fill. ``mid`` is what a taker saw when it sent, and what stood when a resting order was hit."""

    ts_ns: int  # when it was heard of
    cl_ord_id: str
    venue: str
    symbol: str
    qty: float
    px: float
    fee: float  # positive = paid
    maker: bool
    late: bool = False  # after the order was thought ended
    guessed: bool = False  # price and fee inferred from a status answer, their paper never came
    exec_id: str = ""
    mid: float | None = None
    mid_later: float | None = None  # tau later


class Child(msgspec.Struct, kw_only=True):
    """One order that was sent."""

    cl_ord_id: str
    venue: str
    symbol: str
    kind: str  # market | limit | stop
    qty: float
    sent_ns: int
    px: float | None = None  # its limit
    mid: float | None = None  # when it was sent
    touch: float | None = None  # best price on the other side then
    ack_ns: int = 0  # first word of the venue, 0 = none yet
    status: str = ""
    filled_qty: float = 0.0
    cancels: int = 0  # times it was asked to go
    unknown: bool = False  # its outcome was unknown at some time
    reason: str = ""

    @property
    def ack_ms(self) -> float | None:
        """From sent to the venue's first word, as the core saw it."""
        return (self.ack_ns - self.sent_ns) / 1e6 if self.ack_ns else None


class Interval(msgspec.Struct, kw_only=True):
    """What one tape did from arrival to end."""

    symbol: str
    volume_qty: float = 0.0
    turnover: float = 0.0  # quote


class Trade(msgspec.Struct, kw_only=True):
    """A parent order, or a plain order as the parent of itself, with everything that came of it."""

    id: str
    algo: str  # twap | vwap | pov | is | iceberg | sor; of plain orders market | limit | stop
    symbol: str
    sign: int  # +1 buy, -1 sell
    strategy: str
    purpose: str
    qty: float
    created_ns: int
    start_ns: int = 0  # 0 = never reached the market
    ended_ns: int = 0  # 0 = still works
    status: str = ""
    decision_px: float | None = None
    arrival_px: float | None = None
    end_px: float | None = None
    after_px: float | None = None  # mid tau after the end
    limit_px: float | None = None
    denied: int = 0
    inverse: bool = False
    unit: float = 1.0  # contract value of inverse instruments
    settle_ccy: str = ""
    rate: float | None = None  # account currency per unit of settlement currency, when it was decided
    sigma: float | None = None  # fraction of price per square root of a second, before arrival
    volume_per_s: float | None = None  # base units a second, before arrival
    intervals: list[Interval] = []
    children: list[Child] = []
    fills: list[Execution] = []
    due: list[tuple[int, float]] = []  # (ns, base units that should be filled by then)
    path: list[tuple[int, float]] = []  # (ns, mid) while it worked
    note: str = ""

    @property
    def filled_qty(self) -> float:
        """Of all fills, those after the end included."""
        return math.fsum(fill.qty for fill in self.fills)
