"""Layer 6, SIZE: not too small for the venue, not too large for us."""

from __future__ import annotations

from core.engine.gate.wish import Refusal, Wish
from core.engine.state import State


def check(state: State, wish: Wish, reducing: bool) -> Refusal | None:
    """Venue minimum and maximum, own lots cap, own value cap (account currency)."""
    spec, limits = state.specs[wish.instrument], state.config.gate
    if wish.qty_lots > spec.qty_lots_max:
        return (
            "TOO_LARGE",
            float(wish.qty_lots),
            float(spec.qty_lots_max),
            "above the instrument's maximum (lots)",
        )
    if reducing:
        return None
    if wish.qty_lots < spec.qty_lots_min:
        return (
            "TOO_SMALL",
            float(wish.qty_lots),
            float(spec.qty_lots_min),
            "below the instrument's minimum (lots)",
        )
    if limits.order_lots_max and wish.qty_lots > limits.order_lots_max:
        return "LOTS_MAX", float(wish.qty_lots), float(limits.order_lots_max), "above the lots cap (lots)"
    value = state.lots_value(wish.instrument, wish.qty_lots, state.mark(wish.instrument))
    cap = state.cold.limits.get("order_value_max", limits.order_value_max)
    if not value <= cap:
        return "VALUE_MAX", value, cap, "order value above the cap (account currency)"
    if spec.notional_min and value < spec.notional_min * state.fx(wish.instrument):
        return "NOTIONAL_MIN", value, spec.notional_min, "below the venue's minimum notional"
    return None
