"""The simulated venue: seeded, synchronous, without I/O or a clock of its own.

Everything happens at a time that the caller gives. A request travels to the venue, is carried out against the
book as it stands when it arrives, and its report travels back; ``due`` hands out what has arrived. The driver's loop:

    while rows remain:
        due_ns = venue.next_due_ns()
        if due_ns <= ts of the next row:  events = venue.due(due_ns); step each; perform effects at due_ns
        else:                             block = rows before due_ns; n = venue.first_touch(block)
                                          step(block[:n]); m = rows consumed; venue.on_ticks(block[:m])
                                          perform effects at the time of row m - 1

``next_due_ns`` also counts what happens *inside* (a request arriving, funding, the link going down or up),
so ``due`` may return nothing; it must be called all the same. The order of ``step`` and ``on_ticks`` on one
block does not matter to the venue: what it does at a row is told after a latency, at the earliest at the
row's own time.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from bus.effects import CancelOrder, MassCancel, NewOrder, QueryOpen, QueryOrder, QueryPositions, ReplaceOrder
from bus.enums import ReportKind
from bus.events import Depth, Funding, OpenOrder, OpenOrders, Positions, Report, VenueStatus
from bus.instruments import InstrumentSpec
from core.adapters.faults import FOREVER_NS, FaultPlan
from core.adapters.sim_exchange import Exchange
from core.adapters.sim_link import MS, Link
from core.adapters.venue import VenueEvent
from core.kernels.tables import Table


class SimVenue:
    """A venue adapter (``core.adapters.venue.Venue``) for simulation, paper trading and replay."""

    def __init__(
        self,
        id: int,
        specs: Sequence[InstrumentSpec],
        *,
        seed: int = 0,
        latency_ms: float = 20.0,
        jitter_ms: float = 10.0,
        faults: FaultPlan | None = None,
        cash: Mapping[str, float] | None = None,
        session: str = "0",
        funding_interval_s: float = 0.0,
        funding_rate: float = 1e-4,
        lists: Sequence[int] | None = None,
        depth_of: Sequence[int] = (),
        depth_hz: float = 2.0,
        depth_levels: int = 5,
    ) -> None:
        """A venue with an empty book; prices come with the first ticks.

        ``specs`` is the whole catalogue: instrument ids index it. ``session`` goes into execution ids and must
        differ from one start to the next where a journal outlives the venue. ``funding_interval_s`` 0 = none.
        ``lists`` are the instruments traded here (None = all): only they are funded here, so that several venues do
        not each fund the same. ``depth_of`` are those whose book is told beyond the best, ``depth_hz`` times a second.
        """
        self.id = id
        self.faults = faults if faults is not None else FaultPlan()
        self._specs = specs
        self._link = Link(seed, latency_ms, jitter_ms, self.faults)
        self._exchange = Exchange(id, specs, self._link, self.faults, cash or {}, session)
        self._matcher = self._exchange.matcher
        self._random = random.Random(f"venue-{seed}")  # noqa: S311  (a simulation)
        self._now_ns = 0
        self._up = True
        self._funding_ns = int(funding_interval_s * 1000) * MS
        self._funding_rate = funding_rate
        self._next_funding_ns = FOREVER_NS
        self._lists = range(len(specs)) if lists is None else lists
        self._depth_of, self._depth_levels = depth_of, depth_levels
        self._depth_ns = int(1e9 / depth_hz) if depth_of and depth_hz > 0.0 else 0
        self._next_depth_ns = FOREVER_NS
        self._told: dict[int, Depth] = {}
        self._edge_ns = FOREVER_NS
        self._plan_version = -1

    def restore(self, positions: Mapping[int, int], orders: Iterable[OpenOrder] = ()) -> None:
        """Begin with positions (signed lots by instrument) and resting orders that nobody here has sent."""
        self._exchange.restore(positions, orders, self._now_ns)

    def positions(self) -> dict[int, int]:
        """The truth: signed lots by instrument, flat ones left out."""
        return self._exchange.positions()

    def open_orders(self) -> list[OpenOrder]:
        """The truth: what could still fill."""
        return self._exchange.open_orders()

    def equity(self) -> dict[str, float]:
        """The venue's own account at mid prices, by settlement currency: a check on the engine's."""
        return self._exchange.ledger.equity([self._matcher.mid_px(i) for i in range(len(self._specs))])

    # -- requests -------------------------------------------------------------------------------------------

    def submit(self, order: NewOrder, now_ns: int) -> None:
        if self._lost(now_ns):
            return
        if self._cut(now_ns):
            self._unknown(order.cl_ord_id, ReportKind.UNKNOWN, now_ns)
            if self.faults.coin():
                return
        self._link.request(now_ns, self._exchange.on_submit, order)

    def replace(self, order: ReplaceOrder, now_ns: int) -> None:
        if self._lost(now_ns):
            return
        if self._cut(now_ns):
            self._unknown(order.cl_ord_id, ReportKind.REPLACE_UNKNOWN, now_ns, order.revision)
            if self.faults.coin():
                return
        self._link.request(now_ns, self._exchange.on_replace, order)

    def cancel(self, order: CancelOrder, now_ns: int) -> None:
        if self._lost(now_ns):
            return
        if self._cut(now_ns):
            self._unknown(order.cl_ord_id, ReportKind.CANCEL_UNKNOWN, now_ns)
            if self.faults.coin():
                return
        self._link.request(now_ns, self._exchange.on_cancel, order.cl_ord_id)

    def mass_cancel(self, request: MassCancel, now_ns: int) -> None:
        if self._lost(now_ns) or (self._cut(now_ns) and self.faults.coin()):
            return
        self._link.request(now_ns, self._exchange.on_mass_cancel, request.instrument)

    def query_order(self, request: QueryOrder, now_ns: int) -> None:
        if not self._lost(now_ns) and not self._query_fails(now_ns):
            self._link.request(now_ns, self._exchange.on_query_order, request.cl_ord_id)

    def query_open(self, request: QueryOpen, now_ns: int) -> None:
        if self._lost(now_ns):
            return
        if why := self._query_fails(now_ns):
            self._local(OpenOrders(self._link.stamp(now_ns), self.id, request.request, False, reason=why))
            return
        self._link.request(now_ns, self._exchange.on_query_open, request.request)

    def query_positions(self, request: QueryPositions, now_ns: int) -> None:
        if self._lost(now_ns):
            return
        if why := self._query_fails(now_ns):
            self._local(Positions(self._link.stamp(now_ns), self.id, request.request, False, reason=why))
            return
        self._link.request(now_ns, self._exchange.on_query_positions, request.request)

    # -- time -----------------------------------------------------------------------------------------------

    def next_due_ns(self) -> int:
        return min(self._wake_ns(), self._link.next_event_ns())

    def due(self, now_ns: int) -> list[VenueEvent]:
        self._pass_to(now_ns)
        return self._link.received(now_ns)

    def first_touch(self, ticks: Table) -> int:
        return self._matcher.first_touch(ticks, self._wake_ns())

    def on_ticks(self, ticks: Table) -> None:
        start, rows = 0, len(ticks)
        while (start := self._matcher.quiet(ticks, start, self._wake_ns())) < rows:
            self._pass_to(int(ticks["ts_ns"][start]))
            self._matcher.act(ticks[start])
            start += 1
        if rows:
            self._pass_to(int(ticks["ts_ns"][-1]))

    def _wake_ns(self) -> int:
        """When something next happens inside: a request arrives, funding falls due, the link goes down or up."""
        if self._now_ns == 0:  # the clock starts with the first tick or request
            return FOREVER_NS
        if self._plan_version != self.faults.version:
            self._plan_version = self.faults.version
            down = self.faults.active("disconnect", self._now_ns)
            moved = down == self._up
            self._edge_ns = self._now_ns if moved else self.faults.next_edge_ns("disconnect", self._now_ns)
        return min(self._link.next_request_ns(), self._edge_ns, self._next_funding_ns, self._next_depth_ns)

    def _pass_to(self, now_ns: int) -> None:
        """Let time pass: whatever falls into it happens in its order."""
        if self._now_ns == 0:
            self._now_ns = now_ns
            if self._funding_ns:
                self._next_funding_ns = (now_ns // self._funding_ns + 1) * self._funding_ns
            if self._depth_ns:
                self._next_depth_ns = (now_ns // self._depth_ns + 1) * self._depth_ns
        while (at_ns := self._wake_ns()) <= now_ns:
            self._now_ns = max(self._now_ns, at_ns)
            if at_ns == self._edge_ns:
                self._edge(at_ns)
            elif (request := self._link.arrived(at_ns)) is not None:
                request[1](request[2], at_ns)
            elif at_ns >= self._next_depth_ns:
                self._show(at_ns)
            else:
                self._fund(at_ns)
        self._now_ns = max(self._now_ns, now_ns)

    def _edge(self, at_ns: int) -> None:
        up = not self.faults.active("disconnect", at_ns)
        if up != self._up:
            self._up = up
            self._local(VenueStatus(at_ns, self.id, up, "" if up else "link down"))
        self._edge_ns = self.faults.next_edge_ns("disconnect", at_ns)

    def _fund(self, at_ns: int) -> None:
        self._next_funding_ns = at_ns + self._funding_ns
        for i in self._lists:
            price = self._matcher.mid_px(i)
            if price > 0:
                rate = self._funding_rate * self._random.uniform(0.5, 1.5)
                self._exchange.ledger.fund(i, rate, price)
                self._link.post(Funding(self._link.stamp(at_ns), i, rate), local=True)

    def _show(self, at_ns: int) -> None:
        """Tell the books that have changed since they were last told; as market data, they come without delay."""
        self._next_depth_ns = at_ns + self._depth_ns
        for i in self._depth_of if self._up else ():
            bids, asks = (
                self._matcher.ladder(i, -1, self._depth_levels),
                self._matcher.ladder(i, 1, self._depth_levels),
            )
            known = self._told.get(i)
            if (bids or asks) and (known is None or (known.bids, known.asks) != (bids, asks)):
                self._told[i] = Depth(at_ns, i, bids, asks)
                self._local(self._told[i])

    # -- faults at the door ---------------------------------------------------------------------------------

    def _lost(self, now_ns: int) -> bool:
        self._pass_to(now_ns)
        return self.faults.strikes("hang", now_ns)

    def _cut(self, now_ns: int) -> bool:
        return self.faults.within("disconnect", now_ns)

    def _query_fails(self, now_ns: int) -> str:
        if self._cut(now_ns):
            return "link down"
        return "service unavailable" if self.faults.strikes("fail_queries", now_ns) else ""

    def _unknown(self, cl_ord_id: str, kind: ReportKind, now_ns: int, revision: int = 0) -> None:
        due_ns = self._link.stamp(now_ns)
        self._local(Report(due_ns, self.id, cl_ord_id, kind, reason="link down", revision=revision))

    def _local(self, event: VenueEvent) -> None:
        self._link.post(event, local=True)
