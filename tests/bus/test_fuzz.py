"""A million broken frames: every one is decoded or refused with a WireError, and nothing else ever happens."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import msgpack
import pytest

from bus.codec import WireError, decode_message, decode_reply, decode_request, decode_snapshot, encode_request

from .test_codec import BAD_REQUESTS, GOLDEN_MESSAGE, GOLDEN_REFUSED, GOLDEN_REPLY, GOLDEN_REQUEST, packed

ORDER = {
    "symbol": "BTC/USDT",
    "side": "buy",
    "qty": "0.5",
    "type": "limit",
    "price": "60000",
    "algo": {"n": [1, 2.5]},
}
SNAPSHOT = {"epoch": 7, "seq": {"state": 42}, "messages": {"state": msgpack.unpackb(GOLDEN_MESSAGE[6:])}}
REQUESTS = [
    GOLDEN_REQUEST,
    packed(type="submit_order", data=ORDER),
    *[frame[:600] for frame, _, _ in BAD_REQUESTS],
]
REPLIES = [GOLDEN_REPLY, GOLDEN_REFUSED, packed(status="done", epoch=7, seq=2, data=SNAPSHOT)]
HEADS = bytes(
    [0xC0, 0xC1, 0xC4, 0xC7, 0xCA, 0xCB, 0xCF, 0xD3, 0xD4, 0xD6, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF]
)


def mutants(seeds: list[bytes], count: int, seed: int) -> list[bytes]:
    """Bytes flipped, cut, doubled, spliced with another frame, or given a header that lies."""
    dice = random.Random(seed)
    pool = dice.randbytes(4096)
    below = dice.random
    made = []
    for _ in range(count):
        frame = seeds[int(below() * len(seeds))]
        kind, at = int(below() * 6), int(below() * (len(frame) + 1))
        if kind == 0:
            frame = frame[:at] + pool[(k := int(below() * 4000)) : k + 1] + frame[at + 1 :]
        elif kind == 1:
            frame = frame[:at]
        elif kind == 2:
            other = seeds[int(below() * len(seeds))]
            frame = frame[:at] + other[int(below() * (len(other) + 1)) :]
        elif kind == 3:
            frame = frame[:at] + HEADS[(k := int(below() * len(HEADS))) : k + 1] + frame[at:]
        elif kind == 4:
            frame = frame[:at] + frame[int(below() * (at + 1)) :]
        else:
            frame = pool[(k := int(below() * 4000)) : k + int(below() * 96)]
        made.append(frame)
    return made


DECODERS: list[tuple[Callable[[bytes], object], list[bytes], int]] = [
    (decode_request, REQUESTS, 550_000),
    (decode_message, [GOLDEN_MESSAGE, b"quote.X\0" + GOLDEN_MESSAGE[6:]], 250_000),
    (decode_reply, REPLIES, 150_000),
    (decode_snapshot, REPLIES[2:], 50_000),
]


@pytest.mark.parametrize(
    ("decode", "seeds", "count"), DECODERS, ids=lambda value: getattr(value, "__name__", None)
)
def test_every_frame_is_decoded_or_refused(
    decode: Callable[[bytes], object], seeds: list[bytes], count: int
) -> None:
    ends: Counter[str] = Counter()
    for block in range(0, count, 50_000):
        for frame in mutants(seeds, 50_000, block):
            try:
                decode(frame)
            except WireError as bad:
                ends[bad.code] += 1
            else:
                ends["decoded"] += 1
    assert sum(ends.values()) == count
    assert ends["malformed"] > count / 4
    assert ends["decoded"] > count / 1000  # the mutants are near enough to the real thing


def test_what_is_let_through_can_be_journalled_and_sent_on() -> None:
    for frame in mutants(REQUESTS, 50_000, 99):
        try:
            request = decode_request(frame)
        except WireError:
            continue
        assert decode_request(encode_request(request)) == request
        assert msgpack.unpackb(encode_request(request), strict_map_key=True)["id"] == request.id


def test_a_million() -> None:
    assert sum(count for _, _, count in DECODERS) >= 1_000_000
