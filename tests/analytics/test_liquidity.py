"""Liquidity: Almgren and Chriss to their printed digits, and costs that are their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.analytics.errors import RiskInputError
from core.analytics.liquidity import almgren_chriss, amihud, spread_cost, time_to_liquidate

CASE = {"sigma": 0.95, "eps": 0.0625, "gamma": 2.5e-7, "eta": 2.5e-6}


def test_almgren_chriss_test_case() -> None:
    way = almgren_chriss(1e6, 5.0, 5, **CASE, risk_aversion=1e-6)
    assert f"{way.kappa:.4f}" == "0.6071"
    assert f"{way.half_life:.2f}" == "1.65"
    printed = [1e6, 541_956, 289_854, 147_898, 62_142, 0]  # the fourth is 147,897.49 exactly
    assert np.abs(way.holdings - printed).max() < 0.52
    assert f"{way.cost:.4f}" == "911226.9863"
    assert f"{way.sd:.4f}" == "603430.6688"


def test_the_two_ends_of_the_frontier() -> None:
    even = almgren_chriss(1e6, 5.0, 5, **CASE, risk_aversion=0.0)
    assert even.cost == pytest.approx(662_500, abs=1e-6)
    assert even.sd**2 == pytest.approx(1.083e12, rel=1e-3)
    assert even.half_life == math.inf
    assert np.diff(even.holdings) == pytest.approx(-2e5)
    at_once = almgren_chriss(1e6, 5.0, 5, **CASE, risk_aversion=1e6)
    assert at_once.cost == pytest.approx(2_562_500, rel=1e-9)
    assert at_once.sd == pytest.approx(0.0, abs=1e-3)


def test_no_schedule_beats_the_optimal_one() -> None:
    best = almgren_chriss(1e6, 5.0, 5, **CASE, risk_aversion=1e-6)
    rng = np.random.default_rng(0)

    def objective(holdings: np.ndarray) -> float:
        sold = -np.diff(holdings)
        cost = 0.5 * 2.5e-7 * 1e12 + 0.0625 * 1e6 + (2.5e-6 - 0.5 * 2.5e-7) * float(sold @ sold)
        return cost + 1e-6 * 0.95**2 * float(holdings[1:] @ holdings[1:])

    assert objective(best.holdings) == pytest.approx(best.cost + 1e-6 * best.sd**2, rel=1e-12)
    for _ in range(200):
        other = best.holdings.copy()
        other[1:-1] += rng.normal(0, 1e4, 4)
        assert objective(other) > objective(best.holdings)


def test_a_short_is_bought_back_at_the_same_cost() -> None:
    long, short = (almgren_chriss(q, 5.0, 5, **CASE, risk_aversion=1e-6) for q in (1e6, -1e6))
    assert (short.cost, short.sd) == (long.cost, long.sd)
    assert np.array_equal(short.holdings, -long.holdings)


def test_costs_and_times() -> None:
    assert spread_cost(-1e6, 0.002) == 1000.0
    assert spread_cost(1e6, 0.002, spread_sd=0.001, stress=3.0) == pytest.approx(2500.0)
    assert amihud([0.01, -0.02], [1e6, 4e6]) == pytest.approx((0.01e-6 + 0.005e-6) / 2)
    assert time_to_liquidate(-500, 1000, 0.1) == 5.0
    assert time_to_liquidate(500, 0.0) == math.inf
    assert time_to_liquidate(0.0, 0.0) == 0.0


@pytest.mark.parametrize(("call", "code"), [
    (lambda: spread_cost(math.nan, 0.01), "BAD_OPTION"),
    (lambda: spread_cost(1.0, -0.01), "BAD_OPTION"),
    (lambda: amihud([0.01, 0.02], [1.0]), "BAD_SHAPE"),
    (lambda: amihud([0.01, 0.02], [1.0, 0.0]), "NOT_POSITIVE"),
    (lambda: amihud([0.01, math.nan], [1.0, 1.0]), "NOT_FINITE"),
    (lambda: time_to_liquidate(1.0, 1.0, 0.0), "BAD_OPTION"),
    (lambda: time_to_liquidate(math.inf, 1.0), "BAD_OPTION"),
    (lambda: almgren_chriss(1e6, 5.0, 0, **CASE, risk_aversion=0.0), "BAD_OPTION"),
    (lambda: almgren_chriss(1e6, 5.0, 5, **{**CASE, "eta": 1e-8}, risk_aversion=0.0), "BAD_OPTION"),
    (lambda: almgren_chriss(1e6, 5.0, 5, **CASE, risk_aversion=-1.0), "BAD_OPTION"),
])  # fmt: skip
def test_bad_input_is_a_named_error(call, code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        call()
    assert caught.value.code == code
