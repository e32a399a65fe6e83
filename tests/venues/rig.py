"""A bench for one simulated venue: make orders and ticks, let time pass, keep what was reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bus.effects import (
    Approval,
    CancelOrder,
    MassCancel,
    NewOrder,
    QueryOpen,
    QueryOrder,
    QueryPositions,
    ReplaceOrder,
)
from bus.enums import OrdType, ReportKind, Side, TimeInForce
from bus.events import Report
from bus.instruments import InstrumentSpec
from core.adapters.faults import FaultPlan
from core.adapters.sim_venue import SimVenue
from core.adapters.venue import VenueEvent
from core.kernels.tables import TICK, TICK_BUY, TICK_QUOTE, TICK_SELL, TICK_TRADE, Table

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
ANY = Approval(layers=511, reducing=False)
SPECS = tuple(
    InstrumentSpec(symbol=s, tick_size=0.1, lot_size=0.01, qty_lots_max=10_000) for s in ("A/USDT", "B/USDT")
)


def new(cl_ord_id: str, side: Side, qty: int, px: int = 0, **more: Any) -> NewOrder:
    """A limit order, a stop order with ``stop_ticks``, or a market order with neither."""
    kind = OrdType.STOP if more.get("stop_ticks") else OrdType.LIMIT if px else OrdType.MARKET
    rest: dict[str, Any] = {"tif": TimeInForce.GTC, "reduce_only": False, "post_only": False}
    rest.update({"instrument": 0, "approval": ANY}, **more)
    return NewOrder(
        cl_ord_id=cl_ord_id, venue=3, side=side, ord_type=kind, qty_lots=qty, price_ticks=px, **rest
    )


def quote(ts_ns: int, bid: int, ask: int, lots: int = 10, instrument: int = 0) -> tuple[Any, ...]:
    return (ts_ns, instrument, TICK_QUOTE, bid, ask, 0, lots, lots, 0, 0)


def trade(ts_ns: int, px: int, lots: int, *, buy: bool, instrument: int = 0) -> tuple[Any, ...]:
    return (ts_ns, instrument, TICK_TRADE | (TICK_BUY if buy else TICK_SELL), 0, 0, px, 0, 0, lots, 0)


def rows(*ticks: tuple[Any, ...]) -> Table:
    return np.array(list(ticks), dtype=TICK)


class Rig:
    """One venue at T0 with a quote of 1000/1001 x 10 lots on every instrument."""

    def __init__(
        self, faults: FaultPlan | None = None, specs: Sequence[InstrumentSpec] = SPECS, **options: Any
    ) -> None:
        settings = {"seed": 5, "latency_ms": 20.0, "jitter_ms": 10.0} | options
        self.venue = SimVenue(3, specs, faults=faults, **settings)
        self.plan = self.venue.faults
        self.now_ns = T0
        self.events: list[VenueEvent] = []
        self.venue.on_ticks(rows(*(quote(T0, 1000, 1001, 10, i) for i in range(len(specs)))))

    def send(self, *orders: NewOrder) -> None:
        for order in orders:
            self.venue.submit(order, self.now_ns)

    def cancel(self, *ids: str) -> None:
        for cl_ord_id in ids:
            self.venue.cancel(CancelOrder(cl_ord_id, 3, 0), self.now_ns)

    def replace(self, cl_ord_id: str, qty: int, px: int = 0, *, stop: int = 0, revision: int = 1) -> None:
        """Change an order; the price and trigger named are those it then has."""
        change = ReplaceOrder(cl_ord_id, 3, 0, qty, px, ANY, revision, stop)
        self.venue.replace(change, self.now_ns)

    def cancel_all(self, instrument: int = -1) -> None:
        self.venue.mass_cancel(MassCancel(3, instrument), self.now_ns)

    def ask(self, *, order: str = "", opened: int = -1, positions: int = -1) -> None:
        if order:
            self.venue.query_order(QueryOrder(order, 3, 0), self.now_ns)
        if opened >= 0:
            self.venue.query_open(QueryOpen(3, opened), self.now_ns)
        if positions >= 0:
            self.venue.query_positions(QueryPositions(3, positions), self.now_ns)

    def wait(self, ms: float = 200.0) -> list[VenueEvent]:
        """Let time pass, waking whenever the venue says so; what came."""
        until_ns = self.now_ns + int(ms * MS)
        came: list[VenueEvent] = []
        while (due_ns := self.venue.next_due_ns()) <= until_ns:
            came += self.venue.due(due_ns)
            assert self.venue.next_due_ns() > due_ns or due_ns == 0
        self.now_ns = until_ns
        self.events += came
        return came

    def feed(self, *ticks: tuple[Any, ...]) -> list[VenueEvent]:
        """Apply ticks, then wait for what they caused."""
        table = rows(*ticks)
        self.venue.on_ticks(table)
        self.now_ns = max(self.now_ns, int(table["ts_ns"][-1]))
        return self.wait()

    def reports(self, cl_ord_id: str) -> list[Report]:
        return [e for e in self.events if isinstance(e, Report) and e.cl_ord_id == cl_ord_id]

    def kinds(self, cl_ord_id: str) -> list[ReportKind]:
        return [report.kind for report in self.reports(cl_ord_id)]
