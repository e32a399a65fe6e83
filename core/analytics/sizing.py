"""Sizing: how much of equity a set of forecasts deserves, and which limit stops it from being more.

Continuous Kelly: for excess returns with mean mu and covariance C a period, the growth-optimal weights are C^-1
mu (Kelly 1956; Thorp 2006). Full Kelly on *estimated* means bets on the estimation error, so three things stand
between it and a size. The mean is shrunk by what it can be distinguished from noise: with n observations of N
assets, theta^2 = mu' C^-1 mu has about N / n in it from error alone, and

    mu  ->  mu x theta^2 / (theta^2 + N / n)

(for one asset exactly ``core.kernels.sizing.shrink``). A fraction of Kelly is taken (a half: three quarters of
the growth at a quarter of the variance). And limits cap it: bounds of each weight (concentration, order value,
long only) inside the optimisation, then gross leverage and the risk budget by scaling all weights down.
``Sizes.binding`` names what held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.analytics.book import Floats
from core.analytics.errors import RiskInputError
from core.kernels.risk.boxed import ascend

CONDITION_MAX = 1e10  # of the correlation matrix: beyond it Kelly is the inverse of rounding error
_Z_99 = 2.3263478740408408
_TOUCH = 1e-9


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What no size may exceed. Fractions of equity, except where money is said."""

    concentration: float = 0.25  # |weight| of one asset
    leverage: float = 5.0  # sum of |weights|
    order_value: float = math.inf  # account currency that one order may be worth
    risk_budget: float = math.inf  # 99 % normal VaR of a period
    long_only: bool = False


@dataclass(frozen=True)
class Sizes:
    """Weights as fractions of equity, signed, and what they promise a period."""

    weights: Floats  # (N,)
    full_kelly: Floats  # (N,) of the shrunk means, without fraction and caps
    shrinkage: float  # 0 to 1: what is left of the means
    growth: float  # expected log growth at the shrunk means: mu'w - w'Cw/2
    volatility: float  # of the weights
    leverage: float  # sum of |weights|
    binding: tuple[str, ...]  # which caps hold, in the order they were met


def binary(p: float, odds: float) -> tuple[float, float]:
    """(Kelly fraction, growth in nats) of a bet won with probability ``p`` that pays ``odds`` to one.

    f = p - (1 - p) / odds, and never below 0. p = 0.6 at even odds: 0.2 and 0.0201355 = ln 2 - H(0.6).
    """
    if not (0.0 <= p <= 1.0 and 0.0 < odds < math.inf):
        raise RiskInputError("OUT_OF_RANGE", f"p {p:g} must be 0 to 1 and odds {odds:g} positive")
    fraction = max(0.0, p - (1.0 - p) / odds)
    if fraction == 0.0:
        return 0.0, 0.0
    lost = (1.0 - p) * math.log1p(-fraction) if p < 1.0 else 0.0
    return fraction, p * math.log1p(odds * fraction) + lost


def kelly(
    mu: Floats,
    cov: Floats,
    *,
    equity: float,
    samples: float = math.inf,
    fraction: float = 0.5,
    caps: Caps | None = None,
    held: Floats | None = None,
) -> Sizes:
    """Fractional, shrunk and capped Kelly weights.

    ``mu`` (N) mean excess returns and ``cov`` (N, N) their covariance, of one period; ``samples`` observations behind
    mu (inf: known); ``held`` (N) present weights, from which ``order_value`` measures what adds. Raises RiskInputError.
    """
    caps = caps or Caps()
    mu, cov = checked(mu, cov)
    _check_terms(equity, samples, fraction, caps)
    shrinkage = shrinkage_of(mu, cov, samples)
    means = mu * shrinkage
    full: Floats = np.asarray(np.linalg.solve(cov, means), dtype=np.float64)
    low, high, names = _bounds(len(mu), equity, caps, held)
    weights = _boxed(means * fraction, cov, low, high, full * fraction)
    binding = _touched(weights, low, high, names)
    for name, scale in _scales(weights, cov, caps):
        if scale < 1.0:
            weights = weights * scale
            binding.append(name)
    return Sizes(
        weights=weights,
        full_kelly=full,
        shrinkage=shrinkage,
        growth=float(means @ weights - weights @ cov @ weights / 2.0),
        volatility=math.sqrt(float(weights @ cov @ weights)),
        leverage=float(np.abs(weights).sum()),
        binding=tuple(binding),
    )


def shrinkage_of(mu: Floats, cov: Floats, samples: float) -> float:
    """What is left of the means when their estimation error is taken out, 0 to 1."""
    theta2 = float(mu @ np.linalg.solve(cov, mu))
    return theta2 / (theta2 + len(mu) / samples) if theta2 > 0.0 else 0.0


def volatility_target(weights: Floats, cov: Floats, target: float, *, leverage: float = math.inf) -> Floats:
    """``weights`` scaled to a volatility of ``target`` a period, gross at most ``leverage``; all 0 stays 0.

    ``cov`` is of one period, ``target`` of the same period. Raises RiskInputError.
    """
    weights, cov = checked(weights, cov)
    if not (0.0 < target < math.inf and leverage > 0.0):
        raise RiskInputError("OUT_OF_RANGE", f"target {target:g} and leverage {leverage:g} must be positive")
    gross = float(np.abs(weights).sum())
    if gross == 0.0:
        return weights
    return weights * min(target / math.sqrt(float(weights @ cov @ weights)), leverage / gross)


def checked(vector: Floats, cov: Floats) -> tuple[Floats, Floats]:
    """Both as float arrays; RiskInputError (BAD_SHAPE, NOT_FINITE, ZERO_VARIANCE, NOT_PSD, SINGULAR) if not usable."""
    vector, cov = np.array(vector, dtype=float), np.array(cov, dtype=float)
    n = len(vector) if vector.ndim == 1 else -1
    if n < 1 or cov.shape != (n, n):
        raise RiskInputError(
            "BAD_SHAPE", f"means of shape {vector.shape} and covariance of {cov.shape}: give N and N x N"
        )
    if not (np.isfinite(vector).all() and np.isfinite(cov).all()):
        raise RiskInputError("NOT_FINITE", "a mean or a covariance is not a finite number")
    if not np.allclose(cov, cov.T, rtol=1e-9, atol=0.0):
        raise RiskInputError("NOT_PSD", "the covariance is not symmetric")
    variances = np.diag(cov)
    if not (variances > 0.0).all():
        which = int(np.argmin(variances))
        raise RiskInputError(
            "ZERO_VARIANCE", f"asset {which} has variance {variances[which]:g}: leave it out"
        )
    sd = np.sqrt(variances)
    eigen = np.linalg.eigvalsh(cov / np.outer(sd, sd))
    if eigen[0] < -1e-9:
        raise RiskInputError(
            "NOT_PSD", f"the covariance has a negative eigenvalue ({eigen[0]:.3g} of correlation)"
        )
    if eigen[0] * CONDITION_MAX < eigen[-1]:
        raise RiskInputError("SINGULAR", "some assets are copies of others (or fewer rows than assets): shrink the"
                             " covariance (Ledoit-Wolf) or leave them out")  # fmt: skip
    return vector, cov


def _check_terms(equity: float, samples: float, fraction: float, caps: Caps) -> None:
    positive = {"equity": equity, "samples": samples, "concentration": caps.concentration, "leverage": caps.leverage,
                "order_value": caps.order_value, "risk_budget": caps.risk_budget}  # fmt: skip
    for name, value in positive.items():
        if not value > 0.0:
            raise RiskInputError("OUT_OF_RANGE", f"{name} is {value:g}: must be more than 0")
    if not 0.0 < fraction <= 1.0:
        raise RiskInputError(
            "OUT_OF_RANGE", f"fraction of Kelly is {fraction:g}: must be above 0 and at most 1"
        )
    if math.isinf(equity):
        raise RiskInputError("NOT_FINITE", "equity is infinite")


def _bounds(
    n: int, equity: float, caps: Caps, held: Floats | None
) -> tuple[Floats, Floats, tuple[list[str], list[str]]]:
    """(low, high, names of what sets each): concentration, one order from what is held, long only."""
    now = np.zeros(n) if held is None else np.asarray(held, dtype=float)
    if now.shape != (n,) or not np.isfinite(now).all():
        raise RiskInputError("BAD_SHAPE", f"held weights: give {n} finite numbers")
    step = caps.order_value / equity
    floor = 0.0 if caps.long_only else -caps.concentration
    low = np.maximum(
        floor, np.minimum(now, 0.0) - step
    )  # taking risk off is never held back by the size of an order
    high = np.minimum(caps.concentration, np.maximum(now, 0.0) + step)
    low_names = [
        "order_value" if x > floor else "long_only" if caps.long_only else "concentration" for x in low
    ]
    high_names = ["order_value" if x < caps.concentration else "concentration" for x in high]
    return low, high, (low_names, high_names)


def _boxed(mu: Floats, cov: Floats, low: Floats, high: Floats, free: Floats) -> Floats:
    if ((free >= low) & (free <= high)).all():
        return free
    weights = np.clip(free, low, high)
    rounds_max = 20_000
    if ascend(mu, np.ascontiguousarray(cov), low, high, weights, 1e-12, rounds_max) > rounds_max:
        raise RiskInputError(
            "SINGULAR", "the optimisation did not settle: the covariance is too close to singular"
        )
    return weights


def _touched(weights: Floats, low: Floats, high: Floats, names: tuple[list[str], list[str]]) -> list[str]:
    found = [names[0][i] for i in np.flatnonzero(weights <= low + _TOUCH)]
    found += [names[1][i] for i in np.flatnonzero(weights >= high - _TOUCH)]
    return list(dict.fromkeys(found))


def _scales(weights: Floats, cov: Floats, caps: Caps) -> list[tuple[str, float]]:
    """Scales that gross leverage and the risk budget ask for, each after the one before."""
    gross = float(np.abs(weights).sum())
    by_gross = caps.leverage / gross if gross > caps.leverage else 1.0
    var = _Z_99 * math.sqrt(float(weights @ cov @ weights)) * by_gross
    return [
        ("leverage", by_gross),
        ("risk_budget", caps.risk_budget / var if var > caps.risk_budget else 1.0),
    ]
