"""Where a portfolio's risk comes from: marginal, component and incremental VaR, and concentration.

VaR is homogeneous of degree one in the holdings, so by Euler it is the sum of holdings times marginals (Litterman 1996;
Tasche 1999). The parts are computed first and the total is their exact sum (math.fsum), so they add up to the last
bit. For the historical measures the parts are the losses of each holding in the tail's own scenarios, with the tail's
own weights: they add up by construction. (One scenario decides historical VaR, so its parts are noisy; those of ES are
means over the tail and are the ones to act on.)

Weights are amounts of money, or fractions of equity; results are in the same unit. Losses are positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.covariance import check_covariance
from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite, finite_panel, tail_probability
from core.kernels.risk.normal import normal_pdf, normal_quantile
from core.kernels.risk.order_stats import tail_count


@dataclass(frozen=True)
class Components:
    """``component`` sums to ``total`` exactly; arrays are (m,), in the order of the weights."""

    total: float
    marginal: Floats  # of one more unit of the holding
    component: Floats
    share: Floats  # of the total; nan when the total is 0
    beta: Floats  # of each holding's return to the portfolio's; nan for the historical measures


def normal_var(
    weights: npt.ArrayLike, cov: npt.ArrayLike, alpha: float = 0.01, *, z: float | None = None
) -> Components:
    """Normal VaR with mean zero: z w_i (S w)_i / sd. ``z`` replaces the quantile (2.33 in older books)."""
    quantile = -normal_quantile(tail_probability(alpha)) if z is None else z
    return _normal(weights, cov, quantile)


def normal_es(weights: npt.ArrayLike, cov: npt.ArrayLike, alpha: float = 0.01) -> Components:
    """Normal ES with mean zero, by the same rule."""
    quantile = normal_quantile(tail_probability(alpha))
    return _normal(weights, cov, normal_pdf(quantile) / alpha)


def _normal(weights: npt.ArrayLike, cov: npt.ArrayLike, factor: float) -> Components:
    w, matrix = _aligned(weights, cov)
    side = matrix @ w
    variance = float(w @ side)
    if not variance > 0.0:
        raise RiskInputError("ZERO_VARIANCE", "the portfolio does not vary; its risk has no parts")
    marginal = np.asarray(factor * side / math.sqrt(variance))
    held = float(w.sum()) or math.nan  # a book that is as long as short has no return to compare with
    return _components(w, marginal, side * held / variance)


def historical_es(weights: npt.ArrayLike, returns: npt.ArrayLike, alpha: float) -> Components:
    """Historical ES of ``returns`` (n, m): each holding's mean loss in the portfolio's tail, boundary weighted."""
    w, x, order, k, weight = _scenarios(weights, returns, alpha)
    share = np.ones(k)
    share[-1] = weight - (k - 1)
    return _components(w, -(share @ x[order[:k]]) / weight, np.full(len(w), np.nan))


def historical_var(weights: npt.ArrayLike, returns: npt.ArrayLike, alpha: float) -> Components:
    """Historical VaR of ``returns`` (n, m): each holding's loss in the one scenario that is the VaR."""
    w, x, order, k, _ = _scenarios(weights, returns, alpha)
    return _components(w, -x[order[k - 1]], np.full(len(w), np.nan))


def _scenarios(
    weights: npt.ArrayLike, returns: npt.ArrayLike, alpha: float
) -> tuple[Floats, Floats, npt.NDArray[np.intp], int, float]:
    w, x = finite(weights, rows_min=1, varies=False), finite_panel(returns)
    if len(w) != x.shape[1]:
        raise RiskInputError("BAD_SHAPE", f"{len(w)} weights for {x.shape[1]} columns")
    k, weight = tail_count(len(x), tail_probability(alpha))
    if weight < 1.0:
        raise thin(len(x), alpha)
    return w, x, np.argsort(x @ w, kind="stable"), k, weight


def thin(n: int, alpha: float) -> RiskInputError:
    """The error of a tail that holds less than one observation."""
    need = math.ceil(1.0 / alpha - 1e-9)
    return RiskInputError(
        "TAIL_TOO_THIN", f"{n} rows have no {alpha:g} tail: at least {need} are needed, or a larger alpha"
    )


def _components(w: Floats, marginal: Floats, beta: Floats) -> Components:
    component = w * marginal
    total = math.fsum(component)
    share = component / total if total != 0.0 else np.full(len(w), np.nan)
    return Components(total, marginal, component, share, beta)


def incremental_var(
    weights: npt.ArrayLike,
    change: npt.ArrayLike,
    cov: npt.ArrayLike,
    alpha: float = 0.01,
    *,
    z: float | None = None,
) -> float:
    """VaR after ``change`` (m,) of the holdings minus VaR before, both in full; a book that ends flat has none."""
    w, matrix = _aligned(weights, cov)
    step = finite(change, rows_min=1, varies=False)
    if len(step) != len(w):
        raise RiskInputError("BAD_SHAPE", f"a change of {len(step)} holdings for {len(w)}")
    quantile = -normal_quantile(tail_probability(alpha)) if z is None else z
    after, before = ((v @ matrix @ v) for v in (w + step, w))
    return quantile * (math.sqrt(max(0.0, float(after))) - math.sqrt(max(0.0, float(before))))


def _aligned(weights: npt.ArrayLike, cov: npt.ArrayLike) -> tuple[Floats, Floats]:
    w, matrix = finite(weights, rows_min=1, varies=False), check_covariance(cov)
    if len(w) != len(matrix):
        raise RiskInputError("BAD_SHAPE", f"{len(w)} weights for {len(matrix)} columns")
    return w, matrix


@dataclass(frozen=True)
class Concentration:
    """Herfindahl-Hirschman index of gross holdings."""

    hhi: float  # 0 … 1
    hhi_points: float  # 0 … 10,000, the scale of the US Merger Guidelines
    n_effective: float  # 1 / hhi: as many equal holdings are as concentrated


def concentration(weights: npt.ArrayLike) -> Concentration:
    """HHI of |weights|, whatever their unit; a book without holdings is refused."""
    w = np.abs(finite(weights, rows_min=1, varies=False))
    gross = math.fsum(w)
    if gross == 0.0:
        raise RiskInputError("ZERO_VARIANCE", "no holdings: nothing is concentrated")
    hhi = math.fsum((w / gross) ** 2)
    return Concentration(hhi, 10_000.0 * hhi, 1.0 / hhi)
