"""Simulated normal factors: counter-based, so that a draw depends on (seed, path, factor) and on nothing else.

Random bits are SplitMix64 (Steele, Lea, Flood 2014): the mixed counter itself, no state to carry, so the same path is
drawn whatever the block size, and the compiler can draw eight at a time. A pair of normals is Box and Muller's (1958)
sqrt(-2 log u) (cos, sin)(angle). The angle is uniform within 45 degrees of the axis, and three random bits mirror it
into the other octants: so sine and cosine are short polynomials without range reduction. Logarithm and polynomials
are fdlibm's, errors below 1e-15; library calls would be several times slower and differ between machines.

Two uses. A *linear* book needs only the sum of its factors: ``simulate_pnl`` never stores a draw. A book that is
*revalued in full* needs the factors: ``fill_normals`` writes blocks of them, BLAS multiplies by the Cholesky factor,
and the caller revalues. (A linear book of a normal model has a closed form as well; it is simulated to be checked.)
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.kernels._jit import background, leaf

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]
PATHS = 256  # of a block: its buffers stay in the first cache
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_S11, _S12, _S52 = np.uint64(11), np.uint64(12), np.uint64(52)
_ONE, _TWO, _FOUR = np.uint64(1), np.uint64(2), np.uint64(4)
_MANTISSA, _ONE_BITS = np.uint64(0x000FFFFFFFFFFFFF), np.uint64(0x3FF0000000000000)


@leaf
def mix(z: np.uint64) -> np.uint64:
    """SplitMix64's output for counter ``z``."""
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@leaf
def _log(m: float, exponent: float) -> float:
    """log(m 2^exponent) for 1 <= m < 2."""
    high = m > 1.4142135623730951
    m = 0.5 * m if high else m
    exponent = exponent + 1.0 if high else exponent
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373))
    even = z * (
        0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586))
    )
    half = 0.5 * f * f
    return exponent * 0.6931471805599453 - (half - s * (half + odd + even) - f)


@leaf
def _sin(x: float) -> float:
    """sin(x) for |x| <= pi / 4."""
    z = x * x
    r = 8.33333333332248946124e-03 + z * (
        -1.98412698298579493134e-04
        + z
        * (2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10))
    )
    return x + z * x * (-1.66666666666666324348e-01 + z * r)


@leaf
def _cos(x: float) -> float:
    """cos(x) for |x| <= pi / 4."""
    z = x * x
    r = 4.16666666666666019037e-02 + z * (
        -1.38888888888741095749e-03
        + z
        * (
            2.48015872894767294178e-05
            + z
            * (
                -2.75573143513906633035e-07
                + z * (2.08757232129817482790e-09 - z * 1.13596475577881948265e-11)
            )
        )
    )
    return 1.0 - (0.5 * z - z * z * r)


@background
def _pairs(key: np.uint64, first: int, stride: int, angle: Bits, a: Floats, b: Floats) -> None:
    """Two independent normals for each of ``len(a)`` counters ``first + i * stride``; ``angle`` is scratch."""
    raw, mantissa = a.view(np.uint64), b.view(np.uint64)
    for i in range(len(a)):
        counter = np.uint64(first + i * stride) * _TWO
        u = mix(key + counter * _GAMMA)
        angle[i] = mix(key + (counter + _ONE) * _GAMMA)
        v = (np.float64(np.int64(u >> _S11)) + 0.5) * (1.0 / 9007199254740992.0)  # inside (0, 1)
        a[i] = v
    for i in range(len(a)):
        mantissa[i] = (raw[i] & _MANTISSA) | _ONE_BITS
        raw[i] = raw[i] >> _S52
    for i in range(len(a)):
        length = math.sqrt(-2.0 * _log(b[i], np.float64(np.int64(raw[i])) - 1023.0))
        turn = (np.float64(np.int64(angle[i] >> _S12)) + 0.5) * (0.7853981633974483 / 4503599627370496.0)
        c, s = length * _cos(turn), length * _sin(turn)
        swap = (angle[i] & _ONE) != 0
        x, y = (s if swap else c), (c if swap else s)
        a[i] = -x if (angle[i] & _TWO) != 0 else x
        b[i] = -y if (angle[i] & _FOUR) != 0 else y


@leaf
def _key(seed: int) -> np.uint64:
    return mix(np.uint64(seed) * _GAMMA + _MIX1)


@background
def fill_normals(seed: int, first_path: int, out: Floats) -> None:
    """Standard normals into ``out`` (paths, factors), path ``first_path`` onwards; equal to any other way to cut it."""
    paths, factors = out.shape
    key, pairs = _key(seed), (factors + 1) // 2
    angle, a, b = np.empty(PATHS, np.uint64), np.empty(PATHS), np.empty(PATHS)
    for start in range(0, paths, PATHS):
        n = min(PATHS, paths - start)
        for pair in range(pairs):
            _pairs(key, (first_path + start) * pairs + pair, pairs, angle[:n], a[:n], b[:n])
            for i in range(n):
                out[start + i, 2 * pair] = a[i]
            if 2 * pair + 1 < factors:
                for i in range(n):
                    out[start + i, 2 * pair + 1] = b[i]


@background
def _project(seed: int, first_path: int, loads: Floats, drift: float, out: Floats) -> None:
    """``out[p]`` = drift + the sum over factors of ``loads[j]`` times normal (first_path + p, j)."""
    factors, paths = len(loads), len(out)
    key, pairs = _key(seed), (factors + 1) // 2
    angle, a, b = np.empty(PATHS, np.uint64), np.empty(PATHS), np.empty(PATHS)
    for start in range(0, paths, PATHS):
        n = min(PATHS, paths - start)
        block = out[start : start + n]
        block[:] = drift
        for pair in range(pairs):
            _pairs(key, (first_path + start) * pairs + pair, pairs, angle[:n], a[:n], b[:n])
            load_a = loads[2 * pair]
            load_b = loads[2 * pair + 1] if 2 * pair + 1 < factors else 0.0
            for i in range(n):
                block[i] += load_a * a[i] + load_b * b[i]


@background
def loadings(chol: Floats, weights: Floats, out: Floats) -> None:
    """``out[j]`` = sum over i of weights[i] chol[i, j]: what one unit of factor j moves the book by."""
    for j in range(chol.shape[1]):
        total = 0.0
        for i in range(chol.shape[0]):
            total += weights[i] * chol[i, j]
        out[j] = total


@background
def simulate_pnl(chol: Floats, weights: Floats, mean: Floats, paths: int, seed: int) -> Floats:
    """P&L of ``paths`` scenarios of a linear book: weights . (mean + chol z), every factor of every path drawn.

    ``chol`` (assets, factors), ``weights`` and ``mean`` (assets,). The unit of the result is that of weights x returns.
    """
    loads = np.empty(chol.shape[1])
    loadings(chol, weights, loads)
    drift = 0.0
    for i in range(len(weights)):
        drift += weights[i] * mean[i]
    out = np.empty(paths)
    _project(seed, 0, loads, drift, out)
    return out
