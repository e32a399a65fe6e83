"""What became of each request, by id: an id is acted on once, however often it arrives.

A client that heard nothing sends the same id again, over a new connection. The request that is still running gets
the new route as well; the one that has ended is answered from here. Only requests that reached the engine are
recorded: the bus's own refusals change nothing, and a stranger must not be able to push real outcomes out.
"""

from __future__ import annotations

from collections import deque

import msgspec

from bus.wire import FINAL

ROUTES_MAX = 4
OUTCOMES_MAX = 4096


class Outcome(msgspec.Struct):
    """One request. ``replies`` is what a repeat is told: the first reply, the latest progress, the final one."""

    owner: str
    routes: list[object]
    replies: list[bytes] = []
    seq: int = 0
    final: bool = False

    def attach(self, route: object) -> None:
        """Send what follows here too; the oldest of too many routes is let go."""
        if route not in self.routes:
            self.routes.append(route)
            del self.routes[:-ROUTES_MAX]

    def add(self, status: str, frame: bytes) -> bool:
        """Record one reply; True when it ends the request. Progress replaces progress, so this stays small."""
        if status == "progress" and len(self.replies) > 1:
            self.replies[-1] = frame
        else:
            self.replies.append(frame)
        self.final = status in FINAL
        return self.final


class Outcomes:
    """Outcomes by id. Bounded: the oldest ended ones leave first; running ones never do."""

    def __init__(self, ended_max: int = OUTCOMES_MAX, running_max: int = OUTCOMES_MAX) -> None:
        self._by_id: dict[str, Outcome] = {}
        self._ended: deque[str] = deque()
        self._ended_max, self._running_max = ended_max, running_max

    def get(self, id: str) -> Outcome | None:
        return self._by_id.get(id)

    @property
    def running(self) -> int:
        return len(self._by_id) - len(self._ended)

    @property
    def full(self) -> bool:
        return self.running >= self._running_max

    def open(self, id: str, owner: str, route: object) -> Outcome:
        """A new request; ``id`` must not be known."""
        outcome = self._by_id[id] = Outcome(owner=owner, routes=[route])
        return outcome

    def end(self, id: str) -> None:
        """This id has had its final reply; its routes are no longer needed."""
        self._by_id[id].routes.clear()
        self._ended.append(id)
        if len(self._ended) > self._ended_max:
            del self._by_id[self._ended.popleft()]
