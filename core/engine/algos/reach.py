"""Which kills reach a parent, and when one that was cut off by a restart may go on."""

from __future__ import annotations

from bus.enums import OrdStatus, Switch, TradingState
from core.engine.algos.parent import WAITING, Parent
from core.engine.ladder import FIRM, Kill
from core.engine.state import State


def covering(state: State, parent: Parent) -> Kill | None:
    """The first kill in a scope of the parent that ends it: any level for one that may add risk, HALTED for every one.

    A parent that waits after a restart sends nothing; the switch that the restart itself has pulled does not end it.
    """
    spec = state.specs[parent.instrument]
    scopes = (FIRM, f"venue:{spec.venue}", f"strategy:{parent.strategy}", f"symbol:{spec.symbol}")
    least = TradingState.HALTED if parent.reduce_only else TradingState.REDUCING
    for kill in state.cold.kills.values():
        own = parent.status == WAITING and kill.switch == Switch.STARTUP
        if kill.level >= least and kill.scope in scopes and not own:
            return kill
    return None


def allowed(state: State, parent: Parent) -> tuple[int, ...]:
    """Of the instruments it may route to, those where no kill forbids it."""
    if not state.cold.kills:
        return tuple(parent.routes)
    least = TradingState.HALTED if parent.reduce_only else TradingState.REDUCING
    shut = [kill.scope for kill in state.cold.kills.values() if kill.level >= least]
    specs = state.specs
    return tuple(
        i
        for i in parent.routes
        if f"venue:{specs[i].venue}" not in shut and f"symbol:{specs[i].symbol}" not in shut
    )


def ready(state: State, parent: Parent) -> bool:
    """Started, not stopped, every venue it uses compared with our books, and no child of unknown outcome."""
    cold = state.cold
    if not cold.started or any(kill.scope == FIRM for kill in cold.kills.values()):
        return False
    for i in parent.routes or [parent.instrument]:
        venue = cold.venues[state.venue_ids[state.specs[i].venue]]
        if not (venue.up and venue.reconciled):
            return False
    orders = (state.working.get(key) for key in parent.open)
    return not any(order is not None and order.status is OrdStatus.PENDING_UNKNOWN for order in orders)
