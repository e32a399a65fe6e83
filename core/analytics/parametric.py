"""The parametric models behind VaR: what a normal, a fitted t and a Cornish-Fisher quantile say about a tail."""

from __future__ import annotations

import math

import numpy as np

from core.analytics.errors import RiskInputError
from core.analytics.series import Floats
from core.kernels.risk.normal import digamma, normal_pdf, normal_quantile
from core.kernels.risk.student import t_location_scale

DF_MIN, DF_MAX = 0.5, 1000.0


def normal_var_es(mean: float, sd: float, alpha: float) -> tuple[float, float]:
    """(VaR, ES) of a normal with ``mean`` and ``sd``."""
    z = normal_quantile(alpha)
    return -(mean + z * sd), -(mean - sd * normal_pdf(z) / alpha)


def fit_student(x: Floats) -> tuple[float, float, float]:
    """(location, scale, degrees of freedom) by maximum likelihood, df within DF_MIN … DF_MAX."""
    best = _StudentScore(x)
    low, high = math.log(DF_MIN), math.log(DF_MAX)
    at_high = best.score(high)
    if at_high >= 0.0:
        return best.location, best.scale, DF_MAX
    at_low = best.score(low)
    if at_low <= 0.0:
        return best.location, best.scale, DF_MIN
    middle, side = low, 0
    for _ in range(100):  # the score falls through its root: false position, the Illinois way
        last, middle = middle, (low * at_high - high * at_low) / (at_high - at_low)
        found = best.score(middle)
        if abs(middle - last) < 1e-14 or found == 0.0:
            break
        if found > 0.0:
            low, at_low, at_high, side = middle, found, at_high * (0.5 if side > 0 else 1.0), 1
        else:
            high, at_high, at_low, side = middle, found, at_low * (0.5 if side < 0 else 1.0), -1
    return best.location, best.scale, math.exp(middle)


class _StudentScore:
    """The slope of the likelihood in the degrees of freedom, location and scale at their best; starts where it was."""

    def __init__(self, x: Floats) -> None:
        self.x = x
        self.location, self.scale = float(np.median(x)), float(x.std())
        self._scale_min = 1e-9 * float(np.ptp(x))

    def score(self, log_df: float) -> float:
        df = math.exp(log_df)
        self.location, self.scale, total = t_location_scale(self.x, df, self.location, self.scale)
        if not self.scale > self._scale_min:
            raise RiskInputError(
                "ZERO_VARIANCE", "too many equal values to fit a t; use historical, or give df"
            )
        half = 0.5 * df
        return len(self.x) * (digamma(half + 0.5) - digamma(half) - 1.0 / df) + total


def cornish_fisher(alpha: float, skew: float, excess: float) -> tuple[float, float]:
    """(quantile, minus the mean below it) of a standardised variable with ``skew`` g1 and ``excess`` kurtosis g2."""
    z, squared = normal_quantile(alpha), skew * skew
    quantile = z + (z * z - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * squared / 36
    # the integral of Hermite polynomial n times the density is minus polynomial n - 1 times the density
    tail = 1 + z * skew / 6 + (z * z - 1) * excess / 24 - (2 * z * z - 1) * squared / 36
    return quantile, normal_pdf(z) / alpha * tail


def is_monotonic(skew: float, excess: float) -> bool:
    """Whether the Cornish-Fisher quantile rises everywhere (Maillard 2012): its slope is a parabola in z."""
    a = excess / 8 - skew * skew / 6
    c = 1 - excess / 8 + 5 * skew * skew / 36
    if a == 0.0:
        return skew == 0.0 and c > 0.0
    return a > 0.0 and skew * skew / 9 <= 4 * a * c
