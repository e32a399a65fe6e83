"""Worlds on the live loop, and wrong performers that such worlds must find out."""

from __future__ import annotations

import pytest

from bus.effects import NewOrder
from core.app import loop
from core.app.perform import Performer

from .live import LiveWorld
from .watch import Broken

CHUNK = 50
ONCE_BROKEN = (20339, 21590)


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_live_worlds_that_once_broke(seed) -> None:
    LiveWorld(seed).run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 600, CHUNK))
def test_the_live_loop_keeps_every_promise_of_the_engine(first) -> None:
    for seed in range(first, first + CHUNK):
        LiveWorld(seed).run()


def test_orders_do_wait_and_are_withdrawn() -> None:
    withdrawn = sent = 0
    for seed in range(40):
        performer = LiveWorld(seed, replay=False).run().driver.loop.performer
        withdrawn, sent = withdrawn + performer.withdrawn, sent + performer.sent
    assert withdrawn > 10 and sent > 300


class HoldsTooLate(Performer):
    """Holds a new order only once its cause is journalled: a cancel in the same step finds nothing to withdraw."""

    def reduce(self, effects, now_ns) -> None:
        super().reduce(
            [e for e in effects if not (isinstance(e, NewOrder) and not e.approval.reducing)], now_ns
        )

    def rest(self, effects, seq) -> None:
        for effect in effects:
            if isinstance(effect, NewOrder) and not effect.approval.reducing:
                self._held[effect.cl_ord_id] = (seq, effect)
        super().rest(effects, seq)


class NeverHolds(Performer):
    """Sends what adds risk at once."""

    def reduce(self, effects, now_ns) -> None:
        super().reduce(effects, now_ns)
        self.release(1 << 62, now_ns)


class NeverWithdraws(Performer):
    """Hands every cancel to the venue, also of what has not left."""

    def _cancel(self, effect, now_ns) -> None:
        self._venues[effect.venue].cancel(effect, now_ns)


class WaitsForTheRecordBefore(Performer):
    """Counts one record too few."""

    def rest(self, effects, seq) -> None:
        super().rest(effects, seq - 1)


@pytest.mark.parametrize("wrong", [HoldsTooLate, NeverHolds, NeverWithdraws, WaitsForTheRecordBefore])
def test_a_wrong_performer_is_found_out(wrong, monkeypatch) -> None:
    monkeypatch.setattr(loop, "Performer", wrong)
    with pytest.raises(Broken, match=r"L[12]: "):
        _run(60)


def _run(seeds: int) -> None:
    for seed in range(seeds):
        LiveWorld(seed, replay=False).run()
