"""Layer 5, PRICE: a fresh reference exists and the order is near it."""

from __future__ import annotations

from bus.enums import OrdType
from core.engine.config import SECOND_NS
from core.engine.gate.wish import Refusal, Wish
from core.engine.state import State


def check(state: State, wish: Wish, reducing: bool) -> Refusal | None:
    """No mark or a stale one refuses entries; the collar holds for every priced order that has a reference."""
    limits = state.config.gate
    mark = state.mark(wish.instrument)
    if not mark > 0.0:
        return None if reducing else ("NO_PRICE", None, None, "the instrument has never been marked")
    if not reducing:
        age_s = (state.cold.now_ns - int(state.markets["ts_ns"][wish.instrument])) / SECOND_NS
        if not age_s <= limits.data_age_max_s:
            return "STALE", age_s, limits.data_age_max_s, "the last tick is too old (s)"
    if wish.ord_type is OrdType.LIMIT:
        price = wish.price_ticks * float(state.instruments["tick_size"][wish.instrument])
        away = abs(price - mark) / mark
        if not away <= limits.price_collar:
            return "COLLAR", away, limits.price_collar, "too far from the mark (fraction)"
    return None
