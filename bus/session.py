"""The link's thread: connect, follow, retry, lose, connect again."""

from __future__ import annotations

import random
import socket
import time
import uuid
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import zmq

from bus import sockets
from bus.address import Address, NotReachable, read_core
from bus.clone import Clone
from bus.codec import WireError, decode_message, decode_reply, decode_snapshot, encode_request
from bus.linking import LinkChanged, LinkEvent, LinkStats, Snapshot
from bus.outbox import Outbox
from bus.sockets import ClientKeys
from bus.wire import FINAL, VERSION, Reply, Request

TICK_MS = 50
DRAIN_MAX = 2000
LOST_AFTER_S = 0.9  # three missed heartbeats (four a second) and some slack
HELLO_S = 2.0  # to connect and hear the first heartbeat
SNAPSHOT_WAIT_S = 1.0
PING_EVERY_S = 2.0
BACKOFF_S = (0.25, 5.0)


class Session:
    """Everything the link's thread does; ``run`` is its body. ``emit`` is False when the owner is too far behind."""

    def __init__(
        self,
        address: Address,
        keys: ClientKeys | None,
        streams: frozenset[str],
        emit: Callable[[list[LinkEvent]], bool],
        take_commands: Callable[[Outbox, float], None],
    ) -> None:
        self.closing = False
        self.stats = LinkStats()
        self._address, self._keys = address, keys
        self._streams = streams | {"heartbeat"} if streams else frozenset()
        self._clone = Clone(self._streams or None)
        self._outbox = Outbox()
        self._emit_events, self._take_commands = emit, take_commands
        self._pings: dict[str, tuple[float, int]] = {}
        self._timings: deque[tuple[float, int]] = deque(maxlen=8)
        self._snapshot_id = ""
        self._snapshot_at = 0.0  # when to ask (again)
        self._ping_at = 0.0
        self._alive_at = 0.0  # last heartbeat
        self._was_up = False
        self._clone_epoch = 0  # of the last snapshot applied

    def stats_copy(self) -> LinkStats:
        return msgspec.structs.replace(self.stats)

    def run(self, wake: socket.socket) -> None:
        """Until ``closing``. ``wake`` becomes readable when there is something to do."""
        self._context: zmq.Context[Any] = zmq.Context()
        self._poller = zmq.Poller()
        self._poller.register(wake, zmq.POLLIN)
        self._wake = wake
        attempt = 0
        try:
            while not self.closing:
                why = self._once()
                attempt = 1 if self._was_up else attempt + 1
                self._was_up = False
                if not self.closing:
                    self._change("lost", why, attempt)
                    self._pause(attempt)
        finally:
            self._context.destroy(0)

    def _once(self) -> str:
        """One connection, from finding the core to losing it; returns why it ended."""
        try:
            if self._address.path:
                self._address = read_core(Path(self._address.path))
        except NotReachable as why:
            return str(why)
        try:
            self._open()
            return self._follow()
        except zmq.ZMQError as bad:
            return f"cannot connect to {self._address.command}: {bad.strerror}"
        finally:
            self._close()

    def _open(self) -> None:
        self._sub = sockets.state_client(self._context, self._keys)
        for stream in sorted(self._streams) or [""]:
            self._sub.subscribe(stream)
        self._sub.connect(self._address.state)
        self._poller.register(self._sub, zmq.POLLIN)
        self._open_dealer()
        self._clone.lose()
        now = time.monotonic()
        self._alive_at = now + HELLO_S - LOST_AFTER_S
        self._snapshot_id, self._snapshot_at, self._ping_at = "", now, now

    def _open_dealer(self) -> None:
        self._dealer = sockets.command_client(self._context, self._keys)
        self._poller.register(self._dealer, zmq.POLLIN)
        self._dealer.connect(self._address.command)

    def _close_dealer(self) -> None:
        self._poller.unregister(self._dealer)
        self._dealer.close(0)

    def _close(self) -> None:
        for name in ("_sub", "_dealer"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                if opened in self._poller:
                    self._poller.unregister(opened)
                opened.close(0)

    def _follow(self) -> str:
        while not self.closing:
            now = time.monotonic()
            self._take_commands(self._outbox, now)
            self._send_due(now)
            self._emit(list(self._outbox.overdue(now)))
            self._poller.poll(TICK_MS)
            _swallow(self._wake)
            now = time.monotonic()
            drained = self._read_state(now)
            self._read_replies(now)
            if drained and now - self._alive_at > LOST_AFTER_S:
                return f"no heartbeat for {now - self._alive_at:.1f} s"
        return "closed"

    # -- in

    def _read_state(self, now: float) -> bool:
        """Take what has arrived; True when nothing is left to read."""
        events: list[LinkEvent] = []
        for _ in range(DRAIN_MAX):
            try:
                frame = self._sub.recv(zmq.NOBLOCK)
            except zmq.Again:
                self._emit(events)
                return True
            self.stats.received += 1
            self.stats.heard_mono_ns = time.monotonic_ns()
            try:
                topic, message = decode_message(frame)
            except WireError as bad:
                self.stats.decode_errors += 1
                self._change("resync", f"a message did not decode: {bad.text}")
                self._clone.lose()
                self._snapshot_id, self._snapshot_at = "", now
                continue
            if topic == "heartbeat":
                self._alive_at = now
                self.stats.heartbeat_ns = message.ts
            events += self._feed(self._clone.feed_message(topic, message), now)
        self._emit(events)
        return False

    def _feed(self, events: list[LinkEvent], now: float) -> list[LinkEvent]:
        """Note what the clone has concluded."""
        for event in events:
            if isinstance(event, LinkChanged):
                self.stats.state = event.state
                if event.state == "up":
                    self._was_up = True
                elif event.state == "resync":
                    self._snapshot_id, self._snapshot_at = "", now + _jitter(0.0, 0.1)
        self.stats.epoch, self.stats.gaps, self.stats.resyncs = (
            self._clone.epoch,
            self._clone.gaps,
            self._clone.resyncs,
        )
        return events

    def _read_replies(self, now: float) -> None:
        for _ in range(DRAIN_MAX):
            try:
                frame = self._dealer.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.stats.heard_mono_ns = time.monotonic_ns()
            try:
                reply = decode_reply(frame)
                self._read_reply(reply, frame, now)
            except WireError:
                self.stats.decode_errors += 1

    def _read_reply(self, reply: Reply, frame: bytes, now: float) -> None:
        if reply.id == self._snapshot_id:
            if reply.status == "done":
                self._apply_snapshot(frame, now)
            elif reply.status in FINAL:
                self._snapshot_id, self._snapshot_at = "", now + _jitter(0.1, 0.5)
        elif reply.id in self._pings:
            if reply.status == "done":
                self._time_ping(reply, now)
        elif self._outbox.reply(reply):
            self._emit([reply])

    def _apply_snapshot(self, frame: bytes, now: float) -> None:
        data = decode_snapshot(frame)
        self._snapshot_id = ""
        messages = data.messages
        if self._streams:
            messages = {t: m for t, m in messages.items() if t.partition(".")[0] in self._streams}
        anew = not self._was_up or data.epoch != self._clone_epoch
        self._clone_epoch = data.epoch
        events = self._feed(self._clone.feed_snapshot(Snapshot(data.epoch, data.seq, messages)), now)
        self._emit(events)
        if anew and events:
            self._emit(list(self._outbox.reconnected(data.epoch, now)))

    def _time_ping(self, reply: Reply, now: float) -> None:
        sent, sent_ns = self._pings.pop(reply.id)
        core_ns = reply.data.get("core_ns")
        if isinstance(core_ns, int):
            rtt_ns = int((now - sent) * 1e9)
            self._timings.append((rtt_ns / 1e6, core_ns - sent_ns - rtt_ns // 2))
            self.stats.rtt_ms = rtt_ns / 1e6
            self.stats.skew_ns = min(self._timings)[1]  # the quickest round trip knows best

    # -- out

    def _send_due(self, now: float) -> None:
        due = self._outbox.due(now)
        if any(pending.tries for pending in due) and self._was_up:
            self._close_dealer()
            self._open_dealer()
            self._outbox.reattach(now)
            self._pings.clear()
            self._snapshot_id, self._snapshot_at = "", now
            due = self._outbox.due(now)
        for pending in due:
            if not self._transmit(pending.frame):
                return
            self._outbox.sent(pending, now, self._clone.epoch)
        if self._clone.wants_snapshot and now >= self._snapshot_at:
            if sent := self._ask("snapshot"):
                self._snapshot_id, self._snapshot_at = sent, now + SNAPSHOT_WAIT_S
        if now >= self._ping_at:
            stamp = (time.monotonic(), time.time_ns())
            if sent := self._ask("ping"):
                self._pings, self._ping_at = {sent: stamp}, now + PING_EVERY_S

    def _ask(self, type: str) -> str:
        request = Request(v=VERSION, id=str(uuid.uuid4()), type=type)
        return request.id if self._transmit(encode_request(request)) else ""

    def _transmit(self, frame: bytes) -> bool:
        """False when there is no connection to send it on, which is waited for a little."""
        for _ in range(2):
            try:
                self._dealer.send(frame, zmq.NOBLOCK)
                return True
            except zmq.Again:
                self._dealer.poll(TICK_MS, zmq.POLLOUT)
        return False

    # -- telling

    def _emit(self, events: list[LinkEvent]) -> None:
        if events and not self._emit_events(events):
            self._clone.lose()
            self._snapshot_id, self._snapshot_at, self.stats.state = "", time.monotonic(), "resync"

    def _change(self, state: str, detail: str, attempt: int = 0) -> None:
        self.stats.state = state
        self._emit([LinkChanged(state, detail, attempt)])

    def _pause(self, attempt: int) -> None:
        """Back off, 0.25 s to 5 s with jitter; less when core.json changes meanwhile."""
        least, most = BACKOFF_S
        until = time.monotonic() + min(most, least * 2 ** (attempt - 1)) * _jitter(0.75, 1.25)
        before = _mark(self._address.path)
        while not self.closing and (now := time.monotonic()) < until and _mark(self._address.path) == before:
            self._poller.poll(TICK_MS)
            _swallow(self._wake)
            self._take_commands(self._outbox, now)
            self._emit(list(self._outbox.overdue(now)))


def _jitter(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311  # spreads clients out, guards nothing


def _swallow(wake: socket.socket) -> None:
    try:
        while wake.recv(4096):
            continue
    except BlockingIOError:
        return


def _mark(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino) if found else None
