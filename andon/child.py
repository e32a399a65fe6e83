"""A core as a child process: started, waited for, and stopped in order."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from andon.errors import CliError

READY_S_MAX = 240.0  # a first start compiles every kernel
STOP_S_MAX = 20.0


class CoreChild:
    """``andon core`` with ``words``, its output in ``<folder>/core.log``. Close it, or it runs on."""

    def __init__(self, folder: Path, words: list[str], environ: dict[str, str]) -> None:
        self.log = folder / "core.log"
        self.code: int | None = None  # exit code, once stopped
        self.words = ""  # the last it said, once stopped
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        command = [sys.executable, "-m", "andon", "core", "--data-dir", str(folder), *words]
        self._log: IO[str] = self.log.open("a")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **environ},
            start_new_session=True,  # Ctrl-C belongs to us: the core is stopped in order, after the console
        )
        threading.Thread(target=self._read, daemon=True).start()

    def wait_ready(self, timeout_s: float = READY_S_MAX) -> str:
        """The ready line. Raises CliError with the core's last words when there is none."""
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise CliError(f"the core ended before it was ready: {self.last_words()}", "see andon doctor")
            if line.startswith("ready "):
                return line
        raise CliError(
            f"the core was not ready in {timeout_s:.0f} s: {self.last_words()}", "see andon doctor"
        )

    def stop(self) -> None:
        """SIGTERM and wait; one that hangs is killed. ``code`` and ``words`` say how it ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.code = self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.code = self.process.wait()
        self.words = self.last_words()
        self._log.close()

    def last_words(self) -> str:
        """The last line of its log."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else f"it said nothing (exit code {self.process.poll()})"

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
