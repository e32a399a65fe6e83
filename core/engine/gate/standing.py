"""Layers 2 and 3, AUTHORITY and STATE: who may trade what, and whether anyone may add risk now."""

from __future__ import annotations

from bus.enums import Purpose, TradingState
from core.engine import ladder
from core.engine.gate.wish import Refusal, Wish
from core.engine.state import State


def authority(state: State, wish: Wish, reducing: bool) -> Refusal | None:
    """Restricted list, and strategies that are not enabled."""
    if reducing:
        return None
    if state.specs[wish.instrument].symbol in state.config.restricted:
        return "RESTRICTED", None, None, "the instrument is on the restricted list"
    if wish.purpose is Purpose.STRATEGY:
        host = state.cold.hosts.get(wish.strategy)
        if host is None or not host.enabled:
            return "STRATEGY_OFF", None, None, f"strategy {wish.strategy} is not enabled"
    return None


def check(state: State, wish: Wish, reducing: bool) -> Refusal | None:
    """At REDUCING and above only what lowers risk passes; before start, and on a venue not reconciled, likewise."""
    if reducing:
        return None
    if wish.reduce_only:
        return "NOT_REDUCING", float(wish.qty_lots), float(abs(state.qty(wish.instrument))), _WOULD_GROW
    spec = state.specs[wish.instrument]
    scopes = (f"venue:{spec.venue}", f"strategy:{wish.strategy}", f"symbol:{spec.symbol}")
    level = ladder.level_of(state.cold.kills, scopes)
    if level >= TradingState.REDUCING:
        return level.name, float(level), float(TradingState.ACTIVE), "only orders that lower risk pass"
    if not state.cold.started:
        return "NOT_STARTED", None, None, "re-armed but not started: andon start"
    venue = state.cold.venues[state.venue_ids[spec.venue]]
    if not venue.up:
        return "VENUE_DOWN", None, None, venue.reason or "no link to the venue"
    if not venue.reconciled:
        return "NOT_RECONCILED", None, None, "the venue's books have not been compared with ours yet"
    return None


_WOULD_GROW = "with the working orders it would enlarge the position or take it through zero"
