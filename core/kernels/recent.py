"""The market's recent past, kept in the market row itself: range, volatility and usual spread, O(1) a tick.

Two buckets of ``INSTRUMENT.window_ns`` each: the one being filled and the one before. Together they say what happened
over the last one to two windows without a ring of samples: high and low, the mark and the volume at the beginning.
Volatility and spread are exponentially weighted over samples, one at the first tick of each second that has ticks: a
second without ticks says nothing about them, and a silence of a minute is a gap, not a return. The weight of a sample
that covers ``dt`` is ``dt / (dt + MEMORY_S)``, which needs no exponential, and never less than the plain mean while few
are there.

No clock and no timer: the tick brings its time. So a tape of five days is not cut into seconds, a silent instrument
costs nothing, and the same ticks in blocks of any size leave the same bytes.
"""

from __future__ import annotations

from core.kernels._jit import leaf
from core.kernels.portfolio import Row

SAMPLE_NS = 1_000_000_000  # least time between two samples, aligned to UTC seconds
GAP_S = 60.0  # two marks further apart are no return
MEMORY_S = 120.0  # time constant of variance_rate and spread_mean


@leaf
def note(market: Row, window_ns: int, ts_ns: int) -> None:
    """Take the mark of a tick at ``ts_ns`` into the row's recent past. Nothing is kept where ``window_ns`` is 0."""
    mark_px = market["mark_px"]
    if window_ns > 0 and mark_px > 0.0:
        if mark_px > market["high_px"]:
            market["high_px"] = mark_px
        if mark_px < market["low_px"]:
            market["low_px"] = mark_px
        if ts_ns >= market["sample_due_ns"]:
            _sample(market, mark_px, ts_ns)
            if ts_ns - market["bucket_ns"] >= window_ns:
                _turn(market, mark_px, window_ns, ts_ns)


@leaf
def _sample(market: Row, mark_px: float, ts_ns: int) -> None:
    """One sample: the return since the last, the spread now."""
    dt_s = float(ts_ns - market["sampled_ns"]) * 1e-9
    if market["sampled_ns"] > 0 and 0.0 < dt_s <= GAP_S:
        change = (mark_px - market["sample_px"]) / market["sample_px"]
        market["samples"] += 1
        weight = max(dt_s / (dt_s + MEMORY_S), 1.0 / market["samples"])
        market["variance_rate"] += weight * (change * change / dt_s - market["variance_rate"])
    bid, ask = market["bid_ticks"], market["ask_ticks"]
    if bid > 0 and ask > 0:
        spread = 2.0 * float(ask - bid) / float(ask + bid)
        market["spreads"] += 1
        weight = max(1.0 / (1.0 + MEMORY_S), 1.0 / market["spreads"])
        market["spread_mean"] += weight * (spread - market["spread_mean"])
    market["sample_px"] = mark_px
    market["sampled_ns"] = ts_ns
    market["sample_due_ns"] = (ts_ns // SAMPLE_NS + 1) * SAMPLE_NS


@leaf
def _turn(market: Row, mark_px: float, window_ns: int, ts_ns: int) -> None:
    """A new bucket begins; the last one is remembered unless a silence lies between."""
    near = market["bucket_ns"] > 0 and ts_ns - market["bucket_ns"] < 2 * window_ns
    market["before_ns"] = market["bucket_ns"] if near else 0
    market["before_px"] = market["bucket_px"] if near else 0.0
    market["before_lots"] = market["bucket_lots"]
    market["before_high_px"] = market["high_px"] if near else 0.0
    market["before_low_px"] = market["low_px"] if near else 0.0
    market["bucket_ns"] = ts_ns
    market["bucket_px"] = market["high_px"] = market["low_px"] = mark_px
    market["bucket_lots"] = market["volume_lots"]
