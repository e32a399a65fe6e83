"""A day of the embedded market: twelve symbols in USDT, EUR and BTC, four strategies, funding every hour.

    python -m tests.attribution.day [hours] [ticks a second]      prints what was seen

After every step every cut of the ledger must sum to its total, unit for unit; the account's equity must be the ledger's but
for the rounding of its floats.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

from bus.effects import Effect
from bus.events import Boot, Funding
from core.adapters.catalogue import embedded_catalogue
from core.adapters.market import EmbeddedMarket
from core.adapters.sim_venue import SimVenue
from core.app.drive import Driver
from core.engine import attribution, pnlview, snapshot
from core.engine.config import AttributionConfig, EngineConfig, GateLimits, StrategyConfig, SwitchLimits

SECOND = 10**9
HOUR = 3600 * SECOND
T0 = 1_700_006_400 * SECOND  # a midnight, UTC
LEFT_OUT = ("DOT/USDT", "LTC/USDT", "UNI/USDT")  # of the catalogue's own venue: twelve symbols are left
OFF = SwitchLimits(
    drawdown=None, position_loss=None, daily_loss=None, emergency=None, leverage=None, margin=None, stale_data_s=None,
    venue_down_s=None, order_rate_per_s=None, reject_rate=None,
)  # fmt: skip


@dataclass
class Seen:
    """What the day came to."""

    steps: int = 0
    looks: int = 0
    fills: int = 0
    fundings: int = 0
    worst_units: int = 0  # largest difference between a cut and the total, ledger units
    worst_residual: float = 0.0  # largest difference between equity and ledger, account currency
    parts: dict[str, float] = field(default_factory=dict)
    state: Any = None


def config_of(hours: float) -> EngineConfig:
    specs = tuple(s for s in embedded_catalogue() if s.venue == "sim" and s.symbol not in LEFT_OUT)
    kinds = ("momentum", "mean_reversion", "maker", "hold")
    return EngineConfig(
        instruments=specs,
        cash={"USDT": 1_000_000.0, "EUR": 20_000.0, "BTC": 0.5},
        venues=("sim",),
        switches=OFF,
        gate=GateLimits(data_age_max_s=600.0, concentration_max=3.0),
        strategies=tuple(StrategyConfig(id=f"{kind}-1", kind=kind, notional=20_000.0) for kind in kinds),
        signal_interval_s=60.0,
        attribution=AttributionConfig(
            sessions={"asia": 0.0, "europe": 7.0, "us": 13.0},
            benchmark="BTC/USDT",
            factors={"chains": ("ETH/USDT", "SOL/USDT", "AVAX/USDT")},
        ),
    )


def live(hours: float = 24.0, rate_per_s: float = 0.25, seed: int = 7) -> Seen:
    """Run it; raises AssertionError at the first step that does not add up."""
    config = config_of(hours)
    state = snapshot.create(config)
    seen = Seen(state=state)
    venue = SimVenue(
        0, config.instruments, seed=seed, funding_interval_s=3600.0, latency_ms=20.0, jitter_ms=10.0
    )

    def on_step(event: Any, effects: list[Effect]) -> None:
        seen.steps += 1
        seen.fundings += isinstance(event, Funding)
        seen.fills += sum(getattr(e, "type", "") == "fill" for e in effects)
        look(state, seen)

    driver = Driver(state, [venue], on_step=on_step)
    market = EmbeddedMarket(config.instruments, seed, rate_per_s, start_ns=T0, speed=4.0)
    driver.send(Boot(T0, 1, True, autostart=True))
    for hour in range(round(hours * 4)):
        rows = market.block(T0 + (hour + 1) * HOUR // 4)
        if len(rows):
            driver.feed(rows)
    seen.parts = {
        name: n / 10**state.cold.ledger.digits for name, n in pnlview.attributed(state).part.items()
    }
    return seen


def look(state: Any, seen: Seen) -> None:
    """Every cut, this instant."""
    ledger = state.cold.ledger
    if not ledger.begun:
        return
    seen.looks += 1
    found = pnlview.attributed(state)
    for name in pnlview.CUTS:
        off = abs(sum(found.totals(name).values()) - found.total)
        seen.worst_units = max(seen.worst_units, off)
        assert off == 0, f"by {name} {off} units are missing"
    residual = abs(attribution.residual(state, found.total - ledger.total))
    seen.worst_residual = max(seen.worst_residual, residual)
    assert residual <= attribution.bound(state), f"equity and ledger differ by {residual}"


if __name__ == "__main__":
    arguments = [float(word) for word in sys.argv[1:]]
    began = time.process_time()
    result = live(*arguments)
    print(
        f"{result.steps} steps, {result.looks} looks, {result.fills} fills, {result.fundings} fundings,"
        f" {time.process_time() - began:.1f} s of CPU\nlargest difference of a cut from the total:"
        f" {result.worst_units} ledger units\nlargest difference of equity from the ledger:"
        f" {result.worst_residual:.3g} USDT\nparts {result.parts}"
    )
