"""The market's recent past, sampled: range and volatility for the collar and the vetoes."""

from __future__ import annotations

from core.engine.state import State


def on_timer(state: State) -> None:
    """One sample of every mark."""


def on_boot(state: State) -> None:
    """Set the first appointment."""
