"""A tape through the engine with every fill and the breach itself on record, and the same tape through the command."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bus.effects import Effect, Publish
from bus.events import Boot, Event
from bus.views import FillView
from config.load import load
from core.adapters.sim_venue import SimVenue
from core.adapters.tape import open_tape
from core.app.build import build_sha256
from core.app.drive import Driver
from core.app.replay import SETTLE_NS, _config
from core.engine import snapshot
from core.engine.market import Ticks
from tests.cli.conftest import Ended, run_andon

SEED = 1


@dataclass
class Run:
    """What happened; money in account currency, drawdown as fractions."""

    equity_start: float = 0.0
    equity_end: float = 0.0
    peak: float = 0.0  # highest equity before the breach
    breach_equity: float = 0.0  # as the first switch pulled
    breach_marks: dict[str, float] = field(default_factory=dict)
    after: list[FillView] = field(default_factory=list)  # fills since
    before: list[FillView] = field(default_factory=list)
    kills: dict[str, str] = field(default_factory=dict)  # key -> level, in the order they were pulled
    held: dict[str, int] = field(default_factory=dict)
    digest: str = ""

    @property
    def loss(self) -> float:
        """From the peak, as a fraction of it."""
        return (self.peak - self.equity_end) / self.peak


def run(tape_path: Path, *, config: Path | None, strategies: tuple[str, ...], notional: float) -> Run:
    """The replay command's own path, with eyes."""
    settings = load(None, config, None, {}).settings
    tape = open_tape(tape_path, settle=settings.account.ccy)
    state = snapshot.create(_config(tape, settings, strategies, notional, switches_on=True))
    market, story = settings.market, Run()
    latency = {"latency_ms": market.latency_ms, "jitter_ms": market.latency_jitter_ms}
    venue = SimVenue(0, tape.specs, seed=SEED, session="replay", **latency)

    def on_step(_event: Event | Ticks, _effects: list[Effect]) -> None:
        if not state.cold.kills:
            story.peak = max(story.peak, float(state.account["equity_peak"][0]))
            story.equity_start = story.equity_start or state.equity
        elif not story.kills:
            story.peak = max(story.peak, float(state.account["equity_peak"][0]))
            story.breach_equity = state.equity
            story.breach_marks = {spec.symbol: state.mark(i) for i, spec in enumerate(tape.specs)}
        for key, kill in state.cold.kills.items():
            story.kills.setdefault(key, kill.level.name)

    def on_effect(effect: Effect) -> None:
        if isinstance(effect, Publish) and isinstance(effect.data, FillView):
            (story.after if story.kills else story.before).append(effect.data)

    driver = Driver(state, [venue], on_step=on_step, on_effect=on_effect)
    first_ns, last_ns = int(tape.rows["ts_ns"][0]), int(tape.rows["ts_ns"][-1])
    driver.send(Boot(first_ns - 1, 1, True, build_sha256=build_sha256(), autostart=True))
    driver.feed(tape.rows)
    if state.cold.kills or state.working:
        driver.run_until(last_ns + SETTLE_NS)
    story.equity_end, story.digest = state.equity, driver.digest.hexdigest()
    story.held = {spec.symbol: state.qty(i) for i, spec in enumerate(tape.specs) if state.qty(i)}
    return story


def replayed(home: Path, *words: str) -> dict[str, Any]:
    """``andon replay words --json``, exit code 0."""
    ended = ask(home, *words, "--json")
    assert ended.code == 0, ended.err
    row: dict[str, Any] = json.loads(ended.out)
    return row


def ask(home: Path, *words: str) -> Ended:
    return run_andon("replay", *words, home=home)
