"""Results of calculations off the loop: taken in as events, published with their age."""

from __future__ import annotations

from bus.events import RiskResult
from core.engine.state import State


def on_result(state: State, event: RiskResult) -> None:
    """Keep the latest of each kind."""
    state.risk[event.kind] = event
