"""Rolling and weighted measures: each window against its own definition, other libraries on real series, no drift."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics import rolling
from core.analytics.drawdown import max_drawdown
from core.analytics.errors import RiskInputError

from .oracles_performance import file, numbers, returns

NAMES = sorted(numbers()["series"])
WINDOW = 63
NORRIS = np.array("""0.1 0.2 338.8 337.4 118.1 118.2 888.0 884.6 9.2 10.1 228.1 226.5 668.5 666.3 998.5 996.3 449.1 448.6
    778.9 777.0 559.2 558.2 0.3 0.4 0.1 0.6 778.1 775.5 668.8 666.9 339.3 338.0 448.9 447.5 10.8 11.6 557.7 556.0
    228.3 228.1 998.0 995.8 888.8 887.6 119.6 120.2 0.3 0.3 0.6 0.3 557.6 556.8 339.3 339.1 888.0 887.2 998.5 999.0
    778.9 779.0 10.2 11.1 117.6 118.3 228.9 229.2 668.4 669.1 449.2 448.9 0.2 0.5""".split(), dtype=float)  # fmt: skip


def windows(x: np.ndarray, window: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, window)


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_pandas_bottleneck_and_apply(name: str) -> None:
    theirs, x = numbers()["series"][name], returns(name)
    year = theirs["year"]
    own = {
        "sharpe_pandas": rolling.rolling_sharpe(x, WINDOW, periods_per_year=year),
        "sharpe_bottleneck": rolling.rolling_sharpe(x, WINDOW, periods_per_year=year),
        "volatility_pandas": rolling.rolling_volatility(x, WINDOW, periods_per_year=year),
        "drawdown_apply": rolling.rolling_max_drawdown(x, WINDOW),
        "ew_variance_pandas": rolling.ew_volatility(x, decay=0.94, periods_per_year=1) ** 2,
    }
    for measure, rows in theirs["rolling"].items():
        assert len(rows) > 1
        for row, value in rows:
            assert own[measure][row] == pytest.approx(value, rel=1e-9, abs=1e-11), (measure, row)


def test_beta_agrees_with_pandas() -> None:
    from core.analytics.series import load_panel

    both = load_panel(file("AAPL"), ("AAPL", "GE"), prices=True, missing="drop").returns
    own = rolling.rolling_beta(both[:, 0], both[:, 1], WINDOW)
    for row, value in numbers()["pair"]["rolling_beta"]:
        assert own[row] == pytest.approx(value, rel=1e-9)


def test_the_slope_of_norris() -> None:
    """NIST's certified value, by a window that is the whole series."""
    slope = rolling.rolling_beta(NORRIS[::2].copy(), NORRIS[1::2].copy(), 36)[-1]
    assert slope == pytest.approx(1.00211681802045, abs=5e-13)


@pytest.mark.parametrize("window", [2, 3, 5, 64, 199, 200])
def test_each_window_is_its_definition(window: int) -> None:
    rng = np.random.default_rng(window)
    x, y = rng.standard_normal(200) * 0.02, rng.standard_normal(200) * 0.01
    wx, wy = windows(x, window), windows(y, window)
    deviation = wx.std(axis=1, ddof=1)
    dx, dy = wx - wx.mean(axis=1, keepdims=True), wy - wy.mean(axis=1, keepdims=True)
    expected = {
        "sharpe": (rolling.rolling_sharpe(x, window, periods_per_year=252, risk_free=0.001),
                   (wx.mean(axis=1) - 0.001) / deviation * math.sqrt(252)),
        "volatility": (rolling.rolling_volatility(x, window, periods_per_year=252), deviation * math.sqrt(252)),
        "beta": (rolling.rolling_beta(x, y, window), (dx * dy).sum(axis=1) / (dy * dy).sum(axis=1)),
        "drawdown": (rolling.rolling_max_drawdown(x, window), [max_drawdown(row) for row in wx]),
    }  # fmt: skip
    for name, (own, plain) in expected.items():
        assert np.isnan(own[: window - 1]).all(), name
        assert own[window - 1 :] == pytest.approx(np.asarray(plain), rel=1e-8, abs=1e-12), name


def test_a_window_of_one_is_the_return_itself() -> None:
    r = np.array([0.1, -0.2, 0.3, -0.05])
    assert rolling.rolling_max_drawdown(r, 1) == pytest.approx(np.minimum(r, 0.0))


def test_one_huge_value_is_forgotten_with_its_window() -> None:
    """A running sum would carry its rounding error for ever."""
    x = np.random.default_rng(1).standard_normal(3000) * 0.01
    spiked = x.copy()
    spiked[500] = 1e12
    own, clean = (rolling.rolling_volatility(v, 50, periods_per_year=1) for v in (spiked, x))
    assert own[600:] == pytest.approx(clean[600:], rel=1e-12)


def test_a_large_mean_costs_no_digits() -> None:
    x = np.tile([10_000_000.1, 10_000_000.3], 500)
    own = rolling.rolling_volatility(x, 100, periods_per_year=1)
    assert own[99:] == pytest.approx(windows(x, 100).std(axis=1, ddof=1), rel=1e-8)


@pytest.mark.parametrize("constant", [0.0, 0.01, -0.3])
def test_a_constant_window_has_no_ratio(constant: float) -> None:
    rng = np.random.default_rng(2)
    x = np.r_[rng.standard_normal(40) * 0.01, np.full(60, constant), rng.standard_normal(40) * 0.01]
    sharpe = rolling.rolling_sharpe(x, 20, periods_per_year=252)
    volatility = rolling.rolling_volatility(x, 20, periods_per_year=252)
    beta = rolling.rolling_beta(np.arange(140.0) / 1e4, x, 20)
    still = slice(40 + 19, 100)
    assert np.isnan(sharpe[still]).all() and (volatility[still] == 0.0).all() and np.isnan(beta[still]).all()
    assert np.isfinite(sharpe[100:]).all() and np.isfinite(beta[100:]).all()


@given(st.lists(st.floats(-0.9, 2.0), min_size=3, max_size=80), st.integers(1, 80))
@settings(max_examples=100)
def test_drawdown_of_every_window(r: list[float], window: int) -> None:
    x = np.array(r)
    window = min(window, len(x))
    plain = [max_drawdown(row) for row in windows(x, window)]
    own = rolling.rolling_max_drawdown(x, window)[window - 1 :]
    assert own == pytest.approx(np.array(plain), rel=1e-9, abs=1e-9)


def test_days_used_by_riskmetrics() -> None:
    tolerances = (1e-5, 1e-4, 1e-3, 1e-2)
    assert [rolling.days_used(0.94, t) for t in tolerances] == [186, 149, 112, 74]
    assert [rolling.days_used(0.97, t) for t in tolerances] == [378, 302, 227, 151]


def test_weighted_measures_are_their_sums() -> None:
    rng = np.random.default_rng(4)
    x, y, decay = rng.standard_normal(120) * 0.01, rng.standard_normal(120) * 0.02, 0.9
    t = 119
    w = (1 - decay) * decay ** np.arange(t, -1, -1.0)
    w[0] = decay**t  # the recursion starts at the first value
    mean_x, mean_y = w @ x, w @ y
    variance, shared = w @ (x - mean_x) ** 2, w @ ((x - mean_x) * (y - mean_y))
    sharpe = rolling.ew_sharpe(x, decay=decay, periods_per_year=252)
    assert sharpe[t] == pytest.approx(mean_x / math.sqrt(variance) * math.sqrt(252), rel=1e-10)
    assert math.isnan(sharpe[0])
    beta = rolling.ew_beta(x, y, decay=decay)
    assert beta[t] == pytest.approx(shared / (w @ (y - mean_y) ** 2), rel=1e-10)


@pytest.mark.parametrize("window", [0, 1, -3, 6, 2.5, math.nan])
def test_a_window_that_is_none_is_refused(window: float) -> None:
    with pytest.raises(RiskInputError) as refused:
        rolling.rolling_sharpe([0.1, 0.2, 0.3, 0.2, 0.1], window, periods_per_year=252)  # type: ignore[arg-type]
    assert refused.value.code == "BAD_OPTION"


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5, 1.5, math.nan])
def test_a_decay_that_is_none_is_refused(decay: float) -> None:
    with pytest.raises(RiskInputError) as refused:
        rolling.ew_volatility([0.1, 0.2], decay=decay, periods_per_year=252)
    assert refused.value.code == "BAD_OPTION"


def test_series_of_different_length_are_refused() -> None:
    for function in (lambda x, y: rolling.rolling_beta(x, y, 2), rolling.ew_beta):
        with pytest.raises(RiskInputError) as refused:
            function([0.1, 0.2, 0.3], [0.1, 0.2])
        assert refused.value.code == "BAD_SHAPE"
