"""The server over ipc, end to end: what it answers itself, what it passes on once, what it refuses."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
import zmq

from bus import sockets, wire
from bus.client import Client
from bus.enums import Role
from bus.roles import LEAST_ROLE
from bus.server import BusServer, CurveServer
from bus.wire import Reply

from .test_codec import BAD_REQUESTS, packed
from .toy import Toy, Wire, dealer, until


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Toy]:
    with Toy(tmp_path) as toy:
        yield toy


@pytest.fixture
def peer(toy: Toy) -> Iterator[Wire]:
    with dealer(toy.address.command) as peer:
        yield peer


def ask(peer: Wire, **fields: object) -> list[Reply]:
    peer.send(packed(**fields))
    return peer.to_the_end()


def statuses(replies: list[Reply]) -> list[str]:
    return [reply.status for reply in replies]


def code(reply: Reply) -> str:
    assert isinstance(reply.error, wire.Error)
    return reply.error.code


def test_ping_says_who_we_are_and_what_time_it_is(toy: Toy, peer: Wire) -> None:
    accepted, done = ask(peer, data={"n": 5})
    owner = toy.do(lambda: toy.server._ports[0]._owner)

    assert (accepted.status, done.status, done.epoch) == ("accepted", "done", 1)
    assert done.data["echo"] == {"n": 5}
    assert abs(done.data["core_ns"] - time.time_ns()) < 60e9
    assert (done.data["name"], done.data["role"]) == (owner.name, "operator")
    assert toy.seen == []


def test_snapshot_holds_the_last_message_of_every_topic_and_the_heads(toy: Toy, peer: Wire) -> None:
    for n in range(3):
        toy.put("BTC/USDT", n)
        toy.put("ETH/USDT", 10 + n)
    toy.put("OLD", 1)
    toy.do(toy.server.forget, "position.OLD")
    accepted, done = ask(peer, type="snapshot")

    assert accepted.status == "accepted"
    assert done.data["epoch"] == 1
    assert done.data["seq"]["position"] == 7
    assert set(done.data["messages"]) == {"heartbeat", "position.BTC/USDT", "position.ETH/USDT"}
    message = done.data["messages"]["position.ETH/USDT"]
    assert (message["seq"], message["data"]) == (6, {"symbol": "ETH/USDT", "qty": 12})
    assert set(message) == {"v", "epoch", "seq", "ts", "type", "data"}


def test_many_snapshots_cost_few_builds_and_each_is_newer_than_its_request(toy: Toy) -> None:
    built = []
    real = toy.server._heads.snapshot
    toy.server._heads.snapshot = lambda: built.append(1) or real()  # type: ignore[method-assign, func-returns-value]
    with dealer(toy.address.command) as one, dealer(toy.address.command) as two:
        for n in range(3):
            toy.put("X", n)
            done = [ask(peer, type="snapshot", id=f"{peer is one}{n}")[-1] for peer in (one, two)]
            assert [reply.data["messages"]["position.X"]["data"]["qty"] for reply in done] == [n, n]
        for n in range(50):
            one.send(packed(type="snapshot", id=f"flood{n}"))
        ends = [one.read() for _ in range(51)]
    assert statuses(ends).count("done") >= 1
    assert statuses(ends).count("rejected") + 2 * statuses(ends).count("done") >= 51
    assert len(built) <= 10


def test_a_command_reaches_the_engine_once_with_its_identity(toy: Toy, peer: Wire) -> None:
    replies = ask(peer, type="kill", id="k1", data={"scope": "all", "level": "halt"}, reason="drill")
    (request, identity) = toy.seen[0]

    assert statuses(replies) == ["accepted", "progress", "progress", "progress", "done"]
    assert [reply.seq for reply in replies] == [1, 2, 3, 4, 5]
    assert (request.type, request.reason, request.data["level"]) == ("kill", "drill", "halt")
    assert (identity.role, identity.transport) == (Role.OPERATOR, "ipc")
    assert replies[1].data == {"cancelled": 1, "cancel_total": 3}


def test_the_same_id_again_returns_the_outcome_and_does_nothing(toy: Toy, peer: Wire) -> None:
    first = ask(peer, type="kill", id="k1")
    again = ask(peer, type="kill", id="k1")
    with dealer(toy.address.command) as other:
        elsewhere = ask(other, type="start", id="k1")  # the id decides, whatever else the repeat says

    assert len(toy.seen) == 1
    assert statuses(again) == statuses(elsewhere) == ["accepted", "progress", "done"]
    assert again[-1] == elsewhere[-1] == first[-1]


def test_a_repeat_in_flight_joins_the_request_from_a_new_connection(toy: Toy, peer: Wire) -> None:
    toy.answers = lambda request, identity: None
    peer.send(packed(type="kill", id="k1"))
    until(lambda: toy.seen)
    toy.do(toy.server.reply, "k1", "accepted")
    assert peer.read().status == "accepted"
    with dealer(toy.address.command) as fresh:
        fresh.send(packed(type="kill", id="k1"))
        assert fresh.read().status == "accepted"
        toy.do(toy.server.reply, "k1", "progress", {"cancelled": 9})
        toy.do(toy.server.reply, "k1", "done")
        both = [fresh.to_the_end(), peer.to_the_end()]

    assert len(toy.seen) == 1
    assert both[0] == both[1]
    assert statuses(both[0]) == ["progress", "done"]


def test_exactly_one_reply_ends_a_request(toy: Toy, peer: Wire) -> None:
    ask(peer, type="kill", id="k1")
    toy.do(toy.server.reply, "k1", "failed")
    toy.do(toy.server.reply, "nobody-asked", "done")
    assert peer.silent(100)


def test_a_client_that_left_is_noise_and_its_outcome_is_kept(toy: Toy, peer: Wire) -> None:
    toy.answers = lambda request, identity: None
    with dealer(toy.address.command) as gone:
        gone.send(packed(type="kill", id="k1"))
        until(lambda: toy.seen)
    until(lambda: toy.do(toy.server.reply, "k1", "progress") or dict(toy.noise).get("reply_dropped"))
    toy.do(toy.server.reply, "k1", "done", {"flat": 8})
    assert ask(peer, type="kill", id="k1")[-1].data == {"flat": 8}


EXPIRED_NS = 1_000


@pytest.mark.parametrize("type", sorted(wire.REQUEST_TYPES))
def test_expiry_refuses_everything_but_stopping(toy: Toy, peer: Wire, type: str) -> None:
    final = ask(peer, type=type, expires_ns=EXPIRED_NS)[-1]
    admin_only = LEAST_ROLE[type] is Role.ADMIN  # the owner of the ipc folder is an operator
    if type in wire.STOPPING_TYPES:
        assert final.status == "done"
    else:
        assert final.status == "rejected"
        assert code(final) == (wire.NOT_PERMITTED if admin_only else wire.EXPIRED)
        assert toy.seen == []


def test_a_repeat_after_expiry_still_gets_the_outcome(toy: Toy, peer: Wire) -> None:
    ask(peer, type="submit_order", id="o1", expires_ns=time.time_ns() + 10**12)
    toy.server._clock_ns = lambda: time.time_ns() + 2 * 10**12
    assert ask(peer, type="submit_order", id="o1", expires_ns=time.time_ns())[-1].status == "done"
    assert len(toy.seen) == 1


def test_bad_frames_are_answered_counted_and_change_nothing(toy: Toy, peer: Wire) -> None:
    for frame, expected, id in BAD_REQUESTS:
        peer.send(frame)
        reply = peer.read()
        assert (reply.status, code(reply), reply.id) == ("rejected", expected, id)
    peer.send(b"", packed(type="kill"))
    peer.send(packed(type="kill"), packed(type="kill"))
    assert [code(peer.read()) for _ in range(2)] == [wire.MALFORMED] * 2
    assert code(ask(peer, type="format_disk")[-1]) == wire.UNKNOWN_TYPE

    assert toy.seen == []
    until(lambda: sum(toy.server._noise.counts.values()) == len(BAD_REQUESTS) + 3)
    assert {kind for kind, _ in toy.noise} == {expected for _, expected, _ in BAD_REQUESTS} | {
        wire.UNKNOWN_TYPE
    }
    assert len(toy.noise) < 12  # told at most once a second a kind


def test_a_frame_far_too_large_costs_its_sender_the_connection_and_nobody_else(toy: Toy, peer: Wire) -> None:
    with dealer(toy.address.command) as hostile:
        hostile.send(b"\x81" * (wire.FRAME_BYTES_DROP + 1))
        assert hostile.silent(100)
    assert ask(peer)[-1].status == "done"


def test_more_requests_in_flight_than_allowed_are_refused_but_a_kill_is_not(toy: Toy, peer: Wire) -> None:
    toy.answers = lambda request, identity: None
    toy.server._outcomes._running_max = 3
    for n in range(4):
        peer.send(packed(type="submit_order", id=f"o{n}"))
    assert code(peer.read()) == wire.BUSY
    peer.send(packed(type="kill", id="k"))
    until(lambda: len(toy.seen) == 4)
    assert toy.seen[-1][0].type == "kill"


def test_an_engine_that_fails_on_one_request_goes_on_with_the_next(toy: Toy, peer: Wire) -> None:
    def broken(request: wire.Request, identity: object) -> None:
        if request.id == "bad":
            raise RuntimeError("engine")
        toy.server.reply(request.id, "done")

    toy.answers = broken  # type: ignore[assignment]
    toy.loop.set_exception_handler(lambda loop, context: None)
    peer.send(packed(type="start", id="bad"))
    assert ask(peer, type="start", id="good")[-1].id == "good"


def test_clients_are_counted_by_who_follows_the_heartbeat(toy: Toy) -> None:
    def follower(context: zmq.Context, prefix: bytes) -> sockets.Socket:  # type: ignore[type-arg]
        sub = sockets.state_client(context, None)
        sub.subscribe(prefix)
        sub.connect(toy.address.state)
        return sub

    with zmq.Context() as context:
        open_now = [follower(context, prefix) for prefix in (b"", b"", b"heartbeat", b"position")]
        until(lambda: toy.do(lambda: toy.server.clients) == 3)
        open_now.pop().close(0)
        open_now.pop().close(0)
        until(lambda: toy.do(lambda: toy.server.clients) == 2)
        for sub in open_now:
            sub.close(0)
        until(lambda: toy.do(lambda: toy.server.clients) == 0)


def test_sockets_are_the_owners_alone(toy: Toy) -> None:
    folder = toy.data_dir / "bus"
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("state.ipc", "command.ipc"):
        assert (folder / name).stat().st_mode & 0o077 == 0
    assert (folder / "core.json").stat().st_mode & 0o777 == 0o600


def test_close_leaves_nothing_behind(tmp_path: Path) -> None:
    with Toy(tmp_path):
        assert len(list((tmp_path / "bus").glob("*.ipc"))) == 2
    assert list((tmp_path / "bus").iterdir()) == []


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:*", "inproc://x", "nonsense"])
def test_an_endpoint_that_would_be_open_to_all_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="keys"):
        BusServer(
            state_endpoints=[endpoint],
            command_endpoints=[endpoint],
            epoch=1,
            on_request=lambda request, identity: None,
            on_noise=lambda kind, text: None,
        )


def test_an_endpoint_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        server = BusServer(
            state_endpoints=[endpoint],
            command_endpoints=["tcp://127.0.0.1:*"],
            epoch=1,
            on_request=lambda request, identity: None,
            on_noise=lambda kind, text: None,
            curve=CurveServer.of(tmp_path),
        )
        loop = asyncio.new_event_loop()
        with pytest.raises(OSError, match="choose another endpoint"):
            server.start(loop)
        server.close()
        server.close()
        loop.close()


def test_the_client_confirms_or_says_that_it_cannot(toy: Toy) -> None:
    toy.put("X", 1)
    with Client.attach(data_dir=toy.data_dir) as client:
        assert client.ping()["role"] == "operator"
        assert client.snapshot().messages["position.X"].data["qty"] == 1
        assert statuses(list(client.kill(reason="drill")))[0] == "accepted"
        assert client.rearm("all", reason="drill over").status == "done"


def test_the_raw_reader_needs_nothing_of_ours(toy: Toy) -> None:
    with zmq.Context() as context:
        sub = context.socket(zmq.SUB)
        sub.subscribe(b"position")
        sub.connect(toy.address.state)
        until(lambda: toy.put("X", os.getpid()) and sub.poll(10))
        topic, _, body = sub.recv().partition(b"\0")
        sub.close(0)
    assert topic == b"position.X"
    assert msgpack.unpackb(body)["data"] == {"symbol": "X", "qty": os.getpid()}
