"""Drawdowns of compounded returns, the starting capital included: [-10 %, +5 %, ...] begins 10 % under water.

All of them carry one number, ``level``: wealth over its peak so far. It needs no division and cannot overflow:
level = min(level * (1 + r), 1), where 1 is a new peak, and the drawdown is level - 1. Dividing wealth by its running
maximum gives the same to rounding, at three times the cost and two more arrays.
Magdon-Ismail and Atiya 2004; Chekhlov, Uryasev and Zabarankin 2005. Kernels take finite returns >= -1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.kernels._jit import background, leaf

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
STRIP = 2048  # columns whose two states stay in the first-level cache


@leaf
def lesser(a: float, b: float) -> float:
    """``min`` of numbers as one instruction: the built-in one looks for nan first."""
    return a if a < b else b


@leaf
def capped(level: float) -> float:
    """A level is at most 1."""
    return level if level < 1.0 else 1.0


@background
def underwater(returns: Floats, out: Floats) -> None:
    """``out[t]`` = wealth / peak - 1 after return t; both float64[n], fractions <= 0."""
    level = 1.0
    for t in range(len(returns)):
        level = capped(level * (1.0 + returns[t]))
        out[t] = level - 1.0


@background
def path_sums(returns: Floats) -> tuple[float, float, float, float, float, int, int, int]:
    """(growth, worst, pain, ulcer, depths, spells, longest, under) of float64[n].

    growth: product of 1 + r. worst: least level - 1, <= 0. pain, ulcer: sums of drawdown and of its square.
    depths: sum over spells under water of the deepest point, positive, the open spell included. longest, under:
    periods under water.
    """
    peak, level, worst, deepest = (
        1.0,
        1.0,
        1.0,
        1.0,
    )  # one chain of products: the peak moves where the level is cut
    pain, ulcer, depths = 0.0, 0.0, 0.0
    spells, longest, start, under = 0, 0, 0, 0
    n = len(returns)
    for t in range(n):
        level *= 1.0 + returns[t]
        if level >= 1.0:
            peak *= level
            level = 1.0
            if t > start:
                depths += 1.0 - deepest
                worst = deepest if deepest < worst else worst
                spells += 1
                under += t - start
                longest = max(longest, t - start)
                deepest = 1.0
            start = t + 1
        else:
            down = 1.0 - level
            pain += down
            ulcer += down * down
            deepest = level if level < deepest else deepest
    if n > start:
        depths += 1.0 - deepest
        worst = deepest if deepest < worst else worst
        spells += 1
        under += n - start
        longest = max(longest, n - start)
    return peak * level, worst - 1.0, pain, ulcer, depths, spells, longest, under


@background
def spells(returns: Floats, starts: Ints, troughs: Ints, ends: Ints, depths: Floats) -> int:
    """Fill one row for each spell under water, in time order; returns how many.

    ``starts``: first period below the peak; ``troughs``: its deepest; ``ends``: the period that regained the peak,
    -1 while open; ``depths``: fraction <= 0. Each has room for n // 2 + 1 rows, more there cannot be.
    """
    level, count, inside = 1.0, 0, False
    for t in range(len(returns)):
        level = capped(level * (1.0 + returns[t]))
        if level < 1.0 and not inside:
            inside = True
            starts[count], troughs[count], ends[count], depths[count] = t, t, -1, level - 1.0
        elif level < 1.0 and level - 1.0 < depths[count]:
            troughs[count], depths[count] = t, level - 1.0
        elif level >= 1.0 and inside:
            inside = False
            ends[count] = t
            count += 1
    return count + 1 if inside else count


@background
def _one_row(row: Floats, level: Floats, worst: Floats) -> None:
    for j in range(len(row)):
        level[j] = capped(level[j] * (1.0 + row[j]))
        worst[j] = lesser(level[j], worst[j])


@background
def panel_worst(returns: Floats, out: Floats) -> None:
    """Maximum drawdown of each column of float64[T, N] (C-contiguous) into ``out`` float64[N], fractions <= 0.

    Row after row, as they lie in memory: four rows at a step would touch the state less often, and run at half the
    speed, because reading four places at once defeats the prefetcher. Wide panels go by strips of columns.
    """
    rows, columns = returns.shape
    level, worst = np.ones(columns), np.ones(columns)
    for left in range(0, columns, STRIP):
        to = left + STRIP
        now, low = level[left:to], worst[left:to]
        for t in range(rows):
            row = returns[
                t
            ]  # and then its slice: slicing both axes at once would lose that its items are neighbours
            _one_row(row[left:to], now, low)
    for j in range(columns):
        out[j] = worst[j] - 1.0
