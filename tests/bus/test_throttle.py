"""The door's throttle: by identity, refilled by time, never in the way of stopping."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bus import wire
from bus.throttle import CLIENTS_MAX, SECOND_NS, Throttle
from bus.wire import STOPPING_TYPES

from .test_codec import packed
from .toy import Toy, dealer

T0 = 1_700_000_000 * SECOND_NS


def test_a_burst_then_the_rate_and_no_more() -> None:
    throttle = Throttle(100.0, burst_s=2.0)
    assert sum(throttle.admits("a", T0) for _ in range(1000)) == 200
    assert sum(throttle.admits("a", T0 + SECOND_NS) for _ in range(1000)) == 100
    assert throttle.empty("a", T0 + SECOND_NS) and not throttle.empty("b", T0 + SECOND_NS)


def test_one_client_takes_nothing_from_another() -> None:
    throttle = Throttle(10.0)
    while throttle.admits("flood", T0):
        pass
    assert throttle.admits("operator", T0)


def test_zero_is_off() -> None:
    throttle = Throttle(0.0)
    assert all(throttle.admits("a", T0) for _ in range(10_000))


def test_its_memory_is_bounded() -> None:
    throttle = Throttle(10.0)
    for n in range(CLIENTS_MAX * 3):
        throttle.admits(f"key{n}", T0)
    assert len(throttle._full_ns) <= CLIENTS_MAX


@given(st.floats(1.0, 5000.0), st.lists(st.integers(0, 5 * 10**7), min_size=1, max_size=400))
def test_never_more_than_burst_and_rate_allow(rate: float, gaps: list[int]) -> None:
    throttle, now, admitted = Throttle(rate, burst_s=1.0), T0, 0
    for gap in gaps:
        now += gap
        admitted += throttle.admits("a", now)
    seconds = (now - T0) / SECOND_NS
    assert admitted <= rate * (1.0 + seconds) * (1 + 1e-6) + 1


def test_the_server_refuses_by_name_and_stopping_passes(tmp_path: Path) -> None:
    with Toy(tmp_path) as toy:
        toy.do(lambda: setattr(toy.server, "throttle", Throttle(1.0, burst_s=1.0)))
        with dealer(toy.address.command) as peer:
            codes = []
            for n in range(4):
                peer.send(packed(id=f"order-{n}", type="start", reason="r"))
                reply = peer.to_the_end()[-1]
                codes.append(getattr(reply.error, "code", reply.status))
            assert codes.count(wire.THROTTLED) == 3 and codes[0] != wire.THROTTLED
            peer.send(packed(id="order-0", type="start", reason="r"))  # a repeat is told what became of it
            assert getattr(peer.to_the_end()[-1].error, "code", "") == codes[0].replace("done", "")
            for n in range(20):
                peer.send(packed(id=f"kill-{n}", type="kill", reason="r", data={"scope": "all"}))
                assert getattr(peer.to_the_end()[-1].error, "code", "") != wire.THROTTLED
        with dealer(toy.address.command) as other:  # the same person at the console, on another connection
            other.send(packed(id="rearm-1", type="rearm", reason="r", data={"switch": "all"}))
            assert getattr(other.to_the_end()[-1].error, "code", "") != wire.THROTTLED
        assert toy.server.throttle.refused == 3 and "kill" in STOPPING_TYPES
        heard = [request.id for request, _ in toy.seen]
        assert "order-0" in heard and "order-1" not in heard and "kill-19" in heard
