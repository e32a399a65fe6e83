"""Numbers other libraries gave (numbers.json, made by record.py), the series they are about, and a plain oracle."""

from __future__ import annotations

import json
import math
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
DATA = HERE.parents[3] / "shared" / "data"
FILES = {
    "SPY": ("spy_daily_lean.csv.gz", "c"),
    "BTC": ("btcusd_daily_coinbase_lean.csv.gz", "c"),
}


@cache
def numbers() -> dict[str, Any]:
    return json.loads((HERE / "numbers.json").read_text())


def file(name: str) -> Path:
    path = DATA / FILES.get(name, ("stocks_20_daily_pypfopt.csv", name))[0]
    if not path.exists():
        pytest.skip("the folder of shared market data is not here")
    return path


@cache
def returns(name: str) -> np.ndarray:
    """Through the project's own reader; holes are stepped over on purpose."""
    from core.analytics.series import load

    return load(file(name), FILES.get(name, ("", name))[1], prices=True, missing="drop").returns


def naive(r: list[float], mar: float = 0.0) -> dict[str, float]:
    """The measures in plain Python, by their definitions and with exact sums."""
    n, fsum = len(r), math.fsum
    mean = fsum(r) / n
    m2, m3, m4 = (fsum((v - mean) ** k for v in r) / n for k in (2, 3, 4))
    wealth, peak, falls = 1.0, 1.0, []
    for v in r:
        wealth *= 1.0 + v
        peak = max(peak, wealth)
        falls.append(wealth / peak - 1.0 if peak > wealth else 0.0)
    runs = [len(run) for run in "".join("u" if f < 0 else " " for f in falls).split()]
    won, lost = [v for v in r if v > 0], [v for v in r if v < 0]
    down = fsum(min(v - mar, 0.0) ** 2 for v in r)
    return {
        "n": n,
        "mean": mean,
        "deviation": math.sqrt(m2 * n / (n - 1)),
        "skew": m3 / m2**1.5,
        "excess_kurtosis": m4 / m2**2 - 3.0,
        "mean_absolute_deviation": fsum(abs(v - mean) for v in r) / n,
        "autocorrelation": fsum((a - mean) * (b - mean) for a, b in pairwise(r)) / (m2 * n),
        "total_return": math.prod(1.0 + v for v in r) - 1.0,
        "best": max(r),
        "worst": min(r),
        "downside_deviation": math.sqrt(down / n),
        "upside_risk": math.sqrt(fsum(max(v - mar, 0.0) ** 2 for v in r) / n),
        "upside_potential": fsum(max(v - mar, 0.0) for v in r) / n,
        "downside_frequency": sum(v < mar for v in r) / n,
        "upside_frequency": sum(v > mar for v in r) / n,
        "max_drawdown": min(falls),
        "underwater": sum(f < 0 for f in falls) / n,
        "longest_drawdown": max(runs, default=0),
        "ulcer": math.sqrt(fsum(f * f for f in falls) / n),
        "pain": -fsum(falls) / n,
        "exposure": (len(won) + len(lost)) / n,
        "average_win": fsum(won) / len(won) if won else math.nan,
        "average_loss": fsum(lost) / len(lost) if lost else math.nan,
    }
