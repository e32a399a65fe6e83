"""The second half of the worlds: see test_worlds_first.py."""

from __future__ import annotations

import pytest

from .world import World

CHUNK = 50


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1100, 2200, CHUNK))
def test_every_step_of_every_world_holds(first) -> None:
    for seed in range(first, first + CHUNK):
        World(seed).run()
