"""Scenarios: what might happen, as data; ``config/scenarios.toml`` holds the five of the house.

The price shock of a symbol is, in this order of precedence,

    symbols[symbol]                                         said outright, nothing else applies
    currencies[c]                                           for the instrument whose mark is the rate of c
    market x beta + sum factors[f] x loading
        + sigmas x volatility x volatility_day x sqrt(days) x direction
        - duration x rate                                   for everything else

in the instrument's own quote currency; a currency's rate moves by ``currencies`` and is a shock of its own. A
currency that is itself a coin (an inverse contract settles in it) moves as the coin does. ``direction`` is
down or up (with the sign of beta, so a hedge gains), both (two rows, the worse counts) or against: every
position against its holder, which is what a book of hedges loses when correlations break. No price falls
below ``FLOOR``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from core.analytics.book import FIAT, Assumptions, Book, Floats
from core.analytics.errors import RiskInputError
from core.kernels.risk.stress import TERMS
from core.kernels.tables import Table

FLOOR = -0.99  # of price: no mark reaches zero, where an inverse contract is worth infinity
SHIPPED = Path(__file__).parents[2] / "config" / "scenarios.toml"


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One scenario; the defaults are "nothing happens"."""

    name: str
    text: str = ""
    market: float = 0.0  # fraction, times each symbol's beta
    symbols: dict[str, float] = {}  # fraction
    factors: dict[str, float] = {}  # fraction, times each symbol's loading
    currencies: dict[str, float] = {}  # fraction of the rate
    sigmas: float = 0.0  # of each symbol's volatility over the horizon
    volatility: float = 1.0  # multiplier
    direction: Literal["down", "up", "both", "against"] = "down"
    days: float = 1.0  # horizon
    rate: float = 0.0  # change of interest rates a year, fraction
    funding: float = 0.0  # of exposure a day, paid by longs
    borrow: float = 0.0  # a year, on gross exposure beyond equity
    spread: float = 1.0  # multiplier
    depth: float = 1.0  # multiplier of daily volume
    liquidate: float = 0.0  # share of every position that must be sold
    margin: float = 1.0  # multiplier of margin rates


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A historical crash, from a file of closes or a tape; see ``core.analytics.crashes``."""

    name: str
    file: str
    text: str = ""
    rows: int = 1  # length of the window
    start: str = ""  # first and last date or time that counts; empty = all
    end: str = ""
    step_s: float = 60.0  # a tape's trades are taken at this grid
    columns: dict[str, str] = {}  # symbol of the book -> column of the file
    market: str = ""  # column that stands for the market; symbols without a column move by beta with it
    margin: float = 1.0


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    assumptions: dict[str, float] = {}
    scenario: list[Scenario] = []
    replay: list[Replay] = []


@dataclass(frozen=True)
class Set:
    """What one scenario file says. ``folder``: where the files of replays are looked for."""

    scenarios: tuple[Scenario, ...]
    replays: tuple[Replay, ...] = ()
    assumptions: Assumptions = field(default_factory=Assumptions)
    folder: Path = Path()


@dataclass(frozen=True)
class Shocks:
    """Scenarios made numbers for one book: S rows, ``group[s]`` = index of the scenario a row belongs to."""

    names: tuple[str, ...]
    texts: tuple[str, ...]
    group: Floats  # (S,) integers
    labels: tuple[str, ...]  # of each row, empty where a scenario has one
    prices: Floats  # (S, n) fractions
    rates: Floats  # (S, c) account currency a unit, after the shock
    terms: Table  # TERMS, S rows
    floored: int  # how many shocks were held at FLOOR


def load(path: Path = SHIPPED) -> Set:
    """Read a scenario file. Raises RiskInputError (NO_FILE, BAD_SCENARIO, DUPLICATE_SCENARIO, …)."""
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise RiskInputError("NO_FILE", f"{path}: {error.strerror or error}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise RiskInputError("BAD_SCENARIO", f"{path}: {error}") from None
    names = [s.name for s in found.scenario] + [r.name for r in found.replay]
    for name in names:
        if names.count(name) > 1:
            raise RiskInputError("DUPLICATE_SCENARIO", f"{path}: two scenarios are called {name!r}")
    if not names:
        raise RiskInputError("BAD_SCENARIO", f"{path}: no [[scenario]] and no [[replay]] in it")
    for scenario in found.scenario:
        check(scenario)
    return Set(tuple(found.scenario), tuple(found.replay), _assumptions(path, found.assumptions), path.parent)


def check(scenario: Scenario) -> None:
    """Raise RiskInputError("BAD_SCENARIO") for numbers that no market can do."""
    shocks = {"market": scenario.market, **scenario.symbols, **scenario.factors, **scenario.currencies}
    for name, value in shocks.items():
        if not math.isfinite(value) or (value <= -1.0 and name not in {"market", *scenario.factors}):
            _bad(scenario, name, value, "a fraction above -1")
    for name in ("volatility", "days", "spread", "depth", "margin"):
        value = float(getattr(scenario, name))
        if not (math.isfinite(value) and value > 0.0):
            _bad(scenario, name, value, "more than 0")
    for name in ("sigmas", "rate", "funding", "borrow"):
        if not math.isfinite(getattr(scenario, name)):
            _bad(scenario, name, getattr(scenario, name), "a finite number")
    if not 0.0 <= scenario.liquidate <= 1.0:
        _bad(scenario, "liquidate", scenario.liquidate, "0 to 1")


def compile(scenarios: Sequence[Scenario], book: Book) -> Shocks:
    """Scenarios as shocks to this book's positions and currencies; rebuilt when positions change sides. O(S n)."""
    rows = [(g, s, side) for g, s in enumerate(scenarios) for side in _SIDES[s.direction]]
    flat = [s for _, s, _ in rows]
    prices = _shocks(flat, [side for _, _, side in rows], book)
    _explicit(prices, flat, book)
    floored = int((prices < FLOOR).sum())
    np.maximum(prices, FLOOR, out=prices)
    return Shocks(
        names=tuple(s.name for s in scenarios),
        texts=tuple(s.text for s in scenarios),
        group=np.array([g for g, _, _ in rows], dtype=np.int64),
        labels=tuple(_LABELS.get((s.direction, side), "") for _, s, side in rows),
        prices=prices,
        rates=_rates(flat, prices, book),
        terms=_terms(flat),
        floored=floored,
    )


def joined(first: Shocks, second: Shocks) -> Shocks:
    """Both sets of rows, for the same book."""
    return Shocks(
        names=first.names + second.names,
        texts=first.texts + second.texts,
        group=np.concatenate([first.group, second.group + len(first.names)]),
        labels=first.labels + second.labels,
        prices=np.concatenate([first.prices, second.prices]),
        rates=np.concatenate([first.rates, second.rates]),
        terms=np.concatenate([first.terms, second.terms]),
        floored=first.floored + second.floored,
    )


def moved_rates(book: Book, prices: Floats, said: Floats) -> Floats:
    """Rates (S, c) after ``prices``: what was ``said`` (fractions, nan = nothing), else the coin's move."""
    rates = np.tile(book.rates, (len(prices), 1))
    coins = {name: c for c, name in enumerate(book.currencies) if name not in FIAT and name != book.ccy}
    for c in range(len(book.currencies)):
        rates[:, c] *= 1.0 + np.where(np.isnan(said[:, c]), 0.0, said[:, c])
    for i in reversed(range(book.n)):  # the first instrument of a coin has the last word
        c = coins.get(book.bases[i], -1)
        if c >= 0 and i not in book.fx_currency:
            _follow(rates, c, i, book, prices, said)
    for i, c in enumerate(book.fx_currency.tolist()):
        if c >= 0:
            _follow(rates, c, i, book, prices, said)
    return rates


_SIDES = {"down": (-1.0,), "up": (1.0,), "both": (-1.0, 1.0), "against": (0.0,)}
_LABELS = {("both", -1.0): "down", ("both", 1.0): "up"}


def _bad(scenario: Scenario, name: str, value: float, need: str) -> None:
    raise RiskInputError("BAD_SCENARIO", f"scenario {scenario.name!r}: {name} is {value:g}: must be {need}")


def _assumptions(path: Path, given: dict[str, float]) -> Assumptions:
    known = {f.name for f in fields(Assumptions)}
    for name, value in given.items():
        if name not in known:
            raise RiskInputError(
                "UNKNOWN_FIELD", f"{path}: assumptions: no {name!r}; known: {', '.join(sorted(known))}"
            )
        if (
            not math.isfinite(value)
            or value < 0.0
            or (name == "adv" and value == 0.0)
            or (name == "correlation" and value > 1.0)
        ):
            raise RiskInputError("OUT_OF_RANGE", f"{path}: assumptions: {name} is {value:g}")
    return replace(Assumptions(), **given)


def _column(scenarios: list[Scenario], name: str) -> Floats:
    return np.array([getattr(s, name) for s in scenarios], dtype=float)


def _shocks(scenarios: list[Scenario], sides: list[float], book: Book) -> Floats:
    """Market, factors, volatility and rates, (S, n)."""
    prices = np.outer(_column(scenarios, "market"), book.betas)
    names = sorted({name for s in scenarios for name in s.factors})
    if names:
        moves = np.array([[s.factors.get(f, 0.0) for f in names] for s in scenarios])
        loads = np.array([[loading.get(f, 0.0) for loading in book.factors] for f in names])
        prices += moves @ loads.reshape(len(names), book.n)
    size = (
        _column(scenarios, "sigmas") * _column(scenarios, "volatility") * np.sqrt(_column(scenarios, "days"))
    )
    if size.any():
        with_market = np.outer(sides, np.sign(book.betas))
        against = np.outer(np.equal(sides, 0.0), -np.sign(book.qty))
        prices += size[:, None] * book.assets["volatility"] * (with_market + against)
    prices -= np.outer(_column(scenarios, "rate"), book.durations)
    return np.ascontiguousarray(prices)


def _explicit(prices: Floats, scenarios: list[Scenario], book: Book) -> None:
    """Overwrite what a scenario says outright."""
    at = {symbol: i for i, symbol in enumerate(book.symbols)}
    fx = {book.currencies[c]: i for i, c in enumerate(book.fx_currency) if c >= 0}
    for row, scenario in zip(prices, scenarios, strict=True):
        for name, shock in scenario.currencies.items():
            if name in fx:
                row[fx[name]] = shock
        for name, shock in scenario.symbols.items():
            if name in at:
                row[at[name]] = shock


def _rates(scenarios: list[Scenario], prices: Floats, book: Book) -> Floats:
    said = np.full((len(scenarios), len(book.currencies)), np.nan)
    market, coins = (
        _column(scenarios, "market"),
        [c for c in book.currencies if c not in FIAT and c != book.ccy],
    )
    for name in coins:  # a coin that no position names: as the market
        said[:, book.currencies.index(name)] = np.maximum(market, FLOOR) if name not in book.bases else np.nan
    for row, scenario in zip(said, scenarios, strict=True):
        for name, shock in scenario.currencies.items():
            if name in book.currencies and name != book.ccy:
                row[book.currencies.index(name)] = shock
    return moved_rates(book, prices, said)


def _follow(rates: Floats, c: int, i: int, book: Book, prices: Floats, said: Floats) -> None:
    silent = np.isnan(said[:, c])
    rates[silent, c] = book.rates[c] * (1.0 + prices[silent, i])


def _terms(scenarios: list[Scenario]) -> Table:
    terms = np.zeros(len(scenarios), dtype=TERMS)
    for name in ("spread", "depth", "volatility", "liquidate", "margin"):
        terms[name] = _column(scenarios, name)
    days = _column(scenarios, "days")
    terms["funding"] = _column(scenarios, "funding") * days
    terms["borrow"] = _column(scenarios, "borrow") * days / 365.0
    return terms


def names_not_in(scenarios: Sequence[Scenario], book: Book) -> list[str]:
    """Symbols, factors and currencies that scenarios name and the book does not have, sorted: often a slip."""
    known: set[Any] = {*book.symbols, *book.currencies, *(f for loads in book.factors for f in loads)}
    said = {name for s in scenarios for name in (*s.symbols, *s.factors, *s.currencies)}
    return sorted(said - known)
