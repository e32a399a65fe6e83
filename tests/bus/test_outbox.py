"""Sending again, giving up aloud: the rules, without sockets or clocks."""

from __future__ import annotations

import pytest

from bus.outbox import KEEP_S, UNCONFIRMED, Outbox
from bus.outcomes import ROUTES_MAX, Outcomes
from bus.wire import STOPPING_TYPES, Reply


def reply(id: str, status: str, seq: int, epoch: int = 1) -> Reply:
    return Reply(v=1, id=id, status=status, epoch=epoch, seq=seq)


def send_due(box: Outbox, now: float, epoch: int = 1) -> list[str]:
    due = box.due(now)
    for pending in due:
        box.sent(pending, now, epoch)
    return [pending.id for pending in due]


def test_quick_tries_then_slow_ones_then_none() -> None:
    box = Outbox()
    box.add("k", "kill", b"", 0.0)
    sent_at = [now / 100 for now in range(int((KEEP_S + 5) * 100)) if send_due(box, now / 100)]
    assert sent_at[:4] == [0.0, 0.25, 0.5, 1.5]
    assert KEEP_S - 1 <= sent_at[-1] < KEEP_S
    assert len(box.overdue(KEEP_S)) == 1
    assert box.due(KEEP_S + 100) == []


def test_unconfirmed_is_said_once_and_only_of_what_was_not_heard() -> None:
    box = Outbox()
    box.add("heard", "kill", b"", 0.0)
    box.add("mute", "kill", b"", 0.0)
    said = []
    for tick in range(40):
        send_due(box, tick / 10)
        if tick == 1:
            assert box.reply(reply("heard", "accepted", 1))
        said += [(r.id, r.status) for r in box.overdue(tick / 10)]
    assert said == [("mute", UNCONFIRMED)]


def test_a_repeat_of_a_reply_is_not_shown_and_the_end_is_the_end() -> None:
    box = Outbox()
    box.add("k", "kill", b"", 0.0)
    send_due(box, 0.0)
    shown = [
        box.reply(reply("k", s, n))
        for s, n in [("accepted", 1), ("accepted", 1), ("progress", 3), ("done", 4)]
    ]
    assert shown == [True, False, True, True]
    assert not box.reply(reply("k", "done", 4))
    assert send_due(box, 100.0) == []


def test_what_runs_is_attached_to_a_new_connection_and_then_left_alone() -> None:
    box = Outbox()
    box.add("k", "kill", b"", 0.0)
    send_due(box, 0.0)
    box.reply(reply("k", "accepted", 1))
    assert send_due(box, 50.0) == []
    box.reattach(50.0)
    assert send_due(box, 50.0) == ["k"]
    assert not box.reply(reply("k", "accepted", 1))
    assert send_due(box, 59.0) == []


@pytest.mark.parametrize("type", ["kill", "cancel_all", "submit_order", "rearm"])
def test_a_later_core_is_sent_only_what_stops(type: str) -> None:
    box = Outbox()
    box.add("x", type, b"", 0.0)
    send_due(box, 0.0, epoch=1)
    lost = box.reconnected(2, 1.0)
    if type in STOPPING_TYPES:
        assert lost == []
        assert send_due(box, 1.0, epoch=2) == ["x"]
        assert box.reply(reply("x", "accepted", 1, epoch=2))
    else:
        assert [(r.id, r.status) for r in lost] == [("x", UNCONFIRMED)]
        assert send_due(box, 1.0, epoch=2) == []


def test_what_was_never_sent_may_go_to_any_core() -> None:
    box = Outbox()
    box.add("x", "submit_order", b"", 0.0)
    assert box.reconnected(7, 1.0) == []
    assert send_due(box, 1.0, epoch=7) == ["x"]


def test_what_expired_while_waiting_is_not_sent_again() -> None:
    box = Outbox()
    box.add("x", "submit_order", b"", 0.0, lives_s=0.3)
    assert send_due(box, 0.0) == ["x"]
    assert send_due(box, 0.4) == []
    assert [r.status for r in box.overdue(0.4)] == [UNCONFIRMED]


def test_a_later_core_counts_its_replies_from_one() -> None:
    box = Outbox()
    box.add("k", "kill", b"", 0.0)
    send_due(box, 0.0)
    box.reply(reply("k", "accepted", 1))
    box.reply(reply("k", "progress", 9))
    assert box.reply(reply("k", "accepted", 1, epoch=2))
    assert box.reply(reply("k", "done", 2, epoch=2))


def test_outcomes_are_bounded_and_running_ones_stay() -> None:
    outcomes = Outcomes(ended_max=3)
    outcomes.open("running", "me", "r")
    for n in range(10):
        outcomes.open(f"e{n}", "me", "r").add("done", b"")
        outcomes.end(f"e{n}")
    assert outcomes.get("running") is not None
    assert [n for n in range(10) if outcomes.get(f"e{n}")] == [7, 8, 9]
    assert outcomes.running == 1


def test_a_long_request_stays_small_and_routes_are_few() -> None:
    outcome = Outcomes().open("k", "me", 0)
    ends = [
        outcome.add(*step) for step in [("accepted", b"a")] + [("progress", b"p")] * 99 + [("done", b"d")]
    ]
    for route in range(100):
        outcome.attach(route)
    assert outcome.replies == [b"a", b"p", b"d"]
    assert ends.count(True) == 1
    assert len(outcome.routes) == ROUTES_MAX
    assert outcome.routes[-1] == 99
