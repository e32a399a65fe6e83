"""The peer of a command's round trip: a bare ROUTER that gives back what it gets, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import zmq

from andon.errors import CliError

FRAME = b"x" * 200  # about the size of a request


def round_trips(endpoint: str, count: int) -> list[float]:
    """ms of each of ``count`` round trips to an echo over ``endpoint``."""
    echo = subprocess.Popen([sys.executable, "-m", __name__, endpoint])
    context: zmq.Context[Any] = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.connect(endpoint)
    taken = []
    try:
        for _ in range(count + 10):
            began = time.perf_counter()
            dealer.send(FRAME)
            if not dealer.poll(10_000):
                raise CliError("andon bench: the echo does not answer", "run it again on a quiet machine")
            dealer.recv()
            taken.append((time.perf_counter() - began) * 1e3)
    finally:
        echo.kill()
        echo.wait()
        context.destroy(0)
    return taken[10:]


def serve(endpoint: str) -> None:
    """Until killed."""
    router = zmq.Context().socket(zmq.ROUTER)
    router.bind(endpoint)
    while True:
        router.send_multipart(router.recv_multipart())


if __name__ == "__main__":
    serve(sys.argv[1])
