"""What the gate measures, against a slow sum in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernels.facts import COUNT, Facts, left_of, measure
from core.kernels.tables import SW_DAILY_LOSS, SW_DRAWDOWN, SW_EMERGENCY

from .kit import CATALOGUE, START_PX, Book, several


def facts(
    book: Book, instrument: int, sign: int, lots: int, price: int = 0, resting: int = 0, added: int = -1
):
    out = np.empty(COUNT)
    more = lots if added < 0 else added
    measure(instrument, sign, lots, more, price, resting, 10**9, *book.tables, book.switches, out)
    return Facts._make(out.tolist())


def marked() -> Book:
    book = several()
    book.markets["mark_px"] = START_PX
    book.markets["ts_ns"] = 10**9
    book.currencies["rate"] = [1.0, 60_000.0, 1.1]
    book.instruments["asset"] = [0, 1, 1, 2, 3, 4]  # both kinds of bitcoin are one asset
    book.instruments["venue"] = [0, 0, 1, 0, 1, 0]
    return book


def worth(book: Book, i: int) -> float:
    """Value of one lot, account currency."""
    _, unit, _, inverse, settle, _ = CATALOGUE[i]
    price = float(book.markets["mark_px"][i])
    return (unit / price if inverse else unit * price) * float(book.currencies["rate"][settle])


rows = st.lists(
    st.tuples(st.integers(-50, 50), st.integers(0, 30), st.integers(0, 30)), min_size=6, max_size=6
)


@settings(max_examples=200, deadline=None)
@given(rows=rows, i=st.integers(0, 5), sign=st.sampled_from([1, -1]), lots=st.integers(1, 40))
def test_the_worst_case_is_every_working_order_filled(rows, i, sign, lots) -> None:
    book = marked()
    held, buys, sells = (np.array(column) for column in zip(*rows, strict=True))
    book.positions["qty_lots"], book.positions["work_buy_lots"], book.positions["work_sell_lots"] = (
        held,
        buys,
        sells,
    )
    f = facts(book, i, sign, lots)

    high, low = held + buys, held - sells
    high[i] += lots if sign > 0 else 0
    low[i] -= lots if sign < 0 else 0
    value = [max(abs(h), abs(b)) * worth(book, n) for n, (h, b) in enumerate(zip(high, low, strict=True))]
    asset = [n for n in range(6) if book.instruments["asset"][n] == book.instruments["asset"][i]]
    venue = [n for n in range(6) if book.instruments["venue"][n] == book.instruments["venue"][i]]
    assert f.own == pytest.approx(value[i])
    assert f.gross == pytest.approx(math.fsum(value))
    assert f.venue == pytest.approx(math.fsum(value[n] for n in venue))
    assert f.margin == pytest.approx(math.fsum(v * CATALOGUE[n][2] for n, v in enumerate(value)))
    nets = [math.fsum(side[n] * worth(book, n) for n in range(6)) for side in (high, low)]
    assert f.net == pytest.approx(max(map(abs, nets)), abs=1e-6)
    longs = math.fsum(max(high[n], 0) * worth(book, n) for n in asset)
    shorts = math.fsum(max(-low[n], 0) * worth(book, n) for n in asset)
    assert f.asset == pytest.approx(max(longs, shorts))
    assert f.value == pytest.approx(lots * worth(book, i))


@pytest.mark.parametrize("what", ["mark", "rate"])
def test_what_is_missing_makes_nan_where_it_counts_and_only_there(what) -> None:
    book = marked()
    book.positions["qty_lots"][3] = 5
    if what == "mark":
        book.markets["mark_px"][3] = 0.0
    else:
        book.currencies["rate"][2] = math.nan
    f = facts(book, 2, 1, 1)
    assert math.isnan(f.gross) and math.isnan(f.net) and math.isnan(f.margin)
    assert not math.isnan(f.own) and not math.isnan(f.value) and not math.isnan(f.asset)
    assert math.isnan(facts(book, 3, 1, 1).own)


def test_an_order_at_a_worse_price_is_worth_more() -> None:
    book = marked()
    assert facts(book, 0, 1, 10, price=10_400, resting=1).value == pytest.approx(10 * 0.001 * 104.0)
    assert facts(book, 0, -1, 10, price=9_600, resting=1).value == pytest.approx(10 * 0.001 * 100.0)
    assert facts(book, 1, 1, 10, price=100_000, resting=1).value == pytest.approx(
        10 * 10.0 / 50_000.0 * 60_000.0
    )


def test_how_the_order_meets_the_book() -> None:
    book = marked()
    market = book.markets[0:1]
    market["bid_ticks"], market["ask_ticks"], market["bid_lots"], market["ask_lots"] = 9_999, 10_001, 30, 10
    buy, sell = facts(book, 0, 1, 1), facts(book, 0, -1, 1)
    assert (buy.price, buy.takes, buy.opposite_lots) == (pytest.approx(100.01), 1.0, 10.0)
    assert (sell.price, sell.opposite_lots) == (pytest.approx(99.99), 30.0)
    assert (buy.against, sell.against) == (pytest.approx(-0.5), pytest.approx(0.5))
    assert facts(book, 0, 1, 1, 10_001, 1).takes == 1.0 and facts(book, 0, 1, 1, 10_000, 1).takes == 0.0
    assert facts(book, 0, -1, 1, 9_999, 1).takes == 1.0 and facts(book, 0, 1, 1, 10_001, 2).takes == 0.0
    market["ask_ticks"] = 0
    assert math.isnan(facts(book, 0, 1, 1).price), "what a market order would pay is not known"


@pytest.mark.parametrize(
    ("which", "left"), [(SW_DRAWDOWN, 4_400.0), (SW_DAILY_LOSS, 9_000.0), (SW_EMERGENCY, 14_000.0)]
)
def test_what_is_left_of_each_loss_limit(which, left) -> None:
    book = marked()
    account = book.account[0]
    account["equity_peak"], account["equity_day_open"] = 110_000.0, 100_000.0
    account["drawdown"], account["daily_loss"], account["emergency_loss"] = 0.01, 0.01, 0.01
    book.switches["limit"] = math.nan
    assert left_of(account, book.switches, which) == math.inf
    book.switches["limit"][which] = {SW_DRAWDOWN: 0.05, SW_DAILY_LOSS: 0.10, SW_EMERGENCY: 0.15}[which]
    assert left_of(account, book.switches, which) == pytest.approx(left)
    assert facts(book, 0, 1, 1).room == pytest.approx(left)
    account["drawdown"] = account["daily_loss"] = account["emergency_loss"] = math.nan
    assert math.isnan(facts(book, 0, 1, 1).room)
