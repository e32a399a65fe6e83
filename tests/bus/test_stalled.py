"""Clients that stop reading, or never stop writing: the core goes on, and they find the truth when they come back."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bus.address import resolve
from bus.link import SocketLink
from bus.linking import Delta
from bus.sockets import STATE_HWM

from .test_codec import packed
from .toy import Toy, dealer, until

ROOT = Path(__file__).parents[2]
FLOOD = 5 * STATE_HWM


@contextmanager
def follower(toy: Toy, last: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.bus.follower", str(toy.data_dir), str(last)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def test_a_stopped_subscriber_delays_nobody_and_heals(tmp_path: Path) -> None:
    with Toy(tmp_path) as toy, follower(toy, FLOOD) as one, follower(toy, FLOOD) as two:
        for process in (one, two):
            process.send_signal(signal.SIGSTOP)
        link = SocketLink(resolve(None, tmp_path))
        link.start()
        seen = 0

        def flood() -> int:
            for n in range(FLOOD + 1):
                toy.server.publish("position.A", "position", {"symbol": "A", "qty": n, "pad": "x" * 200}, 1)
            return toy.server.heads()["position"]

        assert toy.do(flood) == FLOOD + 1  # blocked, it would never come back

        def last_seen() -> bool:
            nonlocal seen
            for event in link.drain():
                if isinstance(event, Delta) and event.topic == "position.A":
                    seen = event.message.data["qty"]
            return link.stats().state == "up"

        until(last_seen)
        link.close()
        for process in (one, two):
            process.send_signal(signal.SIGCONT)
        for process in (one, two):
            assert process.stdout is not None
            word, resyncs = process.stdout.readline().split()
            assert word == "end"
            assert int(resyncs) >= 1


def test_a_client_that_floods_and_never_reads_does_not_keep_others_out(tmp_path: Path) -> None:
    with Toy(tmp_path) as toy, dealer(toy.address.command) as hostile, dealer(toy.address.command) as honest:
        for n in range(3000):
            hostile.send(packed(type="ping", id=f"h{n}"))
            if n % 100 == 0:
                honest.send(packed(type="ping", id=f"good{n}"))
                assert honest.to_the_end()[-1].id == f"good{n}"
        honest.send(packed(type="kill", id="k"))
        assert honest.to_the_end()[-1].status == "done"
        assert [request.id for request, _ in toy.seen] == ["k"]
