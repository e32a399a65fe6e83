"""A book straight from the engine's tables: no messages, no rounding, thousands of times a minute.

``Facts`` is what never changes while a core runs (specs, betas, limits); a ``Copy`` is the tables at one instant,
taken by the loop in microseconds. Together they make the ``Book`` that stress, profile and VaR are computed from.
What the tables do not say (volatility without history, daily volume) is assumed and named, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bus.instruments import InstrumentSpec
from core.analytics.book import FIAT, Assumptions, Book, Floats, Limits
from core.kernels.risk.stress import ASSET
from core.kernels.tables import Table

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Copy:
    """The engine's tables as of ``ts_ns``; nobody else writes these."""

    ts_ns: int  # ns UTC, the engine's time
    instruments: Table
    markets: Table
    positions: Table
    currencies: Table
    account: Table

    @property
    def held(self) -> Rows:
        """Instruments with a position."""
        return np.flatnonzero(self.positions["qty_lots"])


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What stays the same: one row an instrument."""

    ccy: str
    currencies: tuple[str, ...]  # in the order of the CURRENCY table
    symbols: tuple[str, ...]
    bases: tuple[str, ...]
    lot_sizes: Floats  # units of qty a lot
    fee_rates: Floats  # taker, fraction
    betas: Floats  # nan: not told
    limits: Limits
    assumptions: Assumptions
    source: str


def facts(
    specs: Sequence[InstrumentSpec],
    *,
    ccy: str,
    currencies: Sequence[str],
    betas: dict[str, float] | None = None,
    limits: Limits | None = None,
    assumptions: Assumptions | None = None,
    source: str = "a running core",
) -> Facts:
    """Facts of the engine's catalogue; ``currencies`` in the order of its CURRENCY table."""
    given = betas or {}
    bases = tuple(spec.base or spec.symbol.partition("/")[0] for spec in specs)
    told = [
        given.get(spec.symbol, 0.0 if base in FIAT else np.nan)
        for spec, base in zip(specs, bases, strict=True)
    ]
    return Facts(
        ccy=ccy,
        currencies=tuple(currencies),
        symbols=tuple(spec.symbol for spec in specs),
        bases=bases,
        lot_sizes=np.array([spec.lot_size for spec in specs], dtype=float),
        fee_rates=np.array([spec.fee_rate_taker for spec in specs], dtype=float),
        betas=np.array(told, dtype=float),
        limits=limits or Limits(),
        assumptions=assumptions or Assumptions(),
        source=source,
    )


def from_tables(
    known: Facts, copy: Copy, rows: Rows | None = None, volatility_day: Floats | None = None
) -> Book:
    """The book of instruments ``rows`` (default: those held). ``volatility_day`` (all instruments; nan = not known)."""
    at = copy.held if rows is None else rows
    assumed: list[str] = []
    assets = _assets(known, copy, at, volatility_day, assumed)
    betas = known.betas[at]
    if np.isnan(betas).any():
        assumed.append(
            f"beta of {int(np.isnan(betas).sum())} of {len(at)} taken as {known.assumptions.beta:g}"
        )
    fx = copy.instruments["fx_currency"][at].astype(np.int64)
    return Book(
        ccy=known.ccy,
        symbols=tuple(known.symbols[i] for i in at),
        qty=copy.positions["qty_lots"][at] * known.lot_sizes[at],
        lots=known.lot_sizes[at],
        fee_rates=known.fee_rates[at],
        betas=np.where(np.isnan(betas), known.assumptions.beta, betas),
        durations=np.zeros(len(at)),
        bases=tuple(known.bases[i] for i in at),
        factors=({},) * len(at),
        fx_currency=fx,
        assets=assets,
        currencies=known.currencies,
        rates=copy.currencies["rate"].copy(),
        cash=copy.currencies["cash"].copy(),
        equity_peak=float(copy.account["equity_peak"][0]),
        equity_day_open=float(copy.account["equity_day_open"][0]),
        limits=known.limits,
        assumptions=known.assumptions,
        assumed=tuple(assumed),
        source=known.source,
        units=copy.instruments["lot_value"][at] / known.lot_sizes[at],
    )


def _assets(known: Facts, copy: Copy, at: Rows, volatility: Floats | None, assumed: list[str]) -> Table:
    facts_, markets, positions = copy.instruments[at], copy.markets[at], copy.positions[at]
    given, rows = known.assumptions, np.zeros(len(at), dtype=ASSET)
    rows["units"] = positions["qty_lots"] * facts_["lot_value"]
    rows["cost"] = positions["cost"]
    marked = markets["mark_px"] > 0.0
    rows["mark"] = np.where(
        marked, markets["mark_px"], positions["avg_px"]
    )  # never marked: at cost, as the engine
    for name in ("margin_rate", "inverse", "settle"):
        rows[name] = facts_[name]
    bid, ask = markets["bid_ticks"], markets["ask_ticks"]
    whole = (bid > 0) & (ask >= bid)
    rows["half_spread"] = np.where(whole, (ask - bid) / np.maximum(ask + bid, 1), given.spread_bps / 2e4)
    own = np.full(len(at), np.nan) if volatility is None else volatility[at]
    rows["volatility"] = np.where(np.isnan(own), given.volatility_day, own)
    rows["adv"] = given.adv
    held = positions["qty_lots"] != 0
    _say(assumed, "volatility", np.isnan(own) & held, held, f"{given.volatility_day:.1%} a day")
    _say(assumed, "spread", ~whole & held, held, f"{given.spread_bps:g} bps")
    _say(assumed, "daily volume", held, held, f"{given.adv:,.0f}")
    return rows


def _say(assumed: list[str], what: str, missing: Table, held: Table, value: str) -> None:
    if missing.any():
        assumed.append(f"{what} of {int(missing.sum())} of {int(held.sum())} positions taken as {value}")


def traded(book: Book, i: int, qty: float, price: float) -> Book:
    """The book after buying ``qty`` (signed, in units of ``book.qty``) of position ``i`` at ``price``, taker fee paid.

    Average cost as the engine keeps it: growing averages (linear: arithmetic, inverse: harmonic), shrinking realises,
    turning over opens anew at ``price``. Fee and what was realised go into the cash of the settlement currency.
    """
    row, assets, cash = book.assets[i], book.assets.copy(), book.cash.copy()
    linear, before = row["inverse"] == 0, float(book.qty[i])
    unit = float(row["units"]) / before if before else _unit(book, i)
    worth = abs(qty) * unit * (price if linear else 1.0 / price)  # settle
    after = before + qty
    closing = min(abs(before), abs(qty)) if before * qty < 0.0 else 0.0
    cost = float(row["cost"]) * (1.0 - closing / abs(before) if before else 1.0)
    opened = abs(qty) - closing
    gained = 0.0
    if closing:
        paid, got = float(row["cost"]) * closing / abs(before), worth * closing / abs(qty)
        gained = (got - paid) * np.sign(before) * (1.0 if linear else -1.0)
    assets["units"][i] = after * unit
    assets["cost"][i] = cost + worth * (opened / abs(qty))
    cash[row["settle"]] += gained - worth * book.fee_rates[i]
    qtys = book.qty.copy()
    qtys[i] = after
    return replace(book, qty=qtys, assets=assets, cash=cash)


def _unit(book: Book, i: int) -> float:
    """Units of value a unit of ``qty``, of a position that is flat: kept in ``book.units``."""
    return float(book.units[i]) if book.units is not None else 1.0
