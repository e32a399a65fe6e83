"""The analyst: risk calculations in a thread of their own, on copies, with results as events.

The loop gives it a copy of the tables (microseconds) at most every ``interval_s``, and only when it is idle: what it
cannot keep up with is skipped and counted, never queued. It computes (the kernels let go of the interpreter), and hands
back a ``RiskResult`` which the loop takes in like any other event. So

    it cannot block      the loop never waits for it; a question has a deadline of its own in the engine
    it cannot lie        a result carries the instant of its copy; an overtaken one is dropped by the engine
    it cannot hurt       whatever it raises becomes a line in ``health.risk`` and the alarm RISK_STALE; the next copy
                         is tried again, a thread that died is started again, one that hangs is reported

With nothing to compute from (too few bars) results say so. History is sampled from the same copies.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from bus.effects import WhatIf
from bus.events import Event, RiskResult
from bus.views import HealthView
from config.settings import RiskSettings
from core.analytics.book_tables import Copy
from core.app.loop import Loop
from core.engine.state import State

if TYPE_CHECKING:
    from core.app.desk import Desk

QUESTIONS_MAX = 8  # waiting at once
STUCK_S = 15.0  # a calculation that takes longer is reported
REVIVE_S = 10.0  # least time between two starts of a thread that died
SAVE_S = 600.0  # how often the sampled history is kept


class Work(NamedTuple):
    """One thing to compute; ``question`` None = the periodic results."""

    copy: Copy
    question: WhatIf | None = None
    whole: bool = False  # VaR, stress, factors and recommendations too


class Analyst:
    """Owner of the thread. Methods belong to the loop's thread unless they say otherwise."""

    def __init__(
        self,
        loop: Loop,
        settings: RiskSettings,
        *,
        betas: dict[str, float] | None = None,
        keep: Path | None = None,
        make: Callable[[], Desk] | None = None,
    ) -> None:
        self._loop, self._settings, self._keep = loop, settings, keep
        self._betas = betas or {}
        self._make = make or self._desk
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._aio: asyncio.AbstractEventLoop | None = None
        self._busy_since = 0.0  # monotonic s; 0 = idle
        self._started_at = self._whole_at = float("-inf")
        self._asked = 0
        self._told = "ok"
        self._trouble = ""  # of the last periodic calculation; written by the thread, read by the loop
        self.done = self.skipped = self.revived = 0
        self.elapsed_ms = 0.0

    def start(self, aio: asyncio.AbstractEventLoop) -> None:
        """Begin; the thread loads its kernels first."""
        self._aio = aio
        self._loop.ask = self.ask
        self._revive()
        self._beat()

    def stop(self) -> None:
        """No more; a calculation under way is not waited for longer than it takes to save the history."""
        self._aio = None
        if self._handle is not None:
            self._handle.cancel()
        self._work.put(None)
        if self._thread is not None:
            self._thread.join(2.0)

    def ask(self, question: WhatIf) -> None:
        """A question to answer before anything periodic; too many are told so."""
        if self._asked >= QUESTIONS_MAX:
            self._answer(question.id, {"code": "BUSY", "error": f"{QUESTIONS_MAX} questions wait: ask again"})
            return
        self._asked += 1
        self._work.put(Work(copy_of(self._loop.state), question))

    # -- the loop's side

    def _beat(self) -> None:
        if self._aio is None:
            return
        self._handle = self._aio.call_later(self._settings.interval_s, self._beat)
        now = time.monotonic()
        assert self._thread is not None
        if not self._thread.is_alive() and now - self._started_at >= REVIVE_S:
            self.revived += 1
            self._revive()
        if self._busy_since:
            self.skipped += 1
        elif self._loop.state.cold.booted:
            whole = now - self._whole_at >= self._settings.var_interval_s
            self._whole_at = now if whole else self._whole_at
            self._busy_since = now
            self._work.put(Work(copy_of(self._loop.state), whole=whole))
        self._tell(now)

    def _revive(self) -> None:
        self._started_at, self._busy_since = time.monotonic(), 0.0
        self._thread = threading.Thread(target=self._run, name="analyst", daemon=True)
        self._thread.start()

    def _tell(self, now: float) -> None:
        """Standing as a health row, and as an event when it changes."""
        busy_s = now - self._busy_since if self._busy_since else 0.0
        dead = self._thread is not None and not self._thread.is_alive()
        word = "ok"
        if dead:
            word = "the thread has died and will be started again"
        elif busy_s > STUCK_S:
            word = f"a calculation has not come back for {STUCK_S:.0f} s"
        elif self._trouble:
            word = self._trouble
        values = {"done": self.done, "skipped": self.skipped, "revived": self.revived}
        values |= {"elapsed_ms": round(self.elapsed_ms)}
        status = "ok" if word == "ok" else "fail"
        view = HealthView(component="risk", status=status, detail="" if word == "ok" else word, values=values)
        self._loop.publisher.health(view)
        if word != self._told:
            self._told = word
            now_ns = self._loop.clock.now_ns()
            self._loop.post(RiskResult(now_ns, "health", now_ns, {"ok": word == "ok", "detail": word}))

    def _answer(self, id_: str, data: dict[str, Any], as_of_ns: int = 0, elapsed_ms: float = 0.0) -> None:
        now_ns = self._loop.clock.now_ns()
        self._loop.post(RiskResult(now_ns, "what_if", as_of_ns or now_ns, {"id": id_, **data}, elapsed_ms))

    # -- the thread's side

    def _desk(self) -> Desk:
        from core.app.desk import Desk

        return Desk(self._loop.state, self._settings, self._betas, self._keep)

    def _run(self) -> None:
        """The thread: until None comes."""
        thread = threading.current_thread()
        desk: Desk | None = None
        saved_at = time.monotonic()
        while (work := self._work.get()) is not None and self._thread is thread:
            try:
                desk = desk or self._make()
                self._one(desk, work)
            except Exception as error:  # noqa: BLE001  (whatever it is: said, counted, and tried again)
                self._failed(work, error)
            finally:
                if work.question is None:
                    self._busy_since = 0.0
            if self._keep is not None and desk is not None and time.monotonic() - saved_at > SAVE_S:
                saved_at = time.monotonic()
                self._save(desk)
        if self._keep is not None and desk is not None and self._thread is thread:
            self._save(desk)

    def _one(self, desk: Desk, work: Work) -> None:
        begin = time.perf_counter()
        if work.question is not None:
            data = desk.answer(work.copy, work.question)
            self._post("what_if", work.copy.ts_ns, {"id": work.question.id, **data}, begin)
            return
        desk.sample(work.copy)
        for kind, data in desk.results(work.copy, whole=work.whole):
            self._post(kind, work.copy.ts_ns, data, begin)
            self.elapsed_ms = (time.perf_counter() - begin) * 1e3
            begin = time.perf_counter()
        self.done += 1
        self._trouble = desk.trouble

    def _failed(self, work: Work, error: Exception) -> None:
        text = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        if work.question is not None:
            data = {"id": work.question.id, "code": getattr(error, "code", "FAILED"), "error": text}
            self._post("what_if", work.copy.ts_ns, data, time.perf_counter())
        else:
            self._trouble = text

    def _post(self, kind: str, as_of_ns: int, data: dict[str, Any], begin: float) -> None:
        """Hand over what a journal can hold and nothing else: the engine sees live what it would see in a replay."""
        plain = msgspec.msgpack.decode(msgspec.msgpack.encode(data))
        elapsed_ms = round((time.perf_counter() - begin) * 1e3, 2)

        def event() -> Event:
            if kind == "what_if":
                self._asked -= 1
            return RiskResult(self._loop.clock.now_ns(), kind, as_of_ns, plain, elapsed_ms)

        self._loop.post_from_thread(event)

    def _save(self, desk: Desk) -> None:
        with contextlib.suppress(OSError):  # a history that cannot be kept is sampled again
            desk.save()


def copy_of(state: State) -> Copy:
    """The tables as they are, between two steps."""
    return Copy(
        ts_ns=state.cold.now_ns,
        instruments=state.instruments,  # never written after the start
        markets=state.markets.copy(),
        positions=state.positions.copy(),
        currencies=state.currencies.copy(),
        account=state.account.copy(),
    )
