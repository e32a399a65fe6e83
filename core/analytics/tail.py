"""How heavy the tail of losses is: Hill's index, and peaks over a threshold with a generalised Pareto law.

Both look at losses (minus the returns) above a threshold that the caller states by ``k``, the number of losses above
it: there is no choice of k that suits every series, so none is hidden here. Five to ten per cent of the rows is usual;
a result that moves much with k is none.

    hill   xi = mean of log(L_(i) / L_(k+1)) over the k largest losses; tail index 1 / xi; standard error xi / sqrt(k)
           (Hill 1975)
    pot    P(L - u > y | L > u) = (1 + xi y / beta)^(-1 / xi), maximum likelihood by Grimshaw's (1993) reduction to one
           unknown; VaR and ES beyond the data by McNeil and Frey (2000). Sought where xi > -0.5: below, maximum
           likelihood has no usual theory, and below -1 no maximum
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite, tail_probability

_XI_MIN = -0.5
_SHARE, _K_MIN = 10, 20  # of the rows, and at least: what ``summary`` takes for a tail
_GRID = 400
_BLOCK = 100_000  # elements at once: the second cache


@dataclass(frozen=True)
class Hill:
    """``index`` is the tail index: moments of that order and above do not exist."""

    index: float
    xi: float
    xi_error: float
    threshold: float  # the loss that ``k`` others exceed
    k: int


@dataclass(frozen=True)
class Pot:
    """A generalised Pareto law of losses above ``threshold``; VaR and ES at ``alpha``, in the returns' unit."""

    var: float
    es: float  # infinite for xi >= 1
    alpha: float
    xi: float  # 0 exponential, above 0 heavy
    beta: float  # scale
    threshold: float
    k: int
    n: int


def summary(returns: npt.ArrayLike, alpha: float, scale: float = 1.0) -> dict[str, float | str]:
    """Both over a tenth of the rows, ``note`` instead where there is no answer; ``scale`` takes money to a horizon."""
    n = len(np.asarray(returns))
    k = n // _SHARE
    if k < _K_MIN:
        return {"note": f"n={n} of {_SHARE * _K_MIN} needed"}
    try:
        own, beyond = hill(returns, k), pot(returns, alpha, k)
    except RiskInputError as error:
        return {"note": error.message}
    row: dict[str, float | str] = {"k": k, "n": n, "index": own.index, "xi": own.xi, "xi_error": own.xi_error}
    return row | {"pot_xi": beyond.xi, "pot_var": beyond.var * scale, "pot_es": beyond.es * scale}


def hill(returns: npt.ArrayLike, k: int) -> Hill:
    """Hill's estimator on the ``k`` largest losses; the next one must be a loss too."""
    losses, threshold = _above(finite(returns), k)
    if not threshold > 0.0:
        raise RiskInputError("BAD_OPTION", f"the loss below the {k} largest is no loss: take a smaller k")
    xi = float(np.log(losses / threshold).mean())
    if xi == 0.0:
        raise RiskInputError(
            "ZERO_VARIANCE", f"the {k + 1} largest losses are equal: they have no tail index"
        )
    return Hill(1.0 / xi, xi, xi / math.sqrt(k), threshold, k)


def pot(returns: npt.ArrayLike, alpha: float, k: int) -> Pot:
    """VaR and ES by peaks over threshold; ``alpha`` must lie beyond the threshold, alpha n <= k."""
    x = finite(returns)
    losses, threshold = _above(x, k)
    if tail_probability(alpha) * len(x) > k:
        raise RiskInputError(
            "BAD_OPTION", f"alpha {alpha:g} of {len(x)} rows is within the threshold: take k larger"
        )
    excess = losses - threshold
    if float(excess.max()) == float(excess.min()):
        raise RiskInputError("ZERO_VARIANCE", f"the {k} largest losses are equal: they have no tail")
    xi, beta = fit_pareto(excess)
    ratio = math.log(k / (alpha * len(x)))
    var = threshold + beta * (math.expm1(xi * ratio) / xi if xi != 0.0 else ratio)
    es = (var + beta - xi * threshold) / (1.0 - xi) if xi < 1.0 else math.inf
    return Pot(var, es, alpha, xi, beta, threshold, k, len(x))


def fit_pareto(excess: npt.ArrayLike) -> tuple[float, float]:
    """(xi, beta) of a generalised Pareto law for ``excess`` >= 0, at least 5, by maximum likelihood."""
    given = finite(excess, rows_min=5)
    if bool((given < 0.0).any()):
        raise RiskInputError("NOT_POSITIVE", "an excess over the threshold is not negative")
    scale = float(given.mean())
    y = given / scale  # theta = xi / beta is then of order one
    steps = np.concatenate([-np.geomspace(1.0, 1e-7, _GRID), np.geomspace(1e-7, 1e4, _GRID)])
    grid = np.where(steps < 0.0, steps * (1.0 - 1e-9) / float(y.max()), steps)
    best = int(np.argmax(_likelihood(y, grid)))
    theta = _peak(y, float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)]))
    xi = float(np.log1p(theta * y).mean())
    return xi, scale * xi / theta


def _likelihood(y: Floats, thetas: Floats) -> Floats:
    """Log likelihood a value for each of ``thetas``, with xi at its best for it; -inf outside the domain."""
    step = max(1, _BLOCK // len(y))
    blocks = (np.log1p(thetas[i : i + step, None] * y).mean(axis=1) for i in range(0, len(thetas), step))
    xi = np.concatenate(list(blocks))
    return np.where(xi > _XI_MIN, -np.log(xi / thetas) - xi - 1.0, -np.inf)


def _slope(y: Floats, theta: float) -> float:
    xi = float(np.log1p(theta * y).mean())
    return 1.0 / theta - float((y / (1.0 + theta * y)).mean()) * (1.0 + 1.0 / xi)


def _peak(y: Floats, low: float, high: float) -> float:
    """Where the likelihood's slope changes its sign, between two points around the peak."""
    for _ in range(200):
        theta = 0.5 * (low + high)
        if theta in (low, high) or theta == 0.0:
            break
        if _slope(y, theta) > 0.0:
            low = theta
        else:
            high = theta
    return 0.5 * (low + high) or 1e-12


def _above(x: Floats, k: int) -> tuple[Floats, float]:
    """(the ``k`` largest losses, the loss after them)."""
    if len(x) <= 5:
        raise RiskInputError("TOO_FEW_ROWS", f"{len(x)} rows have no tail of 5 losses: at least 6")
    if not (isinstance(k, int) and 5 <= k < len(x)):
        raise RiskInputError("BAD_OPTION", f"k {k} is not a whole number from 5 to {len(x) - 1}")
    ordered = np.sort(-x)[::-1]
    return np.ascontiguousarray(ordered[:k]), float(ordered[k])
