"""The row of a bench, and the few statistics all of them use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]


def row(
    name: str,
    value: float,
    unit: str,
    goal: float | None = None,
    *,
    at_least: bool = False,
    peer: str = "",
    peer_value: float | None = None,
) -> Row:
    """One row. ``ratio`` is how many times better than the peer; ``at_least``: more is better."""
    ok = None if goal is None else bool(value >= goal if at_least else value <= goal)
    ratio = None
    if peer_value and value:
        ratio = value / peer_value if at_least else peer_value / value
    return {
        "name": name,
        "value": float(value),
        "unit": unit,
        "peer": peer or None,
        "peer_value": peer_value,
        "ratio": ratio,
        "goal": goal,
        "ok": ok,
    }


def skipped(name: str, unit: str, why: str) -> Row:
    """A row that says why it could not be measured: neither kept nor missed."""
    return {**row(name, float("nan"), unit), "value": None, "peer": f"not measured: {why}"}


def quantile(values: Sequence[float], percent: float) -> float:
    """Percentile of what was measured."""
    return float(np.percentile(np.asarray(values, dtype=np.float64), percent))
