"""An engine that fails in the middle of a step does not go on half-way, and does not go on looking alive."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bus.effects import CancelOrder, NewOrder
from bus.enums import Side
from bus.events import Timer
from core.app import loop as loops
from core.app.inbox import Inbox
from core.app.loop import Loop
from tests.app.test_perform import ENTRY, Recorder
from tests.engine.kit import SECOND
from tests.engine.listed_kit import Listed
from tests.sim.live import FAR_NS, Aio, Disk, Silence


class Venue(Recorder):
    def next_due_ns(self) -> int:
        return FAR_NS


def rig(at: Listed) -> tuple[Loop, Venue, Aio]:
    aio, venue, silence = Aio(at.bench.now), Venue(), Silence()
    disk: Any = Disk(aio, random.Random(1))
    given: Any = {"clock": aio, "server": silence, "publisher": silence, "feed": silence}
    venues: Any = [venue]
    loop = Loop(
        at.bench.state,
        journal=disk,
        latches=disk,
        venues=venues,
        inbox=Inbox(64, 64),
        snapshot_every=(1 << 60, 1e18),
        **given,
    )
    loop._aio = aio  # type: ignore[assignment]
    return loop, venue, aio


def test_an_engine_that_fails_cancels_what_works_and_sends_nothing_more(monkeypatch) -> None:
    at = Listed()
    at.fill("entry", 10)
    quote = at.bench.working(1, Side.SELL, 30, 101.0)
    loop, venue, aio = rig(at)
    ended: list[bool] = []
    loop.on_broken = lambda: ended.append(True)
    loop.performer.reduce([ENTRY], at.bench.now)  # waits for the disk

    def fail(*_args: Any) -> list[Any]:
        raise KeyError("p1")

    monkeypatch.setattr(loops, "step", fail)
    loop.post(Timer(at.bench.now))
    with pytest.raises(KeyError):
        aio.run_until(at.bench.now + SECOND)
    gone = {effect.cl_ord_id for effect in venue.seen if isinstance(effect, CancelOrder)}
    assert gone == {quote.cl_ord_id, at.list.take}, "protective stops stay at the venue"
    assert ended and "KeyError" in loop.broken
    loop.performer.release(1 << 40, at.bench.now)
    loop.post(Timer(at.bench.now))
    aio.run_until(at.bench.now + 10 * SECOND)
    assert not any(isinstance(effect, NewOrder) for effect in venue.seen)
