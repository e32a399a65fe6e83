"""Kelly: published values, the cap, and nothing where something is unknown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernels.sizing import kelly_fraction, kelly_lots, shrink

numbers = st.floats(allow_nan=True, allow_infinity=True)


def test_a_coin_of_sixty_percent_deserves_a_fifth() -> None:
    """p = .6 at even odds: mean .2, variance about it .96; growth-optimal is .2 with the second moment of 1."""
    assert kelly_fraction(0.2, 1.0, 1.0, 1.0) == pytest.approx(0.2)


def test_half_kelly_is_half_and_the_cap_holds_on_both_sides() -> None:
    assert kelly_fraction(0.05, 0.04, 0.5, 10.0) == pytest.approx(0.625)
    assert kelly_fraction(5.0, 0.04, 1.0, 2.0) == 2.0
    assert kelly_fraction(-5.0, 0.04, 1.0, 2.0) == -2.0


def test_an_estimate_is_drawn_to_zero_by_its_own_error() -> None:
    assert shrink(0.1, 0.04, 4.0) == pytest.approx(0.1 * 0.01 / (0.01 + 0.01))
    assert shrink(0.1, 0.04, 1e12) == pytest.approx(0.1)
    assert shrink(0.1, 0.04, 0.0) == 0.0
    assert shrink(-0.1, 0.04, 4.0) == -shrink(0.1, 0.04, 4.0)


@given(numbers, numbers, numbers, numbers, numbers, numbers, st.floats(1.0, 1e6))
def test_no_input_buys_more_than_the_cap(
    mu: float, sigma2: float, samples: float, fraction: float, equity: float, lot: float, cap: float
) -> None:
    lots = kelly_lots(mu, sigma2, samples, fraction, equity, lot, cap)
    assert lots == 0 or abs(lots) * lot <= cap * (1 + 1e-12)


@pytest.mark.parametrize("position", range(7))
@pytest.mark.parametrize("bad", [math.nan, 0.0])
def test_what_is_not_known_sizes_to_zero(position: int, bad: float) -> None:
    values = [0.01, 1e-4, 100.0, 0.5, 1e5, 10.0, 1e4]
    assert kelly_lots(*values) == 1000
    values[position] = bad
    assert kelly_lots(*values) == 0
