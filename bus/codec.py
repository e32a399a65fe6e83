"""Bytes to shapes and back. Total: whatever the bytes, decoding returns a typed value or raises ``WireError``.

The decoders are typed, so a frame is validated while it is read, at the first byte that does not fit. Only
``data`` is open (``dict[str, Any]``); for requests it is walked once more, because what comes from outside will be
journalled: no extension types, no byte strings, no NaN, no keys that are not strings, nothing nested deep.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from bus.wire import (
    BAD_DATA,
    BAD_ID,
    BAD_VERSION,
    DATA_DEPTH_MAX,
    DATA_NODES_MAX,
    FRAME_BYTES_MAX,
    MALFORMED,
    OVERSIZED,
    TOPIC_BYTES_MAX,
    VERSION,
    Error,
    Message,
    Reply,
    Request,
)


class WireError(Exception):
    """A frame that is not ours. ``code`` is one of the wire's codes; ``id`` is the request's, when it was readable."""

    def __init__(self, code: str, text: str, id: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.id = code, text, id


class _Out(msgspec.Struct):
    """Message's fields, with ``data`` as whatever Struct or dict the publisher holds: encoded without a copy."""

    v: int
    epoch: int
    seq: int
    ts: int
    type: str
    data: Any


class _Head(msgspec.Struct):
    """What is needed to answer a request that does not decode."""

    v: int = 0
    id: str = ""


class _Label(msgspec.Struct):
    """What tells one request from another, without its contents."""

    id: str
    type: str


class SnapshotData(msgspec.Struct):
    """``data`` of the reply that ends a ``snapshot``."""

    epoch: int
    seq: dict[str, int]
    messages: dict[str, Message]


class _SnapshotReply(msgspec.Struct):
    data: SnapshotData


_encode = msgspec.msgpack.Encoder().encode
_message = msgspec.msgpack.Decoder(Message).decode
_request = msgspec.msgpack.Decoder(Request).decode
_reply = msgspec.msgpack.Decoder(Reply).decode
_head = msgspec.msgpack.Decoder(_Head).decode
_label = msgspec.msgpack.Decoder(_Label).decode
_snapshot = msgspec.msgpack.Decoder(_SnapshotReply).decode

_PLAIN = frozenset({str, int, bool, type(None)})

# DecodeError and ValidationError are msgspec's; the other three escape from it on hostile bytes.
_BAD = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OverflowError)


def encode_body(epoch: int, seq: int, ts: int, type: str, data: object) -> bytes:
    """The map of one state message. ``data`` is a View or a dict."""
    return _encode(_Out(VERSION, epoch, seq, ts, type, data))


def encode_message(topic: str, message: Message) -> bytes:
    """One state frame: ``topic 0x00 map``."""
    return b"%b\0%b" % (topic.encode(), _encode(message))


def decode_message(frame: bytes) -> tuple[str, Message]:
    """Topic and message of one state frame; raises WireError."""
    head, zero, body = frame.partition(b"\0")
    if not zero or not head or len(head) > TOPIC_BYTES_MAX:
        raise WireError(MALFORMED, "no topic before the zero byte")
    try:
        topic, message = head.decode(), _message(body)
    except _BAD as bad:
        raise WireError(MALFORMED, str(bad)) from None
    if message.v != VERSION:
        raise WireError(BAD_VERSION, f"message of version {message.v}, this is {VERSION}")
    return topic, message


def encode_request(request: Request) -> bytes:
    """One request frame."""
    return _encode(request)


def decode_request(frame: bytes) -> Request:
    """A request whose size, version, id and data are in order; type, role and expiry are for the server to judge."""
    if len(frame) > FRAME_BYTES_MAX:
        text = f"{len(frame)} bytes, at most {FRAME_BYTES_MAX} are read"
        raise WireError(OVERSIZED, text, _read_head(frame).id)
    try:
        request = _request(frame)
    except _BAD as bad:
        head = _read_head(frame)
        if head.v != VERSION and head.id:
            raise _wrong_version(head.v, head.id) from None
        raise WireError(MALFORMED, str(bad), head.id) from None
    if request.v != VERSION:
        raise _wrong_version(request.v, request.id if good_id(request.id) else "")
    if not good_id(request.id):
        raise WireError(BAD_ID, "an id is 1 to 64 printable characters, best a UUID")
    if not _plain(request.data):
        raise WireError(
            BAD_DATA,
            "data holds plain maps, lists, strings and finite numbers, not deep and not many",
            request.id,
        )
    return request


def label_of(frame: bytes) -> tuple[str, str]:
    """(id, type) of a request that will not be looked into; two empty strings where they cannot be read."""
    try:
        label = _label(frame)
    except _BAD:
        return "", ""
    return (label.id, label.type) if good_id(label.id) else ("", "")


def encode_reply(reply: Reply) -> bytes:
    """One reply frame."""
    return _encode(reply)


def decode_reply(frame: bytes) -> Reply:
    """One reply; raises WireError."""
    try:
        reply = _reply(frame)
    except _BAD as bad:
        raise WireError(MALFORMED, str(bad)) from None
    if reply.v != VERSION:
        raise WireError(BAD_VERSION, f"reply of version {reply.v}, this is {VERSION}", reply.id)
    return reply


def decode_snapshot(frame: bytes) -> SnapshotData:
    """``data`` of the frame that ended a ``snapshot`` request, its messages typed; raises WireError."""
    try:
        return _snapshot(frame).data
    except _BAD as bad:
        raise WireError(MALFORMED, str(bad)) from None


def refusal(id: str, epoch: int, code: str, text: str) -> bytes:
    """The frame that rejects a request."""
    return _encode(
        Reply(v=VERSION, id=id, status="rejected", epoch=epoch, seq=1, error=Error(code=code, message=text))
    )


def good_id(id: str) -> bool:
    """Ids go into journals, logs and screens: short and printable."""
    return 0 < len(id) <= 64 and id.isprintable()


def _wrong_version(version: int, id: str) -> WireError:
    return WireError(BAD_VERSION, f"request of version {version}, this core speaks {VERSION}", id)


def _read_head(frame: bytes) -> _Head:
    try:
        head = _head(frame)
    except _BAD:
        return _Head()
    return head if good_id(head.id) else _Head(head.v)


def _plain(data: dict[str, Any]) -> bool:
    """Whether data is plain, shallow and small. One bounded walk: a hostile 64 KiB of nothing costs little."""
    left: list[tuple[Any, int]] = [(data, 1)]
    nodes = 0
    while left:
        value, depth = left.pop()
        nodes += len(value)
        if nodes > DATA_NODES_MAX or depth > DATA_DEPTH_MAX:
            return False
        if type(value) is dict and not all(type(key) is str for key in value):
            return False
        for item in value.values() if type(value) is dict else value:
            kind = type(item)
            if kind is dict or kind is list:
                left.append((item, depth + 1))
            elif kind is float:
                if not math.isfinite(item):
                    return False
            elif kind not in _PLAIN:
                return False
    return True
