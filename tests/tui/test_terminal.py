"""The console in a real terminal that hangs, stalls or goes away. Real sockets, real threads, bounded seconds."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import msgspec
import pytest
import zmq
from terminal import Terminal

from bus.wire import Reply, Request
from tui.panic import Chord, Cord

CHORD = b"\x1c"


class StubCore(threading.Thread):
    """A command socket that answers kills; ``deaf`` answers nothing, ``deaf=n`` ignores the first n requests."""

    def __init__(self, folder: Path, deaf: int = 0, ends: str = "done") -> None:
        super().__init__(daemon=True)
        self.endpoint = f"ipc://{folder}/c.ipc"
        self.heard: list[tuple[float, Request]] = []
        self.deaf, self.ends = deaf, ends
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.bind(self.endpoint)
        self.closing = False
        self.start()

    def run(self) -> None:
        while not self.closing:
            if not self.socket.poll(50):
                continue
            route, frame = self.socket.recv_multipart()
            request = msgspec.msgpack.decode(frame, type=Request)
            self.heard.append((time.monotonic(), request))
            if len(self.heard) <= self.deaf:
                continue
            stray = Reply(v=1, id="somebody-else", status="rejected", epoch=7, seq=9)
            self.socket.send_multipart([route, msgspec.msgpack.encode(stray)])
            self.socket.send_multipart([route, b"no message at all"])
            for seq, (status, data) in enumerate(
                [
                    ("accepted", {}),
                    ("progress", {"cancelled": 2, "cancel_total": 5}),
                    (self.ends, {"receipt": "5f0c"}),
                ],
                1,
            ):
                reply = Reply(v=1, id=request.id, status=status, epoch=7, seq=seq, data=data)
                self.socket.send_multipart([route, msgspec.msgpack.encode(reply)])
        self.context.destroy(0)

    def stop(self) -> None:
        self.closing = True
        self.join(2)


@pytest.fixture
def stub(tmp_path):
    cores = []

    def make(**options) -> StubCore:
        cores.append(StubCore(tmp_path, **options))
        return cores[-1]

    yield make
    for core in cores:
        core.stop()


def until(condition, timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def pulled(cord: Cord):
    cord.pull()
    until(lambda: cord.last is not None and cord.last.end_ms is not None)
    return cord.last


def test_a_pull_says_kill_with_a_reason_and_follows_the_counts(stub):
    core, notes = stub(), []
    cord = Cord(core.endpoint, log=notes.append)
    last = pulled(cord)
    (_, request), *rest = core.heard
    assert not rest
    assert (request.type, request.data) == ("kill", {"scope": "all", "level": "halt"})
    assert request.reason
    assert request.expires_ns == 0
    assert [n.status for n in notes] == ["sending", "sending", "accepted", "progress", "done"]
    assert (last.counts, last.receipt) == ("cancelled 2/5", "5f0c")
    assert last.sent_ms <= last.ack_ms <= last.end_ms


def test_a_pull_is_repeated_with_the_same_id_until_it_is_answered(stub):
    core = stub(deaf=2)
    last = pulled(Cord(core.endpoint))
    assert last.status == "done"
    assert len(core.heard) >= 3
    assert len({request.id for _, request in core.heard}) == 1


def test_a_pull_nobody_answers_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("tui.panic.GIVE_UP_S", 0.6)
    last = pulled(Cord(f"ipc://{tmp_path}/nobody.ipc"))
    assert last.status == "no answer"
    assert last.ack_ms is None


def test_a_pull_begins_before_there_is_a_core(tmp_path, stub):
    cord = Cord(f"ipc://{tmp_path}/c.ipc")
    cord.pull()
    until(lambda: cord.last is not None)
    assert cord.unanswered()
    stub()
    until(lambda: cord.last.status == "done")
    assert not cord.unanswered()


def test_a_pull_looks_again_where_the_core_is(tmp_path, stub):
    core = stub()
    cord = Cord(f"ipc://{tmp_path}/gone.ipc", again=lambda: core.endpoint)
    assert pulled(cord).status == "done"


def test_chord():
    chord = Chord()
    assert [chord.press(t) for t in (0.0, 1.9, 2.0, 4.1, 4.2)] == [False, True, False, False, True]


def test_the_cord_works_while_the_event_loop_hangs(tmp_path, stub):
    core = stub()
    with Terminal(tmp_path / "log", core.endpoint, "block=5") as terminal:
        blocked_at = float(terminal.wait("blocked")[0][1])
        time.sleep(0.3)
        terminal.press(CHORD)
        time.sleep(0.2)
        pressed_at = time.monotonic()
        terminal.press(CHORD)
        until(lambda: core.heard, 4.0)
        assert core.heard[0][0] - pressed_at < 1.0
        assert not terminal.lines("unblocked")
        assert core.heard[0][0] - blocked_at < 4.9
        until(lambda: any(line[2] == "done" for line in terminal.lines("pull")), 4.0)
        assert not terminal.lines("unblocked")


def test_a_terminal_that_does_not_drain_stops_the_paint_and_nothing_else(tmp_path, stub):
    core = stub()
    with Terminal(tmp_path / "log", core.endpoint, "busy") as terminal:
        terminal.wait("beat", 2)
        terminal.stalled = True
        until(lambda: any("skipped=0" not in " ".join(line) for line in terminal.lines("beat")), 10)
        terminal.log.write_text("")
        time.sleep(2.0)
        terminal.press(b"2")  # pages, dialogs and commands still work on the way in
        terminal.press(CHORD)
        time.sleep(0.1)
        terminal.press(CHORD)
        until(lambda: core.heard, 2.0)
        time.sleep(1.2)
        gaps = [float(line[1]) for line in terminal.lines("gap")]
        assert max(gaps, default=0.0) < 1.0, gaps
        assert len(terminal.lines("beat")) >= 2
        assert terminal.lines("beat")[-1][2] == "page=0"
        terminal.stalled = False
        before = len(terminal.output)
        until(lambda: b"KILL PANEL" in terminal.output[before:], 5.0)  # what was dropped is painted again
        until(lambda: b"COMMANDS sent from here" in terminal.output[before:], 5.0)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("signals", ["handled", "nohup"])
def test_a_terminal_that_goes_away_ends_the_console_without_a_spin(tmp_path, stub, signals):
    core = stub()
    with Terminal(tmp_path / "log", core.endpoint, signals) as terminal:
        terminal.wait("beat", 1)
        before = cpu_s(terminal.process.pid)
        terminal.hang_up()
        worst = before
        until_s = time.monotonic() + 8
        while terminal.process.poll() is None and time.monotonic() < until_s:
            try:
                worst = cpu_s(terminal.process.pid)
            except (FileNotFoundError, IndexError):
                break
            time.sleep(0.02)
        assert terminal.process.wait(1) is not None
        assert worst - before < 1.5
        assert not core.heard  # leaving changes nothing in the core


def test_a_pull_that_is_on_its_way_survives_the_terminal(tmp_path, stub):
    core = stub(deaf=1)  # the first request is not answered: the pull is still out when the terminal goes
    with Terminal(tmp_path / "log", core.endpoint) as terminal:
        terminal.wait("beat", 1)
        terminal.press(CHORD + CHORD)
        until(lambda: core.heard)
        terminal.hang_up()
        until(lambda: len(core.heard) >= 2, 5.0)
        terminal.process.wait(8)
        assert any(line[2] in ("accepted", "progress", "done") for line in terminal.lines("pull"))


def test_first_paint_comes_soon(tmp_path, stub):
    core = stub()
    with Terminal(tmp_path / "log", core.endpoint) as terminal:
        until(
            lambda: b"DISTANCE TO LIMIT" in terminal.output, 10.0
        )  # a budget for benches; here: it comes at all
        assert b"1,002,341" in terminal.output
