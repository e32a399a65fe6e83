"""Covariance, beta and correlation breakdown: NIST and RiskMetrics numbers, scikit-learn, statsmodels, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.analytics import covariance as cov
from core.analytics.errors import RiskInputError
from core.kernels.risk.covariance import ewma_update

from .oracles import recorded, stocks

NORRIS = """0.1 0.2 338.8 337.4 118.1 118.2 888.0 884.6 9.2 10.1 228.1 226.5 668.5 666.3 998.5 996.3 449.1 448.6 778.9 777.0
 559.2 558.2 0.3 0.4 0.1 0.6 778.1 775.5 668.8 666.9 339.3 338.0 448.9 447.5 10.8 11.6 557.7 556.0 228.3 228.1 998.0 995.8
 888.8 887.6 119.6 120.2 0.3 0.3 0.6 0.3 557.6 556.8 339.3 339.1 888.0 887.2 998.5 999.0 778.9 779.0 10.2 11.1 117.6 118.3
 228.9 229.2 668.4 669.1 449.2 448.9 0.2 0.5"""


def test_nist_norris_line() -> None:
    """Certified digits: slope and intercept to 13 of 15, the residual's to 13 as well."""
    pairs = np.array(NORRIS.split(), float).reshape(-1, 2)
    line = cov.beta(pairs[:, 0], pairs[:, 1])
    assert line.beta == pytest.approx(1.00211681802045, rel=1e-14)
    assert line.alpha == pytest.approx(-0.262323073774029, rel=1e-12)
    assert line.residual_sd == pytest.approx(0.884796396144373, rel=1e-13)


@pytest.mark.parametrize(("data", "mean", "sd", "error"), [
    ([10000002.0, 10000001.0, 10000003.0], 10000002.0, 1.0, 1e-15),
    ([1.2] + [1.1, 1.3] * 500, 1.2, 0.1, 1e-14),
    ([1000000.2] + [1000000.1, 1000000.3] * 500, 1000000.2, 0.1, 1e-9),
    ([10000000.2] + [10000000.1, 10000000.3] * 500, 10000000.2, 0.1, 10**-8.2),  # what float64 holds of the data
])  # fmt: skip
def test_nist_numerical_accuracy(data: list[float], mean: float, sd: float, error: float) -> None:
    y = np.array(data)
    assert math.sqrt(cov.sample(y[:, None])[0, 0]) == pytest.approx(sd, rel=error)
    assert y.mean() == pytest.approx(mean, rel=1e-15)


@pytest.mark.parametrize(("decay", "tolerance", "days"), [
    (0.94, 1e-5, 186), (0.94, 1e-4, 149), (0.94, 1e-3, 112), (0.94, 1e-2, 74),
    (0.97, 1e-5, 378), (0.97, 1e-4, 302), (0.97, 1e-3, 227), (0.97, 1e-2, 151),
])  # fmt: skip
def test_riskmetrics_days(decay: float, tolerance: float, days: int) -> None:
    assert cov.ewma_days(decay, tolerance) == days


def test_matrices_agree_with_the_libraries() -> None:
    x, theirs = stocks().returns, recorded()["panel"]
    shrunk, intensity = cov.ledoit_wolf(x)
    assert len(x) == theirs["rows"]
    assert intensity == pytest.approx(theirs["ledoit_wolf_shrinkage"], rel=1e-9)
    assert shrunk[0] == pytest.approx(theirs["ledoit_wolf_first_row"], rel=1e-9)
    assert cov.sample(x)[0] == pytest.approx(theirs["sample_first_row"], rel=1e-9)
    assert cov.ewma(x)[0] == pytest.approx(theirs["ewma_first_row"], rel=1e-9)


def test_beta_agrees_with_statsmodels() -> None:
    panel, theirs = stocks(), recorded()["panel"]
    line = cov.beta(panel.returns[:, panel.names.index("AAPL")], panel.returns[:, panel.names.index("JPM")])
    for key in ("beta", "alpha", "beta_error", "r_squared", "residual_sd"):
        assert getattr(line, key) == pytest.approx(theirs[key], rel=1e-9), key


def test_ewma_one_more_day_is_the_longer_series() -> None:
    x = np.random.default_rng(0).standard_normal((60, 4))
    day_by_day = cov.ewma(x[:-1])
    ewma_update(day_by_day, x[-1], 0.94)
    assert np.array_equal(day_by_day, cov.ewma(x))
    assert cov.ewma_volatility(x[:, 0])[-1] == pytest.approx(math.sqrt(cov.ewma(x)[0, 0]), rel=1e-12)


def test_a_volatility_forecast_has_not_seen_its_day() -> None:
    x = np.random.default_rng(1).standard_normal(50)
    changed = np.append(x[:-1], 1000.0)
    assert np.array_equal(cov.ewma_volatility(x)[:50], cov.ewma_volatility(changed)[:50])


def test_factor_is_a_root_also_without_full_rank() -> None:
    x = np.random.default_rng(2).standard_normal((5, 8))
    for matrix in (cov.sample(x), cov.ledoit_wolf(x)[0], np.zeros((2, 2)) + 1.0):
        root = cov.factor(matrix)
        assert root @ root.T == pytest.approx(matrix, abs=1e-12)


def test_breakdown_at_both_ends() -> None:
    w, sds = np.array([1.0, -2.0, 3.0]), np.array([0.1, 0.2, 0.05])
    together = cov.breakdown(w, np.outer(sds, sds))
    assert (together.distance, together.average_correlation) == pytest.approx((0.0, 1.0))
    assert together.sd == pytest.approx(together.sd_all_ones) == pytest.approx(0.15)
    apart = cov.breakdown(w, np.diag(sds**2))
    assert (apart.distance, apart.sd_worst) == pytest.approx((1.0, 0.65))
    assert apart.diversification == pytest.approx(0.65 / math.sqrt(0.01 + 0.16 + 0.0225))


def test_stressed_correlation_stays_one() -> None:
    corr = cov.correlation(stocks().returns.T @ stocks().returns)
    for share in (0.0, 0.3, 1.0):
        mixed = cov.stressed(corr, share)
        assert np.linalg.eigvalsh(mixed)[0] > -1e-12
        assert np.array_equal(np.diag(mixed), np.ones(20))
    assert cov.stressed(corr, 1.0).min() == 1.0


@pytest.mark.parametrize(("call", "code"), [
    (lambda: cov.sample([[1.0, math.nan], [2.0, 3.0]]), "NOT_FINITE"),
    (lambda: cov.sample([[1.0, 2.0]]), "TOO_FEW_ROWS"),
    (lambda: cov.sample([1.0, 2.0]), "BAD_SHAPE"),
    (lambda: cov.factor([[1.0, 2.0], [2.0, 1.0]]), "NOT_PSD"),
    (lambda: cov.factor([[-1.0]]), "NOT_PSD"),
    (lambda: cov.factor([[0.0]]), "NOT_PSD"),
    (lambda: cov.factor([[1.0, 0.5], [0.1, 1.0]]), "BAD_SHAPE"),
    (lambda: cov.factor([[1.0, 0.5]]), "BAD_SHAPE"),
    (lambda: cov.correlation([[1.0, 0.0], [0.0, 0.0]]), "ZERO_VARIANCE"),
    (lambda: cov.beta([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]), "ZERO_VARIANCE"),
    (lambda: cov.beta([1.0, 2.0, 3.0], [1.0, 2.0, 4.0, 5.0]), "BAD_SHAPE"),
    (lambda: cov.ewma([[1.0], [2.0]], 1.5), "BAD_OPTION"),
    (lambda: cov.ewma_days(0.94, 0.0), "BAD_OPTION"),
    (lambda: cov.stressed([[1.0]], 2.0), "BAD_OPTION"),
    (lambda: cov.breakdown([1.0, 1.0, 1.0], np.eye(2)), "BAD_SHAPE"),
])  # fmt: skip
def test_bad_input_is_a_named_error(call, code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        call()
    assert caught.value.code == code


def test_a_series_that_follows_nothing_has_no_r_squared() -> None:
    assert math.isnan(cov.beta([1.0, 1.0, 1.0], [1.0, 2.0, 4.0]).r_squared)
