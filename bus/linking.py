"""What a client of a running core holds: the Link. The console, ``watch`` and the public client all use it.

A Link owns the sockets (in a thread of its own) and does the Clone pattern: subscribe, snapshot, drop what is at
or below the snapshot's sequence, and snapshot again on a gap, a new epoch, or a heartbeat head ahead of ours.
Its owner polls ``drain`` and never blocks. Tests hand their subjects a FakeLink with the same methods.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from bus.wire import Message, Reply


class LinkChanged(msgspec.Struct, frozen=True):
    """The link's own state changed. ``up`` is claimed only after a snapshot has been applied."""

    state: str  # connecting | up | resync | lost
    detail: str = ""
    attempt: int = 0


class Snapshot(msgspec.Struct, frozen=True):
    """Everything at once: replaces whatever the owner held."""

    epoch: int
    seq: dict[str, int]  # stream -> head
    messages: dict[str, Message]  # topic -> last message


class Delta(msgspec.Struct, frozen=True):
    """One message, in sequence, after a snapshot."""

    topic: str
    message: Message


LinkEvent = LinkChanged | Snapshot | Delta | Reply


class LinkStats(msgspec.Struct):
    """For the system screen and the annunciator."""

    state: str = "connecting"
    epoch: int = 0
    received: int = 0
    gaps: int = 0
    resyncs: int = 0
    decode_errors: int = 0
    rtt_ms: float | None = None
    skew_ns: int = 0  # core's clock minus ours, estimated from pings
    heartbeat_ns: int = 0  # core's time in the last heartbeat
    heard_mono_ns: int = 0  # our monotonic clock when anything last arrived


class Link(Protocol):
    """The protocol."""

    def start(self) -> None: ...
    def drain(self, limit: int = 5000) -> list[LinkEvent]: ...
    def send(
        self, type: str, data: dict[str, Any], *, reason: str = "", expires_ns: int = 0, id: str = ""
    ) -> str:
        """Queue a command; returns its id at once. Replies come out of ``drain``."""
        ...

    def stats(self) -> LinkStats: ...
    def close(self) -> None: ...
