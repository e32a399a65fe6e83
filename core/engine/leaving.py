"""The last look at what adds risk, between the moment it was asked for and the moment the disk lets it leave."""

from __future__ import annotations

from bus.effects import NewOrder, ReplaceOrder
from bus.enums import TradingState
from core.engine import ladder
from core.engine.state import State


def may_leave(state: State, request: NewOrder | ReplaceOrder) -> bool:
    """Whether somebody still waits for it and its scope is not held at REDUCING or above."""
    order = state.cold.orders.get(request.cl_ord_id)
    if order is None or not order.is_open:
        return False
    if isinstance(request, ReplaceOrder) and not (order.want_lots and order.revision == request.revision):
        return False  # given up meanwhile
    if not state.cold.kills:
        return True
    spec = state.specs[request.instrument]
    scopes = (f"venue:{spec.venue}", f"strategy:{order.strategy}", f"symbol:{spec.symbol}")
    return ladder.level_of(state.cold.kills, scopes) < TradingState.REDUCING
