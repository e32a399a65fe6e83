"""Value at risk and expected shortfall by order statistic, without sorting: the k smallest of n, k about alpha n.

    VaR = -x_(k)                                       k = ceil(alpha n)
    ES  = -(sum of x_(1) … x_(k-1) + (alpha n - k + 1) x_(k)) / (alpha n)

(Hyndman & Fan 1996, type 1; Acerbi & Tasche 2002: the fractional weight of the boundary is what makes ES coherent.)
``alpha n`` within 1e-9 n of a whole number is that number: (1 - 0.95) * 1000 is 50.000000000000043 in floats, and
ceil would take the 51st.

Selection. A buffer keeps the candidates, a bound says what can still be one. Most values are above the bound, so
blocks of 8 rows are first asked column by column whether they hold any that is not (compares and ors, which the
compiler turns into vectors; asking row by row was five times slower), and only those columns are looked into. For small
k the buffer is the sorted tail itself and the bound its last value. For large k the first bound is guessed from a
sample, the buffer holds several k, and when it is full a quickselect cuts it to k and lowers the bound. The guess
costs time when it is wrong, never correctness: too few candidates and the pass runs again without it. Sorted,
constant and adversarial inputs stay O(n).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.kernels._jit import background

Floats = npt.NDArray[np.float64]
SMALL_K = 24  # up to here insertion into a sorted tail is quicker than a buffer
ROWS = 8
SAMPLE = 512  # at least; 1 in 64 of a long series
SNAP = 1e-9


@background
def tail_count(n: int, alpha: float) -> tuple[int, float]:
    """(k, alpha n): how many of ``n`` make the tail, and its weight; whole numbers are snapped to."""
    weight = alpha * n
    nearest = math.floor(weight + 0.5)
    if abs(weight - nearest) <= SNAP * n:
        weight = float(nearest)
    return math.ceil(weight), weight


@background
def _may_hold(x: Floats, start: int, columns: int, bound: float, hits: npt.NDArray[np.int64]) -> None:
    """Whether a column of the ``ROWS`` x ``columns`` values from ``start`` holds one that is not above ``bound``."""
    y = x[start : start + ROWS * columns]
    for j in range(columns):
        hits[j] = (
            (not y[j] > bound)
            | (not y[j + columns] > bound)
            | (not y[j + 2 * columns] > bound)
            | (not y[j + 3 * columns] > bound)
            | (not y[j + 4 * columns] > bound)
            | (not y[j + 5 * columns] > bound)
            | (not y[j + 6 * columns] > bound)
            | (not y[j + 7 * columns] > bound)
        )


@background
def _insert(tail: Floats, k: int, v: float) -> None:
    """Put ``v`` into the ascending ``tail[:k]`` in place of its last."""
    j = k - 1
    while j > 0 and not tail[j - 1] <= v:
        tail[j] = tail[j - 1]
        j -= 1
    tail[j] = v


@background
def _insert_pass(x: Floats, k: int, tail: Floats) -> bool:
    """Leave the ``k`` smallest of ``x`` in ``tail[:k]``, ascending; False if any value is nan."""
    n, columns, nans = len(x), 16, 0
    for i in range(k):
        tail[i] = np.inf
    hits = np.empty(columns, np.int64)
    whole = n - n % (ROWS * columns)
    for start in range(0, whole, ROWS * columns):
        _may_hold(x, start, columns, tail[k - 1], hits)
        for j in range(columns):
            if hits[j]:
                for r in range(ROWS):
                    v = x[start + j + r * columns]
                    nans += math.isnan(v)
                    if v < tail[k - 1]:
                        _insert(tail, k, v)
    for i in range(whole, n):
        v = x[i]
        nans += math.isnan(v)
        if v < tail[k - 1]:
            _insert(tail, k, v)
    return nans == 0


@background
def _select(a: Floats, count: int, k: int) -> float:
    """Reorder ``a[:count]`` so that its ``k`` smallest come first, ``a[k-1]`` their largest, which is returned."""
    low, high, target = 0, count - 1, k - 1
    while low < high:
        middle = (low + high) >> 1
        if a[middle] < a[low]:
            a[middle], a[low] = a[low], a[middle]
        if a[high] < a[low]:
            a[high], a[low] = a[low], a[high]
        if a[high] < a[middle]:
            a[high], a[middle] = a[middle], a[high]
        pivot = a[middle]
        i, j = low, high
        while i <= j:
            while a[i] < pivot:
                i += 1
            while pivot < a[j]:
                j -= 1
            if i <= j:
                a[i], a[j] = a[j], a[i]
                i += 1
                j -= 1
        if target <= j:
            high = j
        elif target >= i:
            low = i
        else:
            break
    return float(a[target])


@background
def _guess(x: Floats, k: int, size: int, sample: Floats) -> float:
    """A bound that a little more than ``k`` of ``x`` are below, from ``size`` of them; inf when so few say little."""
    n = len(x)
    expected = size * k / n
    rank = int(expected + 3.0 * math.sqrt(expected) + 2.0)
    if n < 4 * size or rank > size // 4:
        return np.inf
    step = n // size
    for i in range(size):
        v = x[i * step]
        sample[i] = np.inf if math.isnan(v) else v
    return _select(sample, size, rank)


@background
def _buffer_pass(x: Floats, k: int, bound: float, buffer: Floats) -> int:
    """Collect what is not above ``bound``, the k smallest among it; returns how many, -1 if any value is nan."""
    n, columns, count, nans = len(x), 64, 0, 0
    room = len(buffer) - ROWS
    hits = np.empty(columns, np.int64)
    whole = n - n % (ROWS * columns)
    for start in range(0, whole, ROWS * columns):
        _may_hold(x, start, columns, bound, hits)
        for j in range(columns):
            if hits[j]:
                for r in range(ROWS):  # no branch: a candidate moves the end, others are overwritten
                    v = x[start + j + r * columns]
                    nans += math.isnan(v)
                    buffer[count] = v
                    count += v <= bound
                if count > room:
                    bound = _select(buffer, count, k)
                    count = k
    for i in range(whole, n):
        v = x[i]
        nans += math.isnan(v)
        buffer[count] = v
        count += v <= bound
        if count > room:
            bound = _select(buffer, count, k)
            count = k
    return -1 if nans else count


@background
def smallest(x: Floats, k: int) -> Floats:
    """The ``k`` smallest of ``x`` (k >= 1), the largest of them last; empty when ``x`` holds nan or fewer than k."""
    n = len(x)
    if k < 1 or k > n:
        return np.empty(0)
    if k <= SMALL_K:
        tail = np.empty(k)
        return tail if _insert_pass(x, k, tail) else np.empty(0)
    size = max(SAMPLE, n // 64)
    buffer = np.empty(max(4 * k, size) + ROWS)
    count = _buffer_pass(x, k, _guess(x, k, size, buffer), buffer)
    if 0 <= count < k:  # the sample misled
        count = _buffer_pass(x, k, np.inf, buffer)
    if count < k:
        return np.empty(0)
    _select(buffer, count, k)
    return buffer[:k]


@background
def var_es(x: Floats, alpha: float) -> tuple[float, float]:
    """(VaR, ES) of returns ``x``, losses positive, tail probability ``alpha``.

    (nan, nan) where nothing can be said: any value is nan, the tail is infinite, or alpha n < 1 (less than one
    observation).
    """
    k, weight = tail_count(len(x), alpha)
    if not weight >= 1.0:
        return np.nan, np.nan
    tail = smallest(x, k)
    if len(tail) == 0:
        return np.nan, np.nan
    total = 0.0
    for i in range(k - 1):
        total += tail[i]
    boundary = tail[k - 1]
    if not math.isfinite(total + boundary):
        return np.nan, np.nan
    return -boundary, -(total + (weight - (k - 1)) * boundary) / weight


@background
def panel_var_es(x: Floats, alpha: float, out: Floats) -> None:
    """(VaR, ES) of every row of ``x`` (series x periods, C order) into ``out`` (series, 2)."""
    for i in range(len(x)):
        out[i, 0], out[i, 1] = var_es(x[i], alpha)


@background
def rolling_var_es(x: Floats, window: int, alpha: float, out: Floats) -> None:
    """``out[t]`` = (VaR, ES) of ``x[t : t + window]``, for n - window + 1 positions."""
    for t in range(len(x) - window + 1):
        out[t, 0], out[t, 1] = var_es(x[t : t + window], alpha)
