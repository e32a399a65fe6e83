"""Own flow as rows, collected from what a journal holds: events, their audit lines, and tick blocks.

``Flow.take`` reads one record's event and lines; ``Flow.ticks`` samples marks near the end of a day. It needs no engine
and no replay: an order is known from the line that approved it, an execution from the venue's report. So the same rows
come out of a running core, of a journal of another build, and of an export.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from bus import trail
from bus.carried import carried_by
from bus.enums import ReportKind
from bus.events import Boot, Report
from bus.instruments import InstrumentSpec
from bus.trail import Line

SECOND_NS = 1_000_000_000
EVIDENCE_MAX = 20  # order ids in one finding
EXEC_IDS_MAX = 200_000
_ENDS = (ReportKind.CANCELED, ReportKind.EXPIRED, ReportKind.REJECTED, ReportKind.NOT_SENT)


class OwnOrder(msgspec.Struct, kw_only=True):
    """One order of ours. Quantities in base units, price in quote (None = market), times ns UTC (0 = not yet)."""

    id: str
    symbol: str
    venue: str
    owner: str  # strategy, operator, or the kill
    side: int  # +1 buy, -1 sell
    qty: float
    price: float | None
    created_ns: int
    ended_ns: int = 0
    cancel_ns: int = 0  # first asked for
    cancel_by: str = ""
    filled: float = 0.0
    amends_ns: list[int] = []

    @property
    def own_cancel(self) -> bool:
        """Withdrawn by who owns it; not by a kill, a stop, or another person."""
        return self.cancel_ns > 0 and self.cancel_by == self.owner

    def lives_at(self, ts_ns: int) -> bool:
        """Shown at ``ts_ns``, as far as we know."""
        return self.created_ns <= ts_ns and (self.ended_ns == 0 or self.ended_ns > ts_ns)


class OwnFill(NamedTuple):
    """One execution of ours."""

    ts_ns: int
    order: str
    symbol: str
    venue: str
    owner: str
    side: int
    qty: float
    price: float
    maker: bool


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One pattern. ``score`` is 0..1, 0.5 at the threshold; ``why`` holds the numbers in words."""

    kind: str
    who: str  # owners, comma between
    symbol: str
    from_ns: int
    to_ns: int
    orders: tuple[str, ...]  # evidence, at most EVIDENCE_MAX
    score: float
    why: str

    @property
    def key(self) -> str:
        """What stays the same while an episode grows."""
        return f"{self.kind}:{self.symbol}:{self.who}:{self.from_ns}"


class Flow:
    """Rows of one account, in time order. ``close_window_s``: marks are kept this long before each day's end."""

    def __init__(self, close_window_s: float = 300.0) -> None:
        self.orders: dict[str, OwnOrder] = {}
        self.fills: list[OwnFill] = []
        self.marks: dict[str, list[tuple[int, float]]] = {}  # symbol -> (ns UTC, price), at most one a second
        self.closes_ns: tuple[int, ...] = ()
        self.first_ns = 0
        self.last_ns = 0
        self.dropped = 0  # orders and fills pruned
        self._window_ns = int((close_window_s + 60.0) * SECOND_NS)
        self._specs: tuple[InstrumentSpec, ...] = ()
        self._by_symbol: dict[str, InstrumentSpec] = {}
        self._exec_ids: dict[str, None] = {}

    # -- taking in

    def take(self, ts_ns: int, event: Any, lines: Sequence[Line]) -> None:
        """One record; ``event`` may be None when it is of no interest."""
        self.first_ns = self.first_ns or ts_ns
        self.last_ns = max(self.last_ns, ts_ns)
        if isinstance(event, Boot):
            self._boot(event)
        elif isinstance(event, Report):
            self._report(event)
        for line in lines:
            if line.what == trail.ORDER:
                self._order(ts_ns, line)
            elif line.what == trail.CANCEL:
                self._cancel(ts_ns, line)
            elif line.what == trail.REPLACE and line.order in self.orders:
                self.orders[line.order].amends_ns.append(ts_ns)

    def near_close(self, ts_ns: int) -> bool:
        """Whether ticks of this time are worth a look."""
        first, last = self.close_span(ts_ns)
        return first <= ts_ns <= last

    def close_span(self, ts_ns: int) -> tuple[int, int]:
        """ns UTC, between which marks are kept around the next end of a day; (0, 0) when none is known."""
        n = bisect_left(self.closes_ns, ts_ns - SECOND_NS)
        if n == len(self.closes_ns):
            return 0, 0
        return self.closes_ns[n] - self._window_ns, self.closes_ns[n] + SECOND_NS

    def ticks(self, rows: npt.NDArray[np.void]) -> None:
        """Marks from a block (dtype TICK): the mid where both sides are there, else the last trade."""
        if not len(rows) or not self._specs:
            return
        ts_ns = int(rows["ts_ns"][-1])
        if not self.near_close(ts_ns):
            return
        for i in np.unique(rows["instrument"]).tolist():
            row = rows[rows["instrument"] == i][-1]
            spec = self._specs[i]
            bid, ask, last = int(row["bid_ticks"]), int(row["ask_ticks"]), int(row["last_ticks"])
            mark = (bid + ask) / 2 if bid > 0 and ask > 0 else float(last)
            known = self.marks.setdefault(spec.symbol, [])
            if mark > 0 and (not known or ts_ns - known[-1][0] >= SECOND_NS):
                known.append((ts_ns, mark * spec.tick_size))

    def prune(self, before_ns: int) -> None:
        """Forget what ended before ``before_ns``: a running core keeps a bounded window."""
        was = len(self.orders) + len(self.fills)
        self.orders = {k: o for k, o in self.orders.items() if not 0 < o.ended_ns < before_ns}
        self.fills = [fill for fill in self.fills if fill.ts_ns >= before_ns]
        self.marks = {s: [m for m in rows if m[0] >= before_ns] for s, rows in self.marks.items()}
        self.dropped += was - len(self.orders) - len(self.fills)

    # -- parts

    def _boot(self, boot: Boot) -> None:
        carried = carried_by(boot)
        if carried is not None:
            self._specs = carried.instruments
            self.closes_ns = tuple(sorted({*self.closes_ns, *carried.day_opens_ns}))
            self._by_symbol = {spec.symbol: spec for spec in carried.instruments}

    def _order(self, ts_ns: int, line: Line) -> None:
        self.orders[line.order] = OwnOrder(
            id=line.order,
            symbol=line.symbol,
            venue=line.target,
            owner=line.who,
            side=1 if line.side == "buy" else -1,
            qty=line.qty or 0.0,
            price=line.price,
            created_ns=ts_ns,
        )

    def _cancel(self, ts_ns: int, line: Line) -> None:
        order = self.orders.get(line.order)
        if order is not None and not order.cancel_ns:
            order.cancel_ns, order.cancel_by = ts_ns, line.who

    def _report(self, report: Report) -> None:
        order = self.orders.get(report.cl_ord_id)
        if order is None:
            return
        if report.kind in _ENDS:
            order.ended_ns = order.ended_ns or report.ts_ns
        elif report.kind is ReportKind.REPLACED:
            self._replaced(order, report)
        elif report.kind is ReportKind.TRADE and report.exec_id not in self._exec_ids:
            self._fill(order, report)

    def _replaced(self, order: OwnOrder, report: Report) -> None:
        spec = self._by_symbol.get(order.symbol)
        if spec is not None and report.order_lots > 0:
            order.qty = spec.qty_of(report.order_lots)
        if spec is not None and report.order_ticks > 0:
            order.price = spec.price_of(report.order_ticks)

    def _fill(self, order: OwnOrder, report: Report) -> None:
        spec = self._by_symbol.get(order.symbol)
        if spec is None or report.last_lots <= 0:
            return
        self._exec_ids[report.exec_id] = None
        if len(self._exec_ids) > EXEC_IDS_MAX:
            del self._exec_ids[next(iter(self._exec_ids))]
        qty, price = spec.qty_of(report.last_lots), report.px_ticks * spec.tick_size
        order.filled += qty
        if order.filled >= order.qty * (1 - 1e-9):
            order.ended_ns = order.ended_ns or report.ts_ns
        fill = OwnFill(
            report.ts_ns,
            order.id,
            order.symbol,
            order.venue,
            order.owner,
            order.side,
            qty,
            price,
            report.maker,
        )
        self.fills.append(fill)


def evidence(ids: Sequence[str]) -> tuple[str, ...]:
    """Order ids, each once, in order of appearance, bounded."""
    return tuple(dict.fromkeys(ids))[:EVIDENCE_MAX]
