"""Layer 7, FLOW: not twice, not too often, not too many."""

from __future__ import annotations

from bus.enums import Purpose
from core.engine.config import SECOND_NS
from core.engine.gate.wish import Refusal, Wish
from core.engine.state import State


def check(state: State, wish: Wish, reducing: bool) -> Refusal | None:
    """A repeated intent, too many open orders, entries of one strategy too close together."""
    if not wish.amends and wish.cl_ord_id in state.cold.orders:
        return "DUPLICATE", None, None, f"{wish.cl_ord_id} was sent before"
    if reducing:
        return None
    limits = state.config.gate
    if len(state.working) >= limits.open_orders_max:
        return "OPEN_ORDERS", float(len(state.working)), float(limits.open_orders_max), "too many open orders"
    interval_s = state.config.min_trade_interval_s
    if interval_s and wish.purpose is Purpose.STRATEGY:
        last = state.cold.hosts[wish.strategy].last_entry_ns.get(wish.instrument)
        since_s = float("inf") if last is None else (state.cold.now_ns - last) / SECOND_NS
        if since_s < interval_s:
            return "TRADE_INTERVAL", since_s, interval_s, "too soon after the last entry (s)"
    return None
