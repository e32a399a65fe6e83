"""Commands on their way, with no socket in it: sent, sent again with the same id, or given up aloud.

The core acts on an id once, so sending again is safe while that core lives. A *later* core (a new epoch) may not
know the id any more: only what stops or cancels is sent to it again; for the rest the owner is told that the
outcome is not known. Nothing here ever claims that a command arrived.
"""

from __future__ import annotations

import msgspec

from bus.wire import FINAL, STOPPING_TYPES, VERSION, Error, Reply

RETRY_S = 0.25
QUICK_TRIES = 3
SLOW_RETRY_S = 1.0
KEEP_S = 60.0  # how long a command without expiry is sent again
UNCONFIRMED = "unconfirmed"  # our own word in Reply.status: nothing heard; the command may have been done


class Pending(msgspec.Struct):
    """One command. Times are the owner's monotonic seconds."""

    id: str
    type: str
    frame: bytes
    give_up_at: float
    next_at: float = 0.0
    tries: int = 0
    epoch: int = 0  # of the core it was first sent to
    heard: int = 0  # seq of the last reply
    told: bool = False  # the owner knows that it is unconfirmed


class Outbox:
    """All commands that have not ended."""

    def __init__(self) -> None:
        self._pending: dict[str, Pending] = {}

    def add(self, id: str, type: str, frame: bytes, now: float, lives_s: float | None = None) -> None:
        """A new command; ``lives_s`` is what is left until its expiry, None without one."""
        keep = KEEP_S if lives_s is None else max(0.0, lives_s)
        self._pending[id] = Pending(id=id, type=type, frame=frame, give_up_at=now + keep, next_at=now)

    def due(self, now: float) -> list[Pending]:
        """What should be sent now."""
        return [
            p for p in self._pending.values() if p.next_at <= now and (p.tries == 0 or now < p.give_up_at)
        ]

    def sent(self, pending: Pending, now: float, epoch: int) -> None:
        """It has left our socket."""
        pending.tries += 1
        pending.epoch = pending.epoch or epoch
        pending.next_at = now + (RETRY_S if pending.tries < QUICK_TRIES else SLOW_RETRY_S)

    def reconnected(self, epoch: int, now: float) -> list[Reply]:
        """A core is there (again): attach running commands to the new connection; say which can not be."""
        lost = []
        for pending in list(self._pending.values()):
            if pending.epoch in (0, epoch) or pending.type in STOPPING_TYPES:
                pending.next_at, pending.heard = now, pending.heard if pending.epoch == epoch else 0
                pending.epoch = epoch if pending.epoch else 0
            else:
                del self._pending[pending.id]
                lost.append(_unconfirmed(pending.id, "the core was started again; look at the state"))
        return lost

    def reattach(self, now: float) -> None:
        """The connection was replaced: replies to everything that runs must find the new one."""
        for pending in self._pending.values():
            if pending.tries:
                pending.next_at = min(pending.next_at, now)

    def reply(self, reply: Reply) -> bool:
        """Whether the owner should see this reply; a repeat is not shown."""
        pending = self._pending.get(reply.id)
        if pending is None:
            return False
        pending.next_at = float("inf")  # it has arrived: no more repeats on this connection
        if reply.epoch != pending.epoch:  # a later core counts from 1 again
            pending.epoch, pending.heard = reply.epoch, 0
        if reply.seq <= pending.heard:
            return False
        pending.heard = reply.seq
        if reply.status in FINAL:
            del self._pending[reply.id]
        return True

    def overdue(self, now: float) -> list[Reply]:
        """Commands nobody has answered: said once each, at the end of the quick tries or of their life."""
        said = []
        for pending in list(self._pending.values()):
            if pending.heard:
                continue
            over = now >= pending.give_up_at
            quiet = pending.tries >= QUICK_TRIES and now >= pending.next_at - SLOW_RETRY_S + RETRY_S
            if over:
                del self._pending[pending.id]
            if not pending.told and (quiet or over):
                pending.told = True
                said.append(_unconfirmed(pending.id, "no answer from the core; it is being asked again"))
        return said


def _unconfirmed(id: str, text: str) -> Reply:
    error = Error(code=UNCONFIRMED, message=text)
    return Reply(v=VERSION, id=id, status=UNCONFIRMED, epoch=0, seq=0, error=error)
