"""Commands this console has sent, and what the core has said about each.

A command is SENT when it was handed to the link, ACK when the core accepted it, counts while it works, and ends as
DONE, FAILED or REJECTED. Nothing is assumed: silence for a second is itself news (``overdue``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bus.wire import FINAL, Reply

ACK_WITHIN_NS = 1_000_000_000
KEPT = 50
UNCONFIRMED = "unconfirmed"
ENDED = frozenset({"DONE", "FAILED", "REJECTED"})


@dataclass(slots=True)
class Command:
    """One command and its receipt. ``*_ms`` count from the moment of sending."""

    id: str
    type: str
    label: str
    sent_core_ns: int
    sent_mono_ns: int
    state: str = "SENT"  # SENT | ACK | DONE | FAILED | REJECTED
    ack_ms: float | None = None
    end_ms: float | None = None
    counts: str = ""
    receipt: str = ""
    error: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def elapsed_ms(self, mono_ns: int) -> float:
        """To the end if it ended, else until now."""
        return self.end_ms if self.end_ms is not None else (mono_ns - self.sent_mono_ns) / 1e6

    def silent(self, mono_ns: int) -> bool:
        """No word from the core for longer than it may take."""
        return self.state == "SENT" and mono_ns - self.sent_mono_ns > ACK_WITHIN_NS


@dataclass(slots=True)
class Commands:
    """The last commands, newest last."""

    by_id: dict[str, Command] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Command]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def sent(self, command: Command) -> None:
        self.by_id[command.id] = command
        while len(self.by_id) > KEPT:
            del self.by_id[next(iter(self.by_id))]

    def reply(self, reply: Reply, mono_ns: int) -> Command | None:
        """Move the command the reply belongs to; None when it is not ours."""
        command = self.by_id.get(reply.id)
        if command is None or command.ended:
            return command
        elapsed_ms = (mono_ns - command.sent_mono_ns) / 1e6
        if reply.status == UNCONFIRMED:  # the link's own word: nothing was heard, so nothing has changed
            command.error = "no answer yet"
            return command
        command.error = ""
        if command.ack_ms is None:
            command.ack_ms = elapsed_ms
        command.counts = counts_text(reply.data) or command.counts
        command.receipt = str(reply.data.get("receipt") or command.receipt)
        if reply.error is not msgspec.UNSET:
            command.error = f"{reply.error.code}: {reply.error.message}"
        elif reply.data.get("refused"):  # done in part: what was not done must be read
            command.error = "NOT: " + "; ".join(map(str, reply.data["refused"]))
        if reply.status in FINAL:
            command.state, command.end_ms = reply.status.upper(), elapsed_ms
        else:
            command.state = "ACK"
        return command

    def overdue(self, mono_ns: int) -> list[Command]:
        """Commands that nobody has acknowledged in time."""
        return [c for c in self if c.silent(mono_ns)]


def counts_text(data: dict[str, Any]) -> str:
    """``cancelled 12/50 flat 3/8 unconfirmed 1`` from what a reply carries; "" when it carries no counts."""
    parts = []
    for name, total in (("cancelled", "cancel_total"), ("flat", "flat_total")):
        if name in data:
            of = f"/{data[total]}" if total in data else ""
            parts.append(f"{name} {data[name]}{of}")
    if parts and data.get("unconfirmed"):
        parts.append(f"unconfirmed {data['unconfirmed']}")
    return " ".join(parts)
