"""The drill: every switch pulled against a venue that misbehaves in every way it knows, and the evidence.

For each switch and each fault a small book is built, exactly that switch is made to trip, and the fault begins at the
instant it does: the first cancel already meets it. It lasts FAULT_S. What then counts is what the *venue* holds,
what was audited and what was latched, not what the engine believes.

    flat      confirmed, and the venue holds nothing in scope
    halted    confirmed, and nothing works in scope
    alarmed   the fault kept the venue from confirming; an alarm names what is unconfirmed. Then the venue is made
              well again, and the kill, which never stopped asking, has to end flat or halted after all
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bus.enums import Switch
from core.adapters import faults as venue_faults
from core.app.drill_trips import TRIPS
from core.app.drill_world import DrillWorld

SWITCHES: tuple[str, ...] = tuple(str(switch) for switch in TRIPS)
FAULTS: tuple[str, ...] = ("none", *venue_faults.FAULTS)


def drill(
    switches: Sequence[str],
    faults: Sequence[str],
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[dict[str, Any]]:
    """One row per switch and fault, as they end; ``progress(done, total)`` after each. Raises ValueError on a name."""
    for name, known in [(s, SWITCHES) for s in switches] + [(f, FAULTS) for f in faults]:
        if name not in known:
            raise ValueError(f"drill: no {name!r}; there are {', '.join(known)}")
    total = len(switches) * len(faults)
    for done, (switch, fault) in enumerate([(s, f) for s in switches for f in faults], 1):
        yield run_one(Switch(switch), fault, seed)
        if progress is not None:
            progress(done, total)


def run_one(switch: Switch, fault: str, seed: int) -> dict[str, Any]:
    """One drill, one row."""
    trip = TRIPS[switch]
    world = DrillWorld(switch, fault, seed, trip)
    world.build()
    trip.pull(world)
    return world.finish()
