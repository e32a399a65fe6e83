"""Books and facts for the tests of what the analyst computes."""

from __future__ import annotations

import numpy as np

from bus.instruments import InstrumentSpec
from core.analytics import live
from core.analytics.bars import History
from core.analytics.book_tables import Copy, Facts, facts
from tests.kernels.kit import CATALOGUE, Book, several

NAMES = ("ALT/USDT", "BTC/USD:BTC", "BTC/USDT", "DAX/EUR", "EUR/USDT", "INV/EUR")
CURRENCIES = ("USDT", "BTC", "EUR")
FEE = 0.0005


def known() -> Facts:
    """Specs of the tables' catalogue."""
    specs = [
        InstrumentSpec(
            symbol=name,
            base=name.partition("/")[0],
            settle=CURRENCIES[row[4]],
            inverse=bool(row[3]),
            tick_size=row[0],
            lot_size=0.5,
            contract_value=row[1] / 0.5,
            fee_rate_taker=FEE,
            fx_for=CURRENCIES[row[5]] if row[5] >= 0 else "",
        )
        for name, row in zip(NAMES, CATALOGUE, strict=True)
    ]
    return facts(specs, ccy="USDT", currencies=CURRENCIES, betas=dict.fromkeys(NAMES, 1.0))


def copied(book: Book, ts_ns: int = 1) -> Copy:
    return Copy(ts_ns, *(table.copy() for table in book.tables))


def filled(seed: int) -> Book:
    """A book with random positions at prices off the mark."""
    rng, book = np.random.default_rng(seed), several()
    for _ in range(12):
        i = int(rng.integers(len(CATALOGUE)))
        px = float(book.markets["mark_px"][i]) * float(rng.uniform(0.9, 1.1))
        book.fill(i, int(rng.integers(-50, 51)) or 1, px, float(rng.uniform(0, 2)))
    return book


# -- the book


def moves(rows: int, seed: int = 7) -> History:
    """Correlated returns, all six instruments."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((rows, 1))
    x = 0.01 * (0.7 * common + 0.7 * rng.standard_normal((rows, len(NAMES))))
    return History(x, 3600.0, 60, "a test")


def one_long(lots: int = 100) -> Book:
    book = several()
    book.currencies["cash"][1:] = 0.0
    book.rebase()
    book.fill(0, lots, 100.0)
    return book


def asked(book: Book, history: History, **named: float | str) -> dict:
    given = {"alpha": 0.05, "horizon_s": 3600.0, "method": "historical"} | named
    return live.var_data(known(), copied(book), history, **given)
