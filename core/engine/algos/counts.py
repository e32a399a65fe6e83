"""The one sum that must never be wrong: filled + open + unknown <= parent.

A child whose outcome is unknown is open (its lots could still fill, so they are spoken for) and counts as filled for
the pace (nobody sends them again because they seem to be missing). A cancel that was asked for has not happened. So
what a parent may still send is what is left of it after all of that, and nothing else is ever sent.
"""

from __future__ import annotations

from bus.enums import OrdStatus
from core.engine.algos.parent import Parent
from core.engine.state import State


def open_lots(state: State, parent: Parent) -> int:
    """What its children could still fill, unknown ones among them; parent lots."""
    return _leaves(state, parent, unknown_only=False)


def unknown_lots(state: State, parent: Parent) -> int:
    """What children of unknown outcome could still fill; parent lots."""
    return _leaves(state, parent, unknown_only=True)


def committed(state: State, parent: Parent) -> int:
    """Filled, open and unknown; parent lots."""
    return parent.filled_lots + open_lots(state, parent)


def _leaves(state: State, parent: Parent, *, unknown_only: bool) -> int:
    total = 0
    for key in parent.open:
        order = state.working.get(key)
        if order is None or (unknown_only and order.status is not OrdStatus.PENDING_UNKNOWN):
            continue
        child = parent.legs[key]
        done = order.filled_lots
        total += child.in_parent(done + order.leaves_lots) - child.in_parent(done)
    return total
