"""Factors: their returns, and every instrument's betas to them by least squares over a window of samples.

A factor is a weighted basket of instruments; its return over an interval is the weighted mean of the simple returns of
those members that had a price at both ends. Betas are those of the joint regression with an intercept

    r_i(t) = a_i + sum over f of beta_if F_f(t) + e_i(t)

solved once for all instruments from the factors' centred cross products (Cholesky). A factor that the ones before it
explain (or that never moves) gets no beta: a sector that is the whole market is the market.
"""

from __future__ import annotations

import math

import numpy as np

from core.kernels._jit import kernel
from core.kernels.tables import Table

TINY = 1e-9  # of a factor's own variance: what is left of it beside the others counts as nothing


@kernel
def factor_returns(before: Table, now: Table, weights: Table, out: Table) -> None:
    """Write the factors' simple returns, ``out`` f8[k], from prices f8[n] (0 = none) and ``weights`` f8[k, n] >= 0."""
    for f in range(len(weights)):
        total = moved = 0.0
        for i in range(len(before)):
            weight = weights[f, i]
            if weight > 0.0 and before[i] > 0.0 and now[i] > 0.0:
                total += weight
                moved += weight * (now[i] / before[i] - 1.0)
        out[f] = moved / total if total > 0.0 else 0.0


@kernel
def _factor(cross: Table, lower: Table) -> None:
    """Cholesky of ``cross`` f8[k, k] into ``lower``; a pivot that is nothing makes its row and column nothing."""
    k = len(cross)
    for a in range(k):
        left = cross[a, a]
        for c in range(a):
            left -= lower[a, c] * lower[a, c]
        lower[a, a] = math.sqrt(left) if left > TINY * cross[a, a] and left > 0.0 else 0.0
        for b in range(a + 1, k):
            value = cross[b, a]
            for c in range(a):
                value -= lower[b, c] * lower[a, c]
            lower[b, a] = value / lower[a, a] if lower[a, a] > 0.0 else 0.0


@kernel
def _solve(lower: Table, x: Table) -> None:
    """Solve L L' x = b in place (``x`` f8[k] holds b); what has no pivot stays 0."""
    k = len(lower)
    for a in range(k):
        for c in range(a):
            x[a] -= lower[a, c] * x[c]
        x[a] = x[a] / lower[a, a] if lower[a, a] > 0.0 else 0.0
    for a in range(k - 1, -1, -1):
        for c in range(a + 1, k):
            x[a] -= lower[c, a] * x[c]
        x[a] = x[a] / lower[a, a] if lower[a, a] > 0.0 else 0.0


@kernel
def betas(prices: Table, weights: Table, need: int, out: Table) -> None:
    """Write ``out`` f8[n, k]: betas from ``prices`` f8[w + 1, n] (oldest first, 0 = none) and ``weights`` f8[k, n].

    An interval in which an instrument lacks a price counts as no move of it; an instrument with fewer than ``need``
    intervals that have both prices gets no betas, and nobody does when there are fewer than ``need`` intervals.
    """
    w, n, k = len(prices) - 1, prices.shape[1], len(weights)
    out[:] = 0.0
    if w < max(need, k + 2):
        return
    moves = np.zeros((w, k))
    for t in range(w):
        factor_returns(prices[t], prices[t + 1], weights, moves[t])
    for f in range(k):
        mean = 0.0
        for t in range(w):
            mean += moves[t, f]
        mean /= w
        for t in range(w):
            moves[t, f] -= mean
    cross, lower, x = np.zeros((k, k)), np.zeros((k, k)), np.zeros(k)
    for t in range(w):
        for a in range(k):
            for b in range(a + 1):
                cross[a, b] += moves[t, a] * moves[t, b]
    for a in range(k):
        for b in range(a):
            cross[b, a] = cross[a, b]
    _factor(cross, lower)
    for i in range(n):
        x[:] = 0.0
        seen = 0
        for t in range(w):
            before, now = prices[t, i], prices[t + 1, i]
            if before > 0.0 and now > 0.0:
                seen += 1
                move = now / before - 1.0
                for f in range(k):
                    x[f] += moves[t, f] * move
        if seen >= need:
            _solve(lower, x)
            out[i] = x
