"""Performance by strategy, symbol or day: the same measures over parts of the rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.analytics.performance import Performance, performance
from core.analytics.series import Floats, finite

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Grouped:
    """Measures by label, in order of first appearance; ``too_short`` counts the rows of labels with only one."""

    by_label: dict[Hashable, Performance]
    too_short: dict[Hashable, int]


def by_label(
    labels: Sequence[Hashable], returns: npt.ArrayLike, *, periods_per_year: float, **options: Any
) -> Grouped:
    """Performance of each label's own returns, in row order. ``options`` as for ``performance``."""
    x = finite(returns, varies=False)
    _same_length(len(labels), len(x))
    rows: dict[Hashable, list[int]] = {}
    for row, label in enumerate(labels):
        rows.setdefault(label, []).append(row)
    whole = {label: at for label, at in rows.items() if len(at) > 1}
    return Grouped(
        {k: performance(x[at], periods_per_year=periods_per_year, **options) for k, at in whole.items()},
        {label: len(at) for label, at in rows.items() if len(at) < 2},
    )


def daily(
    ts_ns: npt.ArrayLike, returns: npt.ArrayLike, *, offset_ns: int = 0
) -> tuple[npt.NDArray[np.int64], Floats]:
    """(days, compounded return of each): days are whole days since 1970 in UTC + ``offset_ns``; only days with rows."""
    x, times = finite(returns, rows_min=1, varies=False), np.asarray(ts_ns, dtype=np.int64)
    _same_length(len(times), len(x))
    steps = np.flatnonzero(times[1:] < times[:-1])
    if len(steps):
        raise RiskInputError(
            "UNSORTED_DATES", f"row {int(steps[0]) + 2} is older than the row before it; sort the rows"
        )
    days = (times + offset_ns) // DAY_NS
    first = np.flatnonzero(np.r_[True, days[1:] != days[:-1]])
    return days[first], np.multiply.reduceat(1.0 + x, first) - 1.0


def equity_returns(equity: npt.ArrayLike, flows: npt.ArrayLike | None = None) -> Floats:
    """Returns of an equity curve float64[n] -> float64[n - 1]; ``flows[t]`` came in before ``equity[t]`` was.

    A deposit is not a gain: r = (equity - flow) / equity before - 1. Equity must be above 0 where it is divided by.
    """
    curve = finite(equity, varies=False)
    moved = np.zeros(len(curve)) if flows is None else finite(flows, varies=False)
    _same_length(len(moved), len(curve))
    if bool((curve[:-1] <= 0.0).any()):
        row = int(np.argmax(curve <= 0.0)) + 1
        raise RiskInputError(
            "NOT_POSITIVE", f"equity number {row} is not above 0; there is nothing to earn on"
        )
    return (curve[1:] - moved[1:]) / curve[:-1] - 1.0


def _same_length(labels: int, rows: int) -> None:
    if labels != rows:
        raise RiskInputError("BAD_SHAPE", f"{labels} labels for {rows} rows; give one a row")
