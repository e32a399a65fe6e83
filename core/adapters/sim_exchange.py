"""What happens at the simulated venue once a request has arrived: refuse, match, cancel, answer.

The truth is here, and answers to queries are the truth. What is *reported* passes through the faults on its way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bus.effects import NewOrder, ReplaceOrder
from bus.enums import OrdType, ReportKind, Side, TimeInForce
from bus.events import OpenOrder, OpenOrders, Positions, Report, VenuePosition
from bus.instruments import InstrumentSpec
from core.adapters.faults import FaultPlan
from core.adapters.sim_book import SimOrder
from core.adapters.sim_ledger import Ledger
from core.adapters.sim_link import MS, Link
from core.adapters.sim_matcher import Matcher

REMEMBERED = 50_000  # ended orders kept for queries and for refusing their ids
AFTER_CANCEL_MS = (30.0, 500.0)  # how long after the CANCELED a fill is told under fill_after_cancel


class Exchange:
    """Orders, matching and answers of one venue. Times are ns UTC at the venue."""

    def __init__(
        self,
        venue: int,
        specs: Sequence[InstrumentSpec],
        link: Link,
        faults: FaultPlan,
        cash: Mapping[str, float],
        session: str,
    ) -> None:
        self.ledger = Ledger(specs, cash)
        self.matcher = Matcher(specs, self.ledger, self)
        self._venue = venue
        self._specs = specs
        self._link = link
        self._faults = faults
        self._session = session
        self._orders: dict[str, SimOrder] = {}
        self._open: dict[str, SimOrder] = {}
        self._ended: deque[str] = deque()
        self._executions = 0
        self._held_ns = 0  # how long the executions now made are held back before they are told
        self._positions_lied = False

    def restore(self, positions: Mapping[int, int], orders: Iterable[OpenOrder], now_ns: int) -> None:
        """Take over positions (signed lots by instrument) and resting orders without a word about them."""
        for instrument, lots in positions.items():
            self.ledger.positions[instrument] = lots
        for row in orders:
            order = SimOrder(
                row.cl_ord_id,
                row.instrument,
                row.side,
                row.qty_lots,
                row.price_ticks,
                reduce_only=row.reduce_only,
                stop_ticks=row.stop_ticks,
            )
            order.cum_lots = row.cum_lots
            self._orders[row.cl_ord_id] = self._open[row.cl_ord_id] = order
            self.matcher.place(order, now_ns)

    def positions(self) -> dict[int, int]:
        """Signed lots by instrument, flat ones left out."""
        return {i: lots for i, lots in enumerate(self.ledger.positions) if lots}

    def open_orders(self) -> list[OpenOrder]:
        """What could still fill."""
        return [
            OpenOrder(
                o.cl_ord_id,
                o.instrument,
                o.side,
                o.qty_lots,
                o.cum_lots,
                o.price_ticks,
                o.stop_ticks,
                o.reduce_only,
            )
            for o in self._open.values()
        ]

    # -- requests that have arrived -------------------------------------------------------------------------

    def on_submit(self, new: NewOrder, at_ns: int) -> None:
        if why := self._refusal(new, at_ns):
            self._report(new.cl_ord_id, ReportKind.REJECTED, at_ns, reason=why)
            return
        limit = new.ord_type is OrdType.LIMIT
        order = SimOrder(
            new.cl_ord_id,
            new.instrument,
            new.side,
            new.qty_lots,
            new.price_ticks if limit else 0,
            new.tif if limit or new.tif is TimeInForce.FOK else TimeInForce.IOC,
            reduce_only=new.reduce_only,
            post_only=new.post_only,
            stop_ticks=new.stop_ticks if new.ord_type is OrdType.STOP else 0,
        )
        if order.post_only and self.matcher.crosses(order):
            self._report(new.cl_ord_id, ReportKind.REJECTED, at_ns, reason="post only would take")
            return
        self._orders[order.cl_ord_id] = self._open[order.cl_ord_id] = order
        self._report(order.cl_ord_id, ReportKind.ACK, at_ns, cum_lots=0)
        self.matcher.place(order, at_ns, halve=self._halves(order, at_ns))

    def _halves(self, order: SimOrder, at_ns: int) -> bool:
        takes = order.stop_ticks == 0 and self.matcher.room(order) > 0
        return takes and self._faults.strikes("half_fill", at_ns)

    def _refusal(self, new: NewOrder, at_ns: int) -> str:
        """Why the venue will not have this order, "" if it will."""
        if not 0 <= new.instrument < len(self._specs):
            return "unknown instrument"
        spec = self._specs[new.instrument]
        ticks = {OrdType.LIMIT: new.price_ticks, OrdType.STOP: new.stop_ticks}.get(new.ord_type)
        if new.cl_ord_id in self._orders:
            return "duplicate"
        if not spec.qty_lots_min <= new.qty_lots <= spec.qty_lots_max:
            return f"quantity outside {spec.qty_lots_min}..{spec.qty_lots_max} lots"
        if ticks is not None and ticks <= 0:
            return "price not positive"
        price = self.matcher.mid_px(new.instrument) if ticks is None else ticks * spec.tick_size
        if price <= 0:
            return "no market price"
        if new.reduce_only:
            if self.ledger.closable(new.instrument, 1 if new.side is Side.BUY else -1) == 0:
                return "reduce only: nothing to close"
        elif new.qty_lots * spec.lot_value(price) < spec.notional_min:
            return f"notional below {spec.notional_min:g} {spec.settle}"
        return "refused" if self._faults.strikes("reject", at_ns) else ""

    def on_replace(self, change: ReplaceOrder, at_ns: int) -> None:
        order = self._open.get(change.cl_ord_id)
        if order is None:
            known = self._orders.get(change.cl_ord_id)
            why = "unknown order" if known is None else f"already {known.end}"
            self._refuse(change, at_ns, why)
            return
        if change.revision <= order.revision:
            self._told(order, ReportKind.REPLACED, at_ns)  # asked twice, done once
            return
        order.revision = change.revision
        if why := self._change_refusal(order, change, at_ns):
            self._refuse(change, at_ns, why)
            return
        lots = max(change.qty_lots, order.cum_lots)  # what has filled cannot be taken back
        moved = self.matcher.amend(order, lots, change.price_ticks, change.stop_ticks)
        self._told(order, ReportKind.REPLACED, at_ns)
        if order.leaves == 0:
            self.matcher.close(order)
            self._forget(order)
        elif moved:
            self.matcher.place(order, at_ns)

    def _change_refusal(self, order: SimOrder, change: ReplaceOrder, at_ns: int) -> str:
        spec = self._specs[order.instrument]
        if not spec.qty_lots_min <= change.qty_lots <= spec.qty_lots_max:
            return f"quantity outside {spec.qty_lots_min}..{spec.qty_lots_max} lots"
        if bool(change.price_ticks > 0) != bool(order.price_ticks) or bool(change.stop_ticks > 0) != bool(
            order.stop_ticks
        ):
            return "a price or trigger that the order's type does not have"
        if order.post_only and self.matcher.would_cross(order, change.price_ticks):
            return "post only would take"
        return "refused" if self._faults.strikes("reject", at_ns) else ""

    def _refuse(self, change: ReplaceOrder, at_ns: int, why: str) -> None:
        self._link.post(
            Report(
                self._link.stamp(at_ns),
                self._venue,
                change.cl_ord_id,
                ReportKind.REPLACE_REJECTED,
                reason=why,
                revision=change.revision,
            )
        )

    def _told(self, order: SimOrder, kind: ReportKind, at_ns: int) -> None:
        """A report that shows the order as it stands."""
        self._link.post(
            Report(
                self._link.stamp(at_ns),
                self._venue,
                order.cl_ord_id,
                kind,
                cum_lots=order.cum_lots,
                order_lots=order.qty_lots,
                order_ticks=order.price_ticks,
                revision=order.revision,
                order_stop=order.stop_ticks,
            )
        )

    def on_cancel(self, cl_ord_id: str, at_ns: int) -> None:
        order = self._open.get(cl_ord_id)
        if order is None:
            known = self._orders.get(cl_ord_id)
            why = "unknown order" if known is None else f"already {known.end}"
            self._report(cl_ord_id, ReportKind.CANCEL_REJECTED, at_ns, reason=why)
            return
        self._cancel(order, at_ns)

    def on_mass_cancel(self, instrument: int, at_ns: int) -> None:
        for order in [o for o in self._open.values() if instrument in (-1, o.instrument)]:
            self._cancel(order, at_ns)

    def _cancel(self, order: SimOrder, at_ns: int) -> None:
        cum = order.cum_lots
        if self._faults.strikes("reject", at_ns):
            self._report(order.cl_ord_id, ReportKind.CANCEL_REJECTED, at_ns, cum_lots=cum, reason="refused")
            return
        if not order.lied and self._faults.strikes("lie", at_ns):
            order.lied = True
            self._report(order.cl_ord_id, ReportKind.CANCELED, at_ns, cum_lots=cum)
            return
        if order.resting and self._faults.strikes("fill_after_cancel", at_ns):
            self._fill_first(order, at_ns)
        self.matcher.end(order, ReportKind.CANCELED, "", at_ns)

    def _fill_first(self, order: SimOrder, at_ns: int) -> None:
        """The order has traded before the cancel came, and that is told after the CANCELED."""
        self._report(order.cl_ord_id, ReportKind.CANCELED, at_ns, cum_lots=order.cum_lots)
        order.told = True
        self._held_ns = int(self._faults.uniform(*AFTER_CANCEL_MS) * MS)
        self.matcher.fill_resting(order, self._faults.lots(order.leaves), at_ns)
        self._held_ns = 0
        if not order.end:
            self.matcher.end(order, ReportKind.CANCELED, "", at_ns)

    def on_query_order(self, cl_ord_id: str, at_ns: int) -> None:
        order = self._orders.get(cl_ord_id)
        if order is None:
            self._report(cl_ord_id, ReportKind.NOT_FOUND, at_ns)
            return
        for trade in order.trades:
            self._again(trade, at_ns)
        if not order.end or order.end == "filled":  # nothing left of it says that it is filled
            self._told(order, ReportKind.STATUS, at_ns)
        else:
            self._report(cl_ord_id, ReportKind[order.end.upper()], at_ns, cum_lots=order.cum_lots)

    def on_query_open(self, request: int, at_ns: int) -> None:
        orders = tuple(self.open_orders())
        self._link.post(OpenOrders(self._link.stamp(at_ns), self._venue, request, True, orders))

    def on_query_positions(self, request: int, at_ns: int) -> None:
        rows = tuple(VenuePosition(i, lots) for i, lots in self.positions().items())
        if rows and not self._positions_lied and self._faults.strikes("lie", at_ns):
            self._positions_lied = True
            rows = ()
        self._link.post(Positions(self._link.stamp(at_ns), self._venue, request, True, rows))

    # -- reports --------------------------------------------------------------------------------------------

    def traded(
        self, order: SimOrder, lots: int, px_ticks: float, fee: float, maker: bool, at_ns: int
    ) -> None:
        """The matcher has made an execution."""
        self._executions += 1
        report = Report(
            self._link.stamp(at_ns, self._held_ns),
            self._venue,
            order.cl_ord_id,
            ReportKind.TRADE,
            exec_id=f"{self._venue}-{self._session}-{self._executions}",
            last_lots=lots,
            px_ticks=px_ticks,
            cum_lots=order.cum_lots,
            fee=fee,
            maker=maker,
        )
        order.trades.append(report)
        self._link.post(report)
        if order.end:
            self._forget(order)

    def ended(self, order: SimOrder, kind: ReportKind, reason: str, at_ns: int) -> None:
        """The matcher has ended an order that is not filled."""
        if not order.told:
            self._report(order.cl_ord_id, kind, at_ns, cum_lots=order.cum_lots, reason=reason)
        self._forget(order)

    def _report(
        self, cl_ord_id: str, kind: ReportKind, at_ns: int, cum_lots: int = -1, reason: str = ""
    ) -> None:
        due_ns = self._link.stamp(at_ns)
        self._link.post(Report(due_ns, self._venue, cl_ord_id, kind, cum_lots=cum_lots, reason=reason))

    def _again(self, trade: Report, at_ns: int) -> None:
        """Tell an execution once more, with its own id."""
        self._link.post(msgspec.structs.replace(trade, ts_ns=self._link.stamp(at_ns)))

    def _forget(self, order: SimOrder) -> None:
        """An ended order leaves the open ones, and in the end the memory."""
        self._open.pop(order.cl_ord_id, None)
        self._ended.append(order.cl_ord_id)
        if len(self._ended) > REMEMBERED:
            self._orders.pop(self._ended.popleft(), None)
