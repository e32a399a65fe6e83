"""The two lanes in front of the engine: control before market, both bounded.

Control (commands, venue words, timers) is never refused by a full market lane and is looked at before every
block of ticks. A full control lane refuses new commands, never venue words and never stopping. A full market lane keeps
what has waited longest and lets the newest block go, counted: the next block carries newer prices anyway.
"""

from __future__ import annotations

from collections import deque

from bus.events import Event
from core.kernels.tables import Table


class Inbox:
    """Lanes of one core; belongs to the loop."""

    def __init__(self, control_max: int, market_max: int) -> None:
        self.control: deque[Event] = deque()
        self.market: deque[Table] = deque()
        self._control_max, self._market_max = control_max, market_max
        self._market_rows = 0
        self.ticks_dropped = 0

    @property
    def crowded(self) -> bool:
        """No room for another command that is not about stopping."""
        return len(self.control) >= self._control_max

    def put(self, event: Event) -> None:
        """A venue's word, a status, an admitted command: always taken."""
        self.control.append(event)

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
