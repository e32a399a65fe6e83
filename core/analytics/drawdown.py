"""Drawdowns: the path under water, its spells, its tail, whole panels. Fractions <= 0, from starting capital on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite, finite_panel, tail_probability
from core.kernels.risk import drawdowns as kernels


@dataclass(frozen=True)
class Spell:
    """One stay under water; rows of the returns, from 0."""

    start: int  # first period below the peak
    trough: int  # its deepest period
    end: int | None  # the period that regained the peak, None while open
    depth: float  # fraction <= 0
    periods: int  # under water, the regaining one not counted


def underwater(returns: npt.ArrayLike) -> Floats:
    """Wealth over its peak less 1 after each return, float64[n]."""
    x = compoundable(finite(returns, rows_min=1, varies=False))
    out = np.empty_like(x)
    kernels.underwater(x, out)
    return out


def max_drawdown(returns: npt.ArrayLike) -> float:
    """The deepest fall from a peak (Magdon-Ismail, Atiya 2004); 0 when there was none."""
    return float(kernels.path_sums(compoundable(finite(returns, rows_min=1, varies=False)))[1])


def panel_max_drawdown(returns: npt.ArrayLike) -> Floats:
    """Maximum drawdown of each column of float64[T, N] -> float64[N]. Fortran order (pandas) is copied first."""
    x = compoundable(finite_panel(returns, rows_min=1))
    out = np.empty(x.shape[1])
    kernels.panel_worst(x, out)
    return out


def spells(returns: npt.ArrayLike) -> tuple[Spell, ...]:
    """Every spell under water in time order, the open one last."""
    x = compoundable(finite(returns, rows_min=1, varies=False))
    room = len(x) // 2 + 1
    starts, troughs, ends = (np.empty(room, dtype=np.int64) for _ in range(3))
    depths = np.empty(room)
    count = kernels.spells(x, starts, troughs, ends, depths)
    found = zip(
        starts[:count].tolist(),
        troughs[:count].tolist(),
        ends[:count].tolist(),
        depths[:count].tolist(),
        strict=True,
    )
    return tuple(Spell(a, b, c if c >= 0 else None, d, (c if c >= 0 else len(x)) - a) for a, b, c, d in found)


def drawdown_at_risk(returns: npt.ArrayLike, alpha: float) -> float:
    """The drawdown that ``alpha`` of the periods reach: order statistic ceil(alpha n); positive (Chekhlov 2005)."""
    falls, weight = _falls(returns, alpha)
    return float(falls[math.ceil(weight) - 1])


def conditional_drawdown(returns: npt.ArrayLike, alpha: float) -> float:
    """CDaR: mean of the worst ``alpha`` of all drawdowns, the boundary in part; positive (Chekhlov et al. 2005)."""
    falls, weight = _falls(returns, alpha)
    whole = math.ceil(weight) - 1
    return float((falls[:whole].sum() + (weight - whole) * falls[whole]) / weight)


def _falls(returns: npt.ArrayLike, alpha: float) -> tuple[Floats, float]:
    """(positive drawdowns, deepest first; alpha n, snapped to a whole number when within rounding)."""
    falls = np.sort(-underwater(returns))[::-1]
    weight = tail_probability(alpha) * len(falls)
    if abs(weight - round(weight)) <= 1e-9 * len(falls):
        weight = float(round(weight))
    if weight < 1.0:
        raise RiskInputError(
            "TAIL_TOO_THIN",
            f"alpha n is {weight:g}: less than one observation; use a larger alpha or more rows",
        )
    return falls, weight


def compoundable(x: Floats) -> Floats:
    lowest = float(x.min())
    if lowest < -1.0:
        raise RiskInputError(
            "BELOW_MINUS_ONE", f"a return of {lowest:g} loses more than everything; give fractions, as -0.01"
        )
    return x
