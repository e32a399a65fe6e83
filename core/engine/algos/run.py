"""Parents at work: what is due is sent as children, what the children come to is counted, a kill stops all of it."""

from __future__ import annotations

from core.engine.state import State


def after(state: State) -> None:
    """After every step that moved an order, booked a fill or pulled a switch: count, end, stop."""


def on_timer(state: State, key: str) -> None:
    """A slice of the parent ``key`` is due."""


def on_boot(state: State) -> None:
    """After a restart parents go on or end, as configured; their timers died with the process."""
