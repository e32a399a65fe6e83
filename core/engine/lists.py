"""Order lists: orders that stand or fall together."""

from __future__ import annotations

from core.engine.state import State


def after(state: State) -> None:
    """After every step that moved an order or booked a fill: the other legs follow."""


def on_boot(state: State) -> None:
    """After a restart: what should stand together is looked at again."""
