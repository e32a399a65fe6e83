"""A small market from one seed: random walks, jumps, a crash, silences, one-sided books."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bus.instruments import InstrumentSpec
from core.kernels.tables import TICK, TICK_BUY, TICK_QUOTE, TICK_SELL, TICK_TRADE, Table

SECOND = 10**9


@dataclass(frozen=True)
class Climate:
    """How the market behaves. Times in seconds from the start."""

    rate_per_s: float = 15.0  # ticks of all instruments together
    vol: float = 0.001  # of price, a second's standard deviation
    jumps: tuple[tuple[float, float], ...] = ()  # (when, fraction of price left after it)
    silences: tuple[tuple[int, float, float], ...] = ()  # (instrument, from, until)
    one_sided: float = 0.01  # share of quotes with one side missing
    depth_lots: int = 400  # displayed at the best, at most


@dataclass
class Tape:
    """Rows in time order, handed out up to a time."""

    rows: Table
    at: int = field(default=0)

    def until(self, ts_ns: int) -> Table:
        stop = int(np.searchsorted(self.rows["ts_ns"], ts_ns, side="right"))
        rows, self.at = self.rows[self.at : stop], max(stop, self.at)
        return rows


def make(
    seed: int,
    specs: tuple[InstrumentSpec, ...],
    prices: tuple[float, ...],
    climate: Climate,
    start_ns: int,
    active_s: float,
    calm_s: float,
) -> Tape:
    """``active_s`` of weather, then ``calm_s`` with two ticks a second for each instrument and no silence."""
    rng = np.random.default_rng(seed)
    first = [(np.full(len(specs), 0.0), np.arange(len(specs)))]
    busy = max(1, int(climate.rate_per_s * active_s))
    first.append((rng.uniform(0.0, active_s, busy), rng.integers(0, len(specs), busy)))
    calm = np.arange(active_s, active_s + calm_s, 0.5)
    first.append((np.repeat(calm, len(specs)), np.tile(np.arange(len(specs)), len(calm))))
    when = np.concatenate([times for times, _ in first])
    which = np.concatenate([ids for _, ids in first])
    order = np.argsort(when, kind="stable")
    when, which = when[order], which[order]
    keep = np.ones(len(when), dtype=bool)
    for instrument, start, end in climate.silences:
        keep &= ~((which == instrument) & (when >= start) & (when < end))
    when, which = when[keep], which[keep]
    return Tape(_quotes(rng, specs, prices, climate, start_ns, when, which, active_s))


def _quotes(rng, specs, prices, climate: Climate, start_ns: int, when, which, active_s: float) -> Table:
    n = len(when)
    rows = np.zeros(n, dtype=TICK)
    rows["ts_ns"] = start_ns + (when * SECOND).astype(np.int64)
    rows["instrument"] = which
    noise = rng.normal(size=n)
    level = np.zeros(n)
    for at_s, left in climate.jumps:
        level += np.where(when >= at_s, np.log(left), 0.0)
    sided = rng.random(n)
    trade = (rng.random(n) < 0.25) & (when > 0)
    buyer = rng.random(n) < 0.5
    rows["bid_lots"] = rng.integers(1, climate.depth_lots, n)
    rows["ask_lots"] = rng.integers(1, climate.depth_lots, n)
    rows["last_lots"] = rng.integers(1, climate.depth_lots, n) * trade
    for i, spec in enumerate(specs):
        mine = which == i
        times = when[mine]
        step = np.sqrt(np.diff(times, prepend=0.0)) * climate.vol * (times <= active_s)
        price = prices[i] * np.exp(np.cumsum(noise[mine] * step) + level[mine])
        mid = np.maximum(price / spec.tick_size, 4.0)
        half = np.maximum(1.0, mid * 2e-4)
        bid, ask = np.floor(mid - half), np.ceil(mid + half)
        rows["bid_ticks"][mine] = np.where((sided[mine] < climate.one_sided / 2), 0, bid)
        away = (sided[mine] >= climate.one_sided / 2) & (sided[mine] < climate.one_sided)
        rows["ask_ticks"][mine] = np.where(away, 0, ask)
        rows["last_ticks"][mine] = np.where(buyer[mine], ask, bid) * trade[mine]
    side = np.where(buyer, TICK_BUY, TICK_SELL)
    rows["flags"] = TICK_QUOTE + np.where(trade, TICK_TRADE + side, 0)
    return rows
