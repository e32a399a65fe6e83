"""Central moments and quantiles of one series, stable and at the machine's speed without fastmath.

Stable: E[x^2] - E[x]^2 loses everything when the mean is large (it says 0 for NIST's NumAcc4). Here the mean is found
first, the powers are of distances to it, and what rounding left of their sum corrects mean and moments (Chan, Golub,
LeVeque 1983). Fast and strict: an adder that must wait for its last sum takes 4 cycles an element, and reordering
sums is what fastmath does. So the order is written down: LANES independent sums, element i to lane i % LANES, which
the compiler turns into vectors, and the lanes are folded pairwise. Equal bits on every machine.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.kernels._jit import background

Floats = npt.NDArray[np.float64]
Bins = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
LANES = 128
BINS = 1024  # of the counting pass that finds a quantile
BLOCK = 64  # bins that are asked together whether any of them matters
REACH = 5.0  # standard deviations; the 5 % quantile is never farther out than 4.36 (Cantelli)


@background
def fold(lanes: Floats) -> float:
    """Sum of float64[LANES] by halves (the error grows with log n, not n); overwrites ``lanes``."""
    width = len(lanes)
    while width > 1:
        width //= 2
        for j in range(width):
            lanes[j] += lanes[j + width]
    return float(lanes[0])


@background
def mean_of(x: Floats) -> float:
    """Arithmetic mean of float64[n], n >= 1."""
    n, total = len(x), np.zeros(LANES)
    for base in range(0, n, LANES):
        block = x[base : base + LANES]
        for j in range(len(block)):
            total[j] += block[j]
    return fold(total) / n


@background
def _lagged(x: Floats, y: Floats, mean: float) -> float:
    """Sum of (x - mean)(y - mean) over float64[n] both."""
    products = np.zeros(LANES)
    for base in range(0, len(x), LANES):
        one, two = x[base : base + LANES], y[base : base + LANES]
        for j in range(len(one)):
            products[j] += (one[j] - mean) * (two[j] - mean)
    return fold(products)


@background
def central(x: Floats, about: float) -> tuple[float, float, float, float, float, float]:
    """(mean, M2, M3, M4, A, L): sums of powers of x - mean; of abs(x - about); and of neighbours' products.

    ``x`` float64[n], C-contiguous; ``about`` its mean as ``mean_of`` has it. L is the sum of (x_t - about)(x_{t-1} -
    about), t >= 1. M's are not divided by n; units are powers of the unit of ``x``.
    """
    n = len(x)
    sums = np.zeros((6, LANES))
    d1, d2, d3, d4, size, neighbours = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    for base in range(0, n, LANES):
        block, after = x[base : base + LANES], x[base + 1 : base + 1 + LANES]
        for j in range(len(after)):
            d = block[j] - about
            square = d * d
            d1[j] += d
            d2[j] += square
            d3[j] += square * d
            d4[j] += square * square
            size[j] += abs(d)
            neighbours[j] += d * (after[j] - about)
    last, lane = x[n - 1] - about, (n - 1) % LANES  # it has no neighbour
    d1[lane] += last
    d2[lane] += last * last
    d3[lane] += last * last * last
    d4[lane] += last * last * (last * last)
    size[lane] += abs(last)
    total, m2, m3, m4 = fold(d1), fold(d2), fold(d3), fold(d4)
    slip = total / n
    m2 -= total * slip
    m4 -= 4.0 * slip * m3
    m3 -= 3.0 * slip * m2
    return about + slip, max(m2, 0.0), m3, m4, fold(size), fold(neighbours)


@background
def moments(x: Floats) -> tuple[float, float, float, float]:
    """(mean, sample variance with n - 1, skew g1, excess kurtosis g2) of float64[n]; nan where not defined."""
    n = len(x)
    mean, m2, m3, m4, _, _ = central(x, mean_of(x))
    variance = m2 / (n - 1) if n > 1 else math.nan
    if not m2 > 0.0:
        return mean, variance, math.nan, math.nan
    return mean, variance, m3 / n / (m2 / n) ** 1.5, n * m4 / (m2 * m2) - 3.0


@background
def autocorrelations(x: Floats, mean: float, lags: int) -> Floats:
    """rho_1 .. rho_lags of float64[n]: sum of lagged products about ``mean`` over M2; nan without variance.

    The biased (positive definite) estimator of Box and Jenkins; float64[lags].
    """
    rho, n = np.empty(lags), len(x)
    m2 = _lagged(x, x, mean)
    for k in range(1, lags + 1):
        rho[k - 1] = _lagged(x[: n - k], x[k:], mean) / m2 if m2 > 0.0 else math.nan
    return rho


@background
def _bins(x: Floats, origin: float, scale: float) -> tuple[Bins, Counts]:
    """Bin of each value (the outermost two take what lies farther out), and how many each bin has."""
    n = len(x)
    bins, counts = np.empty(n, dtype=np.int32), np.zeros(BINS, dtype=np.int64)
    for i in range(n):
        position = (x[i] - origin) * scale
        position = position if position > 0.0 else 0.0
        bins[i] = np.int32(position if position < BINS - 1.0 else BINS - 1.0)
    for at in bins:
        counts[np.uint32(at)] += 1  # unsigned: an index that may be negative is looked at twice
    return bins, counts


@background
def _span(counts: Counts, rank: int) -> tuple[int, int, int, int]:
    """(first, last) bin of order statistics ``rank`` and ``rank + 1``, how many lie below them, how many in them."""
    below, first = 0, 0
    while below + counts[first] <= rank:
        below += counts[first]
        first += 1
    last, inside = first, counts[first]
    while below + inside <= rank + 1 and last < BINS - 1:
        last += 1
        inside += counts[last]
    return first, last, below, inside


@background
def _between(ordered: Floats, h: float) -> float:
    """The value at fractional index ``h``."""
    at = math.floor(h)
    after = min(at + 1, len(ordered) - 1)
    return float(ordered[at] + (h - at) * (ordered[after] - ordered[at]))


@background
def _within(block: Bins, a: np.int32, b: np.int32, c: np.int32, d: np.int32) -> int:
    """How many bins lie in a .. b or c .. d; all compared, none branched on. Bounds of the bins' type: no widening."""
    hits = 0
    for i in range(len(block)):
        at = block[i]
        hits += ((at >= a) & (at <= b)) | ((at >= c) & (at <= d))
    return hits


@background
def tails(x: Floats, p: float, mean: float, deviation: float) -> tuple[float, float]:
    """(p-quantile, 1 - p quantile) of float64[n] with linear interpolation (type 7), .05 <= p < .5.

    ``deviation`` is the population standard deviation: it bounds where the quantiles can be. Counts into bins, then
    sorts only the bins that hold the two pairs of order statistics.
    """
    n = len(x)
    if not deviation > 0.0:
        return mean, mean
    bins, counts = _bins(x, mean - REACH * deviation, BINS / (2.0 * REACH * deviation))
    h_low, h_high = (n - 1) * p, (n - 1) * (1.0 - p)
    rank_low, rank_high = math.floor(h_low), math.floor(h_high)
    a, b, below_low, size_low = _span(counts, rank_low)
    c, d, below_high, size_high = _span(counts, rank_high)
    low, high = np.empty(size_low), np.empty(size_high)
    lows, highs = 0, 0
    for base in range(0, n, BLOCK):
        block = bins[base : base + BLOCK]
        if _within(block, np.int32(a), np.int32(b), np.int32(c), np.int32(d)) == 0:
            continue
        for i in range(len(block)):
            if a <= block[i] <= b:
                low[lows] = x[base + i]
                lows += 1
            if c <= block[i] <= d:
                high[highs] = x[base + i]
                highs += 1
    low.sort()
    high.sort()
    return _between(low, h_low - below_low), _between(high, h_high - below_high)
