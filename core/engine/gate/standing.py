"""Layer 3, STATE: whether anyone may add risk now."""

from __future__ import annotations

from bus.enums import TradingState
from core.engine import ladder
from core.engine.gate.case import Case
from core.engine.gate.wish import Refusal, Shown


def check(case: Case) -> Refusal | None:
    """At REDUCING and above only what lowers risk passes; before start, and on a venue not reconciled, likewise."""
    if case.reducing:
        return None
    state, wish = case.state, case.wish
    if wish.reduce_only:
        return "NOT_REDUCING", float(wish.qty_lots), float(abs(state.qty(wish.instrument))), _WOULD_GROW
    return active(case)


def active(case: Case) -> Refusal | None:
    """Why nothing that could add risk may go now; None when it may."""
    state, wish = case.state, case.wish
    spec = state.specs[wish.instrument]
    if state.cold.kills:
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


def shown(case: Case) -> Shown:
    if case.reducing:
        return None, None, "lowers risk: passes in every state"
    return float(TradingState.ACTIVE), float(TradingState.ACTIVE), "level"


_WOULD_GROW = "with the working orders it would enlarge the position or take it through zero"
