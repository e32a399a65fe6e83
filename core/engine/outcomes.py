"""Answers to commands: one acceptance, one ending, and the ending remembered so that a repeat does nothing twice."""

from __future__ import annotations

from typing import Any

from bus.effects import Reply
from bus.events import Command
from core.engine.records import Outcome
from core.engine.state import COMMANDS_MAX, State


def accept(state: State, command: Command, data: dict[str, Any] | None = None) -> None:
    """The first answer, at once."""
    state.cold.running[command.id] = None
    state.emit(Reply(command.id, "accepted", data or {}))


def finish(
    state: State, id_: str, status: str, data: dict[str, Any], code: str = "", message: str = ""
) -> None:
    """The one ending, remembered."""
    outcomes = state.cold.commands
    state.cold.running.pop(id_, None)
    outcomes[id_] = Outcome(status, data, code, message)
    while len(outcomes) > COMMANDS_MAX:
        del outcomes[next(iter(outcomes))]
    state.emit(Reply(id_, status, data, code, message))
