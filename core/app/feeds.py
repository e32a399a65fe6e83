"""Where ticks come from while the core runs live on the wall clock: the embedded market, or a tape played back."""

from __future__ import annotations

import math
from typing import Protocol

from core.adapters.market import EmbeddedMarket
from core.adapters.replay_source import ReplaySource
from core.kernels.tables import Table

FAR_NS = 1 << 62
FLAT_OUT_ROWS = 4096  # rows a turn when a tape is played as fast as it goes


class Feed(Protocol):
    """Ticks up to now."""

    def rows(self, now_ns: int) -> Table | None:
        """What has come due, in time order, stamped at or before ``now_ns``; None when nothing has."""
        ...

    def next_ns(self) -> int:
        """When the next tick is due; far future when the feed has ended."""
        ...

    @property
    def ended(self) -> bool:
        """A tape that has been played to its end."""
        ...


class MarketFeed:
    """The embedded market, with a crash on demand."""

    def __init__(
        self, market: EmbeddedMarket, *, crash_at_ns: int, crash_drop: float, crash_s: float
    ) -> None:
        self._market = market
        self._crash_at_ns, self._crash = crash_at_ns, (crash_drop, crash_s)
        self.ended = False

    def rows(self, now_ns: int) -> Table | None:
        if now_ns >= self._crash_at_ns:
            self._crash_at_ns = FAR_NS
            self._market.crash(*self._crash)
        if self._market.next_ns() > now_ns:
            return None
        block = self._market.block(now_ns)
        return block if len(block) else None

    def next_ns(self) -> int:
        return self._market.next_ns()


class TapeFeed:
    """A tape on the wall clock: at its own pace, N times it, or flat out (then stamped as it is taken)."""

    def __init__(self, rows: Table, start_ns: int, speed: float) -> None:
        self._flat_out = math.isinf(speed)
        self._source = ReplaySource(rows, speed=1.0 if self._flat_out else speed, start_ns=start_ns)

    @property
    def ended(self) -> bool:
        return self._source.done

    def rows(self, now_ns: int) -> Table | None:
        block = self._source.take(FLAT_OUT_ROWS) if self._flat_out else self._source.block(now_ns)
        if self._flat_out:
            block["ts_ns"] = now_ns
        return block if len(block) else None

    def next_ns(self) -> int:
        if self._flat_out and not self._source.done:
            return 0
        return self._source.next_ns()
