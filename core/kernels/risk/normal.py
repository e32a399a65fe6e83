"""Distribution functions: normal, Student t, chi-square and binomial, to 1e-12 relative, tails included.

A binomial with a count of thousands is good to 1e-11.

These are plain Python: each is called a few times a measure, and compiling one costs more than all its calls.

    normal quantile     Wichura's AS 241 (1988), as the standard library has it
    normal cdf          erfc, so that the lower tail keeps its digits
    incomplete beta     continued fraction of DLMF 8.17.22 by Lentz's method, on the side where it converges fast
    t, binomial cdf     incomplete beta (Abramowitz & Stegun 26.5.27, 26.5.24)
    t quantile          Newton on the cdf from 0: it is convex below 0, so the steps cannot overshoot
    chi-square tail     finite sums from df 1 and 2 (A&S 26.4.4, 26.4.5)
    digamma             recurrence to x >= 10, then the asymptotic series (A&S 6.3.18)
"""

from __future__ import annotations

import math
from statistics import NormalDist

_STANDARD = NormalDist()
_TINY = 1e-300


def normal_pdf(x: float) -> float:
    """Density of the standard normal."""
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def normal_cdf(x: float) -> float:
    """P(Z <= x)."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_quantile(p: float) -> float:
    """z with P(Z <= z) = p, 0 < p < 1; ValueError outside."""
    if not 0.0 < p < 1.0:
        raise ValueError(f"{p} is not a probability between 0 and 1")
    return _STANDARD.inv_cdf(p)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised I_x(a, b) for a, b > 0 and 0 <= x <= 1."""
    return _incomplete_beta(a, b, x, 1.0 - x)


def _incomplete_beta(a: float, b: float, x: float, y: float) -> float:
    """The same with ``y`` = 1 - x given, which a caller may know to more digits."""
    if x <= 0.0 or y <= 0.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(y))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, y) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d, c = 1.0 + step * d, 1.0 + step / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            value *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    return value


def t_pdf(x: float, df: float) -> float:
    """Density of Student's t."""
    scale = math.lgamma(0.5 * (df + 1.0)) - math.lgamma(0.5 * df) - 0.5 * math.log(df * math.pi)
    return math.exp(scale - 0.5 * (df + 1.0) * math.log1p(x * x / df))


def t_cdf(x: float, df: float) -> float:
    """P(T <= x)."""
    square = x * x
    tail = 0.5 * _incomplete_beta(0.5 * df, 0.5, df / (df + square), square / (df + square))
    return 1.0 - tail if x > 0.0 else tail


def t_quantile(p: float, df: float) -> float:
    """t with P(T <= t) = p, 0 < p < 1; ValueError outside."""
    if not (0.0 < p < 1.0 and df > 0.0):
        raise ValueError(f"no quantile of t at p = {p}, df = {df}")
    if p > 0.5:
        return -t_quantile(1.0 - p, df)
    x = 0.0
    for _ in range(1000):
        step = (t_cdf(x, df) - p) / t_pdf(x, df)
        x -= step
        if abs(step) <= 4e-16 * abs(x):
            break
    return x


def t_shortfall(p: float, df: float) -> float:
    """Minus the mean of T below its p-quantile; infinite for df <= 1 (McNeil, Frey, Embrechts 2005, 2.2.4)."""
    if df <= 1.0:
        return math.inf
    t = t_quantile(p, df)
    return t_pdf(t, df) / p * (df + t * t) / (df - 1.0)


def chi2_tail(x: float, df: int) -> float:
    """P(chi-square with ``df`` degrees of freedom > x), df a whole number."""
    if x <= 0.0:
        return 1.0
    half = 0.5 * x
    if df % 2:
        total, term, k = math.erfc(math.sqrt(half)), math.sqrt(half / math.pi) * 2.0 * math.exp(-half), 3
    else:
        total, term, k = math.exp(-half), half * math.exp(-half), 4
    while k <= df:
        total += term
        term *= x / k
        k += 2
    return total


def binomial_cdf(k: int, n: int, p: float) -> float:
    """P(at most ``k`` of ``n`` happen), each with probability ``p``."""
    if k < 0 or k >= n:
        return 0.0 if k < 0 else 1.0
    return _incomplete_beta(n - k, k + 1.0, 1.0 - p, p)


def digamma(x: float) -> float:
    """Derivative of log gamma, x > 0."""
    shift = 0.0
    while x < 10.0:
        shift -= 1.0 / x
        x += 1.0
    z = 1.0 / (x * x)
    tail = z * (
        1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * (691 / 32760 - z / 12)))))
    )
    return shift + math.log(x) - 0.5 / x - tail
