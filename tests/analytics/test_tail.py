"""Tail indices and peaks over threshold: known laws, scipy on real closes, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.analytics.errors import RiskInputError
from core.analytics.tail import fit_pareto, hill, pot
from core.analytics.var import value_at_risk

from .oracles import recorded, returns


@pytest.mark.parametrize("name", ["spy", "btc", "AAPL", "GOOG", "AMD", "BABA"])
def test_pareto_fit_is_the_root_of_the_score(name: str) -> None:
    theirs = recorded()["pareto"][name]
    ours = pot(returns(name), 0.01, theirs["k"])
    assert (ours.xi, ours.beta, ours.var) == pytest.approx(
        (theirs["xi"], theirs["beta"], theirs["var"]), rel=1e-9
    )
    assert ours.es == pytest.approx(
        (ours.var + ours.beta - ours.xi * ours.threshold) / (1 - ours.xi), rel=1e-12
    )
    assert ours.es > ours.var > ours.threshold


@pytest.mark.parametrize("xi", [-0.3, 0.0, 0.25, 0.8])
def test_pareto_fit_finds_the_law_it_is_given(xi: float) -> None:
    p = (np.arange(20_000) + 0.5) / 20_000
    y = 0.02 * (np.expm1(-xi * np.log1p(-p)) / xi if xi else -np.log1p(-p))
    assert fit_pareto(y) == (pytest.approx(xi, abs=0.01), pytest.approx(0.02, rel=0.01))


def test_hill_is_its_sum_and_finds_a_power_law() -> None:
    x = -np.array([8.0, 4.0, 2.0, 2.0, 2.0, 1.0, 0.5, -3.0, -4.0])
    found = hill(x, 5)
    assert found.xi == pytest.approx((math.log(8) + math.log(4) + 3 * math.log(2)) / 5, rel=1e-15)
    assert (found.threshold, found.xi_error) == (1.0, pytest.approx(found.xi / math.sqrt(5)))
    p = (np.arange(100_000) + 0.5) / 100_000
    assert hill(-((1 - p) ** (-1 / 3.0)), 5000).index == pytest.approx(3.0, rel=0.01)


def test_tails_scale_with_the_unit() -> None:
    x = returns("spy")
    one, thousand = pot(x, 0.005, 300), pot(1000 * x, 0.005, 300)
    assert (1000 * one.var, 1000 * one.es, one.xi) == pytest.approx(
        (thousand.var, thousand.es, thousand.xi), rel=1e-9
    )
    assert hill(x, 300).index == pytest.approx(hill(1000 * x, 300).index, rel=1e-12)


def test_beyond_the_data_pot_goes_on_where_history_ends() -> None:
    x = returns("btc")
    assert pot(x, 1e-4, 65).var > value_at_risk(x, 0.001).var
    with pytest.raises(RiskInputError):
        value_at_risk(x, 1e-4)


SAMPLE = np.random.default_rng(4).standard_t(4, 400)


@pytest.mark.parametrize(("call", "code"), [
    (lambda: hill(SAMPLE, 0), "BAD_OPTION"),
    (lambda: hill(SAMPLE, 400), "BAD_OPTION"),
    (lambda: hill(SAMPLE, 350), "BAD_OPTION"),  # gains among the losses
    (lambda: hill(-np.ones(50) - np.eye(50)[0] * -3, 20), "ZERO_VARIANCE"),
    (lambda: hill([math.nan] * 50, 20), "NOT_FINITE"),
    (lambda: pot(SAMPLE, 0.2, 20), "BAD_OPTION"),
    (lambda: pot(SAMPLE, 0.99, 20), "BAD_ALPHA"),
    (lambda: pot(np.append(-np.ones(30), np.arange(70.0)), 0.01, 20), "ZERO_VARIANCE"),
    (lambda: fit_pareto([1.0, 2.0]), "TOO_FEW_ROWS"),
    (lambda: fit_pareto([1.0, 2.0, 3.0, -1.0, 2.0]), "NOT_POSITIVE"),
])  # fmt: skip
def test_bad_input_is_a_named_error(call, code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        call()
    assert caught.value.code == code
