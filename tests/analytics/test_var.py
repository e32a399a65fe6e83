"""VaR and ES: published numbers, other libraries' numbers for real closes, properties, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.analytics.errors import RiskInputError
from core.analytics.parametric import cornish_fisher, is_monotonic, normal_var_es
from core.analytics.simulation import quantile_band, simulate
from core.analytics.var import METHODS, over_periods, value_at_risk, weighted_var_es
from core.kernels.risk.normal import normal_pdf, normal_quantile

from .oracles import recorded, returns

NAMES = ("spy", "btc", "AAPL", "GOOG", "AMD", "BABA")
CUTS = {"tails": None, "tails_first_237": 237, "tails_first_1000": 1000}
AGREE = ("numpy_inverted_cdf_var", "riskfolio_var", "riskfolio_es", "skfolio_es", "normal_var", "normal_es")


@pytest.mark.parametrize(("alpha", "z", "es"), [
    (0.05, "1.6448536", "2.0627128"), (0.025, "1.9599640", "2.3378028"), (0.01, "2.3263479", "2.6652142"),
])  # fmt: skip
def test_standard_normal_to_the_printed_digits(alpha: float, z: str, es: str) -> None:
    assert [f"{value:.7f}" for value in normal_var_es(0.0, 1.0, alpha)] == [z, es]


def test_hull_ten_days_by_the_root_of_time() -> None:
    assert f"{over_periods(466_000, 10):.0f}" == "1473621"
    together = 2.33 * math.sqrt(200_000**2 + 50_000**2 + 2 * 0.3 * 200_000 * 50_000)
    assert f"{over_periods(together, 10):.0f}" == "1622657"


def test_hull_two_projects_fractional_boundary() -> None:
    one = weighted_var_es([-10, -1], [0.02, 0.98], 0.025)
    two = weighted_var_es([-20, -11, -2], [0.0004, 0.0392, 0.9604], 0.025)

    assert one == (1.0, pytest.approx(8.2, abs=1e-12))
    assert two == (11.0, pytest.approx(11.144, abs=1e-12))
    assert two[0] > 2 * one[0]  # VaR punishes the mixture
    assert two[1] <= 2 * one[1]  # ES does not


def test_hull_five_hundred_scenarios() -> None:
    worst = [-477_841, -345_435, -282_204, -277_041, -253_385]
    scenarios = np.array(worst + list(range(-250_000, -250_000 + 495 * 1000, 1000)), dtype=float)
    np.random.default_rng(1).shuffle(scenarios)
    found = value_at_risk(scenarios, 0.01)

    assert (found.var, f"{found.es:.0f}", found.n) == (253_385.0, "327181", 500)


@pytest.mark.parametrize("key", CUTS)
@pytest.mark.parametrize("name", NAMES)
def test_tails_agree_with_the_libraries_that_mean_the_same(name: str, key: str) -> None:
    x = returns(name)[: CUTS[key]]
    for alpha, theirs in recorded()[key][name].items():
        historical, normal = value_at_risk(x, float(alpha)), value_at_risk(x, float(alpha), "normal")
        for which in AGREE:
            ours = normal if which.startswith("normal") else historical
            assert getattr(ours, which.rpartition("_")[2]) == pytest.approx(theirs[which], rel=1e-9), which


@pytest.mark.parametrize("name", NAMES)
def test_where_the_others_mean_something_else(name: str) -> None:
    """empyrical interpolates and takes the plain mean of the tail; skfolio is one observation off at whole alpha n."""
    x = returns(name)
    ours, theirs = value_at_risk(x, 0.01), recorded()["tails"][name]["0.01"]
    below = x[x <= np.quantile(x, 0.01)]
    assert theirs["empyrical_var"] == pytest.approx(-np.quantile(x, 0.01), rel=1e-12)
    assert theirs["empyrical_es"] == pytest.approx(-np.sort(x)[: len(below)].mean(), rel=1e-12)
    assert theirs["empyrical_var"] <= ours.var

    if len(x) < 1000:
        return
    first = x[:1000]
    off = recorded()["tails_first_1000"][name]["0.05"]["skfolio_var"]
    assert value_at_risk(first, 0.05).var == -np.sort(first)[49]
    assert off == -np.sort(first)[50]


@pytest.mark.parametrize("name", NAMES)
def test_student_fit_is_the_root_of_the_score(name: str) -> None:
    theirs, ours = recorded()["student"][name], value_at_risk(returns(name), 0.01, "student")
    assert ours.parameters["df"] == pytest.approx(theirs["df"], rel=1e-9)
    assert ours.parameters["scale"] == pytest.approx(theirs["scale"], rel=1e-9)
    assert (ours.var, ours.es) == pytest.approx((theirs["var"], theirs["es"]), rel=1e-9)


def test_student_with_given_df_matches_the_sample_variance() -> None:
    x = returns_like(500)
    near_normal = value_at_risk(x, 0.01, "student", df=1e6)
    assert near_normal.var == pytest.approx(value_at_risk(x, 0.01, "normal").var, rel=1e-5)
    assert value_at_risk(x, 0.01, "student", df=4.0).es > near_normal.es


def test_light_tails_say_so() -> None:
    found = value_at_risk(np.linspace(-1, 1, 400), 0.01, "student")
    assert found.parameters["df"] == 1000.0
    assert "no heavier than normal" in found.notes[0]


def test_cornish_fisher_without_skew_and_kurtosis_is_normal() -> None:
    z = normal_quantile(0.01)
    assert cornish_fisher(0.01, 0.0, 0.0) == (z, pytest.approx(normal_pdf(z) / 0.01))


@pytest.mark.parametrize(("skew", "excess"), [(-0.3, 1.2), (0.4, 2.0), (0.0, 3.0)])
def test_cornish_fisher_shortfall_is_the_mean_below_the_quantile(skew: float, excess: float) -> None:
    steps = [cornish_fisher((i + 0.5) / 100_000 * 0.025, skew, excess)[0] for i in range(100_000)]
    assert -cornish_fisher(0.025, skew, excess)[1] == pytest.approx(math.fsum(steps) / 1e5, rel=2e-5)


def test_cornish_fisher_domain_is_where_the_quantile_rises() -> None:
    for skew, excess in [
        (0.0, 0.0),
        (0.0, 8.0),
        (0.0, 8.5),
        (1.0, 2.0),
        (1.0, 4.0),
        (2.5, 12.0),
        (0.0, -1.0),
        (-0.5, 1.0),
    ]:
        z = np.linspace(-60, 60, 12_001)
        q = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
        assert is_monotonic(skew, excess) == bool((np.diff(q) > 0).all()), (skew, excess)


def test_cornish_fisher_falls_back_outside_its_domain_and_says_so() -> None:
    x = returns("spy")
    found = value_at_risk(x, 0.01, "cornish_fisher")
    moments = recorded()["moments"]["spy"]
    assert found.parameters["skew"] == pytest.approx(moments["skew"], rel=1e-9)
    assert found.parameters["excess_kurtosis"] == pytest.approx(moments["excess_kurtosis"], rel=1e-9)
    assert (found.method, found.fallback) == ("cornish_fisher", "historical")
    assert "domain" in found.notes[0]
    assert (found.var, found.es) == (value_at_risk(x, 0.01).var, value_at_risk(x, 0.01).es)


def test_ewma_is_the_recursion() -> None:
    x = returns_like(300)
    variance = x[0] ** 2
    for r in x[1:]:
        variance = 0.94 * variance + 0.06 * r * r
    found = value_at_risk(x, 0.01, "ewma")
    assert found.var == pytest.approx(-normal_quantile(0.01) * math.sqrt(variance), rel=1e-12)


def test_filtered_historical_scales_to_todays_volatility() -> None:
    x = np.append(returns_like(600), [0.08, -0.08] * 20)
    variances = [x[0] ** 2]
    for t in range(len(x)):
        variances.append(0.94 * variances[-1] + 0.06 * x[t] ** 2 if t else variances[-1])
    scaled = [x[t] * math.sqrt(variances[-1] / variances[t]) for t in range(74, len(x))]

    found = value_at_risk(x, 0.025, "filtered_historical")
    assert (found.var, found.es) == pytest.approx(
        (value_at_risk(scaled, 0.025).var, value_at_risk(scaled, 0.025).es)
    )
    assert found.var > 2 * value_at_risk(x, 0.025).var  # the last days were wild
    assert found.notes == ("74 rows of burn-in",)


def test_monte_carlo_repeats_by_seed_and_lies_in_its_band() -> None:
    x = returns_like(250)
    one, same, other = (value_at_risk(x, 0.01, "monte_carlo", seed=s) for s in (7, 7, 8))
    assert one == same
    assert one.var != other.var
    assert one.band is not None and one.band[0] < one.var < one.band[1]


def test_monte_carlo_covers_the_closed_form_in_its_own_band() -> None:
    """200 seeds of a three-asset book: at least 95 % of the bands hold the truth, and not by being wide."""
    cov = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, -0.3], [0.5, -0.3, 1.0]]) * 1e-4
    w, mean = np.array([1.0, -2.0, 3.0]), np.array([1e-4, 2e-4, -1e-4])
    truth, _ = normal_var_es(float(w @ mean), math.sqrt(w @ cov @ w), 0.01)
    bands = [simulate(mean, cov, w, 0.01, paths=20_000, seed=seed).band for seed in range(200)]

    covered = sum(low <= truth <= high for low, high in bands)
    assert covered >= 190, covered
    assert np.mean([high - low for low, high in bands]) < 0.06 * truth


def test_the_band_holds_the_quantile_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    truth = -normal_quantile(0.02)
    held = sum(
        low <= truth <= high
        for low, high in (quantile_band(rng.standard_normal(2000), 0.02) for _ in range(2000))
    )
    assert 0.935 <= held / 2000 <= 0.985


def test_full_revaluation_of_a_linear_book_is_the_linear_answer() -> None:
    cov, w = np.array([[4e-4, 1e-4], [1e-4, 1e-4]]), np.array([2.0, -1.0])
    linear = simulate([0.0, 0.0], cov, w, 0.01, paths=30_000, seed=3)
    full = simulate([0.0, 0.0], cov, w, 0.01, paths=30_000, seed=3, revalue=lambda r: r @ w)
    assert full.pnl == pytest.approx(linear.pnl, abs=1e-15)


def test_full_revaluation_sees_what_a_linear_book_cannot() -> None:
    straddle = simulate([0.0], [[1e-4]], [0.0], 0.01, paths=50_000, revalue=lambda r: -np.abs(r[:, 0]))
    assert straddle.var == pytest.approx(-normal_quantile(0.005) * 0.01, rel=0.02)


def test_a_revaluation_that_is_not_finite_is_refused() -> None:
    with pytest.raises(RiskInputError) as caught:
        simulate([0.0], [[1e-4]], [1.0], 0.01, paths=1000, revalue=lambda r: np.full(len(r), np.nan))
    assert caught.value.code == "NOT_FINITE"


def returns_like(n: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(5, n) * 0.01


BAD = {
    "nan": ([0.01, math.nan, -0.02] * 50, "NOT_FINITE"),
    "infinite": ([0.01, math.inf, -0.02] * 50, "NOT_FINITE"),
    "empty": ([], "TOO_FEW_ROWS"),
    "one row": ([0.01], "TOO_FEW_ROWS"),
    "constant": ([0.0] * 200, "ZERO_VARIANCE"),
    "constant that does not sum exactly": ([0.1] * 200, "ZERO_VARIANCE"),
    "two columns": ([[0.1, 0.2]] * 200, "BAD_SHAPE"),
    "complex": ([0.1 + 1j, 0.2 + 0j] * 100, "BAD_CELL"),
    "dates": (np.arange(200).astype("datetime64[D]"), "BAD_CELL"),
    "ragged": ([[1.0], [1.0, 2.0]], "BAD_CELL"),
    "words": (["a", "b"] * 100, "BAD_CELL"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_a_named_error_by_every_method(method: str, case: str) -> None:
    values, code = BAD[case]
    with pytest.raises(RiskInputError) as caught:
        value_at_risk(values, 0.01, method)
    assert caught.value.code == code
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(("n", "alpha", "method", "options", "code"), [
    (99, 0.01, "historical", {}, "TAIL_TOO_THIN"),
    (150, 0.01, "filtered_historical", {}, "TAIL_TOO_THIN"),
    (60, 0.05, "filtered_historical", {}, "TOO_FEW_ROWS"),
    (9, 0.05, "student", {}, "TOO_FEW_ROWS"),
    (9, 0.05, "cornish_fisher", {}, "TOO_FEW_ROWS"),
    (200, 0.99, "historical", {}, "BAD_ALPHA"),
    (200, 0.0, "normal", {}, "BAD_ALPHA"),
    (200, math.nan, "normal", {}, "BAD_ALPHA"),
    (200, 0.01, "historic", {}, "BAD_METHOD"),
    (200, 0.01, "normal", {"mean": "median"}, "BAD_OPTION"),
    (200, 0.01, "normal", {"mu": 0.0}, "BAD_OPTION"),
    (200, 0.01, "student", {"df": 2.0}, "BAD_OPTION"),
    (200, 0.01, "ewma", {"decay": 1.0}, "BAD_OPTION"),
    (200, 0.01, "monte_carlo", {"paths": 99}, "TAIL_TOO_THIN"),
    (200, 0.01, "monte_carlo", {"paths": 0}, "BAD_OPTION"),
    (200, 0.01, "monte_carlo", {"seed": -1}, "BAD_OPTION"),
])  # fmt: skip
def test_what_cannot_be_answered_is_refused(
    n: int, alpha: float, method: str, options: dict, code: str
) -> None:
    with pytest.raises(RiskInputError) as caught:
        value_at_risk(returns_like(n), alpha, method, **options)
    assert caught.value.code == code


def test_a_confidence_given_as_alpha_is_told_the_alpha() -> None:
    with pytest.raises(RiskInputError, match=r"alpha 0\.01"):
        value_at_risk(returns_like(200), 0.99)


@pytest.mark.parametrize("method", ["normal", "student", "cornish_fisher", "ewma", "monte_carlo"])
def test_an_estimate_from_few_rows_says_so(method: str) -> None:
    assert "29 rows are few" in value_at_risk(returns_like(29), 0.05, method).notes[-1]
    assert not value_at_risk(returns_like(30), 0.05, "normal").notes


def test_a_hundred_rows_have_a_one_per_cent_tail() -> None:
    x = returns_like(100)
    assert value_at_risk(x, 0.01).var == value_at_risk(x, 0.01).es == -x.min()


MONEY = st.integers(-10_000, 10_000).map(lambda cents: cents / 100)
BOOKS = arrays(np.float64, st.integers(20, 120), elements=MONEY)
TAILS = st.sampled_from([0.05, 0.1, 0.07, 0.25])
COHERENT = ("historical", "normal")


@given(BOOKS, TAILS, st.sampled_from(COHERENT))
def test_es_is_never_below_var(x: np.ndarray, alpha: float, method: str) -> None:
    assume(np.ptp(x) > 0)
    found = value_at_risk(x, alpha, method)
    assert found.es >= found.var - 1e-9


@given(BOOKS, TAILS, st.sampled_from(COHERENT), st.integers(1, 64), MONEY)
def test_scaling_and_shifting_carry_over(
    x: np.ndarray, alpha: float, method: str, factor: int, cash: float
) -> None:
    assume(np.ptp(x) > 0)
    base, scaled, moved = (value_at_risk(v, alpha, method) for v in (x, factor * x, x + cash))
    for part in ("var", "es"):
        assert getattr(scaled, part) == pytest.approx(factor * getattr(base, part), rel=1e-9, abs=1e-7)
        assert getattr(moved, part) == pytest.approx(getattr(base, part) - cash, rel=1e-9, abs=1e-7)


@given(st.integers(20, 80).flatmap(lambda n: st.tuples(*[arrays(np.float64, n, elements=MONEY)] * 2)), TAILS)
def test_es_of_a_sum_is_at_most_the_sum_of_es(pair: tuple[np.ndarray, np.ndarray], alpha: float) -> None:
    a, b = pair
    assume(np.ptp(a) > 0 and np.ptp(b) > 0 and np.ptp(a + b) > 0)
    together = value_at_risk(a + b, alpha).es
    assert together <= value_at_risk(a, alpha).es + value_at_risk(b, alpha).es + 1e-9
