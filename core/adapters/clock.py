"""The core's clock: wall time that never goes back.

It runs on the monotonic clock from one look at the wall clock, so that somebody who sets the machine's date cannot
send the engine's deadlines into the past. ``check`` compares the two from time to time: after a jump forward (a
laptop that slept) time jumps on, after a jump back it runs a tenth slower until the wall has caught up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

JUMP_NS = 250_000_000  # what NTP slews stays below; more is somebody's hand, a sleep or a step
_SLEW = 10  # at most a tenth of the elapsed time is taken back


class Clock(Protocol):
    """Tells the time to whatever may ask for it; the engine never asks."""

    def now_ns(self) -> int:
        """UTC nanoseconds, never less than before."""
        ...


class SystemClock:
    """Wall time on a monotonic footing. ``wall`` and ``mono`` (ns) are replaced in tests only."""

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, mono: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall, self._mono = wall, mono
        self._checked_mono_ns = mono()
        self._offset_ns = wall() - self._checked_mono_ns
        self._wall_offset_ns = self._offset_ns  # wall minus monotonic at the last check
        self._last_ns = 0

    def now_ns(self) -> int:
        now = self._mono() + self._offset_ns
        self._last_ns = max(self._last_ns, now)
        return self._last_ns

    @property
    def ahead_ns(self) -> int:
        """How far this clock ran ahead of the wall clock at the last check; negative: behind."""
        return self._offset_ns - self._wall_offset_ns

    def check(self) -> int:
        """Call about once a second. Returns the wall clock's jump since the last call in ns, 0 when there was none."""
        mono = self._mono()
        elapsed, self._checked_mono_ns = mono - self._checked_mono_ns, mono
        offset = self._wall() - mono
        jump, self._wall_offset_ns = offset - self._wall_offset_ns, offset
        if self.ahead_ns < 0:
            self._offset_ns = offset  # forward at once
        else:
            self._offset_ns -= min(self.ahead_ns, elapsed // _SLEW)
        return jump if abs(jump) >= JUMP_NS else 0


class VirtualClock:
    """Time as a test, a simulation or a tape tells it."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, by_ns: int) -> int:
        return self.set(self._now_ns + by_ns)

    def set(self, now_ns: int) -> int:
        """Raises ValueError when it would go back."""
        if now_ns < self._now_ns:
            raise ValueError(f"time cannot go back from {self._now_ns} to {now_ns}")
        self._now_ns = now_ns
        return now_ns
