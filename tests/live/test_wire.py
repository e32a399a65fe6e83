"""The wire of a real core: forty foreign lines follow and stop it, frozen consoles cost it nothing, keys decide."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from andon import Client
from bus.address import NotReachable
from tests.bus.forty_lines import Core as FortyLines
from tests.live.kit import IDLE, ROOT, Home, assert_one_line, environment, held, until

pytestmark = pytest.mark.slow
KILL_S_MAX = 5.0


def follow(core: FortyLines, until_: Callable[[], object], timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not until_():
        core.follow()
        assert time.monotonic() < end, "the follower never got there"


def test_forty_foreign_lines_follow_to_equality_and_pull_the_cord(home: Home) -> None:
    with home.core():
        home.trading()
        core = FortyLines(json.loads((home.folder / "bus" / "core.json").read_text()))
        follow(core, lambda: core.epoch and held_by(core))
        replies = list(core.ask("kill", {"scope": "all", "level": "flatten"}, "forty lines"))
        assert replies[0]["status"] == "accepted"
        assert replies[-1]["status"] == "done"
        assert {"cancelled", "flat", "unconfirmed", "receipt"} <= replies[-1]["data"].keys()
        follow(core, lambda: core.state["state"]["data"]["state"] == "FLATTENING")

        def equal() -> bool:
            """Caught up with the truth at one moment: the same sequence numbers, and then the same words."""
            with Client.attach(data_dir=home.folder) as client:
                truth = client.snapshot()
            follow(core, lambda: all(core.seq.get(s, 0) >= n for s, n in truth.seq.items()))
            if core.seq != truth.seq:
                return False  # it has moved on meanwhile: look again
            theirs = {topic: message["data"] for topic, message in core.state.items()}
            ours = {topic: message.data for topic, message in truth.messages.items()}
            assert theirs == ours
            return True

        until(equal, "a moment at which both have the same heads", 20.0, 0.0)
        core.sub.close(0)
        core.dealer.close(0)


def held_by(core: FortyLines) -> list[str]:
    return [
        topic
        for topic, message in core.state.items()
        if topic.startswith("position.") and message["data"]["qty"]
    ]


def test_three_frozen_followers_delay_nothing(home: Home) -> None:
    home.configure("[market]\ntick_rate_per_s = 5000.0\n[bus]\ntable_hz = 50.0\n")
    with home.core():
        home.trading()
        watchers = [
            subprocess.Popen(
                [sys.executable, "-m", "andon", "watch", "--json"],
                cwd=ROOT,
                env=environment(home.folder),
                stdout=subprocess.PIPE,
            )
            for _ in range(3)
        ]
        try:
            for each in watchers:
                assert each.stdout is not None
                each.stdout.readline()
                each.send_signal(signal.SIGSTOP)
            with Client.attach(data_dir=home.folder) as client:
                started = time.monotonic()
                last = list(client.kill(level="flatten", reason="three are frozen", timeout_s=30.0))[-1]
                took = time.monotonic() - started
                pings = [client.ping()["rtt_ms"] for _ in range(20)]
            assert (last.status, last.data["unconfirmed"]) == ("done", 0)
            assert took < KILL_S_MAX
            assert sorted(pings)[10] < 250.0, pings
            assert until(lambda: not held(home.status()), "flat")
        finally:
            for each in watchers:
                each.send_signal(signal.SIGCONT)
                each.kill()
                each.wait(10)
                assert each.stdout is not None
                each.stdout.close()


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@pytest.fixture
def over_tcp(home: Home) -> tuple[Home, str]:
    """A folder whose core listens on TCP, and how to attach to it that way."""
    state, command = free_ports()
    home.configure(f"{IDLE}[bus]\ntcp = true\nstate_port = {state}\ncommand_port = {command}\n")
    home.folder.mkdir(mode=0o700)
    for name, role in (("desk", "operator"), ("screen", "viewer"), ("robot", "trader")):
        row = home.json("keys", "new", name, "--role", role)
        assert (row["name"], row["role"]) == (name, role)
        assert os.stat(row["file"]).st_mode & 0o777 == 0o600
        assert Path(row["file"]).read_text() not in json.dumps(row), "no secret is printed"
    return home, f"state=tcp://127.0.0.1:{state},command=tcp://127.0.0.1:{command}"


def test_over_tcp_the_key_decides_who_may_what(over_tcp: tuple[Home, str]) -> None:
    home, where = over_tcp
    with home.core():
        public = json.loads((home.folder / "bus" / "core.json").read_text())["server_public_key"]
        assert public
        target = f"{where},server_public_key={public}"

        def as_(key: str, *words: str) -> Any:
            return home.ask(*words, "--attach", target, "--key", key)

        seen = as_("screen", "status", "--json")
        assert seen.code == 0, seen.err
        assert seen.rows()[0]["state"] == "ACTIVE"
        for words in (
            ("kill", "--reason", "may I"),
            ("start",),
            ("order", "buy", "ETH/USDT", "1"),
            ("cancel", "--all"),
        ):
            assert_one_line(as_("screen", *words), 1)
        assert home.state() == "ACTIVE"
        assert as_("robot", "rearm", "all", "--reason", "may I").code == 1
        assert as_("robot", "kill", "--reason", "everything, as a trader").code == 1
        assert home.state() == "ACTIVE"

        stranger = Home(home.place / "elsewhere")
        stranger.folder.mkdir(parents=True, mode=0o700)
        stranger.json("keys", "new", "nobody", "--role", "admin")
        unknown = home.ask(
            *("status", "--attach", target, "--timeout", "2"),
            *("--key", str(stranger.folder / "keys" / "nobody.key")),
        )
        assert_one_line(unknown, unknown.code)
        assert unknown.code in {1, 3}
        keyless = home.ask("status", "--attach", target)
        assert_one_line(keyless, keyless.code)

        killed = as_("desk", "kill", "--reason", "from afar", "--json")
        assert killed.code == 0, killed.err
        assert killed.rows()[-1]["status"] == "done"
        assert home.state() == "HALTED"


def test_a_key_made_while_the_core_runs_works_and_one_taken_away_does_not(over_tcp: tuple[Home, str]) -> None:
    home, where = over_tcp
    with home.core():
        public = json.loads((home.folder / "bus" / "core.json").read_text())["server_public_key"]
        target = ("--attach", f"{where},server_public_key={public}")
        home.json("keys", "new", "late", "--role", "operator")
        until(lambda: home.ask("status", *target, "--key", "late").code == 0, "the new key is known", 10.0)
        known = home.folder / "keys" / "authorized.json"
        table = json.loads(known.read_text())
        left = {key: who for key, who in table.items() if who["name"] != "late"}
        assert len(left) == len(table) - 1
        known.write_text(json.dumps(left))
        until(
            lambda: home.ask("kill", "--reason", "x", *target, "--key", "late", "--timeout", "2").code != 0,
            "gone",
        )
        assert home.state() == "ACTIVE"


def test_a_plain_socket_on_the_tcp_port_hears_nothing(over_tcp: tuple[Home, str]) -> None:
    """No CURVE, no answer: neither a client without keys nor a browser gets a word of state."""
    home, where = over_tcp
    with home.core():
        import zmq

        endpoint = where.partition(",")[0].partition("=")[2]
        with zmq.Context() as context, context.socket(zmq.SUB) as sub:
            sub.subscribe(b"")
            sub.connect(endpoint)
            assert sub.poll(1500) == 0
        host, port = endpoint.removeprefix("tcp://").split(":")
        with socket.create_connection((host, int(port)), timeout=2) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        assert home.state() == "ACTIVE"
        with pytest.raises(NotReachable):
            Client.attach(where)
