"""What trading at each venue has cost, from own fills: the router's cost model learns here."""

from __future__ import annotations

from core.engine.state import State


def after(state: State) -> None:
    """After every step that booked a fill or heard of an order."""
