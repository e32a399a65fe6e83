"""The lanes in front of the engine: what stops and what venues say, then requests, then the market. All bounded.

*Control* holds venue words, timers, statuses, whatever stops and whatever leaves a stop, in the order they came: it is
emptied before anything else is looked at, so a flood of requests delays neither the cord nor an execution, and a start
asked for before a stop never comes after it. *Requests* are everything else that is asked for, in the order it came: a
cancel never overtakes the order it is for. A full request lane refuses new requests,
never stopping. A full market lane keeps what has waited longest and lets the newest block go, counted: the next block
carries newer prices anyway.
"""

from __future__ import annotations

from collections import deque

from bus.events import Command, Event
from core.kernels.tables import Table

AHEAD = frozenset({"kill", "stop", "rearm", "start", "stop_strategy", "start_strategy"})


class Inbox:
    """Lanes of one core; belongs to the loop."""

    def __init__(self, requests_max: int, market_max: int) -> None:
        self.control: deque[Event] = deque()
        self.requests: deque[Event] = deque()
        self.market: deque[Table] = deque()
        self._requests_max, self._market_max = requests_max, market_max
        self._market_rows = 0
        self.ticks_dropped = 0

    @property
    def crowded(self) -> bool:
        """No room for another request that is not about stopping."""
        return len(self.requests) >= self._requests_max

    def put(self, event: Event) -> None:
        """A venue's word, a status, an admitted command: always taken."""
        waits = isinstance(event, Command) and event.type not in AHEAD
        (self.requests if waits else self.control).append(event)

    def put_ticks(self, rows: Table) -> None:
        """A block in time order; dropped and counted when too much is waiting already."""
        if self._market_rows and self._market_rows + len(rows) > self._market_max:
            self.ticks_dropped += len(rows)
            return
        self._market_rows += len(rows)
        self.market.append(rows)

    def take_ticks(self, rows_max: int) -> Table | None:
        """The head of the market lane, at most ``rows_max`` rows."""
        if not self.market:
            return None
        rows = self.market.popleft()
        if len(rows) > rows_max:
            self.market.appendleft(rows[rows_max:])
            rows = rows[:rows_max]
        self._market_rows -= len(rows)
        return rows

    def give_back(self, rows: Table) -> None:
        """Rows the engine has not taken yet go back to the front."""
        self._market_rows += len(rows)
        self.market.appendleft(rows)
