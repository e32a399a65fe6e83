"""The same measures by whole arrays, as a careful numpy user writes them: the peers that run in our own process."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
YEAR = 252.0


def _falls(x: Floats) -> Floats:
    wealth = np.empty(len(x) + 1)
    wealth[0] = 1.0
    np.cumprod(1.0 + x, out=wealth[1:])
    return wealth / np.maximum.accumulate(wealth) - 1.0


def _cagr(x: Floats) -> float:
    return math.pow(float(np.prod(1.0 + x)), YEAR / len(x)) - 1.0


def _downside(x: Floats) -> float:
    return math.sqrt(float(np.mean(np.minimum(x, 0.0) ** 2)))


def _moment(x: Floats, power: int) -> float:
    d = x - x.mean()
    return float(np.mean(d**power)) / math.pow(float(np.mean(d * d)), power / 2)


def _tail_ratio(x: Floats) -> float:
    low, high = np.percentile(x, [5, 95])
    return float(abs(high) / abs(low))


ONE_BY_ONE: tuple[Callable[[Floats], float], ...] = (
    lambda x: float(x.mean()),
    lambda x: float(x.std(ddof=1)) * math.sqrt(YEAR),
    lambda x: float(x.mean() / x.std(ddof=1)) * math.sqrt(YEAR),
    lambda x: float(x.mean()) / _downside(x) * math.sqrt(YEAR),
    _downside,
    _cagr,
    lambda x: float(np.prod(1.0 + x)) - 1.0,
    lambda x: float(_falls(x).min()),
    lambda x: _cagr(x) / -float(_falls(x).min()),
    lambda x: math.sqrt(float(np.mean(_falls(x)[1:] ** 2))),
    lambda x: -float(_falls(x)[1:].mean()),
    lambda x: _moment(x, 3),
    lambda x: _moment(x, 4) - 3.0,
    lambda x: float(np.maximum(x, 0.0).sum() / -np.minimum(x, 0.0).sum()),
    lambda x: float(x.sum() / -np.minimum(x, 0.0).sum()),
    lambda x: float((x > 0.0).mean()),
    lambda x: float(x[x > 0.0].mean()),
    lambda x: float(x[x < 0.0].mean()),
    lambda x: float(x[x > 0.0].mean() / -x[x < 0.0].mean()),
    lambda x: float(x.max()),
    lambda x: float(x.min()),
    lambda x: float((x != 0.0).mean()),
    lambda x: float(np.abs(x - x.mean()).mean()),
    _tail_ratio,
)


def measures(x: Floats) -> list[float]:
    """24 measures, one expression each."""
    return [one(x) for one in ONE_BY_ONE]


def measures_shared(x: Floats) -> tuple[float, ...]:
    """The sums behind them, every intermediate array made once: as good as numpy gets."""
    n, total = len(x), float(x.sum())
    d = x - total / n
    square = d * d
    m2, m3, m4 = float(square.sum()), float((square * d).sum()), float((square * square).sum())
    gains, losses = np.maximum(x, 0.0), np.minimum(x, 0.0)
    falls = _falls(x)[1:]
    low, high = np.percentile(x, [5, 95])
    return (
        *(total, m2, m3, m4, float(np.abs(d).sum()), float(d[1:] @ d[:-1]), float(low), float(high)),
        *(float(gains.sum()), float(losses.sum()), float(gains @ gains), float(losses @ losses)),
        *(float((x > 0.0).sum()), float((x < 0.0).sum()), float(x.max()), float(x.min())),
        *(float(np.prod(1.0 + x)), float(falls.min()), float(falls.sum()), float(falls @ falls)),
    )


def columns_drawdown(panel: Floats) -> Floats:
    """Maximum drawdown of each column."""
    wealth = np.ones((panel.shape[0] + 1, panel.shape[1]))
    np.cumprod(1.0 + panel, axis=0, out=wealth[1:])
    worst: Floats = (wealth / np.maximum.accumulate(wealth, axis=0)).min(axis=0) - 1.0
    return worst


def projected(root: Floats, weights: Floats, paths: int, seed: int) -> Floats:
    """P&L of a linear book: blocks of normals that stay in the cache, times one vector."""
    rng, loads, out = np.random.Generator(np.random.SFC64(seed)), weights @ root, np.empty(paths)
    block = np.empty((2_500, len(weights)))
    for start in range(0, paths, len(block)):
        rng.standard_normal(out=block)
        np.dot(block, loads, out=out[start : start + len(block)])
    return out


def window_drawdown(x: Floats, window: int) -> object:
    """What one writes in pandas: a function applied to each window."""
    import pandas as pd

    return pd.Series(x).rolling(window).apply(lambda w: float(_falls(w).min()), raw=True)
