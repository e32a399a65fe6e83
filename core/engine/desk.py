"""What the gate keeps at hand, so that judging an order looks at no other: own orders by instrument, strategy, venue.

All of it follows from the open orders, so none is in a snapshot: ``State.desk`` is rebuilt from them after a load. Own
resting prices are heaps whose stale entries are dropped when they come to the top: adding costs a push, removing
nothing, the best price a look. Whatever opens, closes or amends an order says so here (``State.add_working``,
``moves``, ``fills``).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any

import msgspec

from bus.enums import OrdType, Side
from core.engine.orders import Order

LIMIT, BUY = OrdType.LIMIT, Side.BUY  # looked up once, not once an order
STALE_MAX = 16  # entries a heap may hold beyond twice the live ones before it is made afresh


class Bucket(msgspec.Struct):
    """Messages of one scope: a bucket that leaks at the scope's rate."""

    used: float = 0.0  # messages
    ts_ns: int = 0  # as of


class Override(msgspec.Struct, kw_only=True):
    """A limit set aside for a time: asked for by one person, granted by another."""

    id: str
    code: str  # of the refusal it lifts
    scope: str
    value: float | None = None  # the limit that holds instead; None = none
    minutes: float
    asked_by: str
    asked_ns: int
    reason: str = ""
    granted_by: str = ""  # empty = waiting
    granted_ns: int = 0
    until_ns: int = 0
    uses: int = 0


class Quotes(msgspec.Struct):
    """Own limit orders on one side of one instrument: prices as keys that sort best first."""

    heap: list[tuple[int, str]] = []
    live: dict[str, Order] = {}


class Desk:
    """Indexes over the open orders of one state."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self.limits: dict[
            tuple[str, int], Any
        ] = {}  # resolved limits by (strategy, instrument): gate/tight.py
        self.lanes: dict[tuple[str, int], Any] = {}  # what is fixed of a pair: gate/short.py
        self.sides: dict[tuple[int, Side], Quotes] = {}
        self.pairs: dict[tuple[str, int], dict[str, Order]] = {}  # (strategy, instrument) -> its open orders
        self.by_strategy: dict[str, int] = {}  # open orders
        self.by_instrument: dict[int, int] = {}
        self.by_venue: dict[int, int] = {}
        for order in orders:
            self.add(order)

    def forget_limits(self) -> None:
        """A limit has changed: what was resolved from them is resolved again."""
        self.limits.clear()
        self.lanes.clear()

    def add(self, order: Order) -> None:
        """An order counts as open from now on."""
        id_, pair = order.cl_ord_id, self.pairs.get((order.strategy, order.instrument))
        if pair is None:
            pair = self.pairs[order.strategy, order.instrument] = {}
        elif id_ in pair:
            return
        pair[id_] = order
        self._count(order, 1)
        if order.ord_type is LIMIT:
            side = self._side(order)
            side.live[id_] = order
            if order.price_ticks and not order.want_ticks and len(side.heap) < 2 * len(side.live) + STALE_MAX:
                ticks = order.price_ticks
                heapq.heappush(side.heap, (-ticks if order.side is BUY else ticks, id_))
            else:
                self.repriced(order)

    def remove(self, order: Order) -> None:
        """It has ceased to count; a second word about it changes nothing."""
        pair = self.pairs.get((order.strategy, order.instrument), {})
        if pair.pop(order.cl_ord_id, None) is None:
            return
        if not pair:
            del self.pairs[order.strategy, order.instrument]
        self._count(order, -1)
        if order.ord_type is OrdType.LIMIT:
            self._side(order).live.pop(order.cl_ord_id, None)

    def repriced(self, order: Order) -> None:
        """Its price has changed, or may: an order under amendment stands at both."""
        side = self._side(order)
        if order.cl_ord_id not in side.live:
            return
        sign = -1 if order.side is Side.BUY else 1
        for ticks in (order.price_ticks, order.want_ticks):
            if ticks:
                heapq.heappush(side.heap, (sign * ticks, order.cl_ord_id))
        if len(side.heap) > 2 * len(side.live) + STALE_MAX:
            side.heap = [(sign * o.price_ticks, key) for key, o in side.live.items()]
            side.heap += [(sign * o.want_ticks, key) for key, o in side.live.items() if o.want_ticks]
            heapq.heapify(side.heap)

    def best_ticks(self, instrument: int, side: Side) -> int:
        """Our own best open limit price on ``side`` (highest buy, lowest sell), 0 when none."""
        own = self.sides.get((instrument, side))
        if own is None:
            return 0
        while own.heap:
            key, id_ = own.heap[0]
            order = own.live.get(id_)
            if order is not None and abs(key) in (order.price_ticks, order.want_ticks):
                return abs(key)
            heapq.heappop(own.heap)
        return 0

    def pending_lots(self, strategy: str, instrument: int, side: Side) -> int:
        """Lots of a strategy's own orders on one side that could still fill."""
        pair = self.pairs.get((strategy, instrument))
        return sum(o.working_lots for o in pair.values() if o.side is side) if pair else 0

    def _side(self, order: Order) -> Quotes:
        key = (order.instrument, order.side)
        own = self.sides.get(key)
        if own is None:
            own = self.sides[key] = Quotes()
        return own

    def _count(self, order: Order, by: int) -> None:
        strategies, instruments, venues = self.by_strategy, self.by_instrument, self.by_venue
        strategies[order.strategy] = strategies.get(order.strategy, 0) + by
        instruments[order.instrument] = instruments.get(order.instrument, 0) + by
        venues[order.venue] = venues.get(order.venue, 0) + by
