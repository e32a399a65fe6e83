"""The slow clocks beside the loop: tables ten times a second, the heartbeat four times, health once.

They run on the engine's own event loop and read its state between turns, so a loop that hangs stops its own
heartbeat: that silence is what the console, and whoever guards the core, must see.
"""

from __future__ import annotations

import asyncio
import os
import resource

from bus.views import HealthView, HeartbeatView
from core.app.build import build_sha256
from core.app.loop import Loop
from core.engine import costs, ladder
from core.engine.gateview import gate_view

HEALTH_S = 1.0


class Pulse:
    """Timers of the publisher."""

    def __init__(self, loop: Loop, heartbeat_hz: float, table_hz: float) -> None:
        self._loop = loop
        self._every = (
            (1.0 / table_hz, self._tables),
            (1.0 / heartbeat_hz, self._heartbeat),
            (HEALTH_S, self._health),
        )
        self._handles: dict[int, asyncio.TimerHandle] = {}
        self._aio: asyncio.AbstractEventLoop | None = None

    def start(self, aio: asyncio.AbstractEventLoop) -> None:
        """First beat at once."""
        self._aio = aio
        for n in range(len(self._every)):
            self._beat(n)

    def stop(self) -> None:
        """No more beats."""
        self._aio = None
        for handle in self._handles.values():
            handle.cancel()

    def _beat(self, n: int) -> None:
        if self._aio is None:
            return
        every_s, act = self._every[n]
        act()
        self._handles[n] = self._aio.call_later(every_s, self._beat, n)

    def _tables(self) -> None:
        self._loop.publisher.tables()

    def _heartbeat(self) -> None:
        loop, state = self._loop, self._loop.state
        seq, sha = loop.journal.head()
        loop.publisher.heartbeat(
            HeartbeatView(
                progress=state.cold.progress,
                heads=loop.server.heads(),
                journal_seq=loop.journal.last_seq,
                durable_seq=seq,
                audit_head=sha[:16],
                state=ladder.state_word(state.cold.kills, started=state.cold.started),
                env=state.config.env,
                account=state.config.account,
                pid=os.getpid(),
                loop_lag_us=round(loop.lag_us, 1),
                clients=loop.server.clients,
                build=build_sha256()[:12],
                core_ns=loop.clock.now_ns(),
            )
        )

    def _health(self) -> None:
        for view in self._components():
            self._loop.publisher.health(view)
        self._loop.clock.check()

    def _components(self) -> list[HealthView]:
        loop, cold = self._loop, self._loop.state.cold
        usage = resource.getrusage(resource.RUSAGE_SELF)
        journal = loop.journal
        ok = not journal.failed
        views = [
            HealthView(
                component="core",
                status="ok" if loop.inbox.ticks_dropped == 0 else "warn",
                detail=""
                if loop.inbox.ticks_dropped == 0
                else "ticks dropped: the feed is faster than the core",
                values={"rss_mb": usage.ru_maxrss // 1024, "ticks_dropped": loop.inbox.ticks_dropped},
            ),
            HealthView(
                component="journal",
                status=("warn" if journal.trouble else "ok") if ok else "fail",
                detail=journal.failed or journal.trouble,
                values={"held_orders": loop.performer.held},
            ),
        ]
        views.append(gate_view(loop.state))
        for venue in cold.venues:
            good = venue.up and venue.reconciled
            detail = "" if good else (venue.reason or ("not reconciled" if venue.up else "link down"))
            views.append(
                HealthView(
                    component=f"venue.{venue.name}",
                    status="ok" if good else ("warn" if venue.up else "fail"),
                    detail=detail,
                    values={"failures": venue.failures, "differs": len(venue.differs)}
                    | costs.venue_values(loop.state, venue.name),
                )
            )
        return views
