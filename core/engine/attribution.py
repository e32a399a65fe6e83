"""Where the money came from: every change of equity, in the parts that made it."""

from __future__ import annotations

from core.engine.state import State


def after(state: State) -> None:
    """After every step that booked a fill, funding or an adjustment."""
