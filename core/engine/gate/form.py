"""Layer 1, FORM: the order makes sense by itself."""

from __future__ import annotations

from bus.enums import OrdType, TimeInForce
from core.engine.gate.case import Case
from core.engine.gate.wish import Refusal, Shown, Wish
from core.engine.state import State

LIMIT, STOP = OrdType.LIMIT, OrdType.STOP  # an enum's member costs 75 ns to look up: once, not once an order
LOTS_MAX = 1 << 40  # beyond this sums of lots could overflow; no instrument comes near


def known(state: State, wish: Wish) -> bool:
    """The instrument exists (everything behind this layer indexes tables with it)."""
    return 0 <= wish.instrument < len(state.specs)


def check(case: Case) -> Refusal | None:
    """Known instrument, whole positive lots, a price and a trigger exactly where the type needs one."""
    wish = case.wish
    if not known(case.state, wish):
        return "UNKNOWN_INSTRUMENT", float(wish.instrument), None, "no such instrument in the catalogue"
    if not _whole(wish.qty_lots):
        return "BAD_QUANTITY", float(wish.qty_lots), 1.0, "quantity must be at least one lot"
    if wish.post_only and (wish.ord_type is not LIMIT or wish.tif is not TimeInForce.GTC):
        return "POST_ONLY", None, None, "post-only is for resting limit orders"
    return _prices(wish)


def _prices(wish: Wish) -> Refusal | None:
    if wish.ord_type is LIMIT:
        if not _whole(wish.price_ticks):
            return (
                "BAD_PRICE",
                float(wish.price_ticks),
                1.0,
                "a limit order needs a price of at least one tick",
            )
    elif wish.price_ticks != 0:
        return "PRICE_ON_MARKET", float(wish.price_ticks), 0.0, "a market or stop order has no price"
    if wish.ord_type is STOP:
        if not _whole(wish.stop_ticks):
            return (
                "BAD_STOP",
                float(wish.stop_ticks),
                1.0,
                "a stop order needs a trigger of at least one tick",
            )
        if wish.tif is not TimeInForce.GTC:
            return "STOP_TIF", None, None, "a stop order waits: its time in force is gtc"
    elif wish.stop_ticks != 0:
        return "BAD_STOP", float(wish.stop_ticks), 0.0, "only a stop order has a trigger"
    return None


def _whole(number: int) -> bool:
    """A positive whole number that no sum can overflow; a float is none, whatever its value."""
    return type(number) is int and 0 < number < LOTS_MAX


def shown(case: Case) -> Shown:
    return float(case.wish.qty_lots), None, "lots"
