"""Harmless trouble from outside, counted by kind and told at most once a second: a flood must not become our flood."""

from __future__ import annotations

from collections.abc import Callable

QUIET_NS = 1_000_000_000


class NoiseMeter:
    """The first of a kind is told at once; what follows within a second is told as one count."""

    def __init__(self, tell: Callable[[str, str], None], clock_ns: Callable[[], int]) -> None:
        self._tell, self._clock_ns = tell, clock_ns
        self._told_ns: dict[str, int] = {}
        self._held: dict[str, tuple[int, str]] = {}
        self.counts: dict[str, int] = {}

    def add(self, kind: str, text: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        now = self._clock_ns()
        if kind not in self._told_ns or now - self._told_ns[kind] >= QUIET_NS:
            self._told_ns[kind] = now
            self._tell(kind, text)
        else:
            held, _ = self._held.get(kind, (0, ""))
            self._held[kind] = (held + 1, text)

    def flush(self) -> None:
        """Tell what was held back for a second."""
        now = self._clock_ns()
        for kind in [kind for kind in self._held if now - self._told_ns[kind] >= QUIET_NS]:
            count, text = self._held.pop(kind)
            self._told_ns[kind] = now
            self._tell(kind, f"{count} more, the last: {text}")
