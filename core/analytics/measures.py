"""The formulas of performance that stand alone: annualising, Sharpe's corrections, ratios of what may be zero.

A ratio whose denominator is zero is nan: not infinite, and never a large number made of rounding.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from core.analytics.errors import RiskInputError

NAN = math.nan
_EULER_GAMMA = 0.57721566490153286
_NORMAL = NormalDist()


def ratio(above: float, below: float) -> float:
    """``above / below``; nan when ``below`` is 0 or either is nan."""
    return above / below if below != 0.0 else NAN


def periods(periods_per_year: float) -> float:
    """How often a year the returns come: 365 for days of a market that never closes, 252 for exchange days, 12."""
    if not (math.isfinite(periods_per_year) and periods_per_year > 0.0):
        raise RiskInputError(
            "BAD_OPTION", f"periods per year must be above 0, as 365 or 252, not {periods_per_year}"
        )
    return float(periods_per_year)


def compound_annual(growth: float, n: int, periods_per_year: float) -> float:
    """Growth factor over ``n`` periods as a rate per year: growth^(periods_per_year / n) - 1; -1 after ruin."""
    if growth <= 0.0:
        return -1.0
    exponent = math.log(growth) * periods_per_year / n
    return math.expm1(exponent) if exponent < 709.0 else math.inf


def normal_cdf(z: float) -> float:
    """Standard normal distribution function, accurate in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def sharpe_error(sharpe: float, n: int, skew: float, excess_kurtosis: float) -> float:
    """Standard error of an estimated per-period Sharpe ratio under skew g1 and excess kurtosis g2 (Mertens 2002)."""
    variance = 1.0 - skew * sharpe + (excess_kurtosis + 2.0) / 4.0 * sharpe * sharpe
    return math.sqrt(variance / (n - 1)) if variance > 0.0 and n > 1 else NAN


def probabilistic_sharpe(
    sharpe: float, n: int, skew: float, excess_kurtosis: float, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio exceeds ``benchmark``, both per period (Bailey, Lopez de Prado 2012)."""
    return normal_cdf(ratio(sharpe - benchmark, sharpe_error(sharpe, n, skew, excess_kurtosis)))


def best_of_trials(trials: int, deviation: float) -> float:
    """Expected best per-period Sharpe ratio of ``trials`` worthless strategies, of ratios with that ``deviation``."""
    if trials < 1:
        raise RiskInputError("BAD_OPTION", f"trials must be 1 or more, not {trials}")
    if trials == 1:
        return 0.0
    high, higher = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return deviation * ((1.0 - _EULER_GAMMA) * high + _EULER_GAMMA * higher)


def deflated_sharpe(
    sharpe: float,
    n: int,
    skew: float,
    excess_kurtosis: float,
    *,
    trials: int = 1,
    trials_deviation: float | None = None,
) -> float:
    """Probabilistic Sharpe ratio against the best of ``trials``; with one trial it is that (same authors, 2014).

    ``trials_deviation``: of the per-period Sharpe ratios that were tried; without it the standard error of this one.
    """
    error = sharpe_error(sharpe, n, skew, excess_kurtosis)
    bar = best_of_trials(trials, error if trials_deviation is None else trials_deviation)
    return normal_cdf(ratio(sharpe - bar, error))


def lo_factor(autocorrelations: list[float], periods_per_year: float) -> float:
    """What multiplies a per-period Sharpe ratio to annualise it, given rho_1, rho_2, … (Lo 2002, eq. 20).

    q / sqrt(q + 2 sum (q - k) rho_k), correlations beyond those given taken as 0; sqrt(q) when all are 0. nan if the
    correlations given are not those of any process (the root is of a negative number).
    """
    q = periods_per_year
    total = q + 2.0 * sum((q - k) * rho for k, rho in enumerate(autocorrelations, 1) if k < q)
    return q / math.sqrt(total) if total > 0.0 else NAN


def lo_factor_first_order(rho: float, periods_per_year: float) -> float:
    """The same for returns of which each remembers only the last: rho_k = rho^k (Lo 2002, eq. 22)."""
    q = periods_per_year
    if not -1.0 < rho < 1.0:
        return NAN
    inner = 1.0 + 2.0 * rho / (1.0 - rho) * (1.0 - (1.0 - _power(rho, q)) / (q * (1.0 - rho)))
    return math.sqrt(q / inner) if inner > 0.0 else NAN


def _power(rho: float, q: float) -> float:
    """rho^q; of a negative rho by the nearest whole q."""
    return float(rho**q) if rho >= 0.0 else float(rho ** round(q))


def adjusted_sharpe(sharpe: float, skew: float, excess_kurtosis: float) -> float:
    """A Sharpe ratio penalised for negative skew and fat tails (Pezier, White 2006)."""
    return sharpe * (1.0 + skew / 6.0 * sharpe - excess_kurtosis / 24.0 * sharpe * sharpe)
