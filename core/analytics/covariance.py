"""Covariance and what is read from it: sample, EWMA and shrunk; factors for simulation; beta; correlation breakdown.

    sample        divisor n - 1 (numpy, pandas)
    ewma          RiskMetrics: decay 0.94, mean zero, started with the first row's r r'
    ledoit_wolf   Ledoit & Wolf 2004, "A well-conditioned estimator": shrunk to a multiple of the identity, divisor n,
                  means removed; the intensity is the estimator's own (scikit-learn's LedoitWolf is the same)

Rows are periods, oldest first; units are those of the returns, squared, a period.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite, finite_panel
from core.kernels.risk.covariance import ewma_covariance, ewma_variance

DECAY = 0.94


def sample(returns: npt.ArrayLike) -> Floats:
    """(m, m) from (n, m), n >= 2."""
    x = finite_panel(returns)
    centred = x - x.mean(axis=0)
    return np.asarray(centred.T @ centred / (len(x) - 1))


def ewma(returns: npt.ArrayLike, decay: float = DECAY) -> Floats:
    """(m, m) forecast for the period after the last row."""
    x = finite_panel(returns, rows_min=1)
    out = np.empty((x.shape[1], x.shape[1]))
    ewma_covariance(x, check_decay(decay), out)
    return out


def ewma_volatility(returns: npt.ArrayLike, decay: float = DECAY) -> Floats:
    """n + 1 one-period forecasts, the last one for the period to come; each knows only the returns before it."""
    x = finite(returns, rows_min=1, varies=False)
    out = np.empty(len(x) + 1)
    ewma_variance(x, check_decay(decay), out)
    return np.sqrt(out)


def ewma_days(decay: float, tolerance: float) -> int:
    """How many of the last days carry all but ``tolerance`` of the weight (RiskMetrics 1996, table 5.7)."""
    if not 0.0 < tolerance < 1.0:
        raise RiskInputError("BAD_OPTION", f"tolerance {tolerance} is not between 0 and 1")
    return round(math.log(tolerance) / math.log(check_decay(decay)))


def ledoit_wolf(returns: npt.ArrayLike) -> tuple[Floats, float]:
    """(covariance, shrinkage intensity in 0 … 1)."""
    x = finite_panel(returns)
    n, m = x.shape
    x = x - x.mean(axis=0)
    cov = x.T @ x / n
    mu = float(np.trace(cov)) / m
    square = x * x
    beta = (float((square.T @ square).sum()) / n - float((cov * cov).sum())) / (m * n)
    delta = (float((cov * cov).sum()) - 2.0 * mu * float(np.trace(cov)) + m * mu * mu) / m
    shrinkage = 0.0 if delta <= 0.0 else max(0.0, min(beta, delta)) / delta
    out = (1.0 - shrinkage) * cov
    out.flat[:: m + 1] += shrinkage * mu
    return np.asarray(out), shrinkage


def factor(cov: npt.ArrayLike) -> Floats:
    """A square root L of ``cov``, L L' = cov: Cholesky, or by eigenvalues where an asset adds nothing of its own."""
    matrix = check_covariance(cov)
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-10 * max(values[-1], 0.0) or values[-1] <= 0.0:
        raise RiskInputError(
            "NOT_PSD",
            f"the covariance has an eigenvalue of {values[0]:.3g}: no portfolio has a negative variance; "
            "estimate all of it from the same rows, or shrink it",
        )
    return np.ascontiguousarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def check_covariance(cov: npt.ArrayLike) -> Floats:
    """``cov`` if it is square, finite, symmetric and no variance is negative."""
    matrix = finite_panel(cov, rows_min=1)
    if matrix.shape[0] != matrix.shape[1]:
        raise RiskInputError(
            "BAD_SHAPE", f"a covariance is square, this is {matrix.shape[0]} x {matrix.shape[1]}"
        )
    scale = float(np.abs(matrix).max())
    if float(np.abs(matrix - matrix.T).max()) > 1e-9 * scale:
        raise RiskInputError("BAD_SHAPE", "the covariance is not symmetric")
    if bool((np.diag(matrix) < 0.0).any()):
        raise RiskInputError("NOT_PSD", "the covariance has a negative variance on its diagonal")
    return matrix


def check_decay(decay: float) -> float:
    """``decay`` if it is between 0 and 1."""
    if not 0.0 < decay < 1.0:
        raise RiskInputError("BAD_OPTION", f"decay {decay} is not between 0 and 1 (usual: 0.94 a day)")
    return float(decay)


def correlation(cov: npt.ArrayLike) -> Floats:
    """Correlation matrix of a covariance; diagonal exactly 1."""
    matrix = check_covariance(cov)
    sd = np.sqrt(np.diag(matrix))
    if bool((sd == 0.0).any()):
        raise RiskInputError(
            "ZERO_VARIANCE", f"column {int(np.argmin(sd)) + 1} does not vary: it has no correlation"
        )
    out: Floats = np.clip(matrix / np.outer(sd, sd), -1.0, 1.0)
    np.fill_diagonal(out, 1.0)
    return out


def stressed(corr: npt.ArrayLike, share: float) -> Floats:
    """``corr`` moved ``share`` (0 … 1) of the way to all ones; a mixture of two correlation matrices is one."""
    if not 0.0 <= share <= 1.0:
        raise RiskInputError("BAD_OPTION", f"share {share} is not between 0 and 1")
    matrix = check_covariance(corr)
    return (1.0 - share) * matrix + share


@dataclass(frozen=True)
class Breakdown:
    """What diversification is worth, and what is lost when it fails. Standard deviations in the book's unit."""

    average_correlation: float  # mean off the diagonal
    distance: float  # mean of 1 - correlation off the diagonal: 0 = everything already moves together
    sd: float  # as correlations stand
    sd_all_ones: float  # every correlation 1: longs and shorts offset fully
    sd_worst: float  # every holding moves against the book: sum of |w| sd
    diversification: float  # sd_worst / sd, 1 = none


def breakdown(weights: npt.ArrayLike, cov: npt.ArrayLike) -> Breakdown:
    """Correlation breakdown of holdings ``weights`` (m,) under ``cov`` (m, m), m >= 2."""
    w = finite(weights, varies=False)
    matrix = check_covariance(cov)
    if len(w) != len(matrix):
        raise RiskInputError("BAD_SHAPE", f"{len(w)} weights for {len(matrix)} columns")
    corr, sds = correlation(matrix), np.sqrt(np.diag(matrix))
    off = ~np.eye(len(w), dtype=bool)
    sd = math.sqrt(max(0.0, float(w @ matrix @ w)))
    worst = float(np.abs(w) @ sds)
    return Breakdown(
        average_correlation=float(corr[off].mean()),
        distance=float((1.0 - corr[off]).mean()),
        sd=sd,
        sd_all_ones=abs(float(w @ sds)),
        sd_worst=worst,
        diversification=worst / sd if sd > 0.0 else math.nan,
    )


@dataclass(frozen=True)
class Line:
    """A least squares line y = alpha + beta x, with the spread of what it leaves over."""

    beta: float
    alpha: float
    residual_sd: float  # divisor n - 2
    beta_error: float  # standard error of beta
    r_squared: float
    n: int


def beta(returns: npt.ArrayLike, market: npt.ArrayLike) -> Line:
    """Regress ``returns`` on ``market`` (same periods); a market that does not vary is refused."""
    y, x = finite(returns, rows_min=3, varies=False), finite(market, rows_min=3)
    if len(x) != len(y):
        raise RiskInputError(
            "BAD_SHAPE", f"{len(y)} returns against {len(x)} of the market: align them first"
        )
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    dx, dy = x - mean_x, y - mean_y
    sxx, sxy = math.fsum(dx * dx), math.fsum(dx * dy)
    slope = sxy / sxx
    residual = dy - slope * dx
    left, total = math.fsum(residual * residual), math.fsum(dy * dy)
    sd = math.sqrt(left / (len(x) - 2))
    return Line(
        beta=slope,
        alpha=mean_y - slope * mean_x,
        residual_sd=sd,
        beta_error=sd / math.sqrt(sxx),
        r_squared=1.0 - left / total if total > 0.0 else math.nan,
        n=len(x),
    )
