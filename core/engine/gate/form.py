"""Layer 1, FORM: the order makes sense by itself."""

from __future__ import annotations

from bus.enums import OrdType, TimeInForce
from core.engine.gate.wish import Refusal, Wish
from core.engine.state import State

LOTS_MAX = 1 << 40  # beyond this sums of lots could overflow; no instrument comes near


def known(state: State, wish: Wish) -> bool:
    """The instrument exists (everything behind this layer indexes tables with it)."""
    return 0 <= wish.instrument < len(state.specs)


def check(state: State, wish: Wish, _reducing: bool) -> Refusal | None:
    """Known instrument and enums, positive lots, a price exactly where the type needs one."""
    if not known(state, wish):
        return "UNKNOWN_INSTRUMENT", float(wish.instrument), None, "no such instrument in the catalogue"
    if not 0 < wish.qty_lots < LOTS_MAX:
        return "BAD_QUANTITY", float(wish.qty_lots), 1.0, "quantity must be at least one lot"
    if wish.ord_type is OrdType.LIMIT and not 0 < wish.price_ticks < LOTS_MAX:
        return "BAD_PRICE", float(wish.price_ticks), 1.0, "a limit order needs a price of at least one tick"
    if wish.ord_type is not OrdType.LIMIT and wish.price_ticks != 0:
        return "PRICE_ON_MARKET", float(wish.price_ticks), 0.0, "a market or stop order has no price"
    if (wish.ord_type is OrdType.STOP) != (wish.stop_ticks != 0) or not 0 <= wish.stop_ticks < LOTS_MAX:
        return "BAD_STOP", float(wish.stop_ticks), 1.0, "a stop order, and only it, has a trigger"
    if wish.post_only and (wish.ord_type is not OrdType.LIMIT or wish.tif is not TimeInForce.GTC):
        return "POST_ONLY", None, None, "post-only is for resting limit orders"
    return None
