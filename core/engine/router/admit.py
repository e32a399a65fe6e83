"""Whether a venue may be used at all, before anybody looks at its prices. Each refusal is a reason in words."""

from __future__ import annotations

from collections.abc import Sequence

from bus.enums import OrdStatus, TradingState
from core.engine import ladder
from core.engine.config import SECOND_NS
from core.engine.orders import Order
from core.engine.state import State


def open_orders(state: State, instruments: Sequence[int]) -> dict[int, list[Order]]:
    """Open orders of each of ``instruments``, in the order they were made; the list is not walked when none is."""
    found: dict[int, list[Order]] = {i: [] for i in instruments}
    rows = state.positions
    if any(rows["work_buy_lots"].item(i) or rows["work_sell_lots"].item(i) for i in instruments):
        for order in state.working.values():
            if order.instrument in found:
                found[order.instrument].append(order)
    return found


def refusal(state: State, instrument: int, orders: Sequence[Order], *, reduce_only: bool) -> str:
    """Why the instrument's venue is left out, "" when it is not.

    An order whose outcome is unknown takes the venue out until the venue has said what became of it: what it may
    have done there cannot be told, and asking more of a venue that does not answer is no way to find out. Exits are
    not held up by what only forbids entries.
    """
    spec = state.specs[instrument]
    venue = state.cold.venues[state.venue_ids[spec.venue]]
    if not venue.up:
        return f"venue down: {venue.reason}" if venue.reason else "venue down"
    for order in orders:
        if order.status is OrdStatus.PENDING_UNKNOWN:
            return f"outcome of {order.cl_ord_id} unknown"
    if not reduce_only and (why := _no_entries(state, instrument)):
        return why
    budget = state.config.router.messages_per_s
    if sent_lately(state, order_venue(state, instrument), int(budget)) >= budget:
        return f"message budget of {budget:g}/s used up"
    return ""


def _no_entries(state: State, instrument: int) -> str:
    spec = state.specs[instrument]
    venue = state.cold.venues[state.venue_ids[spec.venue]]
    if not venue.reconciled:
        return "not reconciled"
    level = ladder.level_of(state.cold.kills, (f"venue:{spec.venue}", f"symbol:{spec.symbol}"))
    if level >= TradingState.REDUCING:
        return f"{level.name} there"
    if spec.symbol in state.config.restricted:
        return "restricted"
    return ""


def order_venue(state: State, instrument: int) -> int:
    """Venue id of an instrument."""
    return state.venue_ids[state.specs[instrument].venue]


def sent_lately(state: State, venue: int, enough: int) -> int:
    """New orders sent to ``venue`` within the last second, counted no further than ``enough``.

    From the order table itself, newest first: after a restart it says the same.
    """
    since_ns, count = state.cold.now_ns - SECOND_NS, 0
    for order in reversed(state.cold.orders.values()):
        if order.created_ns <= since_ns or count >= enough:
            break
        count += order.venue == venue
    return count
