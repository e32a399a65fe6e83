"""The core's end of the bus: publishes the state, takes commands, answers what needs no engine.

It lives on the engine's own event loop and must never hold it up. So: plain sockets with ``add_reader`` and a
bounded drain (an ``await`` per message costs eleven times as much), every send non-blocking, snapshots built at most
five times a second however many ask, noise reported at most once a second a kind.

A ZeroMQ descriptor is edge-triggered: any send or receive on its socket can swallow the edge. Hence the drain after
every reply and the safety tick; without them a request can lie in the socket until the next one arrives.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import zmq

from bus import wire
from bus.codec import WireError, decode_request, encode_reply, label_of, refusal
from bus.desk import SnapshotDesk
from bus.door import CurveServer, Door
from bus.heads import Heads
from bus.noise import NoiseMeter
from bus.outcomes import Outcome, Outcomes
from bus.ports import Port
from bus.roles import Identity, refused
from bus.throttle import Throttle
from bus.wire import Error, Reply, Request

DRAIN_MAX = 128  # at some 20 us each: a request from somebody else waits for no more
DRAIN_BYTES = 256 * 1024  # of requests in one go: large ones take longer to look at
TICK_S = 0.1
Route = tuple[Port, bytes]
__all__ = ["BusServer", "CurveServer", "Identity"]


class BusServer:
    """Both sockets of one core, on ipc and, with ``curve``, on TCP. All methods belong to the loop's thread.

    ``on_request`` is called once per admitted request; the engine answers with ``reply``. ``on_noise(kind, text)``
    hears of everything refused. ``on_open_door`` is called when the probe finds that a stranger gets in over TCP;
    the TCP sockets are unbound by then.
    """

    def __init__(
        self,
        *,
        state_endpoints: list[str],
        command_endpoints: list[str],
        epoch: int,
        on_request: Callable[[Request, Identity], None],
        on_noise: Callable[[str, str], None],
        curve: CurveServer | None = None,
        on_open_door: Callable[[str], None] | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        requests_per_s_max: float = 0.0,
    ) -> None:
        _check_endpoints(state_endpoints + command_endpoints, curve)
        self.epoch = epoch
        self.state_endpoints: list[str] = []  # as bound, once started
        self.command_endpoints: list[str] = []
        self._wanted = list(zip(state_endpoints, command_endpoints, strict=True))
        self._on_request, self._clock_ns = on_request, clock_ns
        self._noise = NoiseMeter(on_noise, clock_ns)
        self.throttle = Throttle(requests_per_s_max)
        self._heads = Heads(epoch)
        self._outcomes = Outcomes()
        self._desk = SnapshotDesk(self._heads, self._send_snapshots)
        self._door = Door(curve, self._noise.add, on_open_door) if curve else None
        self._context: zmq.Context[Any] = zmq.Context()
        self._ports: list[Port] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining = False
        self._tick_handle: asyncio.TimerHandle | None = None

    # -- life

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Bind everything and begin to listen. Raises OSError or ValueError in words when an endpoint is no good."""
        self._loop = loop
        if self._door is not None:
            self._door.open(self._context, loop)
        for state, command in self._wanted:
            self._bind(state, command)
        for port in self._ports:
            loop.add_reader(port.command.fileno(), self._drain)
            loop.add_reader(port.state.fileno(), port.count_clients, DRAIN_MAX)
        self._desk.start(loop)
        self._tick()

    def close(self) -> None:
        """Stop listening and free the sockets; safe to call twice."""
        loop, self._loop = self._loop, None
        if loop is None:
            self._context.term()
            return
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        self._desk.stop()
        if self._door is not None:
            self._door.stop()
        for port in self._ports:
            loop.remove_reader(port.command.fileno())
            loop.remove_reader(port.state.fileno())
            port.close()
        self._ports.clear()
        self._context.term()
        if self._door is not None:
            self._door.join()

    @property
    def clients(self) -> int:
        """How many follow the state now."""
        return sum(port.clients for port in self._ports)

    # -- state

    def publish(self, topic: str, type: str, data: object, ts_ns: int) -> int:
        """Send one message (``data``: a View or a dict) and keep it for snapshots; returns its seq."""
        seq, frame = self._heads.put(topic, type, data, ts_ns)
        for port in self._ports:
            port.publish(frame)
        return seq

    def forget(self, topic: str) -> None:
        """Leave a topic (an order long ended) out of snapshots."""
        self._heads.forget(topic)

    def heads(self) -> dict[str, int]:
        """stream -> seq of its last message; a copy."""
        return dict(self._heads.seqs)

    # -- commands

    def reply(
        self,
        id: str,
        status: str,
        data: dict[str, Any] | None = None,
        ts_ns: int = 0,
        error: Error | None = None,
    ) -> None:
        """Send the next reply to request ``id``, to whichever connections have asked; record it for repeats.

        Unknown ids (a request of an earlier epoch) are ignored. ``ts_ns``, when given, goes along as ``data["ts"]``.
        """
        outcome = self._outcomes.get(id)
        if outcome is None or outcome.final:
            return
        outcome.seq += 1
        body = (data or {}) | ({"ts": ts_ns} if ts_ns else {})
        frame = self._frame(id, status, outcome.seq, body, error)
        ended = outcome.add(status, frame)
        for route in outcome.routes:
            self._send(route, frame)  # type: ignore[arg-type]
        if ended:
            self._outcomes.end(id)

    def _drain(self) -> None:
        """Take up to DRAIN_MAX requests or DRAIN_BYTES, then give the loop back and come again."""
        self._draining = False
        budget, bytes_left = DRAIN_MAX, DRAIN_BYTES
        try:
            for port in self._ports:
                while budget and bytes_left > 0 and (received := port.receive()) is not None:
                    budget, bytes_left = budget - 1, bytes_left - len(received[2])
                    self._take((port, received[0]), received[1], received[2])
        finally:
            if budget < DRAIN_MAX:  # we may have replied, and a reply can swallow the edge
                self._drain_soon()

    def _drain_soon(self) -> None:
        if self._loop is not None and not self._draining:
            self._draining = True
            self._loop.call_soon(self._drain)

    def _take(self, route: Route, identity: Identity | None, frame: bytes) -> None:
        if identity is not None and self._floods(route, identity, frame):
            return
        try:
            request = decode_request(frame)
        except WireError as bad:
            self._refuse(route, identity, bad.id, bad.code, bad.text)
            return
        if identity is None:
            self._refuse(route, None, request.id, wire.NOT_PERMITTED, "this key is not known any more")
        elif request.type not in wire.REQUEST_TYPES:
            self._refuse(route, identity, request.id, wire.UNKNOWN_TYPE, f"no request {request.type[:40]!r}")
        elif why := refused(request, identity):
            self._refuse(route, identity, request.id, wire.NOT_PERMITTED, why)
        elif request.type == "ping":
            self._pong(route, request, identity)
        elif request.type == "snapshot":
            self._snapshot(route, request)
        else:
            self._command(route, request, identity)

    def _floods(self, route: Route, identity: Identity, frame: bytes) -> bool:
        """A client over its rate is refused by name without its request being read.

        What stops is read all the same, and so is an id that is known already: a repeat is told what became of it.
        """
        if not self.throttle.empty(_client(route, identity), self._clock_ns()):
            return False
        id, type_ = label_of(frame)
        if not id or type_ in wire.STOPPING_TYPES or self._outcomes.get(id) is not None:
            return False
        self._throttled(route, identity, id)
        return True

    def _throttled(self, route: Route, identity: Identity, id: str) -> None:
        self.throttle.refused += 1
        text = f"more than {self.throttle.rate_per_s:g} requests a second from {identity.name}; slow down"
        self._refuse(route, identity, id, wire.THROTTLED, text)

    def _command(self, route: Route, request: Request, identity: Identity) -> None:
        known = self._outcomes.get(request.id)
        if known is not None:
            self._repeat(known, route, request.id, identity)
            return
        stopping = request.type in wire.STOPPING_TYPES
        if not stopping and 0 != request.expires_ns <= self._clock_ns():
            self._refuse(
                route, identity, request.id, wire.EXPIRED, "it came too late; look again and send a new one"
            )
        elif not stopping and self._outcomes.full:
            self._refuse(
                route, identity, request.id, wire.BUSY, "too many requests in flight; wait for replies"
            )
        elif not stopping and not self.throttle.admits(_client(route, identity), self._clock_ns()):
            self._throttled(route, identity, request.id)
        else:
            self._outcomes.open(request.id, identity.name, route)
            self._on_request(request, identity)

    def _repeat(self, known: Outcome, route: Route, id: str, identity: Identity) -> None:
        if known.owner != identity.name:
            self._refuse(
                route, identity, id, wire.ID_TAKEN, "another client has used this id; make a new one"
            )
            return
        for frame in known.replies:
            self._send(route, frame)
        if not known.final:
            known.attach(route)

    def _refuse(self, route: Route, identity: Identity | None, id: str, code: str, text: str) -> None:
        self._send(route, refusal(id, self.epoch, code, text))
        self._noise.add(code, f"{identity.name if identity else 'unknown'}: {text}")

    # -- what needs no engine

    def _pong(self, route: Route, request: Request, identity: Identity) -> None:
        mine = {"core_ns": self._clock_ns(), "name": identity.name, "role": identity.role.name.lower()}
        self._send(route, self._frame(request.id, "accepted", 1))
        self._send(route, self._frame(request.id, "done", 2, {"echo": request.data} | mine))

    def _snapshot(self, route: Route, request: Request) -> None:
        if self._desk.take(route, request.id):
            self._send(route, self._frame(request.id, "accepted", 1))
        else:
            text = "a snapshot is on its way to you already"
            self._refuse(route, None, request.id, wire.BUSY, text)

    def _send_snapshots(self, waiting: list[tuple[object, str]], data: msgspec.Raw) -> None:
        for route, request_id in waiting:
            self._send(route, self._frame(request_id, "done", 2, data))  # type: ignore[arg-type]
        self._drain_soon()

    def _frame(
        self, id: str, status: str, seq: int, data: object | None = None, error: Error | None = None
    ) -> bytes:
        reply = Reply(v=wire.VERSION, id=id, status=status, epoch=self.epoch, seq=seq)
        reply.data = data or {}  # type: ignore[assignment]  # a snapshot's is encoded already
        if error is not None:
            reply.error = error
        return encode_reply(reply)

    def _send(self, route: Route, frame: bytes) -> None:
        if not route[0].reply(route[1], frame):
            self._noise.add("reply_dropped", "a client went away, or does not read its replies")
        self._drain_soon()

    # -- upkeep

    def _bind(self, state: str, command: str) -> None:
        transport = state.partition("://")[0]
        curve = self._door.curve if self._door is not None and transport == "tcp" else None
        known = self._door.known if self._door is not None else None
        port = Port(self._context, transport, curve.keys if curve else None, known)
        self._ports.append(port)
        bound = port.bind(state, command)
        self.state_endpoints.append(bound[0])
        self.command_endpoints.append(bound[1])
        if curve is not None and self._door is not None:
            self._door.guard(port)

    def _tick(self) -> None:
        if self._loop is None:
            return
        self._tick_handle = self._loop.call_later(TICK_S, self._tick)
        self._drain_soon()
        for port in self._ports:
            port.count_clients(DRAIN_MAX)
        self._noise.flush()


def _client(route: Route, identity: Identity) -> str | bytes:
    """Who is throttled together: a key over TCP, a connection on the local socket."""
    return identity.name if identity.transport == "tcp" else route[1]


def _check_endpoints(endpoints: list[str], curve: CurveServer | None) -> None:
    for endpoint in endpoints:
        transport = endpoint.partition("://")[0]
        if transport not in ("ipc", "tcp"):
            raise ValueError(f"cannot listen on {endpoint!r}; use ipc:// or, with keys, tcp://")
        if transport == "tcp" and curve is None:
            raise ValueError(
                f"{endpoint} is TCP, which is served with CURVE keys only; give keys or use ipc://"
            )
