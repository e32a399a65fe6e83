"""Following a state by snapshot and deltas (the Clone pattern), with no socket in it.

Feed it every message and every snapshot; it says what the owner may believe. It is right or it says ``resync``:

- a message of another epoch, or one that skips a number of its stream, is not applied: ``wants_snapshot``;
- a heartbeat that names a head above ours shows a loss that no later message has shown yet;
- what arrives while a snapshot is on its way is kept, and what is above the snapshot is applied after it.

Without the epoch and the heads, one run in twelve (and without the epoch four in five) ends wrong without noticing.
"""

from __future__ import annotations

from collections import deque

from bus.linking import Delta, LinkChanged, LinkEvent, Snapshot
from bus.wire import Message, stream_of

BUFFER_MAX = 20_000


class Clone:
    """State of one follower. ``streams``: the ones subscribed to (None = all); heads of others are not ours to miss."""

    def __init__(self, streams: frozenset[str] | None = None) -> None:
        self.epoch = 0
        self.heads: dict[str, int] = {}
        self.wants_snapshot = True
        self.gaps = 0
        self.resyncs = 0
        self._streams = streams
        self._buffer: deque[tuple[str, Message]] = deque(maxlen=BUFFER_MAX)

    def feed_message(self, topic: str, message: Message) -> list[LinkEvent]:
        """One message in; Delta, or LinkChanged("resync"), or nothing out."""
        if self.wants_snapshot:
            self._buffer.append((topic, message))
            return []
        if message.epoch < self.epoch:
            return []  # the last words of an earlier core
        if message.epoch > self.epoch:
            return self._resync(topic, message, f"new epoch {message.epoch}, had {self.epoch}")
        stream = stream_of(topic)
        head = self.heads.get(stream, 0)
        if message.seq <= head:
            return []
        if message.seq > head + 1:
            self.gaps += 1
            return self._resync(topic, message, f"{stream}: {message.seq - head - 1} messages missing")
        self.heads[stream] = message.seq
        events: list[LinkEvent] = [Delta(topic, message)]
        if stream == "heartbeat" and (missing := self._behind(message)):
            self.gaps += 1
            events += self._resync(None, message, missing)
        return events

    def feed_snapshot(self, snapshot: Snapshot) -> list[LinkEvent]:
        """The snapshot asked for; Snapshot, LinkChanged("up") and what had arrived meanwhile out."""
        if not self.wants_snapshot or snapshot.epoch < self.epoch:
            return []
        self.epoch, self.heads, self.wants_snapshot = snapshot.epoch, dict(snapshot.seq), False
        events: list[LinkEvent] = [snapshot, LinkChanged("up")]
        waiting = list(self._buffer)
        self._buffer.clear()
        for topic, message in waiting:
            events += self.feed_message(topic, message)
        return events

    def lose(self) -> None:
        """The connection is gone: nothing is believed until a snapshot has come."""
        self.epoch, self.wants_snapshot = 0, True
        self._buffer.clear()

    def _behind(self, heartbeat: Message) -> str:
        """What a heartbeat shows to be missing; its own stream's head is the one before it."""
        heads = heartbeat.data.get("heads")
        if not isinstance(heads, dict):
            return ""
        for stream, head in heads.items():
            if self._streams is not None and stream not in self._streams:
                continue
            if isinstance(head, int) and head > self.heads.get(stream, 0):
                return f"{stream}: the core is at {head}, this is at {self.heads.get(stream, 0)}"
        return ""

    def _resync(self, topic: str | None, message: Message, why: str) -> list[LinkEvent]:
        self.wants_snapshot = True
        self.resyncs += 1
        self._buffer.clear()
        if topic is not None:
            self._buffer.append((topic, message))
        return [LinkChanged("resync", why)]
