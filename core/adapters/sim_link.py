"""The wire to the simulated venue: latency both ways, in order, unless a fault says otherwise.

Requests arrive in the order they were sent. Reports leave in order too; "reorder" and "late" let single reports
step out of the line. Events that the adapter itself makes up (link down, unknown outcome, failed query) are
``local``: they do not travel and are not lost when the link is down.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import msgspec

from core.adapters.faults import FOREVER_NS, FaultPlan
from core.adapters.venue import VenueEvent

MS = 1_000_000
LATE_MS = (2_000.0, 20_000.0)  # how late a late report is
REORDER_MS = 60.0  # reports within this long of each other may change places

Request = tuple[int, Callable[[Any, int], None], Any]  # arrival ns, handler, payload


class Link:
    """Both directions of one venue's connection, in virtual time."""

    def __init__(self, seed: int, latency_ms: float, jitter_ms: float, faults: FaultPlan) -> None:
        self._random = random.Random(f"link-{seed}")  # noqa: S311  (a simulation)
        self._latency_ns = int(latency_ms * MS)
        self._jitter_ns = int(jitter_ms * MS)
        self._faults = faults
        self._requests: deque[Request] = deque()
        self._events: list[tuple[int, int, VenueEvent, bool]] = []  # due ns, tie-break, event, local
        self._count = 0
        self._request_ns = 0
        self._report_ns = 0

    def _delay_ns(self) -> int:
        return self._latency_ns + int(self._jitter_ns * self._random.random())

    def request(self, now_ns: int, handler: Callable[[Any, int], None], payload: Any) -> None:
        """Put a request on the way; it arrives after those before it."""
        self._request_ns = max(self._request_ns, now_ns + self._delay_ns())
        self._requests.append((self._request_ns, handler, payload))

    def arrived(self, now_ns: int) -> Request | None:
        """Take the next request that is there at ``now_ns``."""
        if self._requests and self._requests[0][0] <= now_ns:
            return self._requests.popleft()
        return None

    def stamp(self, at_ns: int, held_ns: int = 0) -> int:
        """When a report made at ``at_ns`` will be received; one that is ``held_ns`` back does not hold up others."""
        due_ns = at_ns + self._delay_ns() + held_ns
        if held_ns:
            return due_ns
        if self._faults.strikes("late", at_ns):
            return due_ns + int(self._faults.uniform(*LATE_MS) * MS)
        if self._faults.strikes("reorder", at_ns):
            return due_ns + int(self._faults.uniform(0.0, REORDER_MS) * MS)
        self._report_ns = max(self._report_ns, due_ns)
        return self._report_ns

    def post(self, event: VenueEvent, *, local: bool = False) -> None:
        """Send an event that is stamped with its due time; "duplicate" sends it once more."""
        self._push(event, local=local)
        if not local and self._faults.strikes("duplicate", event.ts_ns):
            self._push(msgspec.structs.replace(event, ts_ns=event.ts_ns + self._delay_ns()), local=local)

    def _push(self, event: VenueEvent, *, local: bool) -> None:
        self._count += 1
        heappush(self._events, (event.ts_ns, self._count, event, local))

    def received(self, now_ns: int) -> list[VenueEvent]:
        """Take what is due at ``now_ns``. Reports that come while the link is down are lost."""
        out: list[VenueEvent] = []
        while self._events and self._events[0][0] <= now_ns:
            due_ns, _, event, local = heappop(self._events)
            if local or not self._faults.active("disconnect", due_ns):
                out.append(event)
        return out

    def next_request_ns(self) -> int:
        """When the next request arrives."""
        return self._requests[0][0] if self._requests else FOREVER_NS

    def next_event_ns(self) -> int:
        """When the next event is due."""
        return self._events[0][0] if self._events else FOREVER_NS
