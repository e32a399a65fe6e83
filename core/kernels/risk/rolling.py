"""Measures over a sliding window in O(n), without the drift of running sums; and their exponentially weighted kin.

A running sum that adds the new and subtracts the old carries every rounding error, and one huge value, along for ever.
Here nothing is subtracted. Cut the series into blocks as long as the window: a window is then the end of one block
and the beginning of the next, so sums from each place to the end of a block (backwards) and from its beginning to
each place (forwards) give every window by one addition (the "two stacks" of a queue; van Herk 1992). It works for
whatever can be joined, drawdowns included. Sums are of distances to a value of the series near the window, so a large
mean costs no digits.

Outputs are float64[n]; the first window - 1 are nan. A window whose variance is below rounding (constant values) has
deviation 0 and a ratio of nan.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.kernels._jit import background, leaf

Floats = npt.NDArray[np.float64]
NOISE = 8.9e-16  # 4 eps: what is left of equal numbers after so many additions, per element


@leaf
def _spread(total: float, squares: float, inverse: float) -> float:
    """Sum of squares about the mean of 1 / ``inverse`` values, 0 when it is rounding."""
    rest = squares - total * total * inverse
    return rest if rest * inverse > NOISE * squares else 0.0


@background
def _sums(x: Floats, start: int, window: int, s1: Floats, s2: Floats) -> float:
    """Sums over the windows that end in the block at ``start``, into ``s1``, ``s2``; returns what was subtracted."""
    shift = x[start]
    back, ahead = x[max(start - window, 0) : start], x[start : start + window]
    total, squares = 0.0, 0.0
    for j in range(len(back) - 1, 0, -1):
        d = back[j] - shift
        total += d
        squares += d * d
        s1[j - 1], s2[j - 1] = total, squares
    s1[window - 1] = s2[window - 1] = total = squares = 0.0
    for j in range(len(ahead)):
        d = ahead[j] - shift
        total += d
        squares += d * d
        s1[j] += total
        s2[j] += squares
    return float(shift)


@background
def _ratios(s1: Floats, s2: Floats, shift: float, window: int, scale: float, out: Floats) -> None:
    inverse, free = 1.0 / window, 1.0 / (window - 1)
    for j in range(len(out)):
        rest = _spread(s1[j], s2[j], inverse)
        ratio = (shift + s1[j] * inverse) / math.sqrt(rest * free) * scale
        out[j] = ratio if rest > 0.0 else math.nan


@background
def _deviations(s1: Floats, s2: Floats, window: int, scale: float, out: Floats) -> None:
    inverse, free = 1.0 / window, 1.0 / (window - 1)
    for j in range(len(out)):
        out[j] = math.sqrt(_spread(s1[j], s2[j], inverse) * free) * scale


@background
def rolling_ratio(x: Floats, window: int, scale: float, out: Floats) -> None:
    """``out[t]`` = mean / deviation (n - 1) of the last ``window`` of x, times ``scale``: Sharpe, of excess returns.

    ``x``, ``out`` float64[n]; 2 <= window <= n; ``scale`` is sqrt(periods per year).
    """
    s1, s2 = np.zeros(window), np.zeros(window)
    for start in range(0, len(x), window):
        shift = _sums(x, start, window, s1, s2)
        _ratios(s1, s2, shift, window, scale, out[start : start + window])
    out[: window - 1] = math.nan


@background
def rolling_deviation(x: Floats, window: int, scale: float, out: Floats) -> None:
    """``out[t]`` = sample deviation (n - 1) of the last ``window`` of x, times ``scale``. As ``rolling_ratio``."""
    s1, s2 = np.zeros(window), np.zeros(window)
    for start in range(0, len(x), window):
        _sums(x, start, window, s1, s2)
        _deviations(s1, s2, window, scale, out[start : start + window])
    out[: window - 1] = math.nan


@background
def _cross_sums(x: Floats, y: Floats, start: int, window: int, sums: Floats) -> None:
    """Sums of x, y, xy, yy (rows of ``sums``) of all windows that end in the block at ``start``."""
    x0, y0 = x[start], y[start]
    sx, sy, sxy, syy = sums[0], sums[1], sums[2], sums[3]
    a = b = c = d = 0.0
    back_x, back_y = x[max(start - window, 0) : start], y[max(start - window, 0) : start]
    for j in range(len(back_x) - 1, 0, -1):
        u, v = back_x[j] - x0, back_y[j] - y0
        a, b, c, d = a + u, b + v, c + u * v, d + v * v
        sx[j - 1], sy[j - 1], sxy[j - 1], syy[j - 1] = a, b, c, d
    sums[:, window - 1] = a = b = c = d = 0.0
    ahead_x, ahead_y = x[start : start + window], y[start : start + window]
    for j in range(len(ahead_x)):
        u, v = ahead_x[j] - x0, ahead_y[j] - y0
        a, b, c, d = a + u, b + v, c + u * v, d + v * v
        sx[j], sy[j], sxy[j], syy[j] = sx[j] + a, sy[j] + b, sxy[j] + c, syy[j] + d


@background
def _slopes(sums: Floats, window: int, out: Floats) -> None:
    sx, sy, sxy, syy = sums[0], sums[1], sums[2], sums[3]
    inverse = 1.0 / window
    for j in range(len(out)):
        rest = _spread(sy[j], syy[j], inverse)
        out[j] = (sxy[j] - sx[j] * sy[j] * inverse) / rest if rest > 0.0 else math.nan


@background
def rolling_beta(x: Floats, y: Floats, window: int, out: Floats) -> None:
    """``out[t]`` = slope of x on y (least squares) over the last ``window``; nan where y does not vary.

    ``x``, ``y``, ``out`` float64[n]; 2 <= window <= n.
    """
    sums = np.zeros((4, window))
    for start in range(0, len(x), window):
        _cross_sums(x, y, start, window, sums)
        _slopes(sums, window, out[start : start + window])
    out[: window - 1] = math.nan


@background
def rolling_drawdown(returns: Floats, window: int, out: Floats) -> None:
    """``out[t]`` = maximum drawdown over the last ``window`` returns, their starting capital included; <= 0.

    ``returns``, ``out`` float64[n], returns >= -1; 1 <= window <= n. A stretch is described by its growth, its
    highest and lowest wealth and its worst fall; two stretches in a row fall worst in the first, in the second, or
    from the height of the first to the depth of the second.
    """
    n = len(returns)
    growth, top, fall = np.ones(window), np.ones(window), np.ones(window)
    for start in range(0, n, window):
        wealth, low, level, worst = 1.0, 1.0, 1.0, 1.0
        ahead, part = returns[start : start + window], out[start : start + window]
        for j in range(len(ahead)):
            g = 1.0 + ahead[j]
            wealth *= g
            low = wealth if wealth < low else low
            level = level * g if level * g < 1.0 else 1.0
            worst = level if level < worst else worst
            across = growth[j] * low / top[j]
            least = fall[j] if fall[j] < worst else worst
            part[j] = (across if across < least else least) - 1.0
        _tails_of(ahead, growth, top, fall)
    out[: window - 1] = math.nan


@background
def _tails_of(block: Floats, growth: Floats, top: Floats, fall: Floats) -> None:
    """Growth, highest wealth and worst fall of the block from place j + 1 to its end, into place j."""
    wealth, high, low, worst = 1.0, 1.0, 1.0, 1.0
    growth[-1] = top[-1] = fall[-1] = 1.0
    for j in range(len(block) - 1, 0, -1):
        g = 1.0 + block[j]
        wealth *= g
        high = g * high if g * high > 1.0 else 1.0
        low = g * low if g * low < 1.0 else 1.0
        worst = low if low < worst else worst
        growth[j - 1], top[j - 1], fall[j - 1] = wealth, high, worst


@background
def ew_variance(x: Floats, decay: float, out: Floats) -> None:
    """``out[t]`` = decay out[t-1] + (1 - decay) x[t]^2, out[0] = x[0]^2: RiskMetrics, zero mean. float64[n] both."""
    variance = x[0] * x[0]
    for t in range(len(x)):
        variance = decay * variance + (1.0 - decay) * x[t] * x[t]
        out[t] = variance


@background
def ew_ratio(x: Floats, decay: float, scale: float, out: Floats) -> None:
    """``out[t]`` = exponentially weighted mean / deviation, times ``scale``; nan until the values have differed.

    Mean and variance by West's recursion (1979): mean[0] = x[0], variance[0] = 0, weights (1 - decay) decay^k.
    """
    mean, variance = x[0], 0.0
    for t in range(len(x)):
        gap = x[t] - mean
        mean += (1.0 - decay) * gap
        variance = decay * (variance + (1.0 - decay) * gap * gap)
        out[t] = mean / math.sqrt(variance) * scale if variance > 0.0 else math.nan


@background
def ew_beta(x: Floats, y: Floats, decay: float, out: Floats) -> None:
    """``out[t]`` = weighted covariance of x and y over variance of y, about weighted means; nan while that is 0."""
    mean_x, mean_y, shared, variance = x[0], y[0], 0.0, 0.0
    for t in range(len(x)):
        gap_x, gap_y = x[t] - mean_x, y[t] - mean_y
        mean_x += (1.0 - decay) * gap_x
        mean_y += (1.0 - decay) * gap_y
        shared = decay * (shared + (1.0 - decay) * gap_x * gap_y)
        variance = decay * (variance + (1.0 - decay) * gap_y * gap_y)
        out[t] = shared / variance if variance > 0.0 else math.nan
