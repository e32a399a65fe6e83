"""Snapshots, at most five builds a second, each *newer* than the requests it answers.

Handing out a cached older one would be quicker and wrong in a subtle way: what was published between the build
and the client's subscription would be missing, so the client would find a gap and ask again, and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from bus.heads import Heads

BUILD_EVERY_S = 0.2
WAITING_MAX = 256


class SnapshotDesk:
    """Collects who waits, builds once, hands all of them to ``send(waiting, data)``."""

    def __init__(self, heads: Heads, send: Callable[[list[tuple[object, str]], msgspec.Raw], None]) -> None:
        self._heads, self._send = heads, send
        self._waiting: dict[object, str] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._built_at = float("-inf")

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def stop(self) -> None:
        self._loop = None

    def take(self, route: object, id: str) -> bool:
        """Queue one request; False when this client waits already or too many do."""
        if self._loop is None or self._waiting.get(route, id) != id or len(self._waiting) >= WAITING_MAX:
            return False
        if route in self._waiting:
            return True
        self._waiting[route] = id
        if len(self._waiting) == 1:
            self._loop.call_at(max(self._loop.time(), self._built_at + BUILD_EVERY_S), self._build)
        return True

    def _build(self) -> None:
        if self._loop is None:
            return
        self._built_at = self._loop.time()
        waiting = list(self._waiting.items())
        self._waiting.clear()
        self._send(waiting, self._heads.snapshot())
