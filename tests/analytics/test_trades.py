"""Round trips and their statistics: from flat to flat, turned over, in parts, by strategy and symbol."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.errors import RiskInputError
from core.analytics.trades import Fill, round_trips, statistics_by, trade_statistics

S = 1_000_000_000


def fills(*rows: tuple[int, int, float], symbol: str = "BTC", fee: float = 0.0) -> list[Fill]:
    return [Fill(second * S, symbol, lots, price, 1.0, fee) for second, lots, price in rows]


def test_one_round_trip_in_parts() -> None:
    trades, still_open = round_trips(
        fills((0, 2, 100.0), (10, 1, 103.0), (20, -1, 110.0), (60, -2, 90.0), fee=0.5)
    )
    (trade,) = trades
    assert still_open == 0 and trade.side == "buy" and trade.lots == 3 and trade.fills == 4
    assert trade.gross == pytest.approx(110 + 2 * 90 - 2 * 100 - 103)
    assert trade.fees == 2.0 and trade.net == trade.gross - 2.0
    assert (trade.opened_ns, trade.closed_ns) == (0, 60 * S)


def test_a_fill_that_turns_the_position_over_is_in_two_trades() -> None:
    rows = [Fill(0, "BTC", 2, 100.0), Fill(S, "BTC", -6, 110.0, fee=6.0), Fill(2 * S, "BTC", 4, 105.0)]
    first, second = round_trips(rows)[0]
    assert (first.side, first.gross, first.fees) == ("buy", 20.0, 2.0)
    assert (second.side, second.gross, second.fees) == ("sell", 20.0, 4.0)
    assert second.opened_ns == S and second.lots == 4


def test_the_statistics_of_four_trades() -> None:
    rows = fills((0, 1, 100.0), (10, -1, 110.0), (20, 1, 100.0), (40, -1, 104.0),
                 (50, -1, 100.0), (80, 1, 107.0), (90, 1, 50.0), (130, -1, 50.0), (140, 1, 60.0))  # fmt: skip
    found = trade_statistics(rows)
    assert (found.n, found.wins, found.losses, found.open) == (4, 2, 1, 1)
    assert found.hit_rate == pytest.approx(2 / 3)
    assert (found.average_win, found.average_loss, found.payoff) == (7.0, -7.0, 1.0)
    assert found.profit_factor == 2.0 and found.expectancy == 7.0 / 4
    assert (found.largest_win, found.largest_loss) == (10.0, -7.0)
    assert (found.longest_winning_run, found.longest_losing_run) == (2, 1)
    assert (found.holding_s_mean, found.holding_s_median) == (25.0, 25.0)
    assert list(found.summary()) == list(found.__struct_fields__)


def test_fees_can_turn_a_win_into_a_loss() -> None:
    found = trade_statistics(fills((0, 1, 100.0), (1, -1, 101.0), fee=0.75))
    assert (found.wins, found.losses, found.net, found.fee_share) == (0, 1, -0.5, 1.5)


def test_strategies_and_symbols_hold_books_of_their_own() -> None:
    rows = [
        Fill(0, "BTC", 1, 100.0, strategy="a"),
        Fill(1, "BTC", -1, 120.0, strategy="b"),
        Fill(2, "BTC", -1, 110.0, strategy="a"),
        Fill(3, "ETH", 1, 10.0, strategy="b"),
    ]
    by_strategy = statistics_by(rows, lambda fill: fill.strategy)
    assert (by_strategy["a"].net, by_strategy["a"].open) == (10.0, 0)
    assert (by_strategy["b"].n, by_strategy["b"].open) == (0, 2)
    assert statistics_by(rows, lambda fill: fill.symbol)["BTC"].n == 1
    assert trade_statistics(rows).net == sum(s.net for s in by_strategy.values())


def test_nothing_traded_is_nan_not_zero() -> None:
    found = trade_statistics([])
    assert found.n == found.net == 0
    assert all(
        math.isnan(v) for v in (found.hit_rate, found.expectancy, found.payoff, found.holding_s_median)
    )


@given(
    st.lists(st.tuples(st.integers(-5, 5).filter(bool), st.integers(1, 1000), st.integers(0, 9)), max_size=60)
)
@settings(max_examples=100)
def test_trades_add_up_to_the_cash_that_moved(rows: list[tuple[int, int, int]]) -> None:
    held = sum(lots for lots, _, _ in rows)
    if held:
        rows = [*rows, (-held, 500, 0)]
    made = [Fill(i, "X", lots, price / 8, 0.5, fee / 4) for i, (lots, price, fee) in enumerate(rows)]
    cash = sum(-Fraction(f.lots) * Fraction(f.price) * Fraction(f.lot_value) - Fraction(f.fee) for f in made)
    found = trade_statistics(made)
    assert found.open == 0 and found.net == pytest.approx(float(cash), abs=1e-9)
    assert sum(t.lots for t in round_trips(made)[0]) * 2 == sum(abs(f.lots) for f in made)


@pytest.mark.parametrize(
    ("fill", "code"),
    [
        (Fill(0, "X", 0, 1.0), "BAD_CELL"),
        (Fill(0, "X", 1, math.nan), "NOT_FINITE"),
        (Fill(0, "X", 1, 0.0), "NOT_FINITE"),
        (Fill(0, "X", 1, 1.0, -1.0), "NOT_FINITE"),
        (Fill(0, "X", 1, 1.0, 1.0, math.inf), "NOT_FINITE"),
        (Fill(-1, "X", 1, 1.0), "UNSORTED_DATES"),
    ],
)
def test_bad_fills_are_refused_by_name(fill: Fill, code: str) -> None:
    with pytest.raises(RiskInputError) as refused:
        trade_statistics([Fill(0, "X", 1, 1.0), fill])
    assert refused.value.code == code
