"""Which protective stops a cancel of everything leaves alone (``orders.protective_on_cancel_all``).

    keep     they stay at the venue
    replace  they are cancelled like all else, and lists.py places them anew
    cancel   they are cancelled like all else, and their positions are unprotected, as configured

That holds for ``cancel_all``, ``stop``, ``stop_strategy`` and kills at HALTED, which leave positions open. A kill at
FLATTENING or SHUTDOWN spares nothing: it closes the positions. REDUCING kills leave every reduce-only order as it is.
"""

from __future__ import annotations

from bus.enums import OrdStatus, TradingState
from core.engine.ladder import Kill
from core.engine.orders import Order
from core.engine.state import State

KEEP, REPLACE, CANCEL = "keep", "replace", "cancel"


def spared(state: State, order: Order) -> bool:
    """Left alone by a command that cancels everything. One that is being cancelled already is not."""
    return order.protects and order.cancels == 0 and state.config.protective_on_cancel_all == KEEP


def stands(state: State, kill: Kill, order: Order) -> bool:
    """Left alone by this kill: kept, or placed anew since it began."""
    if not order.protects or order.cancels or kill.level is not TradingState.HALTED:
        return False
    mode = state.config.protective_on_cancel_all
    return mode == KEEP or (mode == REPLACE and order.created_ns > kill.begun_ns)


def unsettled(state: State) -> int:
    """Working orders that an orderly end waits for: all but confirmed stops that stay, or were placed anew."""
    return sum(not _stays(state, order) for order in state.working.values())


def _stays(state: State, order: Order) -> bool:
    quiet = order.status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED) and order.cancels == 0
    return order.protects and quiet and state.config.protective_on_cancel_all != CANCEL
