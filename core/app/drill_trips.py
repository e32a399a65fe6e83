"""How each switch is made to trip, with its default threshold and every other switch off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bus.enums import Switch
from bus.events import JournalStatus
from core.app.drill_world import DrillWorld
from core.engine.config import SwitchLimits

DEFAULT = SwitchLimits()


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """One way to trip a switch."""

    pull: Callable[[DrillWorld], None]
    limits: dict[str, Any]  # what is not off
    leverage: float = 2.4  # gross / equity to build before
    margin_rate: float = 0.1
    venue_returns: bool = False  # the link that was cut to trip it comes back


def _all_fall(fraction: float) -> Callable[[DrillWorld], None]:
    return lambda world: world.fall(fraction)


def _one_falls(world: DrillWorld) -> None:
    world.fall(0.025, (0,))


def _silence(world: DrillWorld) -> None:
    world.silent = 0
    world.run(40.0)


def _cut_link(world: DrillWorld) -> None:
    world.plan.on("disconnect", from_ns=world.driver.now_ns)
    world.run(12.0)


def _flood(world: DrillWorld) -> None:
    for n in range(210):
        world.order(n % 3, "buy", 1, 70.0)
        if world.tripped_ns:
            break


def _refusals(world: DrillWorld) -> None:
    world.plan.on("reject")
    for n in range(12):
        world.order(n % 3, "buy", 1, 70.0 + 0.01 * n)
        world.run(0.25)


def _disk_full(world: DrillWorld) -> None:
    world.send(JournalStatus(world.driver.now_ns, ok=False, reason="disk full (drill)"))


def _cord(world: DrillWorld) -> None:
    world.command("kill", {"scope": "all", "level": "flatten"})


def _stranger(world: DrillWorld) -> None:
    """Somebody trades the account elsewhere: the venue holds what no execution explains."""
    world.venue.restore({0: world.venue.positions().get(0, 0) + 25})
    world.run(12.0)


def _default(*names: str) -> dict[str, Any]:
    return {name: getattr(DEFAULT, name) for name in names}


TRIPS: dict[Switch, Trip] = {
    Switch.DRAWDOWN: Trip(pull=_all_fall(0.025), limits=_default("drawdown")),
    Switch.POSITION_LOSS: Trip(pull=_one_falls, limits=_default("position_loss")),
    Switch.DAILY_LOSS: Trip(pull=_all_fall(0.045), limits=_default("daily_loss")),
    Switch.EMERGENCY: Trip(pull=_all_fall(0.07), limits=_default("emergency")),
    Switch.LEVERAGE: Trip(pull=_all_fall(0.015), limits=_default("leverage"), leverage=4.8),
    Switch.MARGIN: Trip(pull=_all_fall(0.08), limits=_default("margin"), leverage=1.6, margin_rate=0.5),
    Switch.STALE_DATA: Trip(pull=_silence, limits=_default("stale_data_s")),
    Switch.VENUE_DOWN: Trip(pull=_cut_link, limits=_default("venue_down_s"), venue_returns=True),
    Switch.ORDER_RATE: Trip(pull=_flood, limits=_default("order_rate_per_s")),
    Switch.REJECT_RATE: Trip(pull=_refusals, limits=_default("reject_rate")),
    Switch.JOURNAL: Trip(pull=_disk_full, limits={"journal": True}),
    Switch.OPERATOR: Trip(pull=_cord, limits={}),
    Switch.RECONCILIATION: Trip(pull=_stranger, limits={"reconciliation": True}),
}
