"""What the tapes did around orders, kept small: a mid at a later moment, and one row a second.

Blocks of ticks can be long, and a mid "five seconds after the fill" lies somewhere inside one: so what is asked for is
remembered with its time and looked up in the block in which that time falls. Besides, each instrument keeps the last
mid and the volume of every second that had a tick, for the volatility before an order and the pictures after it.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable

import numpy as np

from core.kernels.tables import TICK_QUOTE, TICK_TRADE, Table

SECOND_NS = 1_000_000_000
SECONDS_MAX = 100_000  # kept for each instrument: 28 hours with a tick in every second
LOOK_BACK_S = 300  # over which volatility and volume before an order are taken
RETURNS_MIN = 20  # fewer say nothing about volatility

Taker = Callable[[float | None], None]


class Prices:
    """One instrument. Prices quote, volume lots."""

    def __init__(self, tick_size: float) -> None:
        self.mid: float | None = None
        self.volume_lots = 0
        self._tick_size = tick_size
        self._two_sided = False
        self._seconds: deque[tuple[int, float, int]] = deque(maxlen=SECONDS_MAX)  # second, mid, volume so far
        self._asked: list[tuple[int, int, Taker]] = []  # due ns, tie-break, who wants it
        self._count = 0

    def ask(self, due_ns: int, taker: Taker) -> None:
        """Have ``taker`` told the mid as of ``due_ns``, when the tape has got there."""
        self._count += 1
        heapq.heappush(self._asked, (due_ns, self._count, taker))

    def pass_to(self, now_ns: int) -> bool:
        """No tick up to and with ``now_ns``: what was asked for by then is the mid there is. True = nothing is left."""
        while self._asked and self._asked[0][0] <= now_ns:
            heapq.heappop(self._asked)[2](self.mid)
        return not self._asked

    def take(self, rows: Table, last_ns: int) -> None:
        """This instrument's rows of one block that reaches to ``last_ns``."""
        times, mids = rows["ts_ns"], self._mids(rows)
        while self._asked and self._asked[0][0] <= last_ns:
            due_ns, _, taker = heapq.heappop(self._asked)
            at = int(np.searchsorted(times, due_ns, side="right")) - 1
            taker(_known(float(mids[at])) if at >= 0 else self.mid)
        lots = np.where(rows["flags"] & TICK_TRADE, rows["last_lots"], 0)
        volume = self.volume_lots + np.cumsum(lots)
        self.volume_lots, self.mid = int(volume[-1]), _known(float(mids[-1]))
        seconds = times // SECOND_NS
        ends = np.append(np.flatnonzero(np.diff(seconds)), len(rows) - 1)
        for at in ends.tolist():
            if math.isfinite(mids[at]):
                self._end_second(int(seconds[at]), float(mids[at]), int(volume[at]))

    def _mids(self, rows: Table) -> Table:
        """Mid after each row, quote: of a two-sided book, else the last trade as long as there never was one."""
        bid, ask = rows["bid_ticks"], rows["ask_ticks"]
        good = ((rows["flags"] & TICK_QUOTE) != 0) & (bid > 0) & (ask > bid)
        mids = np.where(good, 0.5 * (bid + ask) * self._tick_size, math.nan)
        if not self._two_sided and not good.any():
            traded = (rows["flags"] & TICK_TRADE) != 0
            mids = np.where(traded, rows["last_ticks"] * self._tick_size, math.nan)
        self._two_sided = self._two_sided or bool(good.any())
        mids = np.concatenate([[math.nan if self.mid is None else self.mid], mids])
        filled = np.maximum.accumulate(np.where(np.isnan(mids), 0, np.arange(len(mids))))
        return mids[filled][1:]

    def _end_second(self, second: int, mid: float, volume: int) -> None:
        if self._seconds and self._seconds[-1][0] >= second:
            self._seconds.pop()
        self._seconds.append((second, mid, volume))

    def before(self, now_ns: int) -> tuple[float | None, float | None]:
        """(volatility as a fraction per square root of a second, lots a second) of the look-back; None = too little."""
        first = now_ns // SECOND_NS - LOOK_BACK_S
        rows = []
        for row in reversed(self._seconds):
            if row[0] < first:
                break
            rows.append(row)
        if len(rows) <= RETURNS_MIN:
            return None, None
        table = np.array(rows[::-1], dtype=np.float64)
        length_s = table[-1, 0] - table[0, 0]
        variance = float(np.sum(np.diff(np.log(table[:, 1])) ** 2)) / length_s
        volume = (table[-1, 2] - table[0, 2]) / length_s
        return (math.sqrt(variance) if variance > 0.0 else None), (float(volume) if volume > 0.0 else None)

    def path(self, from_ns: int, to_ns: int) -> list[tuple[int, float]]:
        """(ns, mid) at the end of each second in between that had a tick, thinned to about a thousand."""
        first, last = from_ns // SECOND_NS, to_ns // SECOND_NS
        rows = []
        for second, mid, _ in reversed(self._seconds):
            if second < first:
                break
            if second <= last:
                rows.append(((second + 1) * SECOND_NS, mid))
        rows.reverse()
        return rows[:: max(1, len(rows) // 1000)]


def _known(mid: float) -> float | None:
    return mid if math.isfinite(mid) and mid > 0.0 else None
