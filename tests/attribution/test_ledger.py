"""Whole numbers: prices of a lot, cash, and the size of a unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.instruments import InstrumentSpec
from core.engine.ledger import ATTO, Entry, attos, digits_for, divided, lot_attos, pay, unit_of, worth

from .oracle import exact, lot_worth

LINEAR = InstrumentSpec(symbol="BTC/USDT", tick_size=0.01, lot_size=0.00001)
INVERSE = InstrumentSpec(
    symbol="BTC/USD:BTC", settle="BTC", inverse=True, tick_size=0.1, contract_value=100.0
)


@given(st.integers(1, 10**9))
def test_a_linear_lot_costs_exactly_what_its_decimals_say(ticks: int) -> None:
    price = ticks * LINEAR.tick_size  # a float, with a float's dust
    wanted = lot_worth(LINEAR, ticks * exact(LINEAR.tick_size)) * ATTO
    assert wanted.denominator == 1 and lot_attos(unit_of(LINEAR), price) == wanted


@given(st.integers(1, 10**8))
def test_an_inverse_lot_is_rounded_once_to_an_atto(ticks: int) -> None:
    wanted = lot_worth(INVERSE, ticks * exact(INVERSE.tick_size)) * ATTO
    assert abs(lot_attos(unit_of(INVERSE), ticks * INVERSE.tick_size) - wanted) <= Fraction(1, 2)


@given(st.floats(0.5, 1e7), st.sampled_from((LINEAR, INVERSE)))
def test_an_averaged_price_between_ticks_is_taken_as_it_is(price: float, spec: InstrumentSpec) -> None:
    wanted = lot_worth(spec, Fraction(price)) * ATTO
    off = abs(lot_attos(unit_of(spec), price) - wanted)
    dust = Fraction(1, 10**9) / int(price / spec.tick_size) + Fraction(
        1, 10**15
    )  # of a price: meant to be a tick
    assert off <= 1 + abs(wanted) * dust


@given(st.lists(st.floats(-1e9, 1e9), max_size=20))
def test_cash_is_kept_to_the_atto_whatever_is_added(amounts: list[float]) -> None:
    entry = Entry("a", 0, "USDT")
    for amount in amounts:
        pay(entry, attos(amount))
        assert 0 <= entry.atto < ATTO
    assert entry.whole * ATTO + entry.atto == sum(attos(amount) for amount in amounts)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_division_is_to_the_nearest(num: int, den: int) -> None:
    assert abs(divided(num, den) - Fraction(num, den)) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("equity", "digits"), [(0.0, 9), (1e6, 9), (2e6, 9), (2.1e6, 6), (-3e8, 6), (1e12, 3), (1e15, 0)]
)
def test_a_unit_is_as_fine_as_floats_can_tell(equity: float, digits: int) -> None:
    assert digits_for(equity) == digits
    assert abs(equity) * 10**digits < 2**53


def test_a_worth_that_no_snapshot_could_hold_is_none() -> None:
    assert worth(Entry("a", 0, "USDT", whole=10**10), 0.0, 1.0, 1e9) is None
    assert worth(Entry("a", 0, "USDT", whole=4 * 10**9), 0.0, 1.0, 1e9) == 4 * 10**18
