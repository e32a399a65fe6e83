"""The embedded market: live-looking ticks for demo, paper trading and simulation, from a seed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from bus.instruments import InstrumentSpec
from core.adapters.catalogue import listing_of
from core.kernels.marketgen import COMPONENT, GENERATOR, LISTING, generate
from core.kernels.tables import TICK, Table, zeros

YEAR_S = 365.0 * 86_400.0
DAY_S = 86_400.0
CHUNK = 65_536  # rows generated at a time

FACTOR_VOL = 0.45  # a year, calm
EURO_VOL = 0.07  # a year
STRESS = 3.0  # volatility and spread in the stressed regime, times calm
CALM_S, STRESSED_S = 4 * 3600.0, 1800.0  # mean stay in each regime
JUMPS_DAY, JUMP_SIGMA = 3.0, 0.008  # a day; log
REVERSION_DAYS = 20.0  # time constant


class EmbeddedMarket:
    """Ticks up to a time, deterministic for a seed whatever the block sizes.

    ``tick_rate_per_s`` is over all instruments. ``speed`` compresses the process, not the clock: at 60 a second holds
    a minute's volatility, regime changes and jumps. Times are ns UTC.
    """

    def __init__(
        self,
        specs: Sequence[InstrumentSpec],
        seed: int,
        tick_rate_per_s: float = 200.0,
        *,
        start_ns: int,
        speed: float = 1.0,
        start_px: Mapping[int, float] | None = None,
    ) -> None:
        """``start_px`` (instrument id -> quote) carries the prices over a restart; others begin as listed."""
        listed = [listing_of(spec) for spec in specs]
        coins = sorted({listing.coin for listing in listed} - {"EUR"})
        self._components = zeros(
            COMPONENT, len(coins) + 2
        )  # the last is the euro, the one before it stands still
        self._components["ts_ns"] = start_ns
        self._components["sigma"][-1] = EURO_VOL / math.sqrt(YEAR_S)
        self._listings = zeros(LISTING, len(specs))
        weights = np.array([listing.weight for listing in listed])
        self._listings["activity"] = np.cumsum(weights) / weights.sum()
        for i, (spec, listing) in enumerate(zip(specs, listed, strict=True)):
            component = coins.index(listing.coin) if listing.coin in coins else len(coins)
            self._components["sigma"][component] = listing.vol / math.sqrt(YEAR_S)
            row = self._listings[i]
            row["component"], row["beta"], row["euro"] = component, listing.beta, listing.euro
            listed_px = listing.price * (1.0 + listing.offset_bps * 1e-4)
            row["start_ticks"] = ((start_px or {}).get(i) or listed_px) / spec.tick_size
            row["noise"] = listing.noise_bps * 1e-4
            row["half_spread"] = listing.spread_bps * 0.5e-4
            lot_in_quote = spec.lot_size * (spec.contract_value if spec.inverse else listing.price)
            row["depth_lots"] = max(1.0, listing.depth / lot_in_quote)
        self._state = self._generator(seed, tick_rate_per_s, start_ns, speed)

    @staticmethod
    def _generator(seed: int, tick_rate_per_s: float, start_ns: int, speed: float) -> Table:
        table = zeros(GENERATOR, 1)
        digest = hashlib.sha256(f"market-{seed}".encode()).digest()
        settings = {
            "random": int.from_bytes(digest[:8], "little"),
            "ts_ns": start_ns,
            "factor_ns": start_ns,
            "gap_ns": max(1.0, 1e9 / tick_rate_per_s - 1.0),
            "speed": speed,
            "stress": 1.0,
            "stress_high": STRESS,
            "to_stress": 1.0 / CALM_S,
            "to_calm": 1.0 / STRESSED_S,
            "jumps": JUMPS_DAY / DAY_S,
            "jump_sigma": JUMP_SIGMA,
            "reversion": 1.0 / (REVERSION_DAYS * DAY_S),
            "factor_sigma": FACTOR_VOL / math.sqrt(YEAR_S),
        }
        for name, value in settings.items():
            table[name] = value
        return table

    def next_ns(self) -> int:
        """Time of the next tick."""
        return int(self._state["ts_ns"][0])

    def block(self, until_ns: int) -> Table:
        """All ticks not yet given, up to and including ``until_ns``, as TICK rows in time order."""
        parts: list[Table] = []
        while True:
            rows = np.empty(CHUNK if self._expects(until_ns) > 512 else 1024, dtype=TICK)
            count = int(generate(rows, until_ns, self._state, self._components, self._listings))
            parts.append(rows[:count])
            if count < len(rows):
                return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _expects(self, until_ns: int) -> float:
        return (until_ns - self.next_ns()) / float(self._state["gap_ns"][0])

    def skip_to(self, now_ns: int) -> None:
        """Let the clock jump without ticks (after a pause): the prices stand where they stood."""
        if now_ns > self.next_ns():
            self._state["ts_ns"] = self._state["factor_ns"] = now_ns
            self._components["ts_ns"] = now_ns

    def crash(self, depth: float, seconds: float = 0.0) -> None:
        """Take ``depth`` (fraction, 0..1) off the common factor within ``seconds``; 0 = at once, a gap.

        An instrument falls by its beta; what has fallen stays down. A crash replaces what is left of one before.
        """
        if not 0.0 < depth < 1.0:
            raise ValueError(f"crash depth {depth} is not between 0 and 1")
        self._state["crash_left"] = math.log(1.0 - depth)
        self._state["crash_left_ns"] = seconds * 1e9
