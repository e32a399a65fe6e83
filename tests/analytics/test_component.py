"""Component, marginal, incremental VaR and concentration: Hull, Jorion, and sums that are exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analytics.component import (
    concentration,
    historical_es,
    historical_var,
    incremental_var,
    normal_es,
    normal_var,
)
from core.analytics.errors import RiskInputError
from core.analytics.var import value_at_risk

from .oracles import stocks

JORION = (np.array([2e6, 1e6]), np.diag([0.05**2, 0.12**2]))
HULL = (np.array([10e6, 5e6]), np.array([[0.02**2, 0.3 * 0.02 * 0.01], [0.3 * 0.02 * 0.01, 0.01**2]]))


def test_hull_two_assets() -> None:
    alone = [
        normal_var(np.array([w]), [[v]], z=2.33).total for w, v in zip(HULL[0], np.diag(HULL[1]), strict=True)
    ]
    both = normal_var(*HULL, z=2.33)
    assert f"{alone[0]:.0f}" == "466000"
    assert f"{both.total / 2.33:.0f}" == "220227"
    assert f"{both.total:.0f}" == "513129"
    ten_days = (np.array([*alone, -both.total]) * math.sqrt(10)).sum()
    assert abs(ten_days - 219_369) < 1


def test_jorion_two_currencies() -> None:
    found = normal_var(*JORION, z=1.65)
    assert f"{found.total / 1.65:.0f}" == "156205"
    assert f"{found.total:.0f}" == "257738"
    assert [f"{m:.4f}" for m in found.marginal] == ["0.0528", "0.1521"]
    assert [f"{c:.0f}" for c in found.component] == ["105630", "152108"]
    assert [f"{100 * s:.1f}" for s in found.share] == ["41.0", "59.0"]
    assert [f"{b:.3f}" for b in found.beta] == ["0.615", "1.770"]
    more = found.total + incremental_var(JORION[0], [10_000.0, 0.0], JORION[1], z=1.65)
    linear = found.total + found.marginal[0] * 10_000
    assert abs(linear - 258_267) < 1
    assert 0 < more - linear < 2  # VaR is convex


@given(st.integers(1, 12), st.integers(0, 10_000))
def test_normal_parts_sum_exactly(m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((m + 5, m)) * 0.02
    w = rng.standard_normal(m) * 1e5
    cov = x.T @ x
    for measure in (normal_var, normal_es):
        found = measure(w, cov, 0.025)
        assert math.fsum(found.component) == found.total
        assert math.fsum(found.share) == pytest.approx(1.0, abs=1e-12)
        scale = found.total / math.sqrt(w @ cov @ w)
        assert scale == pytest.approx(1.959963984540054 if measure is normal_var else 2.337802785, rel=1e-8)


@given(st.integers(1, 8), st.integers(0, 10_000), st.sampled_from([0.01, 0.025, 0.05]))
def test_historical_parts_sum_exactly_to_the_portfolio(m: int, seed: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.standard_t(4, (237, m)) * 0.01, rng.standard_normal(m) * 1e4
    whole = value_at_risk(x @ w, alpha)
    for found, total in ((historical_var(w, x, alpha), whole.var), (historical_es(w, x, alpha), whole.es)):
        assert math.fsum(found.component) == found.total
        assert found.total == pytest.approx(total, rel=1e-9)


def test_marginal_is_the_slope() -> None:
    panel = stocks()
    cov, w = np.cov(panel.returns.T), np.linspace(-1, 2, 20)
    found = normal_var(w, cov, 0.01)
    for i in (0, 7, 19):
        step = np.zeros(20)
        step[i] = 1e-5
        slope = (incremental_var(w, step, cov) - incremental_var(w, -step, cov)) / 2e-5
        assert slope == pytest.approx(found.marginal[i], rel=1e-7)


def test_closing_everything_takes_all_of_the_var() -> None:
    w, cov = JORION
    assert incremental_var(w, -w, cov, 0.01) == pytest.approx(-normal_var(w, cov, 0.01).total, rel=1e-14)


def test_doj_concentration() -> None:
    found = concentration([30, 30, 20, 20])
    assert f"{found.hhi_points:.0f}" == "2600"
    assert found.n_effective == pytest.approx(1 / 0.26)
    assert concentration([-5.0, 5.0]) == concentration([1.0, 1.0])  # gross: a short is a holding too


@pytest.mark.parametrize(("call", "code"), [
    (lambda: normal_var([1.0, 2.0], [[1.0]]), "BAD_SHAPE"),
    (lambda: normal_var([0.0], [[1.0]]), "ZERO_VARIANCE"),
    (lambda: normal_var([1.0, -1.0], [[1.0, 1.0], [1.0, 1.0]]), "ZERO_VARIANCE"),
    (lambda: normal_var([math.nan], [[1.0]]), "NOT_FINITE"),
    (lambda: normal_var([1.0], [[1.0]], 0.99), "BAD_ALPHA"),
    (lambda: historical_es([1.0], np.ones((50, 1)), 0.01), "TAIL_TOO_THIN"),
    (lambda: historical_var([1.0, 2.0], np.ones((500, 1)), 0.01), "BAD_SHAPE"),
    (lambda: incremental_var([1.0], [1.0, 2.0], [[1.0]]), "BAD_SHAPE"),
    (lambda: concentration([0.0, 0.0]), "ZERO_VARIANCE"),
])  # fmt: skip
def test_bad_input_is_a_named_error(call, code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        call()
    assert caught.value.code == code
