"""What the state stream has said: the head of every stream and the last message of every topic.

This is the core's last-value cache: a snapshot is these encoded bodies put into one map, so it costs a copy of
bytes and no encoding, whatever the size of the book.
"""

from __future__ import annotations

import msgspec

from bus.codec import encode_body
from bus.wire import stream_of


class Heads:
    """Sequences and last values of one epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.seqs: dict[str, int] = {}
        self.bodies: dict[str, bytes] = {}

    def put(self, topic: str, type: str, data: object, ts_ns: int) -> tuple[int, bytes]:
        """Number and encode one message; returns its seq and its frame. Nothing moves when it does not encode."""
        stream = stream_of(topic)
        seq = self.seqs.get(stream, 0) + 1
        body = encode_body(self.epoch, seq, ts_ns, type, data)
        self.seqs[stream] = seq
        self.bodies[topic] = body
        return seq, b"%b\0%b" % (topic.encode(), body)

    def forget(self, topic: str) -> None:
        """Leave the topic out of snapshots from now on."""
        self.bodies.pop(topic, None)

    def snapshot(self) -> msgspec.Raw:
        """``data`` of a snapshot reply, encoded: {epoch, seq, messages}."""
        messages = {topic: msgspec.Raw(body) for topic, body in self.bodies.items()}
        data = {"epoch": self.epoch, "seq": self.seqs, "messages": messages}
        return msgspec.Raw(msgspec.msgpack.encode(data))
