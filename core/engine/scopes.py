"""Which orders, instruments and venues a scope covers."""

from __future__ import annotations

from core.engine.orders import Order
from core.engine.state import State


def valid(state: State, scope: str) -> bool:
    """A scope that names something we know."""
    kind, _, name = scope.partition(":")
    if kind == "all":
        return name == ""
    if kind == "venue":
        return name in state.venue_ids
    if kind == "symbol":
        return name in state.ids
    return kind == "strategy" and (name in state.cold.hosts or _has_traded(state, name))


def limitable(state: State, scope: str) -> bool:
    """A scope that may carry a limit: one that can be stopped, or the account itself."""
    return scope in (f"account:{state.config.account}", "strategy:operator") or valid(state, scope)


def _has_traded(state: State, strategy: str) -> bool:
    return any(holding.strategy == strategy for holding in state.cold.holdings.values())


def in_scope(state: State, order: Order, scope: str) -> bool:
    """True when the order falls under the scope."""
    kind, _, name = scope.partition(":")
    if kind == "all":
        return True
    if kind == "strategy":
        return order.strategy == name
    spec = state.specs[order.instrument]
    return (spec.venue if kind == "venue" else spec.symbol) == name


def instruments_of(state: State, scope: str) -> list[int]:
    """Instrument ids the scope covers (for a strategy: those it holds)."""
    kind, _, name = scope.partition(":")
    if kind == "symbol":
        return [state.ids[name]]
    if kind == "venue":
        return [i for i, spec in enumerate(state.specs) if spec.venue == name]
    if kind == "strategy":
        return sorted(
            {h.instrument for h in state.cold.holdings.values() if h.strategy == name and h.qty_lots}
        )
    return list(range(len(state.specs)))


def venues_of(state: State, scope: str) -> list[int]:
    """Venue ids whose word is needed before the scope counts as confirmed."""
    kind, _, name = scope.partition(":")
    if kind == "venue":
        return [state.venue_ids[name]]
    if kind == "symbol":
        return [state.venue_ids[state.specs[state.ids[name]].venue]]
    return list(range(len(state.config.venues)))
