"""A progress bar on stderr, when somebody is looking at it."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from andon.output import is_terminal

_WIDTH = 30
_PERIOD_S = 0.1  # a bar that is redrawn more often only costs


class Progress:
    """``with Progress("replay", "events") as bar: … bar.update(done, total)``. Silent without a terminal."""

    def __init__(self, what: str, unit: str) -> None:
        self._what, self._unit = what, unit
        self._shown = is_terminal(sys.stderr)
        self._begun = self._drawn = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def update(self, done: int, total: int) -> None:
        """``done`` of ``total``; a total of 0 is not known yet."""
        now = time.monotonic()
        if not self._shown or now - self._drawn < _PERIOD_S:
            return
        self._drawn = now
        rate = done / max(now - self._begun, 1e-9)
        share = min(1.0, done / total) if total else 0.0
        bar = "#" * int(share * _WIDTH)
        left = f"  {(total - done) / rate:.0f} s left" if total and rate else ""
        sys.stderr.write(
            f"\r{self._what} [{bar:.<{_WIDTH}}] {share:4.0%}  {rate:,.0f} {self._unit}/s{left}\x1b[K"
        )
        sys.stderr.flush()
