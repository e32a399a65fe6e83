"""Surveillance on real flow: the worked strategies are clean, a journal gives what the run gave, findings alarm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from bus import trail
from bus.effects import Publish
from bus.events import Boot, Event, RiskResult
from bus.views import AlertView, AuditView, HealthView
from config.load import load
from config.settings import StrategySettings, SurveillanceSettings
from core.adapters.journal import Journal, JournalReader
from core.adapters.market import EmbeddedMarket
from core.adapters.sim_venue import SimVenue
from core.adapters.witness import Witness
from core.analytics.surveillance import Finding, Flow, Thresholds, as_rows, inspect
from core.app.drive import Driver, effects_digest
from core.app.rebuild import rebuild
from core.app.setup import engine_config, paper_instruments
from core.app.surveil import Known, Surveillance, thresholds_of
from core.app.surveil_run import flow_of, survey
from core.engine import snapshot
from core.engine.config import encode
from core.engine.market import Ticks
from core.engine.trail import lines
from tests.engine.kit import Bench

from .test_surveillance import everything

SECOND = 10**9
MIDNIGHT = 1_700_006_400 * SECOND  # 2023-11-15 00:00 UTC
MINUTES = 72


class Run:
    """Worked strategies over the end of a day, on the embedded market; journalled as a core would."""

    def __init__(self, folder: Path, seed: int, kinds: tuple[str, ...]) -> None:
        loaded = load("paper", None, None, {})
        strategies = {
            f"{kind.replace('_', '-')}-1": StrategySettings(
                kind=kind, symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT"), notional=40_000.0,
                params={"levels": 4, "clip": 0.12, "level_bps": 6.0} if kind == "maker" else {},
            )
            for kind in kinds
        }  # fmt: skip
        settings = msgspec.structs.replace(loaded.settings, strategies=strategies)
        specs = paper_instruments(settings)
        start = MIDNIGHT - (MINUTES - 2) * 60 * SECOND
        config = engine_config(settings, specs, env="PAPER", now_ns=start)
        self.journal = Journal(folder / "journal.db", 1, witness=Witness(folder))
        self.path = folder / "journal.db"
        self.steps: list[tuple[Event | Ticks, bytes]] = []
        state = snapshot.create(config)
        market = EmbeddedMarket(specs, seed, 6.0, start_ns=start)
        venue = SimVenue(0, specs, seed=seed, latency_ms=20.0, jitter_ms=10.0, session="1")
        driver = Driver(state, [venue], on_step=self._step)
        self.state = state
        driver.send(Boot(start, 1, True, autostart=True, config=encode(config)))
        for until in range(start + 5 * SECOND, start + MINUTES * 60 * SECOND, 60 * SECOND):
            driver.feed(market.block(until))
        assert self.journal.close()

    def _step(self, event: Event | Ticks, effects: list) -> None:
        said = lines(self.driven, event, effects) if effects else b""
        self.steps.append((event, said))
        fx = effects_digest(effects)
        if isinstance(event, Ticks):
            self.journal.append("ticks", event.ts_ns, event.rows.tobytes(), fx, said)
        else:
            tag = str(event.__struct_config__.tag)
            self.journal.append(tag, event.ts_ns, msgspec.msgpack.encode(event), fx, said)

    @property
    def driven(self):  # type: ignore[no-untyped-def]
        return self.state


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("run"), 7, ("maker", "momentum", "mean_reversion"))


def test_the_worked_strategies_find_nothing(run: Run) -> None:
    seen = survey(run.path, Thresholds())
    print(
        f"{seen.orders} orders, {seen.fills} executions, {seen.records} records: {len(seen.findings)} findings"
    )
    assert seen.orders > 1_000 and seen.fills > 200, "or it says nothing"
    assert seen.findings == []
    with JournalReader(run.path) as reader:
        flow = flow_of(reader, 300.0)
    assert len(flow.marks["BTC/USDT"]) > 30, "the end of the day was seen"
    tight = Thresholds(close_move=0.0, close_share=0.001, close_one_way=0.0)
    assert inspect(flow, tight, ("close",)), "and with no thresholds to speak of it would be found"


def test_a_journal_a_replay_and_the_run_itself_give_the_same_rows(run: Run) -> None:
    with JournalReader(run.path) as reader:
        flow = flow_of(reader, 300.0)
        records = list(reader.records())
    live = Flow(300.0)
    for event, said in run.steps:
        if isinstance(event, Ticks):
            live.ticks(event.rows)
        live.take(event.ts_ns, None if isinstance(event, Ticks) else event, trail.decode(said))
    assert (flow.orders, flow.fills, flow.marks) == (live.orders, live.fills, live.marks)
    again = Flow(300.0)

    def watch(state, event, effects) -> None:  # type: ignore[no-untyped-def]
        if isinstance(event, Ticks):
            again.ticks(event.rows)
        said = trail.decode(lines(state, event, effects))
        again.take(event.ts_ns, None if isinstance(event, Ticks) else event, said)

    assert rebuild(records, None, watch=watch).differs_at == 0
    assert (again.orders, again.fills, again.marks) == (flow.orders, flow.fills, flow.marks)
    loose = Thresholds(
        stuffing_messages_min=10, stuffing_cancelled_min=0.0, layering_ratio=0.5, wash_window_s=60.0
    )
    assert inspect(again, loose) == inspect(flow, loose) == inspect(live, loose) != []


def test_every_fill_the_engine_booked_is_in_the_flow(run: Run) -> None:
    with JournalReader(run.path) as reader:
        flow = flow_of(reader, 300.0)
    for i, spec in enumerate(run.state.specs):
        net = sum(
            fill.side * round(fill.qty / spec.lot_size) for fill in flow.fills if fill.symbol == spec.symbol
        )
        assert net == run.state.qty(i), spec.symbol


# --- beside a running core -----------------------------------------------------------------------------------------


class Loop:
    """What the thread needs of a loop: a clock, and somewhere to post."""

    def __init__(self) -> None:
        self.clock = SimpleNamespace(now_ns=lambda: MIDNIGHT + 7 * SECOND)
        self.posted: list[RiskResult] = []
        self.health: list[HealthView] = []
        self.publisher = SimpleNamespace(health=self.health.append)
        self.watch: Callable | None = None

    def post_from_thread(self, make: Callable[[], Event]) -> None:
        event = make()
        assert isinstance(event, RiskResult)
        self.posted.append(event)


def test_live_it_sees_what_the_journal_sees(run: Run) -> None:
    settings = SurveillanceSettings(stuffing_messages_min=10, stuffing_cancelled_min=0.0, keep_s=600_000.0)
    loop = Loop()
    live = Surveillance(loop, settings)  # type: ignore[arg-type]
    assert loop.watch is not None
    for n, (event, said) in enumerate(run.steps):
        loop.watch(event, said)
        if n % 5_000 == 0:
            live.look()
    live.look()
    whole = survey(run.path, thresholds_of(settings)).findings
    told = {(event.data["kind"], event.data["symbol"], event.data["who"]) for event in loop.posted}
    assert told == {(finding.kind, finding.symbol, finding.who) for finding in whole} != set()
    assert live.found == len(loop.posted) and live.look() == []
    assert {view.status for view in loop.health} == {"ok"}
    live.dropped = 3
    assert (live.health().status, live.health().detail[:7]) == ("warn", "3 steps")


def test_switched_off_it_is_not_even_told() -> None:
    loop = Loop()
    Surveillance(loop, SurveillanceSettings(enabled=False)).start()  # type: ignore[arg-type]
    assert loop.watch is None


def test_an_episode_is_told_once_and_again_when_it_has_grown() -> None:
    def finding(start: int, end: int, score: float) -> Finding:
        return Finding(
            kind="wash", who="s", symbol="A", from_ns=start, to_ns=end, orders=(), score=score, why=""
        )

    known = Known()
    tell = [
        (finding(0, 10, 0.5), True),
        (finding(0, 10, 0.5), False),
        (finding(0, 20, 0.6), False),
        (finding(15, 30, 0.6), False),  # its beginning was forgotten: still the same one
        (finding(15, 40, 0.8), True),
        (finding(100, 110, 0.5), True),
        (finding(15, 40, 0.9), False),  # an old one that comes again
    ]
    assert [bool(known.new([each])) for each, _ in tell] == [expected for _, expected in tell]


def test_a_finding_is_an_alarm_and_an_audit_line_and_survives_nonsense() -> None:
    bench = Bench()
    (row, *_) = as_rows(inspect(everything().flow, Thresholds()))
    bench.do(RiskResult(bench.now, "surveillance", bench.now, row))
    alert = next(e.data for e in bench.effects if isinstance(e, Publish) and isinstance(e.data, AlertView))
    line = next(e.data for e in bench.effects if isinstance(e, Publish) and isinstance(e.data, AuditView))
    assert (alert.id, alert.priority) == (f"SURVEILLANCE:surveillance.{row['kind']}.AAA", "medium")
    assert (line.who, line.what, line.target) == ("surveillance", f"found {row['kind']}", "AAA")
    assert str(row["why"])[:40] in line.detail
    for data in ({}, {"score": "high"}, {"score": float("nan"), "kind": ["x"] * 999, "why": "y" * 10_000}):
        bench.do(RiskResult(bench.now, "surveillance", bench.now, data))
    assert not bench.state.cold.kills


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_command_prints_and_reports(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from andon.cli import main

    for name in [name for name in os.environ if name.startswith(("ANDON_", "BOT_"))]:
        monkeypatch.delenv(name)
    config = tmp_path / "loose.toml"
    config.write_text("[surveillance]\nstuffing_messages_min = 10\nstuffing_cancelled_min = 0.0\n")
    words = ["surveil", "--journal", str(run.path), "--config", str(config), "--data-dir", str(tmp_path)]
    assert main([*words, "--json", "--kind", "stuffing", "--report", str(tmp_path / "out")]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["findings"] and {row["kind"] for row in shown["findings"]} == {"stuffing"}
    kept = json.loads((tmp_path / "out" / "surveillance.json").read_text())
    assert kept["findings"] == shown["findings"]
    text = (tmp_path / "out" / "surveillance.md").read_text()
    assert text.count("| stuffing |") == len(shown["findings"])
    assert main([*words, "--since", "2023-11-16"]) == 0
    assert "0 findings" in capsys.readouterr().out
    assert main(["surveil", "--journal", str(tmp_path / "none.db")]) == 2
