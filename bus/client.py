"""The public client: attach to a core, ask it, follow it. Synchronous; light to import (zmq and msgspec).

>>> with Client.attach() as core:
...     for reply in core.kill(reason="spread looks wrong"):
...         print(reply.status, reply.data)
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import zmq

from bus import sockets
from bus.address import Address, NotReachable, default_data_dir, resolve
from bus.codec import WireError, decode_reply, decode_snapshot, encode_request
from bus.keys import read_key
from bus.link import SocketLink
from bus.linking import Delta, Snapshot
from bus.sockets import ClientKeys
from bus.wire import FINAL, STOPPING_TYPES, VERSION, Message, Reply, Request

RETRY_S = 0.25
QUICK_TRIES = 3
SLOW_RETRY_S = 1.0
__all__ = ["Client", "NotReachable", "Refused", "Unconfirmed"]


class Unconfirmed(Exception):
    """The core accepted the command and has not said how it ended. ``id`` can be asked for again."""

    def __init__(self, text: str, id: str) -> None:
        super().__init__(text)
        self.id = id


class Refused(Exception):
    """``snapshot`` or ``ping`` was rejected; the text is the core's."""


class Client:
    """A connection to one core. Not for several threads at once."""

    def __init__(self, address: Address, keys: ClientKeys | None = None, *, timeout_s: float = 2.0) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self._keys = keys
        self._context: zmq.Context[Any] = zmq.Context()
        self._dealer = self._connect()
        self._last_frame = b""

    @classmethod
    def attach(
        cls,
        target: str | None = None,
        *,
        data_dir: Path | str | None = None,
        key: Path | str | None = None,
        timeout_s: float = 2.0,
    ) -> Client:
        """Find the core (see ``bus.address.resolve``), connect, and ping it. Raises NotReachable or KeyProblem."""
        address = resolve(target, Path(data_dir) if data_dir else default_data_dir())
        keys = read_key(Path(key)).for_client(address.server_public_key) if key else None
        if address.command.startswith("tcp://") and keys is None:
            raise NotReachable(
                f"{address.command} is TCP and needs a key; give the file of: andon keys new NAME"
            )
        client = cls(address, keys, timeout_s=timeout_s)
        try:
            client.ping()
        except BaseException:
            client.close()
            raise
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the sockets."""
        self._dealer.close(0)
        self._context.destroy(0)

    # -- asking

    def request(
        self,
        type: str,
        data: dict[str, Any] | None = None,
        *,
        reason: str = "",
        expires_s: float = 5.0,
        timeout_s: float = 10.0,
        id: str | None = None,
    ) -> Iterator[Reply]:
        """Send one command and yield its replies up to the final one.

        Silence is answered by sending the same id again over a new connection. Raises NotReachable when nothing at
        all came within ``timeout_s``, Unconfirmed when it was accepted and did not end within ``timeout_s``.
        """
        expires_ns = time.time_ns() + int(expires_s * 1e9) if expires_s else 0
        request = Request(
            v=VERSION,
            id=id or str(uuid.uuid4()),
            type=type,
            data=data or {},
            reason=reason,
            expires_ns=expires_ns,
        )
        yield from self._replies(request, timeout_s)

    def call(self, type: str, data: dict[str, Any] | None = None, **options: Any) -> Reply:
        """``request``, and only its final reply."""
        return _last(self.request(type, data, **options))

    def snapshot(self, timeout_s: float | None = None) -> Snapshot:
        """The whole state now."""
        final = self.call("snapshot", timeout_s=timeout_s or max(self.timeout_s, 5.0))
        if final.status != "done":
            raise Refused(_words(final))
        data = decode_snapshot(self._last_frame)
        return Snapshot(data.epoch, data.seq, data.messages)

    def ping(self, timeout_s: float | None = None) -> dict[str, Any]:
        """{core_ns, name, role, echo, rtt_ms}: the core's clock, and who it takes us for."""
        started = time.monotonic()
        final = self.call("ping", timeout_s=timeout_s or self.timeout_s)
        if final.status != "done":
            raise Refused(_words(final))
        return final.data | {"rtt_ms": (time.monotonic() - started) * 1e3}

    def follow(self, topics: Iterable[str] = ()) -> Iterator[tuple[str, Message]]:
        """(topic, message): the state as it is, then every change, in sequence and without gaps.

        ``topics``: prefixes, () for all. After a loss the whole state comes again. While the core is away this waits.
        """
        wanted = tuple(topics)
        with self.following(wanted) as link:
            while True:
                link.wait(1.0)
                for event in link.drain():
                    if isinstance(event, Delta) and _wanted(event.topic, wanted):
                        yield event.topic, event.message
                    elif isinstance(event, Snapshot):
                        yield from ((t, m) for t, m in event.messages.items() if _wanted(t, wanted))

    def following(self, topics: Iterable[str] = ()) -> _Following:
        """A context that starts a SocketLink for these topics (the whole streams they belong to) and closes it."""
        streams = {topic.partition(".")[0] for topic in topics}
        return _Following(SocketLink(self.address, self._keys, streams=streams))

    # -- verbs

    def kill(
        self,
        scope: str = "all",
        level: str = "halt",
        *,
        reason: str,
        timeout_s: float = 30.0,
        id: str | None = None,
    ) -> Iterator[Reply]:
        """Pull the cord; yields the phases with their counts. Never expires."""
        return self.request(
            "kill", {"scope": scope, "level": level}, reason=reason, expires_s=0, timeout_s=timeout_s, id=id
        )

    def rearm(self, switch: str, *, reason: str) -> Reply:
        """Leave a latched switch (or ``all``)."""
        return self.call("rearm", {"switch": switch}, reason=reason)

    def start(self, *, reason: str = "") -> Reply:
        """Start trading, once everything is re-armed."""
        return self.call("start", reason=reason)

    def stop(self, *, reason: str = "") -> Reply:
        """Stop trading."""
        return self.call("stop", reason=reason, expires_s=0)

    def submit_order(self, order: dict[str, Any], **options: Any) -> Iterator[Reply]:
        """One order through the gate; numbers as decimal strings."""
        return self.request("submit_order", order, **options)

    def cancel_order(self, cl_ord_id: str, **options: Any) -> Reply:
        """Cancel one order."""
        return self.call("cancel_order", {"cl_ord_id": cl_ord_id}, **{"expires_s": 0, **options})

    def cancel_all(self, **options: Any) -> Iterator[Reply]:
        """Cancel everything that works; yields counts."""
        return self.request("cancel_all", {}, **{"expires_s": 0, **options})

    def close_position(self, symbol: str, **options: Any) -> Iterator[Reply]:
        """Close one position."""
        return self.request("close_position", {"symbol": symbol}, **options)

    # -- inside

    def _replies(self, request: Request, timeout_s: float) -> Iterator[Reply]:
        frame = encode_request(request)
        until = time.monotonic() + timeout_s
        heard = tries = epoch = 0
        while time.monotonic() < until:
            tries += 1
            if tries > 1:
                self._dealer.close(0)
                self._dealer = self._connect()
            self._send(frame, until)
            for reply in self._receive(request, tries, heard, until):
                if reply.epoch == epoch and reply.seq <= heard:
                    continue  # a repeat; a later core counts from 1 again
                epoch, heard = reply.epoch, reply.seq
                yield reply
                if reply.status in FINAL:
                    return
        if heard:
            raise Unconfirmed(f"{request.type} was accepted; no end heard within {timeout_s:g} s", request.id)
        where = self.address.path or self.address.command
        hint = (
            "is it hung? try: andon kill --direct"
            if request.type == "kill"
            else "is it running? see: andon doctor"
        )
        raise NotReachable(f"no answer from the core at {where} within {timeout_s:g} s; {hint}")

    def _send(self, frame: bytes, until: float) -> None:
        left_ms = max(0, int((until - time.monotonic()) * 1e3))
        try:
            if self._dealer.poll(min(left_ms, 1000), zmq.POLLOUT):
                self._dealer.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            return  # the connection went between the two; the next try has a new one

    def _receive(self, request: Request, tries: int, heard: int, until: float) -> Iterator[Reply]:
        """Replies to the request, until it has been quiet for too long."""
        by = min(until, time.monotonic() + _patience_s(request, tries, heard))
        while (left := by - time.monotonic()) > 0:
            if not self._dealer.poll(min(1000, int(left * 1e3) + 1)):
                continue
            frame = self._dealer.recv()
            try:
                reply = decode_reply(frame)
            except WireError:
                continue
            if reply.id == request.id:
                heard, self._last_frame = heard or reply.seq, frame
                yield reply
                by = min(until, time.monotonic() + _patience_s(request, tries, heard))

    def _connect(self) -> sockets.Socket:
        dealer = sockets.command_client(self._context, self._keys)
        dealer.connect(self.address.command)
        return dealer


class _Following:
    """Context of a running link."""

    def __init__(self, link: SocketLink) -> None:
        self._link = link

    def __enter__(self) -> SocketLink:
        self._link.start()
        return self._link

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()


def _patience_s(request: Request, tries: int, heard: int) -> float:
    """How long to wait before asking again. What runs is asked after only if doing it twice would do no harm."""
    if heard:
        return SLOW_RETRY_S if request.type in STOPPING_TYPES else float("inf")
    return RETRY_S if tries < QUICK_TRIES else SLOW_RETRY_S


def _wanted(topic: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or topic.startswith(wanted)


def _last(replies: Iterator[Reply]) -> Reply:
    *_, final = replies
    return final


def _words(reply: Reply) -> str:
    return reply.error.message if hasattr(reply.error, "message") else reply.status
