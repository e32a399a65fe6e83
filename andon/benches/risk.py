"""Risk measures beside their peers: every pair on the same arrays, one after the other, in the same minute.

Inputs are rotated, so that nothing measures its own cache; values are medians. A goal is the peer's own value divided
by the ratio that is asked for, so it moves with the machine and with what else it is doing. Peers other than numpy and
pandas have their own environment and process (risk_env); where it cannot be made, their rows say so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from andon.benches.risk_env import NoPeers, Peers
from andon.benches.risk_numpy import columns_drawdown, measures, measures_shared, projected, window_drawdown
from andon.benches.rows import Row, row, skipped
from core.analytics.performance import performance
from core.kernels.risk.drawdowns import panel_worst
from core.kernels.risk.montecarlo import simulate_pnl
from core.kernels.risk.order_stats import var_es
from core.kernels.risk.performance import measure
from core.kernels.risk.rolling import rolling_drawdown, rolling_ratio

Floats = npt.NDArray[np.float64]
SEED = 20_241_120
WINDOW = 252


def _series(n: int, count: int) -> list[Floats]:
    rng = np.random.default_rng(SEED)
    return [rng.standard_t(4, n).clip(-25, 25) * 0.01 for _ in range(count)]


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _side_by_side(
    ours: Callable[[Floats], object],
    theirs: Callable[[Floats], object],
    arrays: Sequence[Floats],
    rounds: int,
) -> tuple[float, float]:
    """Median seconds of both, taking turns over the arrays."""
    ours(arrays[0])
    theirs(arrays[0])
    spent = [
        (_timed(lambda x=x: ours(x)), _timed(lambda x=x: theirs(x)))  # type: ignore[misc]
        for x in (arrays[k % len(arrays)] for k in range(rounds))
    ]
    mine, other = np.median(np.array(spent), axis=0).tolist()
    return mine, other


def _beside_child(
    ours: Callable[[Floats], object], peer: str, arrays: Sequence[Floats], rounds: int, burst: int
) -> tuple[float, float]:
    """As ``_side_by_side`` with a peer in its own process: ``burst`` arrays there while we wait, then the same here.

    Bursts, because a process that has waited begins with cold caches, and that is not what is compared: the peer's
    burst lasts tens of milliseconds and ours less than one, so ours runs up first, on the arrays of the next burst.
    """
    ours(arrays[0])
    mine, other = [], []
    with Peers({str(k): x for k, x in enumerate(arrays)}) as peers:
        peers(peer, ["0"])
        for k in range(rounds):
            chosen = [(k * burst + i) % len(arrays) for i in range(burst)]
            other += peers(peer, [str(i) for i in chosen])
            for i in range(burst):
                ours(arrays[(chosen[-1] + 1 + i) % len(arrays)])
            mine += [_timed(lambda x=arrays[i]: ours(x)) for i in chosen]  # type: ignore[misc]
    return float(np.median(mine)), float(np.median(other))


def _faster(name: str, unit: str, pair: tuple[float, float], peer: str, times: float | None) -> Row:
    """A row that must be ``times`` as fast as its peer; ``pair`` in seconds."""
    scale = {"us": 1e6, "ms": 1e3, "ns/window": 1e9}[unit]
    mine, other = pair[0] * scale, pair[1] * scale
    return row(name, mine, unit, None if times is None else other / times, peer=peer, peer_value=other)


def _all(x: Floats) -> object:
    return performance(x, periods_per_year=252)


def fused() -> Iterator[Row]:
    """All measures of one series of 10,000: >= 200 quantstats, 30 empyrical, 15 numpy; and of 1,000, for the record."""
    for n, goals in ((10_000, (200.0, 30.0, 15.0)), (1_000, (None, None, None))):
        arrays = _series(n, 32)
        name = f"risk.measures.{n}"
        yield _peer_row(f"{name}.quantstats", arrays, "quantstats, 22 calls", goals[0], 8, 8)
        yield _peer_row(f"{name}.empyrical", arrays, "empyrical+scipy, 12 calls", goals[1], 16, 16)
        yield _peer_row(f"{name}.empyrical_alone", arrays, "empyrical, 10 calls", None, 16, 16)
        one_by_one = "numpy, 24 measures one by one"
        yield _faster(f"{name}.numpy", "us", _side_by_side(_all, measures, arrays, 200), one_by_one, goals[2])
        pair = _side_by_side(_all, measures_shared, arrays, 200)
        yield _faster(f"{name}.numpy_shared", "us", pair, "numpy, intermediates shared", None)
        pair = _side_by_side(lambda x: measure(x, 0.0), measures, arrays, 200)
        yield _faster(f"{name}.kernel", "us", pair, one_by_one, None)


def _peer_row(
    name: str, arrays: Sequence[Floats], peer: str, times: float | None, rounds: int, burst: int
) -> Row:
    try:
        pair = _beside_child(_all, peer.partition(",")[0], arrays, rounds, burst)
    except NoPeers as why:
        return skipped(name, "us", str(why))
    return _faster(name, "us", pair, peer, times)


def panel() -> Iterator[Row]:
    """Maximum drawdown of 500 columns of 10,000: >= 30 numpy, and >= half of what this machine can read."""
    rng = np.random.default_rng(SEED)
    panels = [rng.standard_normal((10_000, 500)) * 0.01 for _ in range(3)]
    out = np.empty(500)
    worst: Callable[[Floats], object] = lambda x: panel_worst(x, out)  # noqa: E731
    pair = _side_by_side(worst, columns_drawdown, panels, 6)
    yield _faster("risk.panel_drawdown", "ms", pair, "numpy", 30.0)
    mine, read = _side_by_side(worst, lambda x: x.sum(), panels, 30)
    size = panels[0].nbytes / 1e9
    yield row(
        "risk.panel_drawdown.read",
        size / mine,
        "GB/s",
        0.5 * size / read,
        at_least=True,
        peer="numpy sum: reading alone",
        peer_value=size / read,
    )


def _partition(x: Floats) -> tuple[float, float]:
    k = len(x) // 100
    tail = np.partition(x, k - 1)[:k]
    return -float(tail[-1]), -float(tail.mean())


def tail() -> Iterator[Row]:
    """VaR and ES at 1 %: >= 2 numpy.partition at 10,000, >= 5 at 1,000."""
    for n, times in ((10_000, 2.0), (1_000, 5.0)):
        arrays = _series(n, 64)
        assert np.allclose(var_es(arrays[0], 0.01), _partition(arrays[0]))
        pair = _side_by_side(lambda x: var_es(x, 0.01), _partition, arrays, 1_000)
        yield _faster(f"risk.var_es.{n}", "us", pair, "numpy.partition", times)


def simulation() -> Iterator[Row]:
    """A million paths of 50 correlated assets, P&L of a linear book with every draw made: >= 3 the best numpy."""
    rng = np.random.default_rng(SEED)
    root = np.linalg.cholesky(np.cov(rng.standard_normal((50, 500)) * 0.01)).astype(np.float64)
    weights, mean, paths = rng.dirichlet(np.ones(50)), np.zeros(50), 1_000_000
    simulate_pnl(root, weights, mean, 1_000, 1)
    spent = [
        (
            _timed(lambda s=seed: simulate_pnl(root, weights, mean, paths, s)),  # type: ignore[misc]
            _timed(lambda s=seed: projected(root, weights, paths, s)),  # type: ignore[misc]
        )
        for seed in range(3)
    ]
    mine, other = np.median(np.array(spent), axis=0).tolist()
    yield _faster("risk.monte_carlo", "ms", (mine, other), "numpy, SFC64, projected", 3.0)


def rolling() -> Iterator[Row]:
    """Windows of 252: Sharpe of a million >= 1/1.3 bottleneck; drawdown >= 500 pandas apply, both per window."""
    arrays = _series(1_000_000, 3)
    out = np.empty(1_000_000)
    try:
        pair = _beside_child(lambda x: rolling_ratio(x, WINDOW, 252**0.5, out), "bottleneck", arrays, 5, 3)
        yield _faster("risk.rolling_sharpe", "ms", pair, "bottleneck", 1 / 1.3)
    except NoPeers as why:
        yield skipped("risk.rolling_sharpe", "ms", str(why))
    few, many = _series(2_000, 4), _series(10_000, 4)
    mine, other = _side_by_side(
        lambda x: rolling_drawdown(many[0] if x is few[0] else many[1], WINDOW, out[:10_000]),
        lambda x: window_drawdown(x, WINDOW),
        few,
        8,
    )
    pair = mine / (10_000 - WINDOW + 1), other / (2_000 - WINDOW + 1)
    yield _faster("risk.rolling_drawdown", "ns/window", pair, "pandas apply (2,000 rows; ours 10,000)", 500.0)


BENCHES = {
    "risk.measures": fused,
    "risk.panel_drawdown": panel,
    "risk.var_es": tail,
    "risk.monte_carlo": simulation,
    "risk.rolling": rolling,
}
