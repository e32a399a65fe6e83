"""The recent past against a slow recount of the ticks themselves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernels.batch import run_block
from core.kernels.recent import GAP_S, MEMORY_S
from core.kernels.tables import TICK, TICK_QUOTE, TICK_TRADE, zeros

from .kit import blank

S = 1_000_000_000


def run(gaps_ms: list[int], mids: list[int], window_s: int, cut: int = 0):
    """One instrument, a quote after each gap; (market row, times ns, marks)."""
    book = blank([(0.01, 1.0, 0.1, 0, 0, -1)], [1000.0])
    book.instruments["window_ns"] = window_s * S
    ticks = zeros(TICK, len(mids))
    ticks["ts_ns"] = 1_700_000_000 * S + np.cumsum(gaps_ms) * 1_000_000
    ticks["flags"], ticks["bid_ticks"], ticks["ask_ticks"] = (
        TICK_QUOTE,
        np.array(mids) - 1,
        np.array(mids) + 1,
    )
    ticks["bid_lots"] = ticks["ask_lots"] = 5
    for part in (ticks[:cut], ticks[cut:]):
        if len(part):
            assert run_block(part, 0, *book.tables, book.switches) == len(part)
    return book.markets[0], ticks["ts_ns"].tolist(), [m * 0.01 for m in mids]


def slow(times: list[int], marks: list[float], window_s: int) -> dict[str, float]:
    """The same by the words of the module, with lists."""
    due, samples, buckets = 0, [], []
    for at, mark in zip(times, marks, strict=True):
        if buckets:
            buckets[-1][1].append(mark)
        if at < due:
            continue
        samples.append((at, mark))
        due = (at // S + 1) * S
        if not buckets or at - buckets[-1][0] >= window_s * S:
            buckets.append((at, [mark]))
    rate, count = 0.0, 0
    for (t0, p0), (t1, p1) in pairwise(samples):
        dt = (t1 - t0) * 1e-9
        if dt <= GAP_S:
            count += 1
            weight = max(dt / (dt + MEMORY_S), 1 / count)
            rate += weight * (((p1 - p0) / p0) ** 2 / dt - rate)
    now = buckets[-1]
    before = buckets[-2] if len(buckets) > 1 and now[0] - buckets[-2][0] < 2 * window_s * S else None
    return {
        "samples": count,
        "variance_rate": rate,
        "bucket_ns": now[0],
        "high_px": max(now[1]),
        "low_px": min(now[1]),
        "before_ns": before[0] if before else 0,
        "before_px": before[1][0] if before else 0.0,
        "before_high_px": max(before[1]) if before else 0.0,
        "before_low_px": min(before[1]) if before else 0.0,
    }


gaps = st.lists(
    st.sampled_from([1, 300, 999, 1000, 1700, 5_000, 59_000, 61_000, 200_000]), min_size=1, max_size=60
)


@settings(max_examples=200, deadline=None)
@given(gaps=gaps, window_s=st.sampled_from([1, 3, 30]), data=st.data())
def test_it_is_what_a_slow_recount_says(gaps, window_s, data) -> None:
    mids = data.draw(st.lists(st.integers(5_000, 15_000), min_size=len(gaps), max_size=len(gaps)))
    market, times, marks = run(gaps, mids, window_s)
    expected = slow(times, marks, window_s)
    for name, value in expected.items():
        assert float(market[name]) == pytest.approx(value, rel=1e-9, abs=1e-18), name


@settings(max_examples=60, deadline=None)
@given(gaps=gaps, data=st.data())
def test_blocks_of_any_size_leave_the_same_bytes(gaps, data) -> None:
    mids = data.draw(st.lists(st.integers(5_000, 15_000), min_size=len(gaps), max_size=len(gaps)))
    cut = data.draw(st.integers(0, len(gaps)))
    assert run(gaps, mids, 3)[0].tobytes() == run(gaps, mids, 3, cut)[0].tobytes()


def test_volume_of_the_window_and_the_usual_spread() -> None:
    book = blank([(0.01, 1.0, 0.1, 0, 0, -1)], [1000.0])
    book.instruments["window_ns"] = 10 * S
    ticks = zeros(TICK, 25)
    ticks["ts_ns"] = 1_700_000_000 * S + np.arange(25) * S
    ticks["flags"], ticks["last_ticks"], ticks["last_lots"] = TICK_QUOTE | TICK_TRADE, 10_000, 2
    ticks["bid_ticks"], ticks["ask_ticks"] = 9_998, 10_002
    run_block(ticks, 0, *book.tables, book.switches)
    market = book.markets[0]
    assert (
        market["volume_lots"] - market["before_lots"] == 28
    )  # since the tick that began the bucket before, in it
    assert market["spread_mean"] == pytest.approx(4e-4) and market["spreads"] == 25


def test_where_no_window_is_set_nothing_is_kept() -> None:
    market, _, _ = run([1000] * 5, [10_000] * 5, 0)
    assert market["samples"] == 0 and market["bucket_ns"] == 0 and market["mark_px"] == 100.0
