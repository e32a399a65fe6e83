"""Own resting orders at the simulated venue: price levels with a queue position for each order.

A level counts, in ``gone``, the market's lots that have traded at its price since it was made. An order that
joins behind ``ahead`` lots notes the count at which its turn comes (``turn = gone + ahead``); turns never
decrease along the queue, so only the head of the best level can fill, a trade costs one addition however many
orders wait, and the kernel needs one number: ``turn - gone`` of that head. What fills us does not pass
us by, so own fills are taken off the count again.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from bus.enums import Side, TimeInForce
from bus.events import Report


class SimOrder:
    """The venue's own record of one order. Prices in ticks, quantities in lots; a market order has price 0.

    A stop order has a trigger and stands in no book until the price touches it; then it is a market order.
    """

    __slots__ = (
        "cl_ord_id",
        "cum_lots",
        "end",
        "instrument",
        "lied",
        "post_only",
        "price_ticks",
        "qty_lots",
        "reduce_only",
        "resting",
        "revision",
        "side",
        "stop_ticks",
        "tif",
        "told",
        "trades",
        "turn",
    )

    def __init__(
        self,
        cl_ord_id: str,
        instrument: int,
        side: Side,
        qty_lots: int,
        price_ticks: int,
        tif: TimeInForce = TimeInForce.GTC,
        *,
        reduce_only: bool = False,
        post_only: bool = False,
        stop_ticks: int = 0,
    ) -> None:
        self.cl_ord_id = cl_ord_id
        self.instrument = instrument
        self.side = side
        self.qty_lots = qty_lots
        self.price_ticks = price_ticks
        self.tif = tif
        self.reduce_only = reduce_only
        self.post_only = post_only
        self.stop_ticks = stop_ticks  # 0 = none, or touched already
        self.revision = 0  # the last amendment that has been judged
        self.cum_lots = 0
        self.turn = 0  # see the module's essay
        self.resting = False  # stands in a SideBook
        self.end = ""  # how it ended, "" while it lives
        self.lied = False  # a cancel was confirmed and not carried out
        self.told = False  # its end has been reported already
        self.trades: list[Report] = []  # its executions, told again on a query

    @property
    def sign(self) -> int:
        """+1 buys, -1 sells."""
        return 1 if self.side is Side.BUY else -1

    @property
    def leaves(self) -> int:
        """Lots that can still fill."""
        return 0 if self.end else self.qty_lots - self.cum_lots


class Level:
    """One price: orders in time priority; ended ones are dropped when they come to the front."""

    __slots__ = ("gone", "live", "orders", "px")

    def __init__(self, px: int) -> None:
        self.px = px
        self.orders: deque[SimOrder] = deque()
        self.gone = 0
        self.live = 0

    def head(self) -> SimOrder | None:
        """The order whose turn comes first."""
        while self.orders and self.orders[0].end:
            self.orders.popleft()
        return self.orders[0] if self.orders else None


class SideBook:
    """All own resting orders of one instrument and side. ``sign`` +1 for buys, -1 for sells."""

    __slots__ = ("_heap", "_heaped", "_levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self._levels: dict[int, Level] = {}
        self._heap: list[int] = []  # best price first; a price stays until it comes to the top, level or not
        self._heaped: set[int] = set()

    def best(self) -> Level | None:
        """The level that trades first."""
        while self._heap:
            px = -self.sign * self._heap[0]
            level = self._levels.get(px)
            if level is not None:
                return level
            heappop(self._heap)
            self._heaped.discard(px)
        return None

    def join(self, order: SimOrder, ahead_lots: int) -> None:
        """Queue an order behind ``ahead_lots`` of the market and our earlier orders at its price."""
        px = order.price_ticks
        level = self._levels.get(px)
        if level is None:
            level = self._levels[px] = Level(px)
            if px not in self._heaped:
                heappush(self._heap, -self.sign * px)
                self._heaped.add(px)
        order.turn = level.gone + ahead_lots
        if level.orders:
            order.turn = max(order.turn, level.orders[-1].turn)
        level.orders.append(order)
        level.live += 1
        order.resting = True

    def leave(self, order: SimOrder) -> None:
        """Take out an order that has just ended; its level goes with the last one."""
        level = self._levels[order.price_ticks]
        order.resting = False
        level.live -= 1
        if level.live == 0:
            del self._levels[level.px]

    def withdraw(self, order: SimOrder) -> None:
        """Take out an order that lives on elsewhere: its place in the queue is lost."""
        self._levels[order.price_ticks].orders.remove(order)
        self.leave(order)


class Stops:
    """The stop orders of one instrument, in the order they came."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[str, SimOrder] = {}

    def add(self, order: SimOrder) -> None:
        self._waiting[order.cl_ord_id] = order

    def drop(self, order: SimOrder) -> bool:
        """Whether it was waiting here."""
        return self._waiting.pop(order.cl_ord_id, None) is not None

    def nearest(self, sign: int) -> int:
        """The trigger that is touched first on one side (+1 buys), 0 = none: buys trigger upwards, sells downwards."""
        ticks = [order.stop_ticks for order in self._waiting.values() if order.sign == sign]
        return min(ticks, key=lambda px: px * sign, default=0)

    def touched(self, sign: int, px: int) -> list[SimOrder]:
        """Those that ``px`` sets off."""
        waiting = self._waiting.values()
        return [order for order in waiting if order.sign == sign and (px - order.stop_ticks) * sign >= 0]
