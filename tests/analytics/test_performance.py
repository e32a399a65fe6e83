"""Performance: published numbers, other libraries on real series, a plain oracle, invariances, and input that is bad."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics import measures
from core.analytics.errors import RiskInputError
from core.analytics.groups import by_label, daily, equity_returns
from core.analytics.performance import lo_sharpe, performance
from core.analytics.relative import relative
from core.kernels.risk.moments import autocorrelations, moments

from .oracles_performance import naive, numbers, returns

BACON = np.array("""0.3 2.6 1.1 -1.0 1.5 2.5 1.6 6.7 -1.4 4.0 -0.5 8.1 4.0 -3.7 -6.1 1.7 -4.9 -2.2 7.0 5.8 -6.5 2.4
    -0.5 -0.9""".split(), dtype=float) / 100  # fmt: skip
MARKET = np.array("""0.2 2.5 1.8 -1.1 1.4 1.8 1.4 6.5 -1.5 4.2 -0.6 8.3 3.9 -3.8 -6.2 1.5 -4.8 2.1 6.0 5.6 -6.7 1.9
    -0.3 0.0""".split(), dtype=float) / 100  # fmt: skip
NAMES = sorted(numbers()["series"])
finite_returns = st.lists(st.floats(-0.5, 0.5).map(lambda v: round(v, 6)), min_size=2, max_size=400)


def as_printed(value: float, printed: str) -> bool:
    """Equal in every digit that was printed."""
    digits = len(printed.partition(".")[2])
    return abs(value - float(printed)) <= 0.5000001 * 10**-digits


# --- published numbers


def test_sortino_of_rollinger_and_hoffman() -> None:
    found = performance([0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04], periods_per_year=1)
    assert as_printed(found.downside_deviation * 100, "2.264")
    assert as_printed(found.sortino, "4.417")


@pytest.mark.parametrize(
    ("name", "printed", "mar"),
    [
        ("mean_absolute_deviation", "0.031", 0.0),
        ("downside_frequency", "0.458", 0.005),
        ("upside_frequency", "0.542", 0.005),
        ("upside_risk", "0.02937", 0.005),
        ("upside_potential", "0.01771", 0.005),
        ("downside_deviation", "0.0255", 0.005),
        ("omega", "1.78", 0.0),
        ("pain", "0.04", 0.0),
        ("adjusted_sharpe", "0.7591435", 0.0),
    ],
)
def test_portfolio_of_bacon(name: str, printed: str, mar: float) -> None:
    found = performance(BACON, periods_per_year=12, mar=mar)
    assert as_printed(getattr(found, name), printed), getattr(found, name)


def test_portfolio_of_bacon_beside_its_benchmark() -> None:
    found = relative(BACON, MARKET, periods_per_year=12)
    assert as_printed(found.systematic_risk, "0.132806")
    assert as_printed(found.fama_beta, "1.03")


@pytest.mark.parametrize(
    ("base", "first", "deviation", "rho"),
    [
        (10_000_001.0, 10_000_002.0, 1.0, -0.5),
        (1.1, 1.2, 0.1, -0.999),
        (1_000_000.1, 1_000_000.2, 0.1, -0.999),
        (10_000_000.1, 10_000_000.2, 0.1, -0.999),
    ],
    ids=["NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4"],
)
def test_numerical_accuracy_of_nist(base: float, first: float, deviation: float, rho: float) -> None:
    """The numbers end at what float64 can hold of the input: 8.3 digits of NumAcc4's deviation."""
    if base == 10_000_001.0:
        x = np.array([10_000_001.0, 10_000_003.0, 10_000_002.0])
    else:
        x = np.array([first, *[base, base + 0.2] * 500])
    mean, variance, _, _ = moments(x)
    digits = {0.1: 14, 1.1: 14, 1_000_000.1: 9, 10_000_000.1: 8}.get(base, 15)
    assert mean == pytest.approx(first, rel=1e-15)
    assert math.sqrt(variance) == pytest.approx(deviation, rel=10.0**-digits)
    assert autocorrelations(x, mean, 1)[0] == pytest.approx(rho, rel=1e-8)


@pytest.mark.parametrize(
    ("skew", "raw_kurtosis", "printed"), [(0.0, 3.0, "0.981"), (-2.448, 10.164, "0.913")]
)
def test_probabilistic_sharpe_of_bailey_and_lopez_de_prado(
    skew: float, raw_kurtosis: float, printed: str
) -> None:
    found = measures.probabilistic_sharpe(0.036 / 0.079, 24, skew, raw_kurtosis - 3.0)
    assert as_printed(found, printed)


def test_deflated_sharpe_of_bailey_and_lopez_de_prado() -> None:
    """Their example: 1250 days, SR 2.5 a year, 100 trials with variance 1/2 a year, skew -3, kurtosis 10: 0.9004."""
    year = math.sqrt(250)
    found = measures.deflated_sharpe(
        2.5 / year, 1250, -3.0, 7.0, trials=100, trials_deviation=math.sqrt(0.5) / year
    )
    assert as_printed(found, "0.9004")


def test_lo_corrects_nothing_where_nothing_is_remembered() -> None:
    assert measures.lo_factor([0.0, 0.0], 252) == pytest.approx(math.sqrt(252))
    assert measures.lo_factor_first_order(0.0, 252) == pytest.approx(math.sqrt(252))


def test_lo_first_order_is_the_sum_over_all_lags() -> None:
    for rho in (-0.4, -0.05, 0.2, 0.7):
        whole = measures.lo_factor([rho**k for k in range(1, 12)], 12)
        assert measures.lo_factor_first_order(rho, 12) == pytest.approx(whole, rel=1e-12)


def test_lo_with_measured_lags() -> None:
    x = BACON
    rho = [
        float(((x[k:] - x.mean()) * (x[:-k] - x.mean())).sum() / ((x - x.mean()) ** 2).sum()) for k in (1, 2)
    ]
    expected = x.mean() / x.std(ddof=1) * 12 / math.sqrt(12 + 2 * (11 * rho[0] + 10 * rho[1]))
    assert lo_sharpe(x, periods_per_year=12, lags=2) == pytest.approx(expected, rel=1e-12)


# --- other libraries, on real series


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_other_libraries(name: str) -> None:
    theirs = numbers()["series"][name]
    x, year, mar = returns(name), theirs["year"], theirs["mar"]
    assert len(x) == theirs["n"]
    own, at_mar = performance(x, periods_per_year=year), performance(x, periods_per_year=year, mar=mar)
    ep, qs, sp = theirs["empyrical"], theirs["quantstats"], theirs["scipy"]
    pairs = [(getattr(own, k), ep[k]) for k in ("sharpe", "sortino", "calmar", "omega", "max_drawdown", "cagr",
                                                 "volatility", "tail_ratio", "total_return")]  # fmt: skip
    pairs += [(at_mar.sortino, ep["sortino_mar"]), (at_mar.omega, ep["omega_mar"])]
    pairs += [(at_mar.downside_deviation * math.sqrt(year), ep["downside"])]
    pairs += [(getattr(own, k), qs[k]) for k in ("sharpe", "sortino", "max_drawdown", "profit_factor",
                                                 "gain_to_pain", "payoff", "volatility")]  # fmt: skip
    pairs += [(own.hit_rate, qs["win_rate"])]
    pairs += [(own.skew, sp["skew"]), (own.excess_kurtosis, sp["excess_kurtosis"])]
    pairs += [(own.mean, theirs["numpy"]["mean"]), (own.deviation, theirs["numpy"]["deviation"])]
    for mine, other in pairs:
        assert mine == pytest.approx(other, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_disagrees_with_other_libraries_exactly_as_documented(name: str) -> None:
    """Each difference is a convention, and the convention explains it to nine digits."""
    theirs = numbers()["series"][name]
    x = returns(name)
    n = len(x)
    own = performance(x, periods_per_year=theirs["year"])
    # quantstats divides the squares under Ulcer by n - 1.
    assert theirs["quantstats"]["ulcer"] == pytest.approx(own.ulcer * math.sqrt(n / (n - 1)), rel=1e-9)
    # pandas and quantstats: unbiased G1 and G2.
    unbiased = own.skew * math.sqrt(n * (n - 1)) / (n - 2)
    assert theirs["quantstats"]["skew"] == pytest.approx(unbiased, rel=1e-9)
    unbiased = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * own.excess_kurtosis + 6)
    assert theirs["quantstats"]["kurtosis"] == pytest.approx(unbiased, rel=1e-9)
    # quantstats' PSR takes those, and so differs in the seventh digit.
    assert theirs["quantstats"]["psr"] == pytest.approx(own.psr, rel=1e-4)
    # pandas' autocorrelation is a correlation of two shifted series, each about its own mean.
    a, b = x[1:] - x[1:].mean(), x[:-1] - x[:-1].mean()
    assert theirs["pandas"]["autocorrelation"] == pytest.approx(
        float(a @ b) / math.sqrt((a @ a) * (b @ b)), rel=1e-9
    )
    assert own.autocorrelation == pytest.approx(theirs["pandas"]["autocorrelation"], abs=5.0 / n)


def test_agrees_beside_a_benchmark() -> None:
    from core.analytics.series import load_panel

    from .oracles_performance import file

    both = load_panel(file("AAPL"), ("AAPL", "GE"), prices=True, missing="drop").returns
    theirs, own = numbers()["pair"], relative(both[:, 0], both[:, 1], periods_per_year=252)
    for mine, other in (
        (own.beta, theirs["beta_linregress"]),
        (own.beta, theirs["beta_empyrical"]),
        (own.alpha, theirs["alpha_linregress"]),
        (own.correlation, theirs["correlation"]),
        (own.tracking_error, theirs["tracking_error"]),
        (own.information_ratio, theirs["information_ratio"] * math.sqrt(252)),  # theirs is per period
    ):
        assert mine == pytest.approx(other, rel=1e-9)


# --- the definitions, and what must hold for all input


@given(finite_returns, st.sampled_from([0.0, 0.001, -0.02]))
@settings(max_examples=150)
def test_the_kernel_is_the_definition(r: list[float], mar: float) -> None:
    own, plain = performance(r, periods_per_year=252, mar=mar), naive_or_constant(r, mar)
    for name, value in plain.items():
        assert getattr(own, name) == pytest.approx(value, rel=1e-9, abs=1e-11, nan_ok=True), name


def naive_or_constant(r: list[float], mar: float) -> dict[str, float]:
    if min(r) < max(r):
        return naive(r, mar)
    return {"n": len(r), "deviation": 0.0, "skew": math.nan, "autocorrelation": math.nan, "best": r[0]}


@pytest.mark.parametrize("n", [2, 3, 127, 128, 129, 255, 257, 1000, 10_007])
def test_every_length_of_lanes(n: int) -> None:
    r = (np.random.default_rng(n).standard_t(3, n) * 0.01).clip(-0.5, 0.5)
    own = performance(r, periods_per_year=365, mar=0.0003)
    for name, value in naive(r.tolist(), 0.0003).items():
        assert getattr(own, name) == pytest.approx(value, rel=1e-9, abs=1e-12), name
    low, high = np.percentile(r, [5, 95])
    assert own.tail_ratio == pytest.approx(abs(high) / abs(low), rel=1e-12)


@pytest.mark.parametrize("shape", ["ties", "outlier", "two values", "sorted"])
def test_quantiles_of_awkward_series(shape: str) -> None:
    rng = np.random.default_rng(3)
    r = {
        "ties": np.where(rng.random(5000) < 0.9, 0.0, rng.standard_normal(5000) * 0.01),
        "outlier": np.r_[rng.standard_normal(4999) * 1e-4, 50.0],
        "two values": np.where(rng.random(4001) < 0.07, -0.01, 0.02),
        "sorted": np.sort(rng.standard_normal(3000) * 0.02),
    }[shape]
    low, high = np.percentile(r, [5, 95])
    expected = abs(high) / abs(low) if low else math.nan
    assert performance(r, periods_per_year=252).tail_ratio == pytest.approx(expected, rel=1e-12, nan_ok=True)


@given(finite_returns, st.floats(0.1, 1.9))
@settings(max_examples=60)
def test_ratios_of_sums_do_not_depend_on_the_scale(r: list[float], scale: float) -> None:
    own, scaled = (performance(np.array(r) * k, periods_per_year=252) for k in (1.0, scale))
    for name in ("sharpe", "sortino", "omega", "skew", "excess_kurtosis", "psr", "payoff", "hit_rate"):
        assert getattr(scaled, name) == pytest.approx(getattr(own, name), rel=1e-6, abs=1e-9, nan_ok=True), (
            name
        )


@given(finite_returns)
@settings(max_examples=60)
def test_order_matters_to_drawdowns_only(r: list[float]) -> None:
    own, turned = (performance(x, periods_per_year=252) for x in (r, r[::-1]))
    for name in ("sharpe", "sortino", "omega", "volatility", "total_return", "tail_ratio"):
        assert getattr(turned, name) == pytest.approx(getattr(own, name), rel=1e-9, abs=1e-9, nan_ok=True), (
            name
        )
    assert -1.0 <= own.max_drawdown <= min(0.0, own.worst) + 1e-12
    assert own.pain <= own.ulcer + 1e-15 and own.ulcer <= -own.max_drawdown + 1e-15


def test_annualising_is_explicit() -> None:
    x = returns("BTC")
    daily_365, daily_252 = (performance(x, periods_per_year=k) for k in (365, 252))
    assert daily_365.sharpe / daily_252.sharpe == pytest.approx(math.sqrt(365 / 252))
    assert 1 + daily_365.cagr == pytest.approx((1 + daily_252.cagr) ** (365 / 252))


def test_risk_free_and_mar_are_per_period() -> None:
    found = performance(BACON, periods_per_year=12, risk_free=0.002, mar=0.005)
    assert found.sharpe == pytest.approx((BACON.mean() - 0.002) / BACON.std(ddof=1) * math.sqrt(12))
    assert found.martin == pytest.approx((found.cagr - (1.002**12 - 1)) / found.ulcer)


# --- what is not defined is nan, what is wrong is refused


@pytest.mark.parametrize("constant", [0.0, 0.01, -0.003, 0.1 + 0.2 - 0.25])
def test_returns_that_do_not_vary_have_no_ratio(constant: float) -> None:
    found = performance([constant] * 1000, periods_per_year=252)
    assert found.deviation == found.volatility == 0.0
    assert all(math.isnan(v) for v in (found.sharpe, found.sharpe_lo, found.psr, found.dsr, found.skew))


def test_rounding_is_not_variance() -> None:
    prices = 100.0 * 1.01 ** np.arange(500)
    found = performance(prices[1:] / prices[:-1] - 1.0, periods_per_year=252)
    assert math.isnan(found.sharpe) and found.volatility == 0.0


def test_no_loss_has_no_ratio_to_losses() -> None:
    found = performance([0.01, 0.02, 0.0], periods_per_year=252)
    assert found.max_drawdown == found.ulcer == 0.0 and found.hit_rate == 1.0
    assert all(math.isnan(v) for v in (found.sortino, found.omega, found.calmar, found.payoff, found.martin))


def test_ruin_stays_ruin() -> None:
    found = performance([0.1, -1.0, 5.0], periods_per_year=365)
    assert found.total_return == found.cagr == found.max_drawdown == -1.0


@pytest.mark.parametrize(
    ("values", "options", "code"),
    [
        ([0.01, math.nan, 0.02], {}, "NOT_FINITE"),
        ([0.01, math.inf], {}, "NOT_FINITE"),
        ([0.01], {}, "TOO_FEW_ROWS"),
        ([], {}, "TOO_FEW_ROWS"),
        ([0.01, -1.5, 0.2], {}, "BELOW_MINUS_ONE"),
        ([[0.01, 0.02], [0.03, 0.04]], {}, "BAD_SHAPE"),
        (["a", "b"], {}, "BAD_CELL"),
        ([0.01, 0.02], {"periods_per_year": 0}, "BAD_OPTION"),
        ([0.01, 0.02], {"periods_per_year": math.nan}, "BAD_OPTION"),
        ([0.01, 0.02], {"mar": math.nan}, "BAD_OPTION"),
        ([0.01, 0.02], {"risk_free": math.inf}, "BAD_OPTION"),
        ([0.01, 0.02], {"trials": 0}, "BAD_OPTION"),
    ],
)
def test_bad_input_is_refused_by_name(values: list[float], options: dict[str, float], code: str) -> None:
    with pytest.raises(RiskInputError) as refused:
        performance(values, **{"periods_per_year": 252, **options})
    assert refused.value.code == code


# --- parts


def test_each_label_is_its_own_series() -> None:
    labels = ["a", "b"] * 12
    found = by_label([*labels[:-1], "once"], BACON, periods_per_year=12)
    assert found.by_label["a"] == performance(BACON[::2], periods_per_year=12)
    assert list(found.by_label) == ["a", "b"] and found.too_short == {"once": 1}
    with pytest.raises(RiskInputError, match="23 labels for 24 rows"):
        by_label(labels[:-1], BACON, periods_per_year=12)


def test_days_compound_and_begin_where_the_zone_says() -> None:
    hour = 3_600_000_000_000
    ts = np.array([0, 23, 24, 47, 96]) * hour
    days, r = daily(ts, [0.1, 0.1, -0.5, 1.0, 0.3])
    assert days.tolist() == [0, 1, 4] and r.tolist() == pytest.approx([0.21, 0.0, 0.3])
    assert daily(ts, [0.1, 0.1, -0.5, 1.0, 0.3], offset_ns=hour)[0].tolist() == [0, 1, 2, 4]
    with pytest.raises(RiskInputError) as refused:
        daily(ts[::-1], [0.1] * 5)
    assert refused.value.code == "UNSORTED_DATES"


def test_a_deposit_is_not_a_gain() -> None:
    assert equity_returns([100.0, 110.0, 165.0], [0.0, 0.0, 55.0]).tolist() == pytest.approx([0.1, 0.0])
    with pytest.raises(RiskInputError) as refused:
        equity_returns([100.0, 0.0, 5.0])
    assert refused.value.code == "NOT_POSITIVE"
