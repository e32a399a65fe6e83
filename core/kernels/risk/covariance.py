"""Exponentially weighted variance and covariance, recursively: RiskMetrics (1996, Technical Document 4).

    S[t+1] = lambda S[t] + (1 - lambda) r[t] r[t]'        mean zero, S[1] = r[0] r[0]'

``S[t]`` is a forecast: it knows returns before t only. Sample covariance is left to BLAS, which is at the
machine's limit already.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.kernels._jit import background

Floats = npt.NDArray[np.float64]


@background
def ewma_variance(r: Floats, decay: float, out: Floats) -> None:
    """``out[t]`` = variance forecast for period t, for t = 0 … n (n + 1 values); out[0] = out[1] = r[0]^2."""
    variance = r[0] * r[0]
    out[0] = variance
    for t in range(len(r)):
        if t > 0:
            variance = decay * variance + (1.0 - decay) * r[t] * r[t]
        out[t + 1] = variance


@background
def ewma_update(cov: Floats, r: Floats, decay: float) -> None:
    """One period: ``cov`` (m, m), symmetric, becomes the forecast after returns ``r`` (m,)."""
    m = len(r)
    for i in range(m):
        weighted = (1.0 - decay) * r[i]
        for j in range(i + 1):
            value = decay * cov[i, j] + weighted * r[j]
            cov[i, j] = value
            cov[j, i] = value


@background
def ewma_covariance(x: Floats, decay: float, out: Floats) -> None:
    """Covariance forecast (m, m) after all rows of ``x`` (n, m), oldest first."""
    m = x.shape[1]
    for i in range(m):
        for j in range(m):
            out[i, j] = x[0, i] * x[0, j]
    for t in range(1, len(x)):
        ewma_update(out, x[t], decay)
