"""A pseudo-terminal with a console in it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path


class Terminal:
    """80×24. What the console writes is read away unless ``stalled``."""

    def __init__(self, log: Path, *words: str) -> None:
        self.log = log
        self.stalled = self.closing = False
        self.output = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        script = Path(__file__).with_name("pty_app.py")
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm-256color"}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(log), *words],
            stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        self.thread = threading.Thread(target=self._drain, daemon=True)
        self.thread.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait(5)
        self.hang_up()

    def _drain(self) -> None:
        while not self.closing:  # never blocked in a read: a read in progress would keep the terminal open
            if self.stalled or not select.select([self.master], [], [], 0.02)[0]:
                time.sleep(0.01)
                continue
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                return

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def hang_up(self) -> None:
        """Close the terminal's other end."""
        if not self.closing:
            self.closing = True
            self.thread.join(2)
            os.close(self.master)

    def lines(self, word: str) -> list[list[str]]:
        """Log lines that begin with the word, split."""
        if not self.log.exists():
            return []
        return [line.split() for line in self.log.read_text().splitlines() if line.startswith(word)]

    def wait(self, word: str, count: int = 1, timeout_s: float = 15.0) -> list[list[str]]:
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            found = self.lines(word)
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(
            f"no {word!r} in the log:\n{self.log.read_text() if self.log.exists() else 'no log'}"
        )
