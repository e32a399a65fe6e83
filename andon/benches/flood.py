"""A client that does not listen: order requests at a fixed rate, whatever is answered. Run as a process of its own.

Requests are encoded beforehand except for their ids, sent in bursts on a millisecond's grid, and every reply is
read and counted by its code, so that what is refused is refused by name. Prints one JSON object at the end.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

import zmq

from bus.codec import decode_reply, encode_request
from bus.wire import FINAL, VERSION, Request

MARK = "00000000-0000-0000-0000-000000000000"
BURSTS_PER_S = 500


def template(order: dict[str, Any]) -> tuple[bytes, bytes]:
    """The frame before and after its id."""
    request = Request(v=VERSION, id=MARK, type="submit_order", data=order, reason="flood", expires_ns=0)
    before, _, after = encode_request(request).partition(MARK.encode())
    return before, after


def flood(endpoint: str, rate_per_s: float, seconds: float, orders: list[dict[str, Any]]) -> dict[str, Any]:
    """Send and count. The rate that was reached is part of the answer."""
    context: zmq.Context[Any] = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.setsockopt(zmq.LINGER, 0)
    dealer.setsockopt(zmq.SNDHWM, 10_000)
    dealer.connect(endpoint)
    frames = [template(order) for order in orders]
    codes: Counter[str] = Counter()
    sent = refused_locally = 0
    began = time.perf_counter()
    per_burst = rate_per_s / BURSTS_PER_S
    for burst in range(int(seconds * BURSTS_PER_S)):
        due = began + burst / BURSTS_PER_S
        if (left := due - time.perf_counter()) > 0:
            time.sleep(left)
        while sent + refused_locally < (burst + 1) * per_burst:
            before, after = frames[sent % len(frames)]
            try:
                dealer.send(before + f"{sent:036d}".encode() + after, zmq.NOBLOCK)
                sent += 1
            except zmq.Again:
                refused_locally += 1
        _listen(dealer, codes)
    took = time.perf_counter() - began
    until = time.perf_counter() + 3.0
    while time.perf_counter() < until and sum(codes.values()) < sent:
        dealer.poll(50)
        _listen(dealer, codes)
    context.destroy(0)
    return {"sent": sent, "not_taken": refused_locally, "per_s": sent / took, "codes": dict(codes)}


def _listen(dealer: Any, codes: Counter[str]) -> None:
    while True:
        try:
            reply = decode_reply(dealer.recv(zmq.NOBLOCK))
        except zmq.Again:
            return
        if reply.status in FINAL:
            codes[getattr(reply.error, "code", "") or reply.status] += 1


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    json.dump(flood(job["endpoint"], job["rate"], job["seconds"], job["orders"]), sys.stdout)
