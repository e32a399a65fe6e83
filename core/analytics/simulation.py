"""Monte Carlo over several assets: linear books by projection, any other book by full revaluation of every path.

Returns are normal with ``mean`` and ``cov``. With ``revalue`` the paths go, a block at a time, through the caller's own
pricing: options, inverse contracts, liquidation rules. Equal seeds give equal numbers, whatever the block size.
The band is distribution-free: the order statistics whose ranks a binomial count of tail paths would reach in 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.component import thin
from core.analytics.covariance import factor
from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite, tail_probability
from core.kernels.risk.montecarlo import fill_normals, simulate_pnl
from core.kernels.risk.order_stats import smallest, tail_count, var_es

BLOCK = 8192
PATHS_MAX = 50_000_000
SEED_MAX = 2**63 - 1
Revalue = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Simulated:
    """VaR and ES of simulated P&L, losses positive, and the 95 % band of the VaR."""

    var: float
    es: float
    band: tuple[float, float]
    pnl: Floats  # (paths,)


def simulate(
    mean: npt.ArrayLike,
    cov: npt.ArrayLike,
    weights: npt.ArrayLike,
    alpha: float,
    *,
    paths: int = 100_000,
    seed: int = 1,
    revalue: Revalue | None = None,
) -> Simulated:
    """Simulate ``paths`` returns of the assets and the P&L of the book.

    ``mean`` and ``weights`` (m,), ``cov`` (m, m). ``revalue`` takes returns (block, m) and gives P&L (block,), in
    place of the linear returns . weights.
    """
    mu, w, root = (
        finite(mean, rows_min=1, varies=False),
        finite(weights, rows_min=1, varies=False),
        factor(cov),
    )
    if not len(mu) == len(w) == len(root):
        raise RiskInputError("BAD_SHAPE", f"{len(mu)} means, {len(w)} weights, {len(root)} columns")
    _check(paths, seed, tail_probability(alpha))
    pnl = (
        simulate_pnl(root, w, mu, paths, seed)
        if revalue is None
        else revalued(mu, root, paths, seed, revalue)
    )
    var, es = var_es(pnl, alpha)
    return Simulated(float(var), float(es), quantile_band(pnl, alpha), pnl)


def revalued(mean: Floats, root: Floats, paths: int, seed: int, revalue: Revalue) -> Floats:
    """P&L of ``paths`` full revaluations; NOT_FINITE if the caller's pricing gives anything else."""
    pnl = np.empty(paths)
    normals = np.empty((min(BLOCK, paths), root.shape[1]))
    for start in range(0, paths, BLOCK):
        block = normals[: min(BLOCK, paths - start)]
        fill_normals(seed, start, block)
        value = np.asarray(revalue(block @ root.T + mean), dtype=np.float64)
        if value.shape != (len(block),) or not np.isfinite(value).all():
            raise RiskInputError(
                "NOT_FINITE", f"the revaluation gave {value.shape} values, not {len(block)} finite ones"
            )
        pnl[start : start + len(block)] = value
    return pnl


def quantile_band(pnl: Floats, alpha: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """(low, high) of the VaR that ``len(pnl)`` independent paths leave open, 95 % with the default ``z``."""
    count = len(pnl) * alpha
    spread = z * math.sqrt(count * (1.0 - alpha))
    deep, shallow = max(1, math.floor(count - spread)), min(len(pnl), math.ceil(count + spread) + 1)
    tail = np.sort(smallest(pnl, shallow))
    return -float(tail[-1]), -float(tail[deep - 1])


def _check(paths: int, seed: int, alpha: float) -> None:
    if not (isinstance(paths, int) and 1 <= paths <= PATHS_MAX):
        raise RiskInputError("BAD_OPTION", f"paths {paths} is not a whole number up to {PATHS_MAX:,}")
    if not (isinstance(seed, int) and 0 <= seed <= SEED_MAX):
        raise RiskInputError("BAD_OPTION", f"seed {seed} is not a whole number from 0 to 2^63 - 1")
    if tail_count(paths, alpha)[1] < 1.0:
        raise thin(paths, alpha)
