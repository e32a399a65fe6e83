"""A real core as a child process, and the real command beside it: what a stranger at a shell would do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.cli.conftest import ROOT, Ended, assert_one_line, environment, run_andon

__all__ = ["ROOT", "Core", "Ended", "Home", "assert_one_line", "environment", "until"]

READY_S = 90.0  # a first start compiles every kernel
T = TypeVar("T")

# A paper market that says nothing by itself: no strategies, so what changes was asked for.
IDLE = "[strategies.maker-1]\nenabled = false\n[strategies.momentum-1]\nenabled = false\n"


def until(look: Callable[[], T], what: str, timeout_s: float = 15.0, every_s: float = 0.05) -> T:
    """The first true answer of ``look``; fails, naming ``what``, when there is none in time."""
    end = time.monotonic() + timeout_s
    while True:
        if found := look():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout_s:g} s")
        time.sleep(every_s)


class Core:
    """``andon core`` on a folder, in a process of its own; output in two files beside the folder."""

    def __init__(self, home: Home, words: tuple[str, ...], env: dict[str, str]) -> None:
        home.starts += 1
        self.out, self.err = (home.place / f"core-{home.starts}.{end}" for end in ("out", "err"))
        command = [sys.executable, "-m", "andon", "core", "--data-dir", str(home.folder), *words]
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(home.folder, **env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def ready(self) -> Core:
        """Wait for its one line."""
        until(lambda: "ready " in self.said() or self.process.poll() is not None, "core ready", READY_S, 0.02)
        assert self.process.poll() is None, self.complaint()
        return self

    def said(self) -> str:
        return self.out.read_text(errors="replace")

    def complaint(self) -> str:
        return self.err.read_text(errors="replace")

    def kill9(self) -> None:
        """As the machine's own killer would; the folder keeps whatever it has."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def end(self, timeout_s: float = 20.0) -> int:
        """SIGTERM, and its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def outlive(self) -> None:
        """For the end of a test, whatever has happened."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)


class Home:
    """A data folder, and the commands of its operator."""

    def __init__(self, place: Path) -> None:
        self.place, self.folder = place, place / "data"
        self.config: Path | None = None
        self.starts = 0

    def configure(self, text: str) -> Home:
        """Settings that every core of this folder gets."""
        self.config = self.place / "test.toml"
        self.config.write_text(text)
        return self

    def start(self, *words: str, env: dict[str, str] | None = None) -> Core:
        """A core, not waited for."""
        given = ("--config", str(self.config)) if self.config else ()
        return Core(self, ("--profile", "paper", "--headless-seconds", "300", *given, *words), env or {})

    @contextmanager
    def core(self, *words: str, env: dict[str, str] | None = None) -> Iterator[Core]:
        """A core that is ready, gone at the end."""
        core = self.start(*words, env=env)
        try:
            yield core.ready()
        finally:
            core.outlive()

    def ask(self, *words: str, env: dict[str, str] | None = None) -> Ended:
        """``andon words``."""
        return run_andon(*words, home=self.folder, env=env)

    def json(self, *words: str) -> dict[str, Any]:
        """Its one JSON object, exit code 0."""
        ended = self.ask(*words, "--json")
        assert ended.code == 0, ended.err
        row: dict[str, Any] = ended.rows()[-1]
        return row

    def status(self) -> dict[str, Any]:
        return self.json("status")

    def state(self) -> str:
        return str(self.status()["state"])

    def until_state(self, *wanted: str, timeout_s: float = 15.0) -> dict[str, Any]:
        """Status as soon as the state is one of ``wanted``."""

        def look() -> dict[str, Any] | None:
            seen = self.status()
            return seen if seen["state"] in wanted else None

        return until(look, f"state {wanted}", timeout_s)  # type: ignore[return-value]

    def trading(self, timeout_s: float = 15.0) -> dict[str, Any]:
        """Status as soon as there are positions and working orders."""

        def look() -> dict[str, Any] | None:
            seen = self.status()
            return seen if held(seen) and seen["working_orders"] else None

        return until(look, "positions and working orders", timeout_s)  # type: ignore[return-value]

    def proven(self) -> None:
        """The journal of a core that is gone: chain whole, replay equal byte for byte."""
        for words in (("audit", "verify"), ("replay", "--verify")):
            ended = self.ask(*words)
            assert ended.code == 0, (words, ended.out, ended.err)

    def records(self) -> list[dict[str, Any]]:
        """Every journalled event, decoded by the shipped export."""
        out = self.place / "audit.jsonl"
        ended = self.ask("audit", "export", "--out", str(out))
        assert ended.code == 0, ended.err
        return [json.loads(line) for line in out.read_text().splitlines()]


def held(status: dict[str, Any]) -> dict[str, float]:
    """Symbol -> quantity of every open position."""
    return {row["symbol"]: row["qty"] for row in status["positions"] if row["qty"]}


def no_traceback(*texts: str) -> None:
    """Nobody is ever shown one."""
    for text in texts:
        assert "Traceback" not in text, text


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
