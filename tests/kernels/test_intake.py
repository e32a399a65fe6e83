"""One tick at the door: what is refused, what marks, and that a refusal changes nothing but its count."""

from __future__ import annotations

import numpy as np
import pytest

from core.kernels.tables import TICK_QUOTE, TICK_TRADE

from .kit import UNIT, blank, long_256, quotes, trades

GARBAGE = {
    "no content": {"flags": 0},
    "negative bid": {"bid_ticks": -1},
    "negative ask": {"ask_ticks": -1},
    "negative size": {"bid_lots": -1},
    "crossed": {"bid_ticks": 300, "ask_ticks": 299},
    "locked": {"bid_ticks": 300, "ask_ticks": 300},
    "both sides gone": {"bid_ticks": 0, "ask_ticks": 0},
    "print without a price": {"flags": TICK_TRADE, "last_ticks": 0},
    "print at a negative price": {"flags": TICK_TRADE, "last_ticks": -7},
    "print of a negative size": {"flags": TICK_TRADE, "last_ticks": 7, "last_lots": -1},
    "good quote, bad print": {"flags": TICK_QUOTE | TICK_TRADE, "last_ticks": -7},
    "extremes": {"bid_ticks": np.iinfo(np.int64).min, "ask_ticks": np.iinfo(np.int64).max},
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_counted_and_changes_nothing(kind: str) -> None:
    book = long_256()
    book.run(quotes([(0, 256)]))
    before = book.copy()
    bad = quotes([(0, 128)])
    for column, value in GARBAGE[kind].items():
        bad[column] = value
    assert book.run(bad) == 1
    assert book.markets["refused"].tolist() == [1, 0]
    book.markets["refused"] = 0
    assert book.bytes() == before.bytes()


@pytest.mark.parametrize("instrument", [-1, 2, np.iinfo(np.int32).max, np.iinfo(np.int32).min])
def test_an_unknown_instrument_changes_nothing(instrument: int) -> None:
    book = long_256()
    book.run(quotes([(0, 256)]))
    before = book.bytes()
    bad = quotes([(0, 128)])
    bad["instrument"] = instrument
    assert book.run(bad) == 1
    assert book.bytes() == before


def test_prices_at_the_edge_of_the_integers_do_not_wrap() -> None:
    book = long_256()
    top = np.iinfo(np.int64).max
    huge = quotes([(0, 256)])
    huge["bid_ticks"], huge["ask_ticks"] = top - 1, top
    book.run(huge)
    assert book.markets["mark_px"][0] == pytest.approx(9.223372036854775807e18)
    assert book.account["equity"][0] == pytest.approx(4 * 9.223372036854775807e18)


def test_marks_are_the_mid_else_the_last_trade() -> None:
    book = blank([UNIT], [1.0])
    book.rebase()
    marks = []
    one_sided = quotes([(0, 100)])
    one_sided["ask_ticks"] = 0
    for ticks in (one_sided, trades([(0, 90)]), quotes([(0, 100)]), trades([(0, 80)]), one_sided):
        book.run(ticks)
        marks.append(float(book.markets["mark_px"][0]))
    assert marks == [0.0, 90.0, 100.0, 100.0, 80.0]


def test_a_read_only_block_is_taken_as_it_is() -> None:
    book, ticks = long_256(), quotes([(0, 200)])
    ticks.flags.writeable = False
    assert book.run(ticks) == 1
    assert book.markets["mark_px"][0] == 200.0
