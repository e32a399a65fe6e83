"""Growth under bounds: maximise mu'w - w'Cw/2 with low <= w <= high, by coordinate ascent.

For a positive definite C the problem is strictly concave and its bounds are separate, so going round the
coordinates and putting each at its own optimum converges to the one solution (Tseng 2001); with no bound in the
way that is C^-1 mu.
"""

from __future__ import annotations

import math

from core.kernels._jit import kernel
from core.kernels.tables import Table


@kernel
def ascend(
    mu: Table, cov: Table, low: Table, high: Table, w: Table, tolerance: float, rounds_max: int
) -> int:
    """Improve ``w`` (f8, n, within bounds) in place until no coordinate moves by ``tolerance``; returns rounds used.

    ``mu`` f8 (n), ``cov`` f8 (n, n) symmetric positive definite, C-contiguous. ``rounds_max`` + 1 = not converged.
    """
    n = len(mu)
    for rounds in range(rounds_max):
        moved = 0.0
        for i in range(n):
            pull = mu[i]
            for j in range(n):
                pull -= cov[i, j] * w[j]
            best = w[i] + pull / cov[i, i]
            if best < low[i]:
                best = low[i]
            elif best > high[i]:
                best = high[i]
            moved = max(moved, math.fabs(best - w[i]))
            w[i] = best
        if moved <= tolerance:
            return rounds + 1
    return rounds_max + 1
