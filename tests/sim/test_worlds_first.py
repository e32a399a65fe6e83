"""The first half of the worlds, and those that once broke. ``python -m tests.sim SEED`` runs one by hand.

Two files, so that two workers of the suite can share them.
"""

from __future__ import annotations

import pytest

from .world import World

CHUNK = 50
ONCE_BROKEN = (
    3,
    4,
    8,
    19,
    44,
    78,
    83,
    122,
    146,
    183,
    221,
    274,
    340,
    779,
    1177,
    1884,
    2055,
    4430,
    4855,
    5731,
    20563,
)


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_worlds_that_once_broke(seed) -> None:
    World(seed, replay=True).run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1100, CHUNK))
def test_every_step_of_every_world_holds(first) -> None:
    for seed in range(first, first + CHUNK):
        World(seed).run()


def test_worlds_are_not_idle() -> None:
    """What these worlds are for does happen in them: orders, refusals, kills that confirm, most switches."""
    trips: dict[str, int] = {}
    sent = denied = confirmed = cancels = fills = 0
    for seed in range(40):
        watch = World(seed, replay=False).run().watch
        sent, denied, cancels = sent + len(watch.sent), denied + watch.denied, cancels + watch.cancels
        confirmed += watch.latched.total()
        fills += sum(abs(lots) for lots in watch.fills.values())
        for switch, count in watch.trips.items():
            trips[switch] = trips.get(switch, 0) + count

    assert sent > 400 and denied > 200 and cancels > 400 and confirmed > 80 and fills > 10_000
    assert len(trips) >= 8, trips
