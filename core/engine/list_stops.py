"""What order lists stand under: kills, and positions being closed by hand.

The lists are looked at when an order or the position of their instrument has moved, and when what stands here has
changed, since they were last looked at. That it has is told from ``Cold.lists_stops``, so a kill that stays latched for
days costs a step nothing, and one that ends does not leave exits withdrawn until something else happens.
"""

from __future__ import annotations

from bus.enums import KillPhase, TradingState
from core.engine import ladder
from core.engine.listed import OrderList
from core.engine.state import State


def stops_of(state: State) -> list[str]:
    """All of it in words: equal words, equal exits."""
    said = [f"close {wait.flat}" for wait in state.cold.waits.values() if wait.flat >= 0]
    for kill in state.cold.kills.values():
        closing = sorted(kill.targets) if kill.phase is KillPhase.FLATTENING else ""
        said.append(f"{kill.key} {kill.level.name} {kill.phase.name} {closing}")
    return said


def level_of(state: State, held: OrderList) -> TradingState:
    """The trading state its orders stand under."""
    spec = state.specs[held.instrument]
    scopes = (f"venue:{spec.venue}", f"strategy:{held.strategy}", f"symbol:{spec.symbol}")
    return ladder.level_of(state.cold.kills, scopes)


def closing(state: State, held: OrderList) -> bool:
    """Somebody is closing there: a kill in its second phase, or an operator by hand."""
    spec = state.specs[held.instrument]
    mine = ("all", f"venue:{spec.venue}", f"strategy:{held.strategy}", f"symbol:{spec.symbol}")
    for kill in state.cold.kills.values():
        if kill.phase is KillPhase.FLATTENING and (kill.scope in mine or held.instrument in kill.targets):
            return True
    return any(wait.flat == held.instrument for wait in state.cold.waits.values())
