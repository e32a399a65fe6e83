"""A live link to one core: SUB and DEALER in a thread of their own, the Clone pattern, and commands that are retried.

The owner polls ``drain`` and never blocks. ``up`` is said only after a snapshot has been applied, ``lost`` after three
missed heartbeats: the heartbeat comes from the engine's own loop, so a hung core is seen although its process
lives and its sockets are still connected. While lost, core.json is read again: a core that was started anew
has a new epoch, and perhaps other endpoints.
"""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from typing import Any

from bus.address import Address
from bus.codec import encode_request
from bus.linking import LinkChanged, LinkEvent, LinkStats
from bus.outbox import Outbox
from bus.session import Session
from bus.sockets import ClientKeys
from bus.wire import VERSION, Request

EVENTS_MAX = 200_000


class SocketLink:
    """Implements ``bus.linking.Link``. ``streams``: the topics' first words to follow, () for all.

    ``drain``, ``send``, ``wait`` and ``stats`` may be called from any thread. Besides the wire's statuses a Reply may
    carry ``unconfirmed``: nothing was heard, the command may or may not have been done; a real reply can still follow.
    """

    def __init__(
        self, address: Address, keys: ClientKeys | None = None, *, streams: Iterable[str] = ()
    ) -> None:
        self._events: deque[LinkEvent] = deque()
        self._ready = threading.Event()
        self._commands: deque[tuple[Request, bytes]] = deque()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._session = Session(address, keys, frozenset(streams), self._emit, self._take_commands)
        self._thread = threading.Thread(target=self._run, name="bus-link", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._emit([LinkChanged("connecting")])
        self._thread.start()

    def drain(self, limit: int = 5000) -> list[LinkEvent]:
        """What has happened since the last call, in order, at most ``limit`` events."""
        events = self._events
        return [events.popleft() for _ in range(min(limit, len(events)))]

    def wait(self, timeout_s: float) -> bool:
        """Block until ``drain`` has something to give; False when nothing came in time."""
        if not self._events:
            self._ready.clear()
            if not self._events:
                self._ready.wait(timeout_s)
        return bool(self._events)

    def send(
        self, type: str, data: dict[str, Any], *, reason: str = "", expires_ns: int = 0, id: str = ""
    ) -> str:
        """Queue a command; returns its id at once. Replies come out of ``drain``."""
        request = Request(
            v=VERSION, id=id or str(uuid.uuid4()), type=type, data=data, reason=reason, expires_ns=expires_ns
        )
        self._commands.append((request, encode_request(request)))
        self._wake()
        return request.id

    def stats(self) -> LinkStats:
        """A copy of the figures."""
        return self._session.stats_copy()

    def close(self) -> None:
        """End the thread; replies still to come are lost."""
        self._session.closing = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._wake_in.close()
        self._wake_out.close()

    def _run(self) -> None:
        self._session.run(self._wake_out)

    def _wake(self) -> None:
        try:
            self._wake_in.send(b"\0")
        except (BlockingIOError, OSError):
            return  # full: it will wake anyway; closed: nobody to wake

    def _emit(self, events: list[LinkEvent]) -> bool:
        """False when the owner has stopped draining: what it missed is thrown away, a snapshot must follow."""
        fits = len(self._events) + len(events) <= EVENTS_MAX
        if not fits:
            self._events.clear()
            events = [LinkChanged("resync", "fell too far behind")]
        self._events.extend(events)
        if events:
            self._ready.set()
        return fits

    def _take_commands(self, outbox: Outbox, now: float) -> None:
        while self._commands:
            request, frame = self._commands.popleft()
            lives_s = (request.expires_ns - time.time_ns()) / 1e9 if request.expires_ns else None
            outbox.add(request.id, request.type, frame, now, lives_s)
