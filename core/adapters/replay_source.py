"""A tape as a market: its ticks handed out by time, at real speed, N times faster, or as fast as they are taken."""

from __future__ import annotations

import numpy as np

from core.adapters.faults import FOREVER_NS
from core.kernels.tables import Table


class ReplaySource:
    """Hands out a tape's rows (TICK, in time order), with the face of ``EmbeddedMarket``.

    With ``start_ns`` the tape is played as if it happened now: its first tick falls at ``start_ns`` and ``speed``
    divides the distances (times in ns UTC; order is kept). Without, rows keep the tape's own times and ``block``
    is asked in tape time, which is what a flat-out replay does.
    """

    def __init__(self, rows: Table, *, speed: float = 1.0, start_ns: int | None = None) -> None:
        if not speed > 0.0:
            raise ValueError(f"replay speed {speed} is not above zero")
        self._rows = rows
        self._ts = np.ascontiguousarray(rows["ts_ns"])
        self._restamped = start_ns is not None
        if start_ns is not None and len(rows):
            passed = self._ts - self._ts[0]
            self._ts = start_ns + (passed if speed == 1.0 else (passed / speed).astype(np.int64))
        self._at = 0

    @property
    def position(self) -> int:
        """Rows handed out."""
        return self._at

    @property
    def done(self) -> bool:
        """Whether the tape has ended."""
        return self._at >= len(self._rows)

    def next_ns(self) -> int:
        """Time of the next row; a very large number at the end."""
        return FOREVER_NS if self.done else int(self._ts[self._at])

    def block(self, until_ns: int) -> Table:
        """The rows not yet given up to and including ``until_ns``."""
        return self._give(int(np.searchsorted(self._ts, until_ns, side="right")))

    def take(self, rows_max: int) -> Table:
        """The next ``rows_max`` rows, whatever their time."""
        return self._give(min(len(self._rows), self._at + rows_max))

    def _give(self, end: int) -> Table:
        begin, self._at = self._at, max(self._at, end)
        rows = self._rows[begin : self._at]
        if self._restamped:
            rows = rows.copy()
            rows["ts_ns"] = self._ts[begin : self._at]
        return rows
