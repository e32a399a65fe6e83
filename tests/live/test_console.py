"""The real console in a real terminal (tmux), over a real core: what the operator sees and what the keys do.

Every wait polls the screen; nothing sleeps for a fixed time. Each test has a tmux server of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.kit import ROOT, Home, alive, environment, held, no_traceback, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed (apt-get install tmux)"),
]
FIRST_SCREEN_S = 20.0


class Tmux:
    """One terminal with one console in it."""

    def __init__(self, home: Home, folder: Path, width: int, height: int) -> None:
        self.home, self.socket = home, str(folder / "s")
        self.status_file = folder / "status"
        env = environment(home.folder, TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8")
        for name in ("NO_COLOR", "COLUMNS", "LINES"):  # a test runner's own; the terminal has a size
            env.pop(name, None)
        words = f"{shlex.quote(sys.executable)} -m andon tui; echo left $? > {self.status_file}; exec cat"
        self.run(
            *("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", str(width), "-y", str(height)),
            words,
            env=env,
        )

    def run(self, *words: str, env: dict[str, str] | None = None) -> str:
        command = ["tmux", "-S", self.socket, *words]
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout

    def keys(self, *keys: str) -> None:
        self.run("send-keys", "-t", "t", *keys)

    def type(self, text: str) -> None:
        self.run("send-keys", "-t", "t", "-l", text)

    def screen(self) -> str:
        return self.run("capture-pane", "-p", "-t", "t")

    def shows(self, *patterns: str, timeout_s: float = FIRST_SCREEN_S) -> str:
        """The first screen on which every pattern is found."""
        last = ""

        def look() -> str:
            nonlocal last
            last = self.screen()
            return last if all(re.search(pattern, last) for pattern in patterns) else ""

        try:
            return until(look, f"{patterns} on the screen", timeout_s, 0.03)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{last}") from None

    def console_pid(self) -> int:
        """The console itself, below the shell that tmux has started."""
        shell = self.run("list-panes", "-t", "t", "-F", "#{pane_pid}").strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(children[0])

    def left(self) -> str:
        """How the console ended, as its shell saw it."""
        return until(lambda: self.status_file.exists() and self.status_file.read_text(), "the console's end")

    def confirm(self, title: str, reason: str = "") -> None:
        """The dialog with its one-time code: read from the screen, typed, and Enter."""
        asked = r"type\s+([A-Z]{4})\s+____\s+expires in"
        self.shows(title, r"type\s+[A-Z]{4}\s+____\s+wait")  # a new one: not what is left of the last
        found = re.search(asked, self.shows(title, asked))
        assert found is not None
        self.type(found[1].lower())
        self.shows(rf"{found[1]}\s+{found[1]}\b")
        self.keys("Enter")
        if reason:
            self.shows("reason for re-arming")
            self.type(reason)
            self.keys("Enter")


@pytest.fixture
def terminal(home: Home) -> Iterator[object]:
    """``terminal(width, height)``: a console attached to ``home``; all gone at the end."""
    opened: list[Tmux] = []
    folder = Path(tempfile.mkdtemp(prefix="tmux-"))  # short: a socket's path is limited

    def open_(width: int = 120, height: int = 40) -> Tmux:
        place = folder / str(len(opened))
        place.mkdir()
        opened.append(Tmux(home, place, width, height))
        return opened[-1]

    yield open_
    for each in opened:
        subprocess.run(["tmux", "-S", each.socket, "kill-server"], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_the_first_screen_says_where_it_is_and_what_is_held(
    home: Home, terminal, size: tuple[int, int]
) -> None:
    with home.core():
        home.trading()
        console = terminal(*size)
        corner = r"\^\\ KILL\s*\Z"  # the cord is always named in the same place
        seen = console.shows("PAPER", "ACTIVE", "LINK ok", r"BTC/USDT\s+[+-]\d", "working [1-9]", corner)
        assert max(map(len, seen.splitlines())) == size[0]
        console.keys("2")
        console.shows("POSITIONS", "BTC/USDT")
        console.keys("4")
        console.shows("drawdown", "position_loss", "leverage")
        console.keys("?")
        console.shows("HELP", "cancel everything")
        console.keys("G")
        console.shows("the core keeps running")
        console.keys("q")
        assert console.left() == "left 0\n"
        assert home.state() == "ACTIVE", "leaving the console changes nothing"


def test_the_cord_twice_halts_and_counts_are_on_the_screen(home: Home, terminal) -> None:
    with home.core() as core:
        home.trading()
        console = terminal(120, 40)
        console.shows("ACTIVE", "LINK ok")
        console.keys("C-\\")
        console.shows("KILL PANEL")
        assert home.state() == "ACTIVE", "once shows the panel and does nothing else"
        time.sleep(2.2)  # the two pulls of the cord belong together only within two seconds
        console.keys("C-\\", "C-\\")
        console.shows("HALTED", r"cancelled (\d+)/\1\b")
        now = home.status()
        assert (now["state"], now["working_orders"]) == ("HALTED", 0)
        assert now["latched"] == ["operator@all"]

        console.keys("0")
        console.keys("R")
        console.confirm("RE-ARM", "tested the cord")
        console.shows("READY")
        assert home.until_state("READY")["latched"] == []
        console.keys("s")
        console.confirm("START")
        console.shows("ACTIVE")
        home.trading()
        assert core.end() == 0
        no_traceback(core.complaint())


def test_flatten_asks_for_the_code_and_a_wrong_one_does_nothing(home: Home, terminal) -> None:
    with home.core():
        home.trading()
        console = terminal(80, 24)
        console.shows("ACTIVE", "LINK ok")
        console.keys("0")
        console.shows("KILL PANEL")
        console.keys("f")
        console.shows("KILL FLATTEN", "expires in")
        console.keys("Enter")  # Cancel is the marked one until the code stands
        until(lambda: "KILL FLATTEN" not in console.screen(), "the dialog is gone")
        assert home.state() == "ACTIVE"
        console.keys("f")
        console.confirm("KILL FLATTEN")
        console.shows("FLATTENING", r"flat (\d+)/\1\b")
        until(lambda: held(home.status()) == {}, "flat")


def test_a_core_that_dies_is_shown_as_lost_and_comes_back_halted(home: Home, terminal) -> None:
    with home.core() as core:
        home.trading()
        console = terminal(120, 40)
        console.shows("ACTIVE", "LINK ok")
        core.kill9()
        seen = console.shows(r"LINK LOST \d+ s", "values are old", r"ACTIVE\?", "~")
        first = int(re.search(r"LINK LOST (\d+) s", seen)[1])  # type: ignore[index]
        console.shows(rf"LINK LOST {first + 2} s")
        assert not console.status_file.exists(), "the console stays"
    with home.core() as core:
        console.shows("LINK ok", "■ HALTED", "clean shutdown|startup")
        assert "LINK LOST" not in console.screen()
        assert home.status()["state"] == "HALTED"
        console.keys("q")
        assert console.left() == "left 0\n"
        assert alive(core.pid)
        assert core.end() == 0


def test_a_console_that_is_killed_leaves_the_core_alone(home: Home, terminal) -> None:
    with home.core() as core:
        before = home.trading()
        console = terminal(120, 40)
        console.shows("ACTIVE", "LINK ok")
        os.kill(console.console_pid(), 9)
        assert console.left() == "left 137\n"
        after = home.trading()
        assert (after["state"], after["epoch"]) == ("ACTIVE", before["epoch"])
        assert core.end() == 0
        no_traceback(core.complaint())


def test_without_a_core_it_says_so_in_one_line(home: Home, terminal) -> None:
    home.folder.mkdir(mode=0o700)
    console = terminal(120, 40)
    seen = console.shows("no core runs on")
    assert console.left() == "left 3\n"
    assert len([line for line in seen.splitlines() if line.strip()]) <= 2
    no_traceback(seen)


def test_it_follows_the_terminals_size(home: Home, terminal) -> None:
    with home.core():
        console = terminal(80, 24)
        console.shows("LINK ok", "ACTIVE")
        console.run("resize-window", "-t", "t", "-x", "120", "-y", "40")
        console.shows("LINK ok", "ACTIVE", "acct paper")
        console.run("resize-window", "-t", "t", "-x", "60", "-y", "15")
        console.run("resize-window", "-t", "t", "-x", "80", "-y", "24")
        console.shows("LINK ok", "ACTIVE", "KILL")
        console.keys("q")
        assert console.left() == "left 0\n"


def test_a_view_only_console_can_stop_and_nothing_else(home: Home, terminal) -> None:
    with home.core():
        home.trading()
        console = terminal(120, 40)
        console.keys("q")
        console.left()
        console.status_file.unlink()
        words = f"{shlex.quote(sys.executable)} -m andon tui --view; echo left $? > {console.status_file}; exec cat"
        console.run("respawn-pane", "-k", "-t", "t", words)
        console.shows("ACTIVE", "LINK ok", "VIEW")
        console.keys("0")
        console.shows("KILL PANEL")
        console.keys("s", "R", "f")
        console.type(":flatten now")
        console.keys("Enter")
        console.shows("VIEW")
        assert home.state() == "ACTIVE"
        console.keys("C-\\", "C-\\")
        console.shows("HALTED")
        assert home.until_state("HALTED")["latched"] == ["operator@all"]
