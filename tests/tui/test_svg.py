"""A few screens with their colours. The words are the goldens' business; these are for what colour says."""

from __future__ import annotations

import pytest
from console import make, settle
from scenarios import SCENARIOS

SHOTS = [
    ("running", "1", (120, 40)),
    ("stale", "1", (80, 24)),
    ("halted", "1", (120, 40)),
    ("killing", "0", (120, 40)),
    ("flood", "7", (80, 24)),
]


@pytest.mark.parametrize(("name", "page", "size"), SHOTS, ids=[f"{n}-{p}" for n, p, _ in SHOTS])
def test_screen(name, page, size, snap_compare):
    app = make(SCENARIOS[name]())
    app.pump.start = lambda: None

    async def before(pilot):
        await pilot.pause()
        app.goto(page)
        await settle(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)
