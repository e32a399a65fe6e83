"""Backtests: Kupiec's table, the Basel table, and forecasts that see nothing of their day."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from core.analytics import backtest as bt
from core.analytics.errors import RiskInputError
from core.analytics.var import value_at_risk
from core.kernels.risk.normal import binomial_cdf

from .oracles import returns


@pytest.mark.parametrize(("alpha", "tests", "low", "high"), [
    (0.01, 255, 0, 7), (0.01, 510, 1, 11), (0.01, 1000, 4, 17),
    (0.05, 255, 6, 21), (0.05, 510, 16, 36), (0.05, 1000, 37, 65),
])  # fmt: skip
def test_kupiec_regions(alpha: float, tests: int, low: int, high: int) -> None:
    accepted = [n for n in range(tests + 1) if bt.kupiec(n, tests, alpha).p > 0.05]
    if (alpha, tests) == (0.01, 255):
        low = -1 if 0 in accepted else 0  # printed as N < 7
    assert (accepted[0] - 1, accepted[-1] + 1) == (low, high)


def test_basel_table() -> None:
    cumulative = [f"{100 * bt.basel(k, 250, 0.01).cumulative:.2f}" for k in range(11)]
    assert cumulative == "8.11 28.58 54.32 75.81 89.22 95.88 98.63 99.60 99.89 99.97 99.99".split()
    rows = [bt.basel(k, 250, 0.01) for k in range(16)]
    assert [row.zone for row in rows] == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 6
    assert [row.plus_factor for row in rows] == [0.0] * 5 + [0.40, 0.50, 0.65, 0.75, 0.85] + [1.0] * 6
    assert bt.basel(3, 500, 0.01).plus_factor is None


def test_kupiec_is_its_formula() -> None:
    def xlogy(x, y):
        return x * math.log(y) if x else 0.0

    for n, t, a in ((0, 250, 0.01), (7, 250, 0.01), (250, 250, 0.01), (30, 500, 0.05)):
        q = n / t
        lr = -2 * (xlogy(n, a) + xlogy(t - n, 1 - a) - xlogy(n, q) - xlogy(t - n, 1 - q))
        assert bt.kupiec(n, t, a).lr == pytest.approx(lr, rel=1e-12)
    assert bt.kupiec(5, 500, 0.01) == bt.Ratio(0.0, 1.0)


def test_christoffersen_is_its_counts() -> None:
    hits = [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    pairs = list(pairwise(hits))
    n00, n01, n10, n11 = (pairs.count(pair) for pair in ((0, 0), (0, 1), (1, 0), (1, 1)))
    p01, p11, p = n01 / (n00 + n01), n11 / (n10 + n11), (n01 + n11) / len(pairs)
    null = (1 - p) ** (n00 + n10) * p ** (n01 + n11)
    free = (1 - p01) ** n00 * p01**n01 * (1 - p11) ** n10 * p11**n11
    found = bt.christoffersen(hits)
    assert found.lr == pytest.approx(-2 * math.log(null / free), rel=1e-12)
    assert bt.conditional_coverage(hits, 0.05).lr == pytest.approx(
        found.lr + bt.kupiec(7, 21, 0.05).lr, rel=1e-12
    )


def test_clusters_are_seen_and_scattered_ones_are_not() -> None:
    clustered = np.zeros(500, bool)
    clustered[100:110] = True
    scattered = np.zeros(500, bool)
    scattered[25::50] = True
    assert bt.christoffersen(clustered).p < 1e-9
    assert bt.christoffersen(scattered).p > 0.4
    assert bt.christoffersen(np.zeros(500, bool)) == bt.Ratio(0.0, 1.0)


@pytest.mark.parametrize("method", bt.ROLLING)
def test_a_forecast_is_that_of_the_window_before_its_day(method: str) -> None:
    x = returns("btc")[:420]
    var, es = bt.forecasts(x, 0.025, 400, method)
    assert len(var) == len(es) == 20
    for t in (0, 13, 19):
        one = value_at_risk(x[t : t + 400], 0.025, method)
        assert (var[t], es[t]) == pytest.approx((one.var, one.es), rel=1e-12)
    changed = x.copy()
    changed[410:] = 0.5
    assert np.array_equal(bt.forecasts(changed, 0.025, 400, method)[0][:11], var[:11])


def test_real_closes_historical_misses_clusters_and_filtering_helps() -> None:
    plain, filtered = (
        bt.backtest(returns("spy"), 0.01, 500, m) for m in ("historical", "filtered_historical")
    )
    assert (plain.tests, plain.exceptions, filtered.exceptions) == (5348, 79, 64)
    assert plain.kupiec.p < 0.01 < filtered.kupiec.p
    assert plain.independence.p < filtered.independence.p
    assert (plain.basel.zone, filtered.basel.zone) == ("yellow", "green")
    assert plain.z2 < filtered.z2 < 0
    by_hand = returns("spy")[500:] < -plain.var
    assert int(by_hand.sum()) == plain.exceptions


def test_z2_by_hand_and_its_critical_value() -> None:
    z2 = bt.acerbi_szekely([-0.05, 0.01, -0.01, -0.06], [0.04] * 4, [0.05] * 4, 0.25)
    assert z2 == pytest.approx(1 + (-1.0 - 1.2) / (4 * 0.25))
    assert bt.z2_p_value(-0.7, 250, 0.025) == pytest.approx(
        0.05, abs=0.01
    )  # Acerbi and Szekely 2014: -0.7 at 5 %
    assert bt.z2_p_value(-5.0, 250, 0.025) > 0.0  # a simulated p-value is never nought


def test_right_forecasts_are_rejected_as_often_as_said() -> None:
    rng = np.random.default_rng(17)
    rejected = [bt.kupiec(int(rng.binomial(1000, 0.05)), 1000, 0.05).p < 0.05 for _ in range(2000)]
    exact = 1 - binomial_cdf(64, 1000, 0.05) + binomial_cdf(37, 1000, 0.05)
    assert np.mean(rejected) == pytest.approx(exact, abs=0.012)


@pytest.mark.parametrize(("window", "alpha", "method", "code"), [
    (50, 0.01, "historical", "TAIL_TOO_THIN"),
    (300, 0.01, "historical", "TOO_FEW_ROWS"),
    (1, 0.05, "normal", "BAD_OPTION"),
    (100, 0.95, "normal", "BAD_ALPHA"),
    (100, 0.05, "monte_carlo", "BAD_METHOD"),
])  # fmt: skip
def test_bad_input_is_a_named_error(window: int, alpha: float, method: str, code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        bt.backtest(np.random.default_rng(0).standard_normal(300), alpha, window, method)
    assert caught.value.code == code


def test_a_loss_of_exactly_the_var_is_no_exception() -> None:
    x = np.array([-1.0, 0.5, 0.25] * 40)
    assert bt.backtest(x, 0.05, 60).exceptions == 0
    assert bt.backtest(np.append(x, -1.0000001), 0.05, 60).exceptions == 1


def test_es_that_is_no_loss_has_no_z2_and_the_rest_stands() -> None:
    found = bt.backtest(np.linspace(0.01, 0.02, 200), 0.05, 100)
    assert (found.exceptions, found.kupiec.p < 0.01) == (0, True)
    assert math.isnan(found.z2) and math.isnan(found.z2_p)


@pytest.mark.parametrize("method", ["historical", "normal"])
def test_a_window_that_stands_still_is_refused(method: str) -> None:
    x = np.random.default_rng(0).standard_normal(400)
    x[150:249] = 0.0
    bt.backtest(x, 0.05, 100, method)
    x[150:250] = 0.0
    with pytest.raises(RiskInputError) as caught:
        bt.backtest(x, 0.05, 100, method)
    assert caught.value.code == "ZERO_VARIANCE"


def test_counts_that_cannot_be_are_refused() -> None:
    for exceptions, tests in ((-1, 10), (11, 10), (0, 0)):
        with pytest.raises(RiskInputError):
            bt.kupiec(exceptions, tests, 0.01)
        with pytest.raises(RiskInputError):
            bt.basel(exceptions, tests, 0.01)
    with pytest.raises(RiskInputError) as caught:
        bt.acerbi_szekely([-0.1, 0.1], [0.05, 0.05], [0.0, 0.05], 0.05)
    assert caught.value.code == "NOT_POSITIVE"
