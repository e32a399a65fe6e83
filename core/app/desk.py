"""The analyst's desk: what it knows, what it has sampled, and in which order it computes. Belongs to its thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bus.effects import WhatIf
from config.settings import RiskSettings
from core.analytics import live
from core.analytics.bars import Bars, History, from_closes
from core.analytics.book import Floats, Limits
from core.analytics.book_tables import Copy, facts, from_tables
from core.analytics.crashes import compile_set
from core.analytics.errors import RiskInputError
from core.analytics.profile import Level
from core.analytics.scenarios import SHIPPED, load
from core.app.compiled import load_risk_kernels
from core.engine.config import EngineConfig
from core.engine.state import State

Data = dict[str, Any]


class Desk:
    """Made in the thread: files are read and kernels loaded here, so that neither delays the start."""

    def __init__(
        self, state: State, settings: RiskSettings, betas: dict[str, float], keep: Path | None
    ) -> None:
        load_risk_kernels()
        self._settings, self._keep = settings, keep
        self.trouble = ""  # what a person should know, although results come
        self._set = load(Path(settings.scenarios) if settings.scenarios else SHIPPED)
        self.facts = facts(
            state.specs,
            ccy=state.config.ccy,
            currencies=list(state.currencies_ids),
            betas=betas,
            limits=limits_of(state.config),
            assumptions=self._set.assumptions,
            source=f"account {state.config.account}",
        )
        self._market = settings.market or (self.facts.symbols[0] if self.facts.symbols else "")
        self._bars = Bars(self.facts.symbols, settings.bar_s, settings.window)
        self._closes = self._file()
        if keep is not None:
            self._bars.load(keep)
        self._level = _level_held(state)
        self._advice: list[Data] = []
        self._volatility: Floats | None = None

    def sample(self, copy: Copy) -> None:
        """One look at the marks."""
        self._bars.take(copy.ts_ns, copy.markets["mark_px"])

    def results(self, copy: Copy, *, whole: bool) -> Iterator[tuple[str, Data]]:
        """(kind, data), the quickest first; VaR, stress, factors and recommendations with ``whole`` only."""
        if whole:
            self._volatility = live.volatility_day(self.history())
        book = from_tables(self.facts, copy, None, self._volatility)
        shocks = compile_set(self._set, book)
        row, seen, advice = live.profile_data(book, shocks, self._level, advise=whole)
        if advice is not None:
            self._advice = live.advice_data(advice)
        self._level = seen.level
        yield "profile", row | {"recommendations": self._advice}
        if whole:
            yield "stress", live.stress_data(book, shocks)
            yield "var", self._var(copy)
            yield "factors", live.factors_data(self.facts, self.history(), self._market)

    def answer(self, copy: Copy, question: WhatIf) -> Data:
        """The profile before and after. Raises RiskInputError."""
        orders = [(i, lots * float(self.facts.lot_sizes[i]), price) for i, lots, price in question.orders]
        return live.what_if(self.facts, copy, self._set, orders, question.scenario, self._volatility)

    def history(self) -> History:
        """The file's returns where one is configured, else what has been sampled."""
        if self._closes is not None:
            return self._closes
        s = self._settings
        return History(self._bars.returns()[-s.window :], s.bar_s, s.rows_min, f"marks every {s.bar_s:g} s")

    def save(self) -> None:
        """Keep the sampled history over a restart. Raises OSError."""
        if self._keep is not None:
            self._bars.save(self._keep)

    def _var(self, copy: Copy) -> Data:
        s = self._settings
        return live.var_data(
            self.facts, copy, self.history(), alpha=s.alpha, horizon_s=s.horizon_s, method=s.method
        )

    def _file(self) -> History | None:
        s = self._settings
        if not s.history:
            return None
        try:
            return from_closes(Path(s.history), self.facts.symbols, s.rows_min, s.window)
        except RiskInputError as error:
            self.trouble = f"risk.history cannot be used, marks are sampled instead: {error.message}"[:200]
            return None


def limits_of(config: EngineConfig) -> Limits:
    """The engine's limits, as analytics name them."""
    s, gate = config.switches, config.gate
    return Limits(
        drawdown=s.drawdown,
        position_loss=s.position_loss,
        daily_loss=s.daily_loss,
        emergency=s.emergency,
        leverage=s.leverage,
        leverage_target=s.leverage_target,
        margin=s.margin,
        margin_target=s.margin_target,
        position_loss_basis=s.position_loss_basis,
        concentration=gate.concentration_max,
        order_value=gate.order_value_max,
    )


def _level_held(state: State) -> Level:
    """The level shown before this thread began: hysteresis goes on from there."""
    held = state.risk.get("profile")
    name = held.data.get("level", "UNKNOWN") if held is not None else "UNKNOWN"
    return Level[name] if name in Level.__members__ else Level.UNKNOWN
