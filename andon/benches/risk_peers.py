"""Runs in the peers' environment (see risk_env): reads "peer array array …", answers with the seconds of each call.

Each peer is used as its own documentation uses it, one call a measure, for measures that ``performance`` has too.
"""

from __future__ import annotations

import importlib
import math
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Peer = Callable[[Any], object]
QUANTSTATS = """sharpe sortino calmar cagr volatility max_drawdown ulcer_index skew kurtosis omega profit_factor
    gain_to_pain_ratio payoff_ratio win_rate avg_win avg_loss best worst tail_ratio exposure comp
    probabilistic_sharpe_ratio""".split()
EMPYRICAL = """sharpe_ratio sortino_ratio calmar_ratio annual_return annual_volatility max_drawdown omega_ratio
    tail_ratio downside_risk cum_returns_final""".split()
WINDOW = 252


def quantstats() -> Peer:
    """22 calls on a series with dates."""
    stats: Any = importlib.import_module("quantstats.stats")
    calls = [getattr(stats, name) for name in QUANTSTATS]
    return lambda series: [call(series) for call in calls]


def empyrical() -> Peer:
    """10 calls on an array: its fastest way."""
    module: Any = importlib.import_module("empyrical")
    calls = [getattr(module, name) for name in EMPYRICAL]
    return lambda x: [call(x) for call in calls]


def empyrical_scipy() -> Peer:
    """The same and the two that empyrical leaves to scipy."""
    own, scipy = empyrical(), importlib.import_module("scipy.stats")
    return lambda x: (own(x), scipy.skew(x), scipy.kurtosis(x))


def bottleneck() -> Peer:
    """Rolling Sharpe ratio."""
    bn: Any = importlib.import_module("bottleneck")
    root = math.sqrt(252)
    return lambda x: bn.move_mean(x, WINDOW) / bn.move_std(x, WINDOW, ddof=1) * root


PEERS: dict[str, Callable[[], Peer]] = {
    "quantstats": quantstats,
    "empyrical": empyrical,
    "empyrical+scipy": empyrical_scipy,
    "bottleneck": bottleneck,
}


def main(folder: Path) -> None:
    """Answer until the input ends."""
    warnings.simplefilter("ignore")
    pd: Any = importlib.import_module("pandas")
    arrays = dict(np.load(folder / "arrays.npz"))
    ready: dict[str, Peer] = {}
    for line in sys.stdin:
        name, *keys = line.split()
        if name not in ready:
            ready[name] = PEERS[name]()
        inputs = [_dated(pd, arrays[key]) if name == "quantstats" else arrays[key] for key in keys]
        sys.stdout.write(" ".join(repr(_seconds(ready[name], x)) for x in inputs) + "\n")
        sys.stdout.flush()


def _dated(pd: Any, x: Any) -> Any:
    """A series with dates, which quantstats needs; making it is not part of the measurement."""
    return pd.Series(x, index=pd.date_range("1990-01-01", periods=len(x), freq="D"))


def _seconds(peer: Peer, x: Any) -> float:
    begin = time.perf_counter()
    peer(x)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(Path(sys.argv[1]))
