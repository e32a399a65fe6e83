"""Settings of the embedded market and of the router over its venues. The section names are the TOML's."""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.rules import Rule
from config.section import Section


class MarketSettings(Section, frozen=True):
    """The embedded paper market and its venue."""

    seed: Annotated[int, Rule("seed", 0, 2**53, note="0 = fresh at each start")] = 0
    tick_rate_per_s: Annotated[float, Rule("ticks/s, all instruments together", 0, 1e6, above=True)] = 200.0
    speed: Annotated[float, Rule("market seconds per second", 0, 10_000, above=True)] = 1.0
    symbols: Annotated[tuple[str, ...], Rule("symbols", note="empty = the whole catalogue")] = ()
    latency_ms: Annotated[float, Rule("ms", 0, 60_000)] = 20.0
    latency_jitter_ms: Annotated[float, Rule("ms", 0, 60_000)] = 10.0
    venues: Annotated[
        int, Rule("venues", 1, 2, note="2: sim2 lists BTC, ETH and SOL again, as BTC/USDT@sim2")
    ] = 1
    latency2_ms: Annotated[float, Rule("ms", 0, 60_000, note="of the second venue")] = 35.0
    depth_hz: Annotated[
        float, Rule("per s", 0, 5, note="books of what two venues list; 0 = the best prices only")
    ] = 2.0
    depth_levels: Annotated[int, Rule("levels a side", 1, 20)] = 5
    crash_after_s: Annotated[float, Rule("s after start", 0, 86_400, note="0 = never")] = 0.0
    crash_drop: Annotated[float, Rule("fraction of price", 0, 0.99, above=True)] = 0.4
    crash_duration_s: Annotated[float, Rule("s", 0, 86_400)] = 20.0


def _by_venue(unit: str, low: float, high: float, note: str) -> Rule:
    return Rule(unit, low, high, note=f"by venue name; {note}")


class RouterSettings(Section, frozen=True):
    """Smart order routing (andon order --algo sor): all-in price = price, fee, latency and staleness."""

    latency_weight: Annotated[float, Rule("sigma x root latency", 0, 10, note="0.4 = E[max(0, N)]")] = 0.4
    stale_weight: Annotated[float, Rule("sigma x root age", 0, 10)] = 0.4
    volatility: Annotated[float, Rule("a year", 0, 100, note="until enough samples are there")] = 0.6
    stale_max_s: Annotated[float, Rule("s", 0, 3600, above=True, note="an older book is not used")] = 5.0
    messages_per_s: Annotated[float, Rule("orders/s, a venue", 1, 1e6)] = 50.0
    exposure_max: Annotated[
        dict[str, float],
        _by_venue("account currency", 0, 1e15, "largest worst-case position; missing = none"),
    ] = msgspec.field(default_factory=dict)
    wallet: Annotated[
        dict[str, float], _by_venue("settle currency", 0, 1e15, "paid in at a cash venue; missing = margin")
    ] = msgspec.field(default_factory=dict)
    fee_bps: Annotated[
        dict[str, float], _by_venue("bps", -100, 1000, "what a taker is expected to pay; missing = listed")
    ] = msgspec.field(default_factory=dict)
    slip_bps: Annotated[
        dict[str, float], _by_venue("bps", 0, 1000, "expected beyond the book; missing = from latency")
    ] = msgspec.field(default_factory=dict)
    latency_ms: Annotated[
        dict[str, float], _by_venue("ms", 0, 60_000, "expected to the first answer; missing = 50")
    ] = msgspec.field(default_factory=dict)
