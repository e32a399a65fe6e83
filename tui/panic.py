"""The cord that works when nothing else here does.

Two presses of the chord are noticed in the thread that reads the keyboard, and `Cord.pull` then opens a socket of
its own, in a thread of its own, says ``kill`` and waits for the core's word. It shares no socket, no event loop and
no lock with the rest of the console, so a console that hangs in a painter or a callback still stops the core.
The same id is sent again until it is answered: the core does a repeated id once.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec
import zmq

from bus.sockets import ClientKeys, Context, Socket, command_client
from bus.wire import FINAL, VERSION, Reply, Request
from tui.model.commands import counts_text

CHORD_WINDOW_S = 2.0
RESEND_MS = 500
GIVE_UP_S = 10.0  # without any answer
FOLLOW_S = 60.0  # after an answer, for the counts
REASON = "panic chord at console"


@dataclass(slots=True)
class Chord:
    """Twice within the window. ``press`` is told when; it says whether that was the second one."""

    window_s: float = CHORD_WINDOW_S
    _last_s: float = float("-inf")

    def press(self, now_s: float) -> bool:
        second = now_s - self._last_s < self.window_s
        self._last_s = float("-inf") if second else now_s
        return second


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull and how far it got. ``*_ms`` count from the key."""

    id: str
    at_mono_ns: int
    status: str = "sending"  # sending | accepted | progress | done | failed | rejected | no answer
    sent_ms: float | None = None
    ack_ms: float | None = None
    end_ms: float | None = None
    counts: str = ""
    receipt: str = ""
    error: str = ""


@dataclass(slots=True)
class Cord:
    """``pull`` returns at once; ``last`` is the newest result (an atomic reference, never a half-written one)."""

    endpoint: str
    keys: ClientKeys | None = None
    reason: str = REASON
    last: Pull | None = None
    pulls: list[threading.Thread] = field(default_factory=list)
    log: Callable[[Pull], None] | None = None
    again: Callable[[], str] | None = None  # where the core is now; it may have been started anew elsewhere

    def pull(self) -> None:
        thread = threading.Thread(target=self._run, args=(time.monotonic_ns(),), name="cord", daemon=True)
        self.pulls = [t for t in self.pulls if t.is_alive()] + [thread]
        thread.start()

    def _note(self, pull: Pull) -> Pull:
        self.last = pull
        if self.log is not None:
            self.log(pull)
        return pull

    def _run(self, at_mono_ns: int) -> None:
        pull = self._note(Pull(id=str(uuid.uuid4()), at_mono_ns=at_mono_ns))
        try:
            self._talk(pull)
        except zmq.ZMQError as error:
            self._note(replace(pull, status="no answer", error=str(error)))

    def _talk(self, pull: Pull) -> None:
        context = zmq.Context()
        try:
            pull = self._until_answered(context, pull)
        finally:
            context.destroy(linger=0)

    def _until_answered(self, context: Context, pull: Pull) -> Pull:
        data = {"scope": "all", "level": "halt"}
        request = Request(v=VERSION, id=pull.id, type="kill", data=data, reason=self.reason)
        frame = msgspec.msgpack.encode(request)
        while _since_ms(pull) < GIVE_UP_S * 1000:
            socket = command_client(context, self.keys)
            socket.connect(self.endpoint)
            if socket.poll(
                RESEND_MS, zmq.POLLOUT
            ):  # IMMEDIATE: writable means connected, nothing waits in a queue
                socket.send(frame, zmq.NOBLOCK)
                if pull.sent_ms is None:
                    pull = self._note(replace(pull, sent_ms=_since_ms(pull)))
                if socket.poll(RESEND_MS):
                    return self._follow(socket, pull)
            socket.close(linger=0)
            if self.again is not None:
                self.endpoint = self.again()
        return self._note(replace(pull, status="no answer", end_ms=_since_ms(pull)))

    def _follow(self, socket: Socket, pull: Pull) -> Pull:
        while _since_ms(pull) < FOLLOW_S * 1000:
            if not socket.poll(500):
                continue
            try:
                reply = msgspec.msgpack.decode(socket.recv(), type=Reply)
            except msgspec.DecodeError:
                continue
            if reply.id != pull.id:
                continue
            pull = self._note(_advance(pull, reply))
            if reply.status in FINAL:
                break
        return pull

    def unanswered(self) -> bool:
        """A pull is out and the core has not said a word about it yet."""
        return (
            self.last is not None and self.last.status == "sending" and any(t.is_alive() for t in self.pulls)
        )


def _since_ms(pull: Pull) -> float:
    return (time.monotonic_ns() - pull.at_mono_ns) / 1e6


def _advance(pull: Pull, reply: Reply) -> Pull:
    elapsed_ms = _since_ms(pull)
    error = "" if reply.error is msgspec.UNSET else f"{reply.error.code}: {reply.error.message}"
    return replace(
        pull,
        status=reply.status,
        ack_ms=pull.ack_ms if pull.ack_ms is not None else elapsed_ms,
        end_ms=elapsed_ms if reply.status in FINAL else None,
        counts=counts_text(reply.data) or pull.counts,
        receipt=str(reply.data.get("receipt") or pull.receipt),
        error=error or pull.error,
    )
