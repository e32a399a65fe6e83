"""A console over a fake core, with a keyboard whose keys are pressed at the fake clock's time."""

from __future__ import annotations

from contextlib import asynccontextmanager

from fake_core import FakeCore

from tui.app import Console, Seat
from tui.panic import Cord


class TestConsole(Console):
    """Keys are read when the fake clock says it is."""

    __test__ = False
    key_offset_s = 0.0

    def key_s(self, event) -> float:
        return self.clock.mono_ns() / 1e9 + self.key_offset_s


def make(
    core: FakeCore, *, view_only: bool = False, ascii: bool = False, cord: Cord | None = None
) -> TestConsole:
    seat = Seat("alice", view_only=view_only, ascii=ascii, blink=False)
    return TestConsole(core.link, seat, clock=core.clock, cord=cord)


@asynccontextmanager
async def shown(core: FakeCore, size=(80, 24), **options):
    """(app, pilot), with the first data painted. Nothing moves by itself: the pump ticks when told."""
    app = make(core, **options)
    app.pump.start = lambda: None
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        yield app, pilot


async def settle(app: Console, pilot) -> None:
    await pilot.pause()
    app.pump.tick()
    await pilot.pause()


def text(app: Console) -> str:
    """The screen as lines."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
