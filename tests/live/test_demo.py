"""The first thing anybody types: it tells its story, ends with 0, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.kit import ROOT, Home, alive, environment, no_traceback, until

pytestmark = pytest.mark.slow


def cores_under(place: Path) -> list[int]:
    """Processes whose command line names a folder in ``place``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(place).encode() in words and b"core" in words:
                found.append(int(entry.name))
    return found


def demo(home: Home, *words: str, **env: str) -> subprocess.Popen[str]:
    temporary = home.place / "tmp"
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "andon", "demo", *words],
        cwd=ROOT,
        env=environment(home.folder, TMPDIR=str(temporary), **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_without_a_terminal_it_ends_with_a_report_and_leaves_nothing(home: Home) -> None:
    running = demo(home, DEMO_SECONDS="15")
    seen = until(lambda: cores_under(home.place / "tmp"), "its core", 60.0)
    out, err = running.communicate(timeout=110)
    assert running.returncode == 0, out + err
    lines = out.splitlines()
    assert len(lines) <= 23, "one screen, and the prompt"
    assert [line for line in lines if len(line) > 80] == []
    assert "as expected" in out
    assert "cancelled" in out
    no_traceback(out, err)
    assert not any(alive(pid) for pid in seen)
    assert list((home.place / "tmp").iterdir()) == []
    assert not home.folder.exists(), "the user's own folder is not touched"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_from_outside_it_takes_its_core_along(home: Home, number: int) -> None:
    running = demo(home, DEMO_SECONDS="60")
    seen = until(lambda: cores_under(home.place / "tmp"), "its core", 60.0)
    until(lambda: list((home.place / "tmp").glob("*/bus/core.json")), "ready", 60.0)
    os.kill(running.pid, number)
    out, err = running.communicate(timeout=40)
    assert running.returncode != 0
    no_traceback(out, err)
    until(lambda: not any(alive(pid) for pid in seen), "its core is gone")
    assert list((home.place / "tmp").iterdir()) == []


def test_a_duration_that_is_none_is_refused(home: Home) -> None:
    for seconds in ("soon", "-1", "nan", "1e99"):
        running = demo(home, DEMO_SECONDS=seconds)
        _, err = running.communicate(timeout=30)
        assert running.returncode == 2, seconds
        assert len(err.splitlines()) == 1
        assert list((home.place / "tmp").iterdir()) == []
