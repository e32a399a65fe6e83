"""Everything that one series of returns tells, in one call: the sums behind all performance measures.

What is a sum over elements goes through lanes (see ``moments``): once for what needs no mean, once for what does.
What is a chain (wealth, drawdown) is a loop of its own. Ratios are made of these in ``core.analytics.performance``,
where their conventions stand.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.kernels._jit import background
from core.kernels.risk.drawdowns import path_sums
from core.kernels.risk.moments import LANES, central, fold, tails

Floats = npt.NDArray[np.float64]


@background
def _targets(x: Floats, mar: float) -> tuple[float, float, float, float, float, float, float, float]:
    """(gained, missed, gained2, missed2, above, below, best, worst) against ``mar``; see ``measure``."""
    n = len(x)
    sums = np.zeros((6, LANES))
    up, down, up2, down2, above, below = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    best, worst = np.full(LANES, -np.inf), np.full(LANES, np.inf)
    for base in range(0, n, LANES):
        block = x[base : base + LANES]
        for j in range(len(block)):
            v = block[j]
            gap = v - mar
            gain = gap if gap > 0.0 else 0.0
            loss = gain - gap
            up[j] += gain
            down[j] += loss
            up2[j] += gain * gain
            down2[j] += loss * loss
            above[j] += 1.0 if gap > 0.0 else 0.0
            below[j] += 1.0 if gap < 0.0 else 0.0
            best[j] = v if v > best[j] else best[j]
            worst[j] = v if v < worst[j] else worst[j]
    highest, lowest = best.max(), worst.min()
    return (
        fold(up),
        fold(down),
        fold(up2),
        fold(down2),
        fold(above),
        fold(below),
        highest,
        lowest,
    )


@background
def _signs(x: Floats) -> tuple[float, float, float, float]:
    """(sum of gains, sum of losses as a positive number, number of gains, number of losses)."""
    n = len(x)
    won, lost, wins, losses = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    for base in range(0, n, LANES):
        block = x[base : base + LANES]
        for j in range(len(block)):
            v = block[j]
            gain = v if v > 0.0 else 0.0
            won[j] += gain
            lost[j] += gain - v
            wins[j] += 1.0 if v > 0.0 else 0.0
            losses[j] += 1.0 if v < 0.0 else 0.0
    return fold(won), fold(lost), fold(wins), fold(losses)


@background
def measure(x: Floats, mar: float) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Three groups of float64 about returns float64[n], n >= 1, finite, C-contiguous; ``mar`` per period.

    moments: mean, M2, M3, M4, sum of abs(x - mean), sum of neighbours' products about the mean, 5 % and 95 % quantile.
    targets: sums of what lies above and below ``mar``, of the squares of both, counts above and below, best, worst;
    then at zero: sum of gains, of losses (positive), number of gains, of losses.
    paths: growth, worst drawdown (<= 0), sums of drawdown and its square, sum of depths, spells, longest, under water.
    """
    n = len(x)
    up, down, up2, down2, above, below, best, worst = _targets(x, mar)
    about = mar + (up - down) / n  # the mean but for rounding, which ``central`` takes out
    won, lost, wins, losses = (up, down, above, below) if mar == 0.0 else _signs(x)
    mean, m2, m3, m4, size, neighbours = central(x, about)
    low, high = tails(x, 0.05, mean, math.sqrt(m2 / n))
    growth, deepest, pain, ulcer, depths, spells, longest, under = path_sums(x)
    return (
        (mean, m2, m3, m4, size, neighbours, low, high),
        (up, down, up2, down2, above, below, best, worst, won, lost, wins, losses),
        (growth, deepest, pain, ulcer, depths, float(spells), float(longest), float(under)),
    )
