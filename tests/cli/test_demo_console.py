"""`andon demo` in a terminal, and what is left when it is ended from outside."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, environment

pytestmark = pytest.mark.slow
PATIENCE_S = 100.0  # a first start compiles the kernels


def read_until(terminal: int, what: bytes) -> bytes:
    """Everything up to ``what``; fails when the other side ends or takes too long."""
    seen = b""
    until = time.monotonic() + PATIENCE_S
    while what not in seen and time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536)
    assert what in seen, seen[-500:]
    return seen


def drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        return  # Linux says EIO when the last process has closed its side


def test_in_a_terminal_the_console_comes_and_its_end_stops_the_core(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    env = environment(tmp_path / "data", TMPDIR=str(tmp_path), TERM="xterm-256color")
    command = [sys.executable, "-m", "andon", "demo"]
    demo = subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    read_until(ours, b"\x1b[?1049h")  # the alternate screen: the console has taken the terminal
    read_until(ours, b"ACTIVE")
    os.write(ours, b"q")
    read_until(ours, b"stopping the core in order")
    drain(ours)
    assert demo.wait(30) == 0
    assert not list(tmp_path.glob("andon-demo-*"))
    os.close(ours)


def test_ended_from_outside_it_takes_its_core_along(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", TMPDIR=str(tmp_path))
    command = [sys.executable, "-m", "andon", "demo", "--seconds", "60"]
    demo = subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=-1, stderr=-1, text=True
    )
    assert demo.stderr is not None
    while "ACTIVE" not in (line := demo.stderr.readline()):
        assert line, "the demo ended by itself"
    [address] = tmp_path.glob("andon-demo-*/bus/core.json")
    import json

    pid = json.loads(address.read_text())["pid"]
    demo.send_signal(signal.SIGTERM)
    _, err = demo.communicate(timeout=40)
    assert demo.returncode == 130
    assert "Traceback" not in err
    assert not list(tmp_path.glob("andon-demo-*"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
