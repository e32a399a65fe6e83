"""The risk profile of a book: a score from 0 (idle) to 100 (at every limit), a level, and what drives it.

Each component of ``WEIGHTS`` is a use between 0 and 1: a measure over the limit it must not reach. The score is their
weighted power mean with exponent 3,

    score = 100 (sum weight x use^3)^(1/3)

because a limit nearly reached must show: seven idle components and one at its limit are 37 to 58 here, and 5 to 20 in a
plain weighted mean. Uses are capped at 1; a switch that has already tripped makes the level CRITICAL whatever
the score. A level is left downwards only ``HYSTERESIS`` points below the bound it was entered at, so that a book on a
bound does not flicker. What cannot be computed makes the level UNKNOWN, never LOW.

``docs/risk-profile.md`` shows the same tables; a test holds the two together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from core.analytics.book import FIAT, Book, Floats, Limits
from core.analytics.scenarios import Shocks
from core.analytics.stress import Measures, measures, revalued

WEIGHTS: dict[str, tuple[float, str, str]] = {
    # component: weight, measure, what it is held against
    "leverage": (0.20, "gross exposure / equity", "limit of the leverage switch"),
    "stress": (0.20, "loss in the worst scenario / equity", "half of equity"),
    "margin": (0.15, "limit of the margin switch / (equity / margin required)", "1"),
    "concentration": (0.15, "largest position / equity", "the gate's concentration limit"),
    "drawdown": (0.10, "loss from peak equity", "limit of the drawdown switch"),
    "value_at_risk": (0.10, "1-day 99 % normal VaR / equity", "limit of the daily_loss switch"),
    "daily_loss": (0.05, "loss from day-open equity", "limit of the daily_loss switch"),
    "liquidity": (0.05, "cost of selling everything today / equity", "limit of the drawdown switch"),
}
EXPONENT = 3.0
STRESS_REFERENCE = 0.5  # of equity
HYSTERESIS = 5.0  # points
Z_99 = 2.3263478740408408
_DEFAULT = Limits()  # a switch that is off limits nothing, and what it watched is still a risk


class Level(IntEnum):
    """How worried to be."""

    UNKNOWN = -1
    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3


BOUNDS = {Level.MEDIUM: 25.0, Level.HIGH: 50.0, Level.CRITICAL: 75.0}  # points at which a level begins


@dataclass(frozen=True, kw_only=True)
class Component:
    """One driver of the score."""

    name: str
    weight: float
    value: float  # the measure; fraction or ratio
    reference: float  # what it must not reach (margin: what it must not fall below)
    use: float  # 0 to 1; nan unknown
    share: float  # of the score, 0 to 1; shares sum to 1


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The whole picture; money in account currency."""

    score: float  # 0 to 100, nan unknown
    level: Level
    drivers: tuple[Component, ...]  # largest share first
    measures: Measures
    worst_scenario: str
    worst_fraction: float  # P&L of the worst scenario / equity
    value_at_risk: float  # account currency, 1 day, 99 %, normal, constant correlation
    exit_cost: float  # account currency, everything sold in a day of ordinary volume
    hhi: float  # of gross exposure, 0 to 1; nan for a flat book
    effective_n: float  # 1 / hhi
    nearest: str  # the armed switch nearest to its limit
    headroom: float  # what is left of its way: 1 far, 0 at the limit


def profile(book: Book, shocks: Shocks, previous: Level = Level.UNKNOWN) -> Profile:
    """Score, level and drivers of the book under these scenarios. ``previous`` is the level shown before."""
    now = measures(book)
    name, fraction = _worst(book, shocks, now.equity)
    var, exit_cost = value_at_risk(book), cost_of_exit(book)
    values = _values(book, now, fraction, var, exit_cost)
    uses = {key: _use(value, reference) for key, (value, reference) in values.items()}
    total = score(uses)
    hhi = concentration(book)
    nearest, left = nearest_limit(book.limits, now)
    return Profile(
        score=total,
        level=level(total, previous, tripped=bool(now.trips)),
        drivers=_drivers(values, uses, total),
        measures=now,
        worst_scenario=name,
        worst_fraction=fraction,
        value_at_risk=var,
        exit_cost=exit_cost,
        hhi=hhi,
        effective_n=1.0 / hhi,
        nearest=nearest,
        headroom=left,
    )


def score(uses: dict[str, float]) -> float:
    """0 to 100 from the uses (0 to 1) of every component of WEIGHTS; nan when one is nan."""
    mean = sum(weight * uses[name] ** EXPONENT for name, (weight, _, _) in WEIGHTS.items())
    return float(100.0 * mean ** (1.0 / EXPONENT))


def level(points: float, previous: Level = Level.UNKNOWN, *, tripped: bool = False) -> Level:
    """The level of a score, with hysteresis against the level shown before."""
    if math.isnan(points):
        return Level.UNKNOWN
    if tripped:
        return Level.CRITICAL
    return max(by_bounds(points), min(previous, by_bounds(points + HYSTERESIS)))


def value_at_risk(book: Book) -> float:
    """1-day 99 % normal VaR with one correlation rho between all: z sqrt((1-rho) sum v_i^2 + rho (sum v_i)^2).

    v_i is a position's signed exposure times its daily volatility; cash in coins counts with the assumed one.
    """
    rho = book.assumptions.correlation
    coins = [
        c for c, name in enumerate(book.currencies) if book.cash[c] and name not in FIAT and name != book.ccy
    ]
    held = book.cash[coins] * book.rates[coins] * book.assumptions.volatility_day
    amounts = np.concatenate([book.exposures() * book.assets["volatility"], held])
    return float(Z_99 * math.sqrt((1.0 - rho) * (amounts**2).sum() + rho * amounts.sum() ** 2))


def cost_of_exit(book: Book) -> float:
    """Half spread and square-root impact of selling everything within a day, account currency."""
    value, rows = np.abs(book.exposures()), book.assets
    return float((value * (rows["half_spread"] + rows["volatility"] * np.sqrt(value / rows["adv"]))).sum())


def concentration(book: Book) -> float:
    """Herfindahl index of gross exposure, 1/n to 1; nan for a flat book."""
    value = np.abs(book.exposures())
    gross = value.sum()
    return float(((value / gross) ** 2).sum()) if gross > 0.0 else math.nan


def nearest_limit(limits: Limits, now: Measures) -> tuple[str, float]:
    """(switch, headroom) of the armed switch nearest to its limit: 1 far, 0 at it, negative beyond, nan unknown."""
    found: list[tuple[float, str]] = []
    emergency = max(now.drawdown, now.daily_loss)
    values = {
        "drawdown": now.drawdown,
        "daily_loss": now.daily_loss,
        "emergency": emergency,
        "position_loss": now.position_loss,
        "leverage": now.leverage,
    }
    for name, value in values.items():
        limit: float | None = getattr(limits, name)
        if limit is not None:
            found.append(((limit - value) / limit, name))
    if limits.margin is not None:
        found.append((1.0 if math.isinf(now.margin_ratio) else 1.0 - limits.margin / now.margin_ratio
                      if now.margin_ratio > 0.0 else -math.inf, "margin"))  # fmt: skip
    unknown = [name for left, name in found if math.isnan(left)]
    if unknown:
        return unknown[0], math.nan
    left, name = min(found, default=(1.0, ""))
    return name, left


def by_bounds(points: float) -> Level:
    """The level of a score on its own, without what was shown before."""
    return max((lv for lv, bound in BOUNDS.items() if points >= bound), default=Level.LOW)


def _worst(book: Book, shocks: Shocks, equity: float) -> tuple[str, float]:
    """(name, P&L / equity) of the scenario that costs most; gains count as no loss."""
    if not len(shocks.terms):
        return "", 0.0
    after: Floats = revalued(book, shocks)[0]["equity"]
    row = int(np.argmin(np.where(np.isnan(after), -np.inf, after)))
    loss = float(after[row]) - equity
    return shocks.names[int(shocks.group[row])], _ratio(loss, equity)


def _ratio(amount: float, equity: float) -> float:
    """``amount`` over equity; what is lost against no equity is infinite."""
    if equity > 0.0 or math.isnan(equity):
        return amount / equity
    return math.copysign(math.inf, amount) if amount else 0.0


def _values(
    book: Book, now: Measures, worst: float, var: float, exit_cost: float
) -> dict[str, tuple[float, float]]:
    """Component -> (measure, reference)."""
    limits, equity = book.limits, now.equity
    drawdown, daily = limits.drawdown or _DEFAULT.drawdown, limits.daily_loss or _DEFAULT.daily_loss
    leverage, margin = limits.leverage or _DEFAULT.leverage, limits.margin or _DEFAULT.margin
    assert drawdown and daily and leverage and margin  # noqa: PT018  (of Limits: never 0, never None)
    largest = float(np.abs(book.exposures()).max(initial=0.0))
    return {
        "leverage": (now.leverage, leverage),
        "stress": (-min(worst, 0.0) if not math.isnan(worst) else worst, STRESS_REFERENCE),
        "margin": (_margin_use(now, margin), 1.0),
        "concentration": (_ratio(largest, equity), limits.concentration),
        "drawdown": (now.drawdown, drawdown),
        "value_at_risk": (_ratio(var, equity), daily),
        "daily_loss": (now.daily_loss, daily),
        "liquidity": (_ratio(exit_cost, equity), drawdown),
    }


def _margin_use(now: Measures, limit: float) -> float:
    if now.margin_ratio <= 0.0:
        return math.inf
    return limit / now.margin_ratio


def _use(value: float, reference: float) -> float:
    use = value / reference
    return use if math.isnan(use) else max(0.0, min(1.0, use))


def _drivers(
    values: dict[str, tuple[float, float]], uses: dict[str, float], total: float
) -> tuple[Component, ...]:
    whole = (total / 100.0) ** EXPONENT
    rows = [
        Component(
            name=name,
            weight=weight,
            value=values[name][0],
            reference=values[name][1],
            use=uses[name],
            share=weight * uses[name] ** EXPONENT / whole if whole else 0.0,
        )
        for name, (weight, _, _) in WEIGHTS.items()
    ]
    return tuple(sorted(rows, key=lambda c: (not math.isnan(c.use), -c.share, -c.weight)))
