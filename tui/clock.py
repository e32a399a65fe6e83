"""Where the console's time comes from; tests hand in one that stands still."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """``wall_ns``: UTC nanoseconds of this machine; ``mono_ns``: monotonic nanoseconds."""

    def wall_ns(self) -> int: ...
    def mono_ns(self) -> int: ...


class SystemClock:
    """The machine's clocks."""

    def wall_ns(self) -> int:
        return time.time_ns()

    def mono_ns(self) -> int:
        return time.monotonic_ns()
