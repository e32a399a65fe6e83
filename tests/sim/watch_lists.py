"""What must be true of order lists and amendments, judged from effects and fills.

I11  no exit of a list is sent for more than its entry has filled and its exits have not, none under a kill that
     flattens
I12  nothing that flattens leaves an exit; at rest no protective stop is larger than the position it guards, and none
     works on the side that would enlarge it
I16  after every step a list that guards something has its stop at work and of the right size, or an answer on its way,
     or an appointment to place it, or somebody is closing there: no stop is forgotten
"""

from __future__ import annotations

from collections import Counter

from bus.effects import NewOrder, ReplaceOrder
from bus.enums import OPEN_STATUSES, Side, TradingState
from core.engine import list_stops, lists
from core.engine.ladder import Kill
from core.engine.listed import OrderList
from core.engine.orders import FACES, Order
from core.engine.scopes import in_scope
from core.engine.state import State


class ListWatch:
    """Own counts of what each order has filled, and the lists judged by them."""

    def __init__(self, owner) -> None:
        self._owner = owner  # has ``state``: a restart replaces it
        self.filled: Counter[str] = Counter()  # client order id -> lots told
        self.sent = 0
        self.replaced = 0

    @property
    def state(self) -> State:
        return self._owner.state

    def on_fill(self, cl_ord_id: str, lots: int) -> None:
        self.filled[cl_ord_id] += lots

    def on_exit(self, effect: NewOrder | ReplaceOrder, order: Order) -> str:
        """Why this may not be sent, "" when it may."""
        self.replaced += isinstance(effect, ReplaceOrder)
        held = lists.find(self.state, order.list_id) if order.list_id else None
        if held is None or order.cl_ord_id == held.entry:
            return ""
        self.sent += 1
        flattens = [k for k in self.state.cold.kills.values() if k.level >= TradingState.FLATTENING]
        if any(in_scope(self.state, order, kill.scope) for kill in flattens):
            return f"{effect} under a kill that flattens"
        legs = [o for o in self.state.cold.orders.values() if o.list_id == held.id]
        entered = self.filled[held.entry] if held.entry else held.qty_lots
        exited = sum(self.filled[o.cl_ord_id] for o in legs if o.cl_ord_id != held.entry)
        asks = effect.qty_lots - (self.filled[order.cl_ord_id] if isinstance(effect, ReplaceOrder) else 0)
        return "" if asks <= entered - exited else f"{effect} for {entered} entered and {exited} exited"

    def counted(self, instrument: int, side: Side, later: dict[str, None]) -> int:
        """Lots that could fill on one side, exits of one list once."""
        total, pairs = 0, dict[str, int]()
        for order in self.state.cold.orders.values():
            if order.instrument != instrument or order.side is not side or order.status not in OPEN_STATUSES:
                continue
            if order.cl_ord_id in later:
                continue
            left = max(order.qty_lots, order.want_lots, order.filled_lots) - order.filled_lots
            held = lists.find(self.state, order.list_id)
            if held is not None and order.reduce_only and order.cl_ord_id in (held.take, held.stop):
                pairs[held.id] = max(pairs.get(held.id, 0), left)
            else:
                total += left
        return total + sum(pairs.values())

    def may_stay(self, order: Order) -> bool:
        """A protective stop of a position, where the configuration keeps it and nothing flattens."""
        if not order.protects or self.state.config.protective_on_cancel_all == "cancel":
            return False
        flattens = [k for k in self.state.cold.kills.values() if k.level >= TradingState.FLATTENING]
        return not any(in_scope(self.state, order, kill.scope) for kill in flattens) and self._guards(order)

    def _guards(self, order: Order) -> bool:
        held = self.state.qty(order.instrument)
        return held * (1 if order.side is Side.BUY else -1) < 0 and order.leaves_lots <= abs(held)

    def left_by(self, kill: Kill) -> list[str]:
        """Exits in the scope of a kill that flattens."""
        return [
            o.cl_ord_id
            for o in self.state.working.values()
            if o.list_id and o.reduce_only and in_scope(self.state, o, kill.scope)
        ]

    def forgotten(self) -> str:
        """A list whose stop nobody is going to see to, "" when there is none."""
        due = (
            {key for _, _, kind, key in self.state.cold.timers if kind == "list"}
            if self.state.cold.lists
            else set()
        )
        for held in self.state.cold.lists.values():
            wanted = held.stop_ticks and not held.stop_off and held.guard_lots
            if (
                wanted
                and held.id not in due
                and not list_stops.closing(self.state, held)
                and not self._stands(held)
            ):
                return f"{held} without its stop"
        return ""

    def _stands(self, held: OrderList) -> bool:
        stop = self.state.working.get(held.stop)
        if stop is None or stop.status not in FACES or stop.cancels or stop.want_lots:
            return stop is not None  # its next report has the list looked at
        return stop.leaves_lots == min(held.guard_lots, self.state.specs[held.instrument].qty_lots_max)

    def check_rest(self) -> None:
        """At the end of the world."""
        for order in self.state.working.values():
            assert not order.protects or self._guards(order), f"I12: {order} guards nothing"
            assert not order.want_lots, f"I12: {order} is never answered"
        for kill in self.state.cold.kills.values():
            if kill.level >= TradingState.FLATTENING:
                assert not self.left_by(kill), f"I12: {kill.key} leaves {self.left_by(kill)}"
