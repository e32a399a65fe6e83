"""TCP: only known keys, only what their role allows, and a door that reports when it stands open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from bus import wire
from bus.client import Client, NotReachable
from bus.door import CurveServer
from bus.enums import Role
from bus.keys import KeyPair, KeyProblem, KnownKeys, new_key, read_key, server_keys
from bus.sockets import ZAP_DOMAIN, ClientKeys, command_server
from bus.wire import Error, Reply
from bus.zap import ENDPOINT, Verdict, ZapLoop, probe

from .test_codec import packed
from .toy import Toy, dealer, until


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, KeyPair]:
    return {
        role: new_key(tmp_path / "keys", f"{role}1", role)
        for role in ("viewer", "trader", "operator", "admin")
    }


@pytest.fixture
def toy(tmp_path: Path, keys: dict[str, KeyPair]) -> Iterator[Toy]:
    with Toy(tmp_path, tcp=True) as toy:
        yield toy


def ask(toy: Toy, pair: KeyPair, **fields: object) -> Reply:
    with dealer(toy.tcp().command, pair.for_client()) as peer:
        peer.send(packed(**fields))
        return peer.to_the_end()[-1]


def code(reply: Reply) -> str:
    assert isinstance(reply.error, Error)
    return reply.error.code


def test_a_known_key_is_its_name_and_role(toy: Toy, keys: dict[str, KeyPair]) -> None:
    assert ask(toy, keys["operator"], type="kill", id="k").status == "done"
    _, identity = toy.seen[0]
    assert (identity.name, identity.role, identity.transport) == ("operator1", Role.OPERATOR, "tcp")


def test_an_unknown_key_is_refused_by_the_handshake_and_heard_of(toy: Toy) -> None:
    public, secret = (half.decode() for half in zmq.curve_keypair())
    with dealer(toy.tcp().command, ClientKeys(public, secret, toy.address.server_public_key), 300) as peer:
        assert not peer.socket.poll(0, zmq.POLLOUT)
    until(lambda: [text for kind, text in toy.noise if kind == "unknown_key"])
    for endpoint, at_state in ((toy.tcp().state, True), (toy.tcp().command, False)):
        verdict = probe(endpoint, toy.address.server_public_key, at_state=at_state)
        assert verdict is Verdict.REFUSED
    assert toy.seen == []


def test_without_curve_nobody_gets_in_over_tcp(toy: Toy) -> None:
    with dealer(toy.tcp().command, None, 300) as peer:
        assert not peer.socket.poll(0, zmq.POLLOUT)


ALLOWED = {
    "viewer": {"snapshot", "ping", "subscribe_history", "what_if"},
    "trader": set(
        "submit_order submit_list amend_order cancel_order close_position cancel_algo pause_algo resume_algo".split()
    ),
    "operator": set(
        "kill stop cancel_all rearm start start_strategy stop_strategy acknowledge_alert shelve_alert"
        " request_override revoke_override".split()
    ),
    "admin": {"set_limit", "promote_model", "grant_override"},
}


@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_may_do_its_own_and_what_is_below_and_nothing_else(
    toy: Toy, keys: dict[str, KeyPair], role: str
) -> None:
    may = set[str]().union(
        *[types for name, types in ALLOWED.items() if Role[name.upper()] <= Role[role.upper()]]
    )
    with dealer(toy.tcp().command, keys[role].for_client()) as peer:
        for type in sorted(wire.REQUEST_TYPES):
            peer.send(packed(type=type, id=type))
            final = peer.to_the_end()[-1]
            assert (final.status == "done") == (type in may), f"{role} {type}"
            if type not in may:
                assert code(final) == wire.NOT_PERMITTED
    assert {request.type for request, _ in toy.seen} == may - {"snapshot", "ping"}


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("strategy:maker", True), ("strategy:", False), ("all", False), (None, False), (7, False)],
)
def test_a_trader_may_kill_a_strategy_and_nothing_wider(
    toy: Toy, keys: dict[str, KeyPair], scope: object, allowed: bool
) -> None:
    final = ask(toy, keys["trader"], type="kill", data={"scope": scope})
    assert final.status == ("done" if allowed else "rejected")
    assert len(toy.seen) == allowed
    assert ask(toy, keys["viewer"], type="kill", data={"scope": "strategy:maker"}).status == "rejected"


def test_an_id_belongs_to_whoever_used_it(toy: Toy, keys: dict[str, KeyPair]) -> None:
    assert ask(toy, keys["operator"], type="kill", id="k").status == "done"
    assert code(ask(toy, keys["admin"], type="kill", id="k")) == wire.ID_TAKEN


def test_a_removed_key_is_refused_at_its_next_request(toy: Toy, keys: dict[str, KeyPair]) -> None:
    store = toy.data_dir / "keys" / "authorized.json"
    with dealer(toy.tcp().command, keys["operator"].for_client()) as peer:
        peer.send(packed())
        assert peer.to_the_end()[-1].data["role"] == "operator"
        known = json.loads(store.read_text())
        del known[keys["operator"].public]
        store.write_text(json.dumps(known))
        peer.send(packed(type="start", id="late"))
        assert code(peer.read()) == wire.NOT_PERMITTED
    assert toy.seen == []


def test_a_new_key_works_without_a_restart(toy: Toy) -> None:
    assert ask(toy, new_key(toy.data_dir / "keys", "late", "viewer")).data["name"] == "late"


def test_the_public_client_over_tcp(toy: Toy, keys: dict[str, KeyPair]) -> None:
    toy.put("X", 1)
    target = f"state={toy.tcp().state},command={toy.tcp().command}"
    with Client.attach(target, key=toy.data_dir / "keys" / "viewer1.key") as client:
        assert client.snapshot().messages["position.X"].data["qty"] == 1
        follow = client.follow(["position"])
        assert next(follow)[0] == "position.X"
        assert code(next(client.kill(reason="no"))) == wire.NOT_PERMITTED
    with pytest.raises(NotReachable, match="needs a key"):
        Client.attach(target)


def test_the_probe_passes_and_is_no_noise(toy: Toy) -> None:
    door = toy.server._door
    assert door is not None
    until(lambda: door.last_verdict)
    assert door.last_verdict is Verdict.REFUSED
    assert toy.noise == []


def test_an_open_door_is_closed_and_reported(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ZapLoop, "_judge", lambda self, frames: (b"200", b"OK", b"anyone:admin"))
    door = toy.server._door
    assert door is not None
    toy.do(door.probe_now)
    until(lambda: toy.open_doors)
    with dealer(toy.tcp().command, None, 300) as peer:
        assert not peer.socket.poll(0, zmq.POLLOUT)
    with dealer(toy.address.command) as peer:  # ipc goes on
        peer.send(packed())
        assert peer.to_the_end()[-1].status == "done"


def test_with_the_zap_loop_gone_nobody_gets_in(tmp_path: Path) -> None:
    curve = CurveServer.of(tmp_path)
    with zmq.Context() as context, command_server(context, curve.keys) as socket:
        socket.bind("tcp://127.0.0.1:*")
        endpoint = socket.getsockopt_string(zmq.LAST_ENDPOINT)
        assert probe(endpoint, curve.keys.public, timeout_s=0.5) is not Verdict.ADMITTED
        # The control: without the enforced domain the same probe walks in.
        with context.socket(zmq.ROUTER) as naive:
            naive.setsockopt(zmq.CURVE_SERVER, 1)
            naive.setsockopt(zmq.CURVE_SECRETKEY, curve.keys.secret.encode())
            naive.bind("tcp://127.0.0.1:*")
            open_end = naive.getsockopt_string(zmq.LAST_ENDPOINT)
            assert probe(open_end, curve.keys.public) is Verdict.ADMITTED


GARBAGE = [
    [b""],
    [b"1.0"],
    [b"1.0", b"1"],
    [b"9.9", b"1", ZAP_DOMAIN, b"127.0.0.1", b"", b"CURVE", b"\0" * 32],
    [b"1.0", b"1", ZAP_DOMAIN, b"127.0.0.1", b"", b"CURVE", b"short"],
    [b"1.0", b"1", ZAP_DOMAIN, b"\xff\xfe", b"", b"CURVE", b"\xff" * 32],
    [b"1.0", b"1", ZAP_DOMAIN, b"127.0.0.1", b"", b"PLAIN", b"admin", b"admin"],
    [b"1.0", b"1", ZAP_DOMAIN, b"127.0.0.1", b"", b"NULL"],
    [b"1.0", b"1", b"other", b"127.0.0.1", b"", b"CURVE", b"\0" * 32],
    [b"\0" * 1000] * 50,
]


def test_the_zap_loop_survives_garbage_a_broken_store_and_a_broken_listener(tmp_path: Path) -> None:
    pair = new_key(tmp_path, "me", "operator")
    known = KnownKeys(tmp_path)

    def listener(text: str) -> None:
        raise RuntimeError("the loop is closed")

    context = zmq.Context()
    zap = ZapLoop(context, known, listener)
    zap.start()
    asker = context.socket(zmq.REQ)
    asker.connect(ENDPOINT)

    def status(frames: list[bytes]) -> bytes:
        asker.send_multipart(frames)
        assert asker.poll(5000), "the ZAP loop is mute"
        return asker.recv_multipart()[2]

    good = [b"1.0", b"7", ZAP_DOMAIN, b"127.0.0.1", b"", b"CURVE", zmq.utils.z85.decode(pair.public.encode())]
    assert {status(frames) for frames in GARBAGE} <= {b"400", b"500"}
    assert status(good) == b"200"
    known._stat = lambda: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    assert status(good) == b"500"
    del known._stat
    assert status(good) == b"200"
    assert zap.alive
    asker.close(0)
    context.term()
    zap.join()
    assert not zap.alive


def test_key_files_are_private_and_wide_ones_refused(tmp_path: Path) -> None:
    new_key(tmp_path, "me", "operator")
    path = tmp_path / "me.key"
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    path.chmod(0o640)
    with pytest.raises(KeyProblem, match="chmod 600"):
        read_key(path)
    (tmp_path / "authorized.json").chmod(0o666)
    problems: list[str] = []
    assert KnownKeys(tmp_path, problems.append).role_of("me") is None
    assert "chmod 600" in problems[0]


@pytest.mark.parametrize(
    ("name", "role"), [("me", "king"), ("../x", "viewer"), ("", "viewer"), ("server", "viewer")]
)
def test_a_key_needs_a_name_and_a_role(tmp_path: Path, name: str, role: str) -> None:
    with pytest.raises(KeyProblem):
        new_key(tmp_path, name, role)
    assert list(tmp_path.glob("*.key")) == []


def test_a_name_is_taken_once_and_a_key_is_for_its_own_core(tmp_path: Path) -> None:
    pair = new_key(tmp_path, "me", "viewer")
    with pytest.raises(KeyProblem, match="already"):
        new_key(tmp_path, "me", "admin")
    assert pair.for_client().server == server_keys(tmp_path).public
    with pytest.raises(KeyProblem, match="another core"):
        pair.for_client(zmq.curve_keypair()[0].decode())
