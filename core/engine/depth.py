"""Books beyond the best, as venues tell them: what the router and the vetoes look into."""

from __future__ import annotations

from bus.events import Depth
from core.engine.state import State


def on_depth(state: State, event: Depth) -> None:
    """Replace what was known of one instrument's book."""
    if 0 <= event.instrument < len(state.specs):
        state.depths[event.instrument] = event
