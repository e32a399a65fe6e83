"""A small book in tables, and the same book in exact fractions: the oracle the kernels are held against.

The oracle knows one idea: a lot is worth ``g(p)`` at price p, ``v p`` for a linear contract and ``-v / p`` for an inverse
one (a long inverse position gains when 1/p falls). Profit is lots times the change of g, the average cost is the mean
of g over what is held, and everything else is a sum. No incremental updates, no floats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from core.kernels.batch import run_block
from core.kernels.portfolio import apply_fill, apply_funding, rebase
from core.kernels.tables import (
    ACCOUNT,
    CURRENCY,
    INSTRUMENT,
    MARKET,
    POSITION,
    SWITCH,
    SWITCH_ROWS,
    TICK,
    TICK_QUOTE,
    TICK_TRADE,
    Table,
    zeros,
)

USDT, BTC, EUR = range(3)
#            tick_size  lot_value  margin inverse settle fx
CATALOGUE = [
    (0.01, 0.001, 0.10, 0, USDT, -1),  # ALT/USDT
    (0.5, 10.0, 0.02, 1, BTC, -1),  # BTC/USD inverse, settles in BTC
    (0.5, 0.001, 0.10, 0, USDT, BTC),  # BTC/USDT: its mark is BTC's rate
    (0.01, 2.0, 0.20, 0, EUR, -1),  # DAX/EUR
    (0.0001, 100.0, 0.05, 0, USDT, EUR),  # EUR/USDT: its mark is EUR's rate
    (0.1, 1.0, 0.03, 1, EUR, -1),  # an inverse one that settles in EUR
]
START_PX = [100.0, 60_000.0, 60_000.0, 180.0, 1.1, 25.0]
CASH = [100_000.0, 2.0, 5_000.0]


@dataclass
class Book:
    """All tables of one account."""

    instruments: Table
    markets: Table
    positions: Table
    currencies: Table
    account: Table
    switches: Table = field(default_factory=lambda: zeros(SWITCH, SWITCH_ROWS))

    @property
    def tables(self) -> tuple[Table, Table, Table, Table, Table]:
        return self.instruments, self.markets, self.positions, self.currencies, self.account

    def copy(self) -> Book:
        return Book(*(table.copy() for table in (*self.tables, self.switches)))

    def bytes(self) -> bytes:
        return b"".join(table.tobytes() for table in (*self.tables, self.switches))

    def run(self, ticks: Table, start: int = 0) -> int:
        return int(run_block(ticks, start, *self.tables, self.switches))

    def fill(self, i: int, lots: int, px: float, fee: float = 0.0) -> float:
        return float(apply_fill(i, lots, px, fee, *self.tables))

    def fund(self, i: int, rate: float) -> float:
        return float(apply_funding(i, rate, *self.tables))

    def rebase(self) -> None:
        rebase(*self.tables)

    def arm(self, **limits: float) -> None:
        """Arm the named account switches at their limits."""
        for name, limit in limits.items():
            row = ("drawdown", "position_loss", "daily_loss", "emergency", "leverage", "margin").index(name)
            self.switches[row]["limit"], self.switches[row]["armed"] = limit, 1


def blank(rows: Iterable[tuple[float, float, float, int, int, int]], cash: list[float]) -> Book:
    """A flat, unmarked book; first currency is the account's, rates of the others unknown."""
    rows = list(rows)
    instruments = zeros(INSTRUMENT, len(rows))
    for i, values in enumerate(rows):
        instruments[i] = (*values, 0, i, 0, 2_000_000_000)
    currencies = zeros(CURRENCY, len(cash))
    currencies["cash"] = cash
    currencies["rate"] = [1.0] + [np.nan] * (len(cash) - 1)
    positions = zeros(POSITION, len(rows))
    positions["loss_limit"] = np.inf
    return Book(instruments, zeros(MARKET, len(rows)), positions, currencies, zeros(ACCOUNT, 1))


def several() -> Book:
    """The catalogue above, every instrument quoted at its start price, day open taken."""
    book = blank(CATALOGUE, CASH)
    for i, px in enumerate(START_PX):  # one by one: until every rate is known each call stops for it
        book.run(quotes([(i, round(px / CATALOGUE[i][0]))]))
    book.account["equity_day_open"] = book.account["equity"]
    book.rebase()
    return book


def quotes(rows: list[tuple[int, int]], ts_ns: int = 1) -> Table:
    """Quotes one tick either side of ``(instrument, mid in ticks)``."""
    ticks = zeros(TICK, len(rows))
    for k, (i, mid) in enumerate(rows):
        ticks[k]["instrument"], ticks[k]["bid_ticks"], ticks[k]["ask_ticks"] = i, mid - 1, mid + 1
    ticks["bid_lots"] = ticks["ask_lots"] = 1
    ticks["flags"] = TICK_QUOTE
    ticks["ts_ns"] = ts_ns + np.arange(len(rows))
    return ticks


def trades(rows: list[tuple[int, int]], ts_ns: int = 1) -> Table:
    """Trade prints at ``(instrument, price in ticks)``."""
    ticks = zeros(TICK, len(rows))
    for k, (i, px) in enumerate(rows):
        ticks[k]["instrument"], ticks[k]["last_ticks"] = i, px
    ticks["last_lots"] = 1
    ticks["flags"] = TICK_TRADE
    ticks["ts_ns"] = ts_ns + np.arange(len(rows))
    return ticks


# One instrument whose numbers are powers of two, so that "exactly at the limit" is exact: a lot is one unit, a tick 1.
UNIT = (1.0, 1.0, 0.125, 0, USDT, -1)


def long_256(cash: float = 1024.0, px: int = 256, lots: int = 4) -> Book:
    """Long ``lots`` at ``px`` with equity ``cash`` at peak and at day open; nothing armed."""
    book = blank([UNIT, UNIT], [cash])
    book.rebase()
    book.account["equity_day_open"] = cash
    book.run(quotes([(0, px), (1, px)]))
    book.fill(0, lots, float(px))
    return book


def tripped(book: Book) -> list[int]:
    return np.flatnonzero(book.switches["tripped"]).tolist()


class Oracle:
    """The book in fractions; ``None`` is a price that is not known."""

    def __init__(self, book: Book) -> None:
        self.rows = [{name: row[name].item() for name in row.dtype.names} for row in book.instruments]
        self.lots = [int(q) for q in book.positions["qty_lots"]]
        self.mean_g = [Fraction(0)] * len(self.rows)
        self.mark = [Fraction(float(m)) if m > 0 else None for m in book.markets["mark_px"]]
        self.cash = [Fraction(float(c)) for c in book.currencies["cash"]]
        self.rate = [Fraction(float(r)) if r > 0 else None for r in book.currencies["rate"]]

    def g(self, i: int, px: Fraction) -> Fraction:
        lot_value = Fraction(self.rows[i]["lot_value"])
        return -lot_value / px if self.rows[i]["inverse"] else lot_value * px

    def fill(self, i: int, lots: int, px: float, fee: float) -> Fraction:
        held, value = self.lots[i], self.g(i, Fraction(px))
        against = held * lots < 0
        closed = min(abs(held), abs(lots)) * (1 if held > 0 else -1) if against else 0
        realized = closed * (value - self.mean_g[i])
        self.lots[i] = held + lots
        if not against and lots:
            self.mean_g[i] = (held * self.mean_g[i] + lots * value) / (held + lots)
        elif against and abs(lots) > abs(held):
            self.mean_g[i] = value
        self.cash[self.rows[i]["settle"]] += realized - Fraction(fee)
        return realized

    def tick(self, i: int, mark: float) -> None:
        self.mark[i] = Fraction(mark)
        if self.rows[i]["fx_currency"] >= 0:
            self.rate[self.rows[i]["fx_currency"]] = Fraction(mark)

    def fund(self, i: int, rate: float) -> Fraction:
        payment = -self.exposure(i) * Fraction(rate)
        self.cash[self.rows[i]["settle"]] += payment
        return payment

    def worth(self, i: int) -> Fraction:
        """g at mark, or at cost where there is no mark."""
        mark = self.mark[i]
        return self.mean_g[i] if mark is None else self.g(i, mark)

    def exposure(self, i: int) -> Fraction:
        worth = self.worth(i) if self.lots[i] else Fraction(0)
        return self.lots[i] * abs(worth)

    def unrealized(self, i: int) -> Fraction:
        return self.lots[i] * (self.worth(i) - self.mean_g[i]) if self.lots[i] else Fraction(0)

    def totals(self) -> dict[str, Fraction]:
        """equity, unrealized, gross, net, margin in account currency; all rates must be known."""
        out = dict.fromkeys(("equity", "unrealized", "gross", "net", "margin"), Fraction(0))
        for c, cash in enumerate(self.cash):
            out["equity"] += cash * (self.rate[c] or 0)
        for i, row in enumerate(self.rows):
            rate = self.rate[row["settle"]] or Fraction(0)
            out["equity"] += rate * self.unrealized(i)
            out["unrealized"] += rate * self.unrealized(i)
            out["gross"] += rate * abs(self.exposure(i))
            out["net"] += rate * self.exposure(i)
            out["margin"] += rate * abs(self.exposure(i)) * Fraction(row["margin_rate"])
        return out

    def loss_ratio(self, i: int) -> Fraction:
        cost = abs(self.lots[i] * self.mean_g[i])
        return max(Fraction(0), -self.unrealized(i)) / cost if cost else Fraction(0)


def close_to(measured: Any, exact: Fraction, scale: float) -> bool:
    """Equal to 1e-9 of ``scale``, the size of the amounts that were added up."""
    return abs(float(measured) - float(exact)) <= 1e-9 * max(1.0, scale)
