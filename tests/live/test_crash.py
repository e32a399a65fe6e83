"""kill -9 at any moment: the next start is stopped, finishes the stop, and its books are the venue's."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from andon import Client
from bus.effects import NewOrder
from bus.enums import ReportKind, Side
from bus.events import Boot, Report
from core.adapters.catalogue import embedded_catalogue
from core.adapters.journal_reader import JournalReader
from core.app.rebuild import _event, adopt
from core.engine.step import step
from tests.live.kit import Core, Home, alive, held, no_traceback, until

pytestmark = pytest.mark.slow
SLOW_VENUE = "[market]\nlatency_ms = 300.0\nlatency_jitter_ms = 50.0\n"
STOPPED = {"HALTED", "FLATTENING", "SHUTDOWN"}
ROUNDS = 16
LIVING = ("ACTIVE", *STOPPED)


def settled(home: Home) -> dict[str, Any]:
    """Status once every kill has been confirmed by the venue, and the tables have caught up with it."""

    def look() -> dict[str, Any] | None:
        now = home.status()
        running = [s for s in now["switches"].values() if s["phase"] in {"CANCELLING", "FLATTENING"}]
        return None if running or now["working_orders"] else now

    return until(look, "every kill confirmed", 30.0)  # type: ignore[return-value]


def kill_and_crash(home: Home, core: Core, level: str, phase: str) -> None:
    """Pull the cord, and end the core as soon as it says that ``phase`` has begun."""
    with Client.attach(data_dir=home.folder) as client:
        for reply in client.kill(level=level, reason=f"crash in {phase}", timeout_s=30.0):
            if reply.data.get("phase") == phase:
                os.kill(core.pid, signal.SIGKILL)
                break
    core.process.wait(10)
    assert core.process.returncode == -signal.SIGKILL


def executed(home: Home) -> dict[str, int]:
    """Lots by symbol: every execution the journal holds, once each, with the side of the order that asked for it."""
    state, orders, seen = None, {}, set()
    lots: dict[str, int] = defaultdict(int)
    with JournalReader(home.folder / "journal.db") as reader:
        for record in reader.records():
            event = _event(record)
            state = adopt(state, event) if isinstance(event, Boot) else state
            assert state is not None
            orders |= {e.cl_ord_id: e for e in step(state, event) if isinstance(e, NewOrder)}
            if isinstance(event, Report) and event.kind is ReportKind.TRADE and event.exec_id not in seen:
                seen.add(event.exec_id)
                order = orders[event.cl_ord_id]
                sign = 1 if order.side is Side.BUY else -1
                lots[state.specs[order.instrument].symbol] += sign * event.last_lots
    return {symbol: n for symbol, n in lots.items() if n}


def in_lots(status: dict[str, Any]) -> dict[str, int]:
    sizes = {spec.symbol: spec.lot_size for spec in embedded_catalogue()}
    return {symbol: round(qty / sizes[symbol]) for symbol, qty in held(status).items()}


@pytest.mark.parametrize(
    ("level", "phase"),
    [("halt", "CANCELLING"), ("flatten", "CANCELLING"), ("flatten", "FLATTENING"), ("flatten", "LATCHED")],
)
def test_a_kill_interrupted_by_death_is_finished_by_the_next_core(home: Home, level: str, phase: str) -> None:
    home.configure(SLOW_VENUE)
    with home.core() as core:
        home.trading(30.0)
        kill_and_crash(home, core, level, phase)
    home.proven()
    with home.core() as core:
        assert home.state() in STOPPED
        now = settled(home)
        assert now["state"] == ("HALTED" if level == "halt" else "FLATTENING")
        assert now["working_orders"] == 0
        assert now["switches"]["operator"]["phase"] == "LATCHED"
        assert f"crash in {phase}" in now["reason"]
        if level == "flatten":
            assert held(now) == {}
        assert now["switches"]["reconciliation"]["value"] == 0
        assert home.ask("start").code == 1
        assert core.end() == 0
        no_traceback(core.complaint())
    home.proven()


def test_a_crash_in_the_middle_of_trading_halts_until_somebody_says_otherwise(home: Home) -> None:
    with home.core() as core:
        home.trading()
        core.kill9()
    home.proven()
    with home.core() as core:
        now = settled(home)
        assert (now["state"], now["working_orders"]) == ("HALTED", 0)
        assert "clean shutdown" in now["reason"]
        assert home.json("rearm", "all", "--reason", "looked at it")["status"] == "done"
        assert home.ask("start").code == 0
        assert home.state() == "ACTIVE"
        assert core.end() == 0


def test_books_after_a_crash_are_the_sum_of_executions(home: Home) -> None:
    """Added up here from the journal, not by the books; and the venue is asked as well."""
    with home.core() as core:
        until(lambda: len(held(home.status())) >= 3, "three positions", 20.0)
        core.kill9()
    lots = executed(home)
    assert lots
    with home.core() as core:
        now = settled(home)
        assert in_lots(now) == lots
        assert now["switches"]["reconciliation"]["value"] == 0
        assert core.end() == 0
    assert executed(home) == lots


def test_sixteen_deaths_at_any_moment(home: Home) -> None:
    """While starting, trading, being stopped, being re-armed; a start after each is a stopped one that adds up."""
    rng = np.random.default_rng(20)
    home.configure("[market]\nlatency_ms = 40.0\ntick_rate_per_s = 500.0\n")
    was_ready = traded = 0
    for n in range(ROUNDS):
        core = home.start()
        try:
            if rng.random() < 0.35:
                time.sleep(rng.uniform(0.0, 1.2))  # anywhere in its start: the moment is the test's seed
            else:
                core.ready()
                now = home.status()  # a folder on which no core ever came up is still a new one
                assert now["state"] in (STOPPED if was_ready else LIVING), (n, now["state"])
                was_ready += 1
                traded += _provoke(home, rng)
            core.kill9()
            assert not alive(core.pid)
            no_traceback(core.complaint())
        finally:
            core.outlive()
    assert was_ready >= ROUNDS // 3
    assert traded >= 1, "the loop never reached a core that trades"
    home.proven()
    with home.core() as core:
        now = settled(home)
        assert now["state"] in STOPPED
        assert now["switches"]["reconciliation"]["value"] == 0
        assert now["working_orders"] == 0
        books = in_lots(now)
        assert core.end() == 0
    home.proven()
    assert executed(home) == books


def _provoke(home: Home, rng: np.random.Generator) -> bool:
    """Let it trade again, perhaps stop it, and look away in the middle."""
    with Client.attach(data_dir=home.folder) as client:
        client.rearm("all", reason="again")
        started = client.start(reason="again").status == "done"
        time.sleep(rng.uniform(0.0, 1.5))
        if rng.random() < 0.5:
            level = ("halt", "flatten", "shutdown")[rng.integers(3)]
            for _ in client.kill(level=level, reason="loop"):
                if rng.random() < 0.4:
                    break
        elif rng.random() < 0.5:
            client.cancel_order("nobody")
    return started


def test_a_core_frozen_and_continued_goes_on(home: Home) -> None:
    """Not dead, only stopped by the machine: afterwards it answers, and its time has not run back."""
    with home.core() as core:
        before = home.trading()
        os.kill(core.pid, signal.SIGSTOP)
        late = home.ask("status", "--timeout", "1")
        assert late.code in {3, 4}
        assert len(late.err.splitlines()) == 1
        os.kill(core.pid, signal.SIGCONT)
        after = until(lambda: _now(home), "an answer")
        assert after["ts_ns"] > before["ts_ns"]
        assert core.end() == 0
    home.proven()


def _now(home: Home) -> dict[str, Any] | None:
    ended = home.ask("status", "--json")
    return ended.rows()[-1] if ended.code == 0 else None
