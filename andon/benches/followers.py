"""Clients of a core in processes of their own, attached and then stopped by SIGSTOP: a console on a sleeping laptop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from andon.errors import CliError

ATTACH_S = 20.0
BREATH_S = 0.1


class Stalled:
    """``async with Stalled(folder, 3)``: three followers of the core in ``folder`` that have stopped reading."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count
        self._clients: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Begin to attach."""
        command = [sys.executable, "-m", __name__, str(self._folder)]
        for _ in range(self._count):
            self._clients.append(subprocess.Popen(command, stdout=subprocess.PIPE))

    def stall(self) -> None:
        """Wait until all have followed for a moment, then stop them."""
        for client in self._clients:
            assert client.stdout is not None
            if client.stdout.readline().strip() != b"up":
                raise CliError("andon bench: a follower did not attach", "run it again on a quiet machine")
            os.kill(client.pid, signal.SIGSTOP)

    def breathe(self) -> None:
        """Let them go on for a moment: a core lets go of a client that has been silent for six seconds."""
        for number, pause_s in ((signal.SIGCONT, BREATH_S), (signal.SIGSTOP, 0.0)):
            for client in self._clients:
                client.send_signal(number)
            time.sleep(pause_s)

    def end(self) -> None:
        """Kill works on a stopped process too."""
        for client in self._clients:
            client.kill()
            client.wait()
            if client.stdout is not None:
                client.stdout.close()

    async def __aenter__(self) -> Self:
        self.start()
        await asyncio.wait_for(asyncio.to_thread(self.stall), ATTACH_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def follow(folder: str) -> None:
    """Attach, say so once the state is here, and go on reading."""
    from bus.address import resolve
    from bus.link import SocketLink

    link = SocketLink(resolve(None, Path(folder)))
    link.start()
    said = False
    while True:
        link.wait(1.0)
        link.drain()
        if not said and link.stats().state == "up":
            said = True
            print("up", flush=True)


if __name__ == "__main__":
    follow(sys.argv[1])
