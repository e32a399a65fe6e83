"""Overrides of a limit: temporary, asked for by one person, granted by another, audited, and gone by themselves."""

from __future__ import annotations

from core.engine.state import State


def on_timer(state: State, key: str) -> None:
    """The override ``key`` ends."""
