"""The analyst beside a real loop: results come as journalled events; whatever it does, the loop goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bus.effects import Effect, Publish, Reply, WhatIf
from bus.events import Event
from bus.views import HealthView
from config.settings import RiskSettings
from core.analytics.errors import RiskInputError
from core.app import analyst as module
from core.app.analyst import Analyst, copy_of
from core.app.desk import Desk
from core.engine.step import step
from tests.engine.kit import Bench
from tests.live.kit import Home, until

QUICK = RiskSettings(interval_s=0.05, var_interval_s=0.2, bar_s=0.1, rows_min=20, alpha=0.05)
PATIENCE_S = 60.0


class Stage:
    """A loop's worth of engine: events are stepped on its own thread, questions go to the analyst."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.state = self.bench.state
        self.clock = SimpleNamespace(now_ns=lambda: self.bench.now)
        self.publisher = SimpleNamespace(health=self._health)
        self.rows: list[HealthView] = []
        self.said: list[Effect] = []
        self.ask: Callable[[WhatIf], None] = lambda _: None
        self._aio = asyncio.get_running_loop()

    def post(self, event: Event) -> None:
        effects = step(self.state, event)
        self.said += effects
        for effect in effects:
            if isinstance(effect, WhatIf):
                self.ask(effect)

    def post_from_thread(self, make: Callable[[], Event]) -> None:
        self._aio.call_soon_threadsafe(lambda: self.post(make()))

    def _health(self, view: HealthView) -> None:
        self.rows.append(view)

    async def until(self, look: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + PATIENCE_S
        while not (found := look()):
            assert time.monotonic() < end, f"{what}: not in {PATIENCE_S} s"
            await asyncio.sleep(0.01)
        return found

    def replies(self) -> list[Reply]:
        return [e for e in self.said if isinstance(e, Reply)]


def played(act: Callable[[Stage], Any]) -> None:
    """Run ``act`` on a loop of its own."""

    async def main() -> None:
        await act(Stage())

    asyncio.run(main())


class Broken:
    """A desk that fails as told."""

    trouble = ""

    def __init__(self, fail: Callable[[], None]) -> None:
        self._fail = fail

    def sample(self, copy: Any) -> None:
        return

    def results(self, copy: Any, *, whole: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        self._fail()
        yield "profile", {"level": "LOW", "score": 1.0, "recommendations": []}

    def answer(self, copy: Any, question: WhatIf) -> dict[str, Any]:
        raise RiskInputError("BAD_SCENARIO", "no scenario 'x'")


def begun(stage: Stage, fail: Callable[[], None], settings: RiskSettings = QUICK) -> Analyst:
    made = Analyst(stage, settings, make=lambda: Broken(fail))  # type: ignore[arg-type, return-value]
    made.start(asyncio.get_running_loop())
    return made


def test_results_come_as_events_and_are_published() -> None:
    async def act(stage: Stage) -> None:
        stage.bench.hold(0, 100)
        analyst = Analyst(stage, QUICK)  # type: ignore[arg-type]
        analyst.start(asyncio.get_running_loop())
        await stage.until(
            lambda: {"profile", "var", "stress", "factors"} <= set(stage.state.risk), "all kinds"
        )
        analyst.stop()
        assert stage.state.risk["profile"].data["positions"] == 1
        assert stage.state.risk["var"].data["note"].startswith("n=0 of 20")
        assert [row["name"] for row in stage.state.risk["stress"].data["scenarios"]]
        views = [e.data for e in stage.said if isinstance(e, Publish) and e.topic == "risk"]
        assert views[-1].worker == "ok"
        assert stage.rows[-1].status == "ok"

    played(act)


def test_a_calculation_that_raises_is_an_alarm_and_heals() -> None:
    async def act(stage: Stage) -> None:
        broken = threading.Event()
        broken.set()

        def fail() -> None:
            if broken.is_set():
                raise ValueError("boom\n  twice")

        analyst = begun(stage, fail)
        await stage.until(lambda: stage.state.cold.risk_worker == "ValueError: boom twice", "the alarm")
        assert stage.rows[-1].status == "fail"
        broken.clear()
        await stage.until(lambda: stage.state.cold.risk_worker == "ok" and stage.state.risk, "healing")
        analyst.stop()

    played(act)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REVIVE_S", 0.2)

    async def act(stage: Stage) -> None:
        deaths: list[int] = []

        def fail() -> None:
            if len(deaths) < 2:
                deaths.append(1)
                raise SystemExit

        analyst = begun(stage, fail)
        await stage.until(lambda: stage.state.risk.get("profile"), "a result after two deaths")
        analyst.stop()
        assert analyst.revived == 2

    played(act)


def test_one_that_hangs_is_reported_skipped_and_never_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STUCK_S", 0.3)

    async def act(stage: Stage) -> None:
        release = threading.Event()
        analyst = begun(stage, lambda: release.wait(PATIENCE_S) and None)
        await stage.until(lambda: "has not come back" in stage.state.cold.risk_worker, "the report")
        assert analyst.skipped >= 3
        assert analyst._work.qsize() == 0  # skipped, not queued
        release.set()
        await stage.until(lambda: stage.state.cold.risk_worker == "ok", "recovery")
        analyst.stop()

    played(act)


def test_a_question_is_answered_and_its_refusal_told() -> None:
    async def act(stage: Stage) -> None:
        stage.bench.hold(0, 100)
        analyst = Analyst(stage, QUICK, make=lambda: Desk(stage.state, QUICK, {}, None))  # type: ignore[arg-type]
        analyst.start(asyncio.get_running_loop())
        stage.said += stage.bench.command(
            "what_if", {"orders": [{"symbol": "BBB/USDT", "side": "buy", "qty": "900"}]}
        )
        await _asked(stage)
        done = await stage.until(lambda: [r for r in stage.replies() if r.status == "done"], "the answer")
        assert done[0].data["after"]["score"] > done[0].data["before"]["score"]
        assert stage.state.qty(1) == 0
        stage.said += stage.bench.command("what_if", {"scenario": "no such thing"})
        await _asked(stage)
        failed = await stage.until(
            lambda: [r for r in stage.replies() if r.status == "failed"], "the refusal"
        )
        assert failed[0].error_code == "BAD_SCENARIO"
        analyst.stop()

    played(act)


async def _asked(stage: Stage) -> None:
    """What the performer does with the question of the last step."""
    for effect in stage.bench.effects:
        if isinstance(effect, WhatIf):
            stage.ask(effect)


def test_too_many_questions_are_told_so_at_once() -> None:
    async def act(stage: Stage) -> None:
        release = threading.Event()
        analyst = begun(stage, lambda: release.wait(PATIENCE_S) and None)
        await stage.until(lambda: analyst._busy_since, "work under way")
        for _ in range(module.QUESTIONS_MAX + 1):
            stage.said += stage.bench.command("what_if", {"scenario": "market_crash"})
            await _asked(stage)
        assert [r.error_code for r in stage.replies() if r.status == "failed"] == ["BUSY"]
        release.set()
        analyst.stop()

    played(act)


def test_a_copy_is_of_its_instant() -> None:
    bench = Bench()
    bench.hold(0, 100)
    copy = copy_of(bench.state)

    bench.hold(0, 50)
    bench.price(0, 120.0)

    assert copy.positions["qty_lots"][0] == 100
    assert copy.markets["mark_px"][0] == 100.0


def test_a_history_file_that_cannot_be_read_is_said_and_marks_are_sampled(tmp_path: Path) -> None:
    bench = Bench()
    settings = RiskSettings(history=str(tmp_path / "none.csv"))

    desk = Desk(bench.state, settings, {}, None)

    assert "risk.history cannot be used" in desk.trouble
    assert desk.history().source == "marks every 60 s"


@pytest.mark.slow
def test_a_running_core_shows_risk_answers_questions_and_replays_equal(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.configure(
        "[risk]\ninterval_s = 0.2\nvar_interval_s = 0.5\nbar_s = 0.4\nrows_min = 20\nalpha = 0.05\n"
    )
    with home.core() as core:
        row = until(lambda: _risk(home, "var"), "VaR of a running core", 90.0, 0.5)
        assert row["var"]["var"] > 0.0
        assert row["var"]["n"] >= 20
        assert row["level"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL")
        assert row["age_ms"]["profile"] < 5_000.0
        held = home.status()["positions"]
        found = home.json("risk", "what-if", "--order", "buy BTC/USDT 2", "--scenario", "market_crash")
        assert found["after"]["measures"]["gross"] > found["before"]["measures"]["gross"]
        assert {p["symbol"] for p in home.status()["positions"]} >= {p["symbol"] for p in held}
        assert core.end() == 0, core.complaint()
    home.proven()
    with home.core():
        row = until(
            lambda: _risk(home, "var"), "VaR after a restart, from the history that was kept", 20.0, 0.2
        )
        assert row["var"]["n"] >= 10


def _risk(home: Home, kind: str) -> dict[str, Any] | None:
    """The topic's last message once it has a number of that kind."""
    from bus.client import Client

    with Client.attach(None, data_dir=home.folder, key=None) as client:
        message = client.snapshot().messages.get("risk")
    data = None if message is None else message.data
    return data if data and data[kind].get("var") else None
