"""Fills, funding, marks and currencies against exact fractions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .kit import BTC, CASH, CATALOGUE, EUR, START_PX, Book, Oracle, blank, close_to, quotes, several

TOTALS = ("equity", "unrealized", "gross", "net", "margin")
SUMS = ("unrealized", "gross", "net", "margin")
DERIVED = ("avg_px", "cost", "exposure", "margin", "unrealized", "loss_ratio")

_instrument = st.integers(0, len(CATALOGUE) - 1)
_around = st.floats(0.5, 2.0)
_lots = st.integers(-60, 60).filter(bool)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), _instrument, _lots, _around),
        st.tuples(st.just("tick"), _instrument, st.just(0), _around),
        st.tuples(st.just("fund"), _instrument, st.just(0), st.floats(-0.01, 0.01)),
    ),
    min_size=1,
    max_size=40,
)


def mid_of(i: int, factor: float) -> int:
    return max(2, round(START_PX[i] * factor / CATALOGUE[i][0]))


def play(book: Book, oracle: Oracle, event: tuple[str, int, int, float]) -> None:
    """One event into both; what either returns must agree."""
    kind, i, lots, x = event
    if kind == "fill":
        px = mid_of(i, x) * CATALOGUE[i][0]
        fee = abs(lots) * 0.01
        realized, exact = book.fill(i, lots, px, fee), oracle.fill(i, lots, px, fee)
        assert close_to(realized, exact, scale(book))
    elif kind == "tick":
        assert book.run(quotes([(i, mid_of(i, x))])) == 1
        oracle.tick(i, float(book.markets["mark_px"][i]))
    else:
        assert close_to(book.fund(i, x), oracle.fund(i, x), scale(book))


def scale(book: Book) -> float:
    rates = np.nan_to_num(book.currencies["rate"], nan=1.0)
    held = np.abs(rates * book.currencies["cash"]).sum() + np.abs(rates * book.currencies["gross"]).sum()
    return float(held + book.positions["cost"].sum())


@given(EVENTS)
@settings(max_examples=150)
def test_every_amount_equals_exact_arithmetic_after_every_event(events: list[Any]) -> None:
    book = several()
    oracle = Oracle(book)
    for event in events:
        play(book, oracle, event)
        exact = oracle.totals()
        assert book.positions["qty_lots"].tolist() == oracle.lots
        for name in TOTALS:
            assert close_to(book.account[name][0], exact[name], scale(book)), name
        for i in range(len(CATALOGUE)):
            assert close_to(book.positions["exposure"][i], oracle.exposure(i), scale(book))
            assert close_to(book.positions["unrealized"][i], oracle.unrealized(i), scale(book))
            assert book.positions["loss_ratio"][i] == pytest.approx(float(oracle.loss_ratio(i)), abs=1e-9)


@given(EVENTS)
@settings(max_examples=100)
def test_sums_kept_by_differences_equal_sums_taken_afresh(events: list[Any]) -> None:
    book = several()
    oracle = Oracle(book)
    for event in events:
        play(book, oracle, event)
    fresh = book.copy()
    fresh.rebase()
    for name in TOTALS:
        assert book.account[name][0] == pytest.approx(
            fresh.account[name][0], rel=1e-9, abs=1e-9 * scale(book)
        )
    for name in SUMS:
        assert book.currencies[name] == pytest.approx(
            fresh.currencies[name], rel=1e-9, abs=1e-9 * scale(book)
        )


@given(EVENTS)
@settings(max_examples=100)
def test_equity_is_the_sum_of_cash_and_unrealised_at_the_rates(events: list[Any]) -> None:
    book = several()
    oracle = Oracle(book)
    for event in events:
        play(book, oracle, event)
        c = book.currencies
        assert book.account["equity"][0] == pytest.approx(
            (c["rate"] * (c["cash"] + c["unrealized"])).sum(), rel=1e-9
        )


@given(EVENTS)
@settings(max_examples=100)
def test_a_book_that_is_flat_is_exactly_zero(events: list[Any]) -> None:
    book = several()
    oracle = Oracle(book)
    for event in events:
        play(book, oracle, event)
    for i, lots in enumerate(book.positions["qty_lots"].tolist()):
        book.fill(i, -lots, START_PX[i])
    for name in DERIVED:
        assert book.positions[name].tolist() == [0.0] * len(CATALOGUE), name
    for name in SUMS:
        assert book.currencies[name].tolist() == [0.0] * len(CASH), name
    assert book.account["gross"][0] == book.account["margin"][0] == book.account["leverage"][0] == 0.0
    assert book.account["margin_ratio"][0] == np.inf


@given(EVENTS)
@settings(max_examples=50)
def test_the_parts_of_cash_add_up(events: list[Any]) -> None:
    book = several()
    oracle = Oracle(book)
    for event in events:
        play(book, oracle, event)
    p = book.positions
    for c, start in enumerate(CASH):
        own = book.instruments["settle"] == c
        parts = start + (p["realized"][own] - p["fees"][own] + p["funding"][own]).sum()
        assert book.currencies["cash"][c] == pytest.approx(parts, abs=1e-9 * scale(book))


def test_a_linear_average_is_arithmetic_and_an_inverse_one_harmonic() -> None:
    book = several()
    for i, low, high in ((0, 100.0, 200.0), (1, 30_000.0, 60_000.0)):
        book.fill(i, 5, low)
        book.fill(i, 5, high)
    assert book.positions["avg_px"][:2].tolist() == [150.0, 40_000.0]
    assert book.positions["cost"][1] == pytest.approx(10 * 10.0 / 40_000.0)


def test_a_fill_through_zero_closes_and_opens_the_rest_at_its_price() -> None:
    book = several()
    book.fill(0, 1000, 100.0)
    assert book.fill(0, -3000, 110.0) == pytest.approx(10.0)
    row = book.positions[0]
    assert (row["qty_lots"], row["avg_px"], row["realized"]) == (-2000, 110.0, pytest.approx(10.0))


def test_reducing_keeps_the_average_to_the_bit() -> None:
    book = several()
    book.fill(0, 7, 100.03)
    book.fill(0, 5, 99.91)
    before = book.positions["avg_px"][0]
    book.fill(0, -11, 140.0)
    assert book.positions["avg_px"][0] == before


def test_longs_pay_positive_funding_and_shorts_receive_it() -> None:
    book = several()
    book.fill(0, 1000, 100.0)
    book.fill(1, -100, 60_000.0)
    assert book.fund(0, 0.01) == pytest.approx(-1.0)
    assert book.fund(1, 0.01) == pytest.approx(100 * 10.0 / 60_000.0 * 0.01)
    assert book.fund(2, 0.01) == 0.0


def test_a_position_without_a_mark_is_valued_at_cost() -> None:
    book = blank(CATALOGUE[:1], [1000.0])
    book.rebase()
    book.fill(0, 1000, 50.0, 1.0)
    assert (book.positions["exposure"][0], book.positions["unrealized"][0]) == (50.0, 0.0)
    assert book.account["equity"][0] == 999.0


@pytest.mark.parametrize("rate", [np.nan, 0.0, -1.0])
def test_a_used_currency_without_a_rate_makes_equity_unknown(rate: float) -> None:
    book = several()
    book.currencies["rate"][EUR] = rate
    book.markets["mark_px"][4] = 0.0  # its fx instrument has never been marked
    book.rebase()
    assert np.isnan(book.account["equity"][0])
    assert np.isnan(book.account["drawdown"][0])


def test_an_unused_currency_without_a_rate_is_nobodys_business() -> None:
    book = several()
    book.currencies["rate"][EUR], book.currencies["cash"][EUR], book.markets["mark_px"][4] = np.nan, 0.0, 0.0
    book.rebase()
    assert book.account["equity"][0] == pytest.approx(CASH[0] + CASH[BTC] * 60_000.0)


def test_the_first_mark_of_an_fx_instrument_makes_equity_known() -> None:
    book = blank(CATALOGUE, CASH)
    book.run(quotes([(2, 120_000)]))
    assert np.isnan(book.account["equity"][0])
    book.run(quotes([(4, 11_000)]))
    assert book.account["equity"][0] == pytest.approx(100_000.0 + 2 * 60_000.0 + 5_000.0 * 1.1)


def test_peak_drawdown_and_daily_loss_follow_equity() -> None:
    book = blank(CATALOGUE[:1], [1000.0])
    book.rebase()
    book.account["equity_day_open"] = 1000.0
    book.run(quotes([(0, 10_000)]))
    book.fill(0, 10_000, 100.0)
    book.run(quotes([(0, 12_000), (0, 9_000)]))
    acct = book.account[0]
    assert acct["equity_peak"] == pytest.approx(1200.0)
    assert acct["drawdown"] == pytest.approx(0.25)
    assert acct["daily_loss"] == pytest.approx(0.10)
    assert acct["emergency_loss"] == acct["drawdown"] == acct["drawdown_max"]
    book.run(quotes([(0, 12_000)]))
    assert (acct["drawdown"], acct["daily_loss"]) == (0.0, 0.0)
    assert acct["drawdown_max"] == pytest.approx(0.25)


def test_a_loss_against_an_empty_account_is_infinite() -> None:
    book = blank(CATALOGUE[:1], [0.0])
    book.rebase()
    assert (book.account["drawdown"][0], book.account["leverage"][0]) == (0.0, 0.0)
    book.fill(0, 10, 100.0, 0.5)
    assert book.account["drawdown"][0] == np.inf
    assert book.account["leverage"][0] == np.inf


def test_an_infinite_equity_never_becomes_the_peak() -> None:
    book = several()
    peak = float(book.account["equity_peak"][0])
    book.currencies["cash"][0] = np.inf
    book.rebase()
    assert book.account["equity_peak"][0] == peak
