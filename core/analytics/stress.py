"""Stress: what each scenario does to a book, and what the switches would do about it.

``run`` revalues the book under every row (see ``core.kernels.risk.stress``), takes the worst row of each
scenario, and says in words that mean something on a bad day: equity after, leverage, margin ratio, drawdown,
daily loss, which switches trip, and what they would sell. The tests are the engine's, ``not (value <
limit)``: at the limit trips, and so does what is not a number. What would be sold follows the engine's cuts:
leverage takes the largest exposure first down to its target, margin the cheapest to close per unit of margin
freed, a position loss its position, an emergency everything.

The scenario is sudden: peak and day-open equity are those before it (or the present equity where the book has
none).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.book import Book, Floats, Limits
from core.analytics.scenarios import Shocks
from core.kernels.risk.stress import EXTRA, TERMS, revalue
from core.kernels.tables import ACCOUNT, Table

_MEASURED = ("equity", "gross", "net", "margin", "leverage", "margin_ratio", "drawdown", "daily_loss")
_COLUMNS = {
    "drawdown": "drawdown",
    "daily_loss": "daily_loss",
    "emergency": "emergency_loss",
    "leverage": "leverage",
}


@dataclass(frozen=True, kw_only=True)
class Measures:
    """The account at one instant, account currency, fractions and ratios; nan = unknown."""

    equity: float
    gross: float
    net: float
    margin: float
    leverage: float
    margin_ratio: float  # inf = none required
    drawdown: float
    daily_loss: float
    position_loss: float  # the worst position's use of its basis
    loser: str  # its symbol, or empty
    trips: tuple[str, ...]  # switches at or past their limits


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One scenario on one book."""

    name: str
    text: str
    label: str  # which row was the worst, empty where there is one
    pnl: float  # account currency, costs included
    pnl_fraction: float  # of equity before
    exit_cost: float
    funding: float
    borrowing: float
    after: Measures
    new_trips: tuple[str, ...]  # those that had not tripped before
    sells: dict[str, float]  # symbol -> signed quantity to trade (negative = sell)
    by_symbol: dict[str, float]  # P&L before costs, account currency, worst first


@dataclass(frozen=True)
class Stress:
    """All scenarios on one book, worst first."""

    before: Measures
    outcomes: tuple[Outcome, ...]
    pnl_rows: Floats  # (S,) every row's P&L, account currency
    floored: int

    @property
    def worst(self) -> Outcome | None:
        """The one that costs most; one that cannot be computed counts as worst."""
        return self.outcomes[0] if self.outcomes else None


def run(book: Book, shocks: Shocks, *, details: int = 20, keep: int | None = None) -> Stress:
    """Every scenario on the book. ``details``: the worst so many are told with sales and symbols, the others in sum.

    ``keep``: only the worst so many are told at all.
    """
    base, base_extra = measure(book)
    before = _measures(book, base, base_extra, 0)
    accounts, extras = _from(base, book, shocks)
    equity = float(base["equity"][0])
    rows = _worst_rows(accounts["equity"], shocks.group, len(shocks.names))
    order = sorted(range(len(rows)), key=lambda g: (_low(accounts["equity"][rows[g]]), g))
    outcomes = tuple(
        _outcome(book, shocks, accounts, extras, int(rows[g]), g, before, full=rank < details)
        for rank, g in enumerate(order[:keep])
    )
    return Stress(before, outcomes, accounts["equity"] - equity, shocks.floored)


def revalued(book: Book, shocks: Shocks) -> tuple[Table, Table]:
    """(ACCOUNT, EXTRA) tables of S rows: the fast path, numbers only."""
    return _from(measure(book)[0], book, shocks)


def under(book: Book, prices: Floats, rates: Floats) -> Floats:
    """P&L (S,), account currency, of moves (S, n) of prices with ``rates`` (S, c) after them, no costs."""
    base, _ = measure(book)
    terms = np.zeros(len(prices), dtype=TERMS)
    terms["margin"] = terms["spread"] = terms["depth"] = terms["volatility"] = 1.0
    equity = float(base["equity"][0])
    after, _ = _revalue(book, np.ascontiguousarray(prices), rates, terms, equity, equity)
    return np.asarray(after["equity"] - equity)


def measure(book: Book) -> tuple[Table, Table]:
    """(ACCOUNT, EXTRA) of one row: the book as it stands. A peak or day open that nobody told is the equity now."""
    equity = float(_as_it_stands(book, 0.0, 0.0)[0]["equity"][0])
    peak, day_open = book.equity_peak, book.equity_day_open
    return _as_it_stands(
        book, equity if math.isnan(peak) else peak, equity if math.isnan(day_open) else day_open
    )


def measures(book: Book) -> Measures:
    """The book as it stands, with the switches that it already trips."""
    return _measures(book, *measure(book), 0)


def trips(limits: Limits, acct: Mapping[str, float], loss_ratio: float, *, held: bool) -> tuple[str, ...]:
    """Names of the switches at or past their limits in one ACCOUNT row, by the engine's own comparisons."""
    ceilings = {name: getattr(limits, name) for name in _COLUMNS}
    found = [n for n, limit in ceilings.items() if limit is not None and not acct[_COLUMNS[n]] < limit]
    if limits.margin is not None and not acct["margin_ratio"] >= limits.margin:
        found.append("margin")
    if limits.position_loss is not None and held and not loss_ratio < limits.position_loss:
        found.append("position_loss")
    return tuple(found)


def _from(base: Table, book: Book, shocks: Shocks) -> tuple[Table, Table]:
    peak, day_open = float(base["equity_peak"][0]), float(base["equity_day_open"][0])
    return _revalue(book, shocks.prices, shocks.rates, shocks.terms, peak, day_open)


def _as_it_stands(book: Book, peak: float, day_open: float) -> tuple[Table, Table]:
    terms = np.zeros(1, dtype=TERMS)
    terms["margin"] = terms["spread"] = terms["depth"] = terms["volatility"] = 1.0
    return _revalue(book, np.zeros((1, book.n)), book.rates[None, :].copy(), terms, peak, day_open)


def _revalue(
    book: Book, prices: Floats, rates: Floats, terms: Table, peak: float, day_open: float
) -> tuple[Table, Table]:
    accounts, extras = np.zeros(len(terms), dtype=ACCOUNT), np.zeros(len(terms), dtype=EXTRA)
    accounts["equity_peak"], accounts["equity_day_open"] = peak, day_open
    by_equity = int(book.limits.position_loss_basis == "equity")
    revalue(book.assets, book.cash, prices, rates, terms, by_equity, accounts, extras)
    return accounts, extras


def _low(equity: float) -> float:
    """For ordering: unknown is worse than anything."""
    return -math.inf if math.isnan(equity) else float(equity)


def _worst_rows(equity: Floats, group: Floats, groups: int) -> list[int]:
    """The row with the least equity of each group."""
    low = np.where(np.isnan(equity), -np.inf, equity)
    order = np.lexsort((np.arange(len(low)), low, group))
    first = np.searchsorted(group[order], np.arange(groups))
    return [int(r) for r in order[first]]


def _measures(book: Book, accounts: Table, extras: Table, row: int) -> Measures:
    acct = dict(zip(ACCOUNT.names or (), accounts[row].item(), strict=True))
    loss_ratio, loser = float(extras["loss_ratio"][row]), int(extras["loser"][row])
    held = acct["gross"] != 0.0  # nan is held
    return Measures(
        **{name: acct[name] for name in _MEASURED},
        position_loss=loss_ratio,
        loser=book.symbols[loser] if loser >= 0 else "",
        trips=trips(book.limits, acct, loss_ratio, held=held),
    )


def _outcome(
    book: Book,
    shocks: Shocks,
    accounts: Table,
    extras: Table,
    row: int,
    group: int,
    before: Measures,
    *,
    full: bool,
) -> Outcome:
    after = _measures(book, accounts, extras, row)
    pnl = after.equity - before.equity
    return Outcome(
        name=shocks.names[group],
        text=shocks.texts[group],
        label=shocks.labels[row],
        pnl=pnl,
        pnl_fraction=pnl / before.equity if before.equity > 0.0 else math.nan,
        exit_cost=float(extras["exit_cost"][row]),
        funding=float(extras["funding"][row]),
        borrowing=float(extras["borrowing"][row]),
        after=after,
        new_trips=tuple(name for name in after.trips if name not in before.trips),
        sells=sales(book, shocks, row, after) if full else {},
        by_symbol=_by_symbol(book, shocks, row) if full else {},
    )


def _shocked(book: Book, shocks: Shocks, row: int) -> tuple[Floats, Floats]:
    """(signed exposures, unrealised profit) after a row, account currency, shape (n,)."""
    rows = book.assets
    mark = rows["mark"] * (1.0 + shocks.prices[row])
    held, linear = rows["units"] != 0.0, rows["inverse"] == 0
    mark = np.where(held, mark, 1.0)
    exposure = np.where(linear, rows["units"] * mark, rows["units"] / mark)
    cost = np.copysign(rows["cost"], rows["units"])
    rate = np.where(held, shocks.rates[row][rows["settle"]], 0.0)
    return exposure * rate, np.where(linear, exposure - cost, cost - exposure) * rate


def _by_symbol(book: Book, shocks: Shocks, row: int) -> dict[str, float]:
    """P&L of each position, and of cash in other currencies; the parts sum to the P&L before costs."""
    profit = _shocked(book, shocks, row)[1] - book.in_account(book.in_settle()[1])
    held = book.assets["units"] != 0.0
    parts = {name: float(profit[i]) for i, name in enumerate(book.symbols) if held[i]}
    for c, name in enumerate(book.currencies):
        if book.cash[c] != 0.0 and name != book.ccy:
            parts[f"cash {name}"] = float(book.cash[c] * (shocks.rates[row, c] - book.rates[c]))
    return dict(sorted(parts.items(), key=lambda item: (item[1], item[0])))


def sales(book: Book, shocks: Shocks, row: int, after: Measures) -> dict[str, float]:
    """What the tripped switches would trade: symbol -> signed quantity, never more than is held."""
    exposures, profits = _shocked(book, shocks, row)
    values, qty = np.abs(exposures), book.qty
    target = np.abs(qty)
    if "emergency" in after.trips or not after.equity > 0.0:
        target = np.zeros(book.n)
    if "position_loss" in after.trips:
        target[_losers(book, profits, shocks.rates[row], after.equity)] = 0.0
    limits, margin = book.limits, book.assets["margin_rate"] * shocks.terms["margin"][row]
    if "leverage" in after.trips:
        order = np.lexsort((np.arange(book.n), -values))
        excess = after.gross - limits.leverage_target * after.equity
        target = np.minimum(target, _cut(book, order, values, excess))
    if "margin" in after.trips:
        with np.errstate(divide="ignore"):
            dear = (book.assets["half_spread"] * shocks.terms["spread"][row] + book.fee_rates) / margin
        order = np.lexsort((np.arange(book.n), dear))
        excess = after.margin - after.equity / limits.margin_target
        target = np.minimum(target, _cut(book, order, values * margin, excess))
    change = np.sign(qty) * target - qty
    return {book.symbols[i]: float(change[i]) for i in range(book.n) if change[i] != 0.0}


def _losers(book: Book, profits: Floats, rates: Floats, equity: float) -> npt.NDArray[np.bool_]:
    """Which positions are at or past the position_loss limit."""
    rows, limit = book.assets, book.limits.position_loss
    basis = rows["cost"] * rates[rows["settle"]] if book.limits.position_loss_basis == "cost" else equity
    return np.asarray((rows["units"] != 0.0) & ~(-profits < np.float64(limit) * basis))


def _cut(book: Book, order: npt.NDArray[np.intp], weights: Floats, excess: float) -> Floats:
    """Absolute quantities left when ``excess`` has been taken off in this order; whole lots, rounded up."""
    left = np.abs(book.qty)
    for i in order:
        if not excess > 0.0:
            break
        if not weights[i] > 0.0:
            continue
        size = left[i]
        cut = min(size, up_to_lot(excess / weights[i] * size, float(book.lots[i])))
        excess -= weights[i] * cut / size
        left[i] = size - cut
    return left


def up_to_lot(qty: float, lot: float) -> float:
    """The next whole multiple of ``lot`` (0 = any quantity) that is no less than ``qty``."""
    return qty if lot <= 0.0 else math.ceil(qty / lot - 1e-9) * lot
