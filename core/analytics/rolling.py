"""Measures over a moving window and with exponential weights: float64[n], nan before the first whole window."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.analytics import measures as m
from core.analytics.drawdown import compoundable
from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite
from core.kernels.risk import rolling as kernels


def rolling_sharpe(
    returns: npt.ArrayLike, window: int, *, periods_per_year: float, risk_free: float = 0.0
) -> Floats:
    """Sharpe ratio a year (n - 1, arithmetic excess over ``risk_free`` per period); nan where nothing varies."""
    x = _windowed(returns, window)
    excess = x - risk_free if risk_free else x
    out = np.empty_like(x)
    kernels.rolling_ratio(excess, window, math.sqrt(m.periods(periods_per_year)), out)
    return out


def rolling_volatility(returns: npt.ArrayLike, window: int, *, periods_per_year: float) -> Floats:
    """Sample deviation (n - 1) times sqrt(periods per year)."""
    x = _windowed(returns, window)
    out = np.empty_like(x)
    kernels.rolling_deviation(x, window, math.sqrt(m.periods(periods_per_year)), out)
    return out


def rolling_beta(returns: npt.ArrayLike, benchmark: npt.ArrayLike, window: int) -> Floats:
    """Least-squares slope of ``returns`` on ``benchmark``; nan where the benchmark does not vary."""
    x, y = _windowed(returns, window), _windowed(benchmark, window)
    _paired(x, y)
    out = np.empty_like(x)
    kernels.rolling_beta(x, y, window, out)
    return out


def rolling_max_drawdown(returns: npt.ArrayLike, window: int) -> Floats:
    """Maximum drawdown within each window, its starting capital included; <= 0 (Magdon-Ismail, Atiya 2004)."""
    x = compoundable(_windowed(returns, window, window_min=1))
    out = np.empty_like(x)
    kernels.rolling_drawdown(x, window, out)
    return out


def ew_volatility(returns: npt.ArrayLike, *, decay: float = 0.94, periods_per_year: float) -> Floats:
    """RiskMetrics: zero mean, variance starts at r_0^2, value t includes return t (J. P. Morgan 1996, TD4). A year."""
    x, out = _weighted(returns, decay)
    kernels.ew_variance(x, decay, out)
    return np.sqrt(out * m.periods(periods_per_year))


def ew_sharpe(
    returns: npt.ArrayLike, *, decay: float = 0.94, periods_per_year: float, risk_free: float = 0.0
) -> Floats:
    """Exponentially weighted mean over deviation (about that mean; West 1979), a year; nan until returns differ."""
    x, out = _weighted(returns, decay)
    kernels.ew_ratio(x - risk_free, decay, math.sqrt(m.periods(periods_per_year)), out)
    return out


def ew_beta(returns: npt.ArrayLike, benchmark: npt.ArrayLike, *, decay: float = 0.94) -> Floats:
    """Exponentially weighted covariance over the benchmark's variance; nan until the benchmark differs."""
    x, out = _weighted(returns, decay)
    y = finite(benchmark, varies=False)
    _paired(x, y)
    kernels.ew_beta(x, y, decay, out)
    return out


def days_used(decay: float, tolerance: float) -> int:
    """Returns that carry all but ``tolerance`` of the weight: log(tolerance) / log(decay) (RiskMetrics 1996)."""
    if not (0.0 < decay < 1.0 and 0.0 < tolerance < 1.0):
        raise RiskInputError("BAD_OPTION", "decay and tolerance lie between 0 and 1, as 0.94 and 0.01")
    return round(math.log(tolerance) / math.log(decay))


def _windowed(values: npt.ArrayLike, window: int, window_min: int = 2) -> Floats:
    x = finite(values, varies=False)
    if not (isinstance(window, (int, np.integer)) and window_min <= window <= len(x)):
        raise RiskInputError(
            "BAD_OPTION",
            f"the window must be a whole number from {window_min} to {len(x)} rows, not {window}",
        )
    return x


def _weighted(values: npt.ArrayLike, decay: float) -> tuple[Floats, Floats]:
    x = finite(values, varies=False)
    if not 0.0 < decay < 1.0:
        raise RiskInputError("BAD_OPTION", f"decay must lie between 0 and 1, as 0.94, not {decay}")
    return x, np.empty_like(x)


def _paired(x: Floats, y: Floats) -> None:
    if len(x) != len(y):
        raise RiskInputError(
            "BAD_SHAPE", f"{len(x)} returns and {len(y)} of the benchmark; give the same periods"
        )
