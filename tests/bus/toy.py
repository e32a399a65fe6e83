"""A core without an engine: a real BusServer on a loop in a thread, a little state, four heartbeats a second."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import zmq

from bus import sockets
from bus.address import Address, local_endpoints, remove_core, write_core
from bus.codec import decode_reply
from bus.server import BusServer, CurveServer, Identity
from bus.wire import FINAL, Reply, Request

T = TypeVar("T")


class Toy:
    """Publishes positions; a kill cancels three imaginary orders. ``seen`` is every request the engine was given."""

    def __init__(self, data_dir: Path, epoch: int = 1, *, tcp: bool = False, beat_s: float = 0.25) -> None:
        self.data_dir, self.beat_s = data_dir, beat_s
        self.seen: list[tuple[Request, Identity]] = []
        self.noise: list[tuple[str, str]] = []
        self.open_doors: list[str] = []
        self.answers: Callable[[Request, Identity], None] = self.answer
        self.beating = True
        state, command = local_endpoints(data_dir)
        curve = CurveServer.of(data_dir / "keys") if tcp else None
        self.loop = asyncio.new_event_loop()
        self.server = BusServer(
            state_endpoints=[state] + ["tcp://127.0.0.1:*"] * tcp,
            command_endpoints=[command] + ["tcp://127.0.0.1:*"] * tcp,
            epoch=epoch,
            on_request=self._on_request,
            on_noise=lambda kind, text: self.noise.append((kind, text)),
            on_open_door=self.open_doors.append,
            curve=curve,
        )
        self.address = Address(state, command, epoch, os.getpid(), curve.keys.public if curve else "")
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.server.start(self.loop)
        self.beat()
        self.loop.call_soon(self._up.set)
        self.loop.run_forever()
        self.server.close()

    def __enter__(self) -> Self:
        self._up = threading.Event()
        self._thread.start()
        assert self._up.wait(10)
        write_core(self.data_dir, self.address)
        return self

    def __exit__(self, *_: object) -> None:
        remove_core(self.data_dir, self.address.epoch)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.loop.close()

    def do(self, call: Callable[..., T], *args: Any) -> T:
        """Run something on the core's thread and wait for it."""

        async def wrapped() -> T:
            return call(*args)

        return asyncio.run_coroutine_threadsafe(wrapped(), self.loop).result(30)

    def put(self, symbol: str, qty: float) -> int:
        data = {"symbol": symbol, "qty": qty}
        return self.do(self.server.publish, f"position.{symbol}", "position", data, 1)

    def tcp(self) -> Address:
        server = self.server
        return Address(
            server.state_endpoints[1],
            server.command_endpoints[1],
            self.address.epoch,
            server_public_key=self.address.server_public_key,
        )

    def beat(self) -> None:
        if self.beating:
            data = {"heads": self.server.heads(), "clients": self.server.clients}
            self.server.publish("heartbeat", "heartbeat", data, 1)
        self.loop.call_later(self.beat_s, self.beat)

    def _on_request(self, request: Request, identity: Identity) -> None:
        self.seen.append((request, identity))
        self.answers(request, identity)

    def answer(self, request: Request, identity: Identity) -> None:
        server = self.server
        server.reply(request.id, "accepted")
        if request.type == "kill":
            for n in (1, 2, 3):
                server.reply(request.id, "progress", {"cancelled": n, "cancel_total": 3})
            state = {"state": "HALTED", "operator": identity.name, "reason": request.reason}
            server.publish("state", "state", state, 2)
        server.reply(request.id, "done", {"level": request.data.get("level", "")})


@contextmanager
def dealer(endpoint: str, keys: sockets.ClientKeys | None = None, wait_ms: int = 5000) -> Iterator[Wire]:
    """A bare DEALER."""
    with zmq.Context() as context:
        socket = sockets.command_client(context, keys)
        socket.connect(endpoint)
        socket.poll(wait_ms, zmq.POLLOUT)
        yield Wire(socket)
        socket.close(0)


class Wire:
    """Sends raw frames, reads typed replies."""

    def __init__(self, socket: sockets.Socket) -> None:
        self.socket = socket

    def send(self, *frames: bytes) -> None:
        self.socket.send_multipart(frames)

    def read(self, timeout_ms: int = 5000) -> Reply:
        assert self.socket.poll(timeout_ms), "no reply"
        return decode_reply(self.socket.recv())

    def silent(self, for_ms: int) -> bool:
        return not self.socket.poll(for_ms)

    def to_the_end(self) -> list[Reply]:
        replies = [self.read()]
        while replies[-1].status not in FINAL:
            replies.append(self.read())
        return replies


def until(true: Callable[[], Any], timeout_s: float = 10.0) -> None:
    """Wait for something another thread does."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
