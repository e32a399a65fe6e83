"""Performance beside a benchmark: what was risk of the market, and what was earned for leaving it."""

from __future__ import annotations

import math

import msgspec
import numpy.typing as npt

from core.analytics import measures as m
from core.analytics.errors import RiskInputError
from core.analytics.performance import performance
from core.analytics.series import finite
from core.kernels.risk.moments import moments


class Relative(msgspec.Struct, frozen=True, kw_only=True):
    """Measures of one series beside another. "a year" = annualised."""

    n: int
    beta: float  # least-squares slope on the benchmark
    fama_beta: float  # deviation / benchmark's deviation (Fama 1972; Bacon 2008)
    correlation: float
    alpha: float  # a year, arithmetic: (mean - rf - beta (benchmark - rf)) * periods_per_year (Jensen 1968)
    systematic_risk: float  # a year: |beta| * benchmark's volatility (Bacon 2008)
    specific_risk: float  # a year: deviation of the residuals, n - 1
    treynor: float  # a year: (cagr - rf a year) / beta (Treynor 1965; Bacon 2008)
    tracking_error: float  # a year: deviation (n - 1) of the difference
    information_ratio: (
        float  # a year: mean difference / its deviation * sqrt(periods_per_year) (Grinold, Kahn 2000)
    )


def relative(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, *, periods_per_year: float, risk_free: float = 0.0
) -> Relative:
    """``returns`` beside ``benchmark`` of the same periods; nan where the benchmark (or a difference) does not vary."""
    x, y = finite(returns, varies=False), finite(benchmark, varies=False)
    if len(x) != len(y):
        raise RiskInputError(
            "BAD_SHAPE", f"{len(x)} returns and {len(y)} of the benchmark; give the same periods"
        )
    own = performance(x, periods_per_year=periods_per_year, risk_free=risk_free)
    other = performance(y, periods_per_year=periods_per_year, risk_free=risk_free)
    ahead, variance, _, _ = moments(x - y)
    shared = float((x - own.mean) @ (y - other.mean)) / (len(x) - 1)
    beta = m.ratio(shared, other.deviation**2)
    residual = own.deviation**2 - beta * shared
    root, free = math.sqrt(own.periods_per_year), m.compound_annual(1.0 + risk_free, 1, periods_per_year)
    return Relative(
        n=own.n,
        beta=beta,
        fama_beta=m.ratio(own.deviation, other.deviation),
        correlation=m.ratio(shared, own.deviation * other.deviation),
        alpha=(own.mean - risk_free - beta * (other.mean - risk_free)) * own.periods_per_year,
        systematic_risk=abs(beta) * other.volatility,
        specific_risk=math.sqrt(max(residual, 0.0)) * root if math.isfinite(beta) else m.NAN,
        treynor=m.ratio(own.cagr - free, beta),
        tracking_error=math.sqrt(variance) * root,
        information_ratio=m.ratio(ahead, math.sqrt(variance)) * root,
    )
