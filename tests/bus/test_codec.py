"""Golden bytes: what version 1 looks like on the wire, and that any MessagePack library reads it."""

from __future__ import annotations

import msgpack
import pytest

from bus import wire
from bus.codec import (
    WireError,
    decode_message,
    decode_reply,
    decode_request,
    encode_message,
    encode_reply,
    encode_request,
    refusal,
)
from bus.heads import Heads
from bus.views import StateView
from bus.wire import Error, Message, Reply, Request

MESSAGE = Message(v=1, epoch=7, seq=42, ts=1723075200000000001, type="state", data={"state": "HALTED"})
GOLDEN_MESSAGE = (
    b"state\0\x86\xa1v\x01\xa5epoch\x07\xa3seq*\xa2ts\xcf\x17\xe9\x97\xc3\xe1\x49\x00\x01"
    b"\xa4type\xa5state\xa4data\x81\xa5state\xa6HALTED"
)
REQUEST = Request(v=1, id="a1", type="kill", data={"scope": "all", "level": "halt"}, reason="spread")
GOLDEN_REQUEST = (
    b"\x86\xa1v\x01\xa2id\xa2a1\xa4type\xa4kill\xa4data\x82\xa5scope\xa3all\xa5level\xa4halt"
    b"\xa6reason\xa6spread\xaaexpires_ns\x00"
)
REPLY = Reply(v=1, id="a1", status="progress", epoch=7, seq=2, data={"cancelled": 12})
GOLDEN_REPLY = (
    b"\x86\xa1v\x01\xa2id\xa2a1\xa6status\xa8progress\xa5epoch\x07\xa3seq\x02\xa4data\x81\xa9cancelled\x0c"
)
REFUSED = Reply(v=1, id="a1", status="rejected", epoch=7, seq=1, error=Error(code="busy", message="wait"))
GOLDEN_REFUSED = (
    b"\x87\xa1v\x01\xa2id\xa2a1\xa6status\xa8rejected\xa5epoch\x07\xa3seq\x01\xa4data\x80"
    b"\xa5error\x82\xa4code\xa4busy\xa7message\xa4wait"
)


def test_golden_bytes_of_version_1() -> None:
    assert encode_message("state", MESSAGE) == GOLDEN_MESSAGE
    assert encode_request(REQUEST) == GOLDEN_REQUEST
    assert encode_reply(REPLY) == GOLDEN_REPLY
    assert encode_reply(REFUSED) == refusal("a1", 7, "busy", "wait") == GOLDEN_REFUSED


def test_golden_bytes_decode() -> None:
    assert decode_message(GOLDEN_MESSAGE) == ("state", MESSAGE)
    assert decode_request(GOLDEN_REQUEST) == REQUEST
    assert decode_reply(GOLDEN_REPLY) == REPLY
    assert decode_reply(GOLDEN_REFUSED) == REFUSED


def test_msgpack_reads_what_is_sent_and_the_bus_reads_what_msgpack_writes() -> None:
    assert msgpack.unpackb(GOLDEN_REQUEST) == {
        "v": 1,
        "id": "a1",
        "type": "kill",
        "data": {"scope": "all", "level": "halt"},
        "reason": "spread",
        "expires_ns": 0,
    }
    short = msgpack.packb({"type": "ping", "id": "a", "v": 1})
    assert decode_request(short) == Request(v=1, id="a", type="ping")
    assert "error" not in msgpack.unpackb(GOLDEN_REPLY)


def test_a_view_is_published_as_a_plain_map_and_numbered_per_stream() -> None:
    heads = Heads(7)
    view = StateView(state="READY", level=0, started=False)
    seqs = [heads.put(topic, "x", view, 5)[0] for topic in ("order.a", "order.b", "state", "order.a")]
    _, frame = heads.put("state", "state", view, 5)
    topic, message = decode_message(frame)

    assert seqs == [1, 2, 1, 3]
    assert (topic, message.epoch, message.seq, message.ts) == ("state", 7, 2, 5)
    assert message.data["state"] == "READY"
    assert message.data["latched"] == []


def test_what_does_not_encode_takes_no_number() -> None:
    heads = Heads(1)
    with pytest.raises(TypeError):
        heads.put("state", "state", object(), 1)
    assert (heads.seqs, heads.bodies) == ({}, {})


def packed(**fields: object) -> bytes:
    return msgpack.packb({"v": 1, "id": "r1", "type": "ping", "data": {}} | fields)


BAD_REQUESTS = [
    (b"", wire.MALFORMED, ""),
    (b"\xc1", wire.MALFORMED, ""),
    (b"GET / HTTP/1.1\r\n\r\n", wire.MALFORMED, ""),
    (packed()[:-1], wire.MALFORMED, ""),
    (packed() + b"\0", wire.MALFORMED, ""),
    (msgpack.packb([1, "r1", "ping"]), wire.MALFORMED, ""),
    (packed(surprise=1), wire.MALFORMED, "r1"),
    (packed(data=[]), wire.MALFORMED, "r1"),
    (packed(reason=None), wire.MALFORMED, "r1"),
    (packed(expires_ns="soon"), wire.MALFORMED, "r1"),
    (packed(type=7), wire.MALFORMED, "r1"),
    (packed(v="1"), wire.MALFORMED, ""),
    (packed(v=2), wire.BAD_VERSION, "r1"),
    (packed(v=2, future_field=True), wire.BAD_VERSION, "r1"),
    (packed(v=0), wire.BAD_VERSION, "r1"),
    (packed(v=2**70 % 2**64), wire.BAD_VERSION, "r1"),
    (packed(id=""), wire.BAD_ID, ""),
    (packed(id="x" * 65), wire.BAD_ID, ""),
    (packed(id="a\nb"), wire.BAD_ID, ""),
    (packed(data={"x": float("nan")}), wire.BAD_DATA, "r1"),
    (packed(data={"x": [float("inf")]}), wire.BAD_DATA, "r1"),
    (packed(data={"x": b"bytes"}), wire.BAD_DATA, "r1"),
    (packed(data={"x": {1: 2}}), wire.BAD_DATA, "r1"),
    (packed(data={"x": msgpack.ExtType(4, b"x")}), wire.BAD_DATA, "r1"),
    (packed(data={"x": msgpack.Timestamp(1, 2)}), wire.BAD_DATA, "r1"),
    (packed(data={"x": [[[[[[[[[[]]]]]]]]]]}), wire.BAD_DATA, "r1"),
    (packed(data={"x": [None] * 1024}), wire.BAD_DATA, "r1"),
    (packed(data={"x": "y" * wire.FRAME_BYTES_MAX}), wire.OVERSIZED, "r1"),
    (b"\x81\xa4data" + b"\x81\xa1a" * 20_000, wire.MALFORMED, ""),
    (b"\x81\xa1v" + b"\x91" * 60_000, wire.MALFORMED, ""),
    (b"\xdf\xff\xff\xff\xff", wire.MALFORMED, ""),
    (b"\x81\xa2id\xa2\xff\xfe", wire.MALFORMED, ""),
]


@pytest.mark.parametrize(("frame", "code", "id"), BAD_REQUESTS, ids=range(len(BAD_REQUESTS)))
def test_a_bad_request_has_one_code_and_its_id_where_readable(frame: bytes, code: str, id: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_request(frame)
    assert (caught.value.code, caught.value.id) == (code, id)


@pytest.mark.parametrize(
    "frame",
    [b"", b"state", b"\0\x80", b"\xff\xfe\0\x80", b"s\0", b"x" * 201 + GOLDEN_MESSAGE, GOLDEN_MESSAGE[:-1]],
)
def test_a_bad_state_frame_is_a_wire_error(frame: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_message(frame)
    assert caught.value.code == wire.MALFORMED


def test_a_later_core_may_say_more_and_is_still_understood() -> None:
    fields = msgpack.unpackb(GOLDEN_REPLY) | {"new": [1]}
    assert decode_reply(msgpack.packb(fields)) == REPLY
