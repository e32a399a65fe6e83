"""The lanes: what overtakes what, and what never does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bus.enums import ReportKind, Role
from bus.events import Command, Report, Timer
from core.app.inbox import AHEAD, Inbox
from core.app.service import Service
from core.kernels.tables import TICK


def command(type: str, n: int = 0) -> Command:
    return Command(n, f"{type}-{n}", "alice", Role.OPERATOR, type, {})


def test_the_cord_and_executions_overtake_requests() -> None:
    inbox = Inbox(10, 10)
    for n in range(5):
        inbox.put(command("submit_order", n))
    report, timer, kill = Report(1, 0, "a", ReportKind.ACK), Timer(2), command("kill")
    for event in (report, timer, kill):
        inbox.put(event)
    assert list(inbox.control) == [report, timer, kill] and len(inbox.requests) == 5


def test_a_start_asked_for_before_a_stop_never_comes_after_it() -> None:
    inbox = Inbox(10, 10)
    wanted = [command(type) for type in ("rearm", "start", "stop", "start_strategy", "stop_strategy", "kill")]
    for event in wanted:
        inbox.put(event)
    assert list(inbox.control) == wanted
    assert {event.type for event in wanted} == AHEAD


@pytest.mark.parametrize("type", ["cancel_order", "cancel_all", "close_position", "amend_order", "set_limit"])
def test_what_refers_to_an_order_never_overtakes_it(type) -> None:
    inbox = Inbox(10, 10)
    first, second = command("submit_order"), command(type)
    inbox.put(first)
    inbox.put(second)
    assert list(inbox.requests) == [first, second] and not inbox.control


def test_only_requests_can_crowd_it() -> None:
    inbox = Inbox(3, 10)
    for n in range(50):
        inbox.put(Timer(n))
        inbox.put(command("kill", n))
    assert not inbox.crowded
    for n in range(3):
        inbox.put(command("submit_order", n))
    assert inbox.crowded


def test_a_full_market_lane_drops_the_newest_and_counts() -> None:
    inbox = Inbox(3, 10)
    rows = np.zeros(8, dtype=TICK)
    inbox.put_ticks(rows)
    inbox.put_ticks(rows[:5])
    assert inbox.ticks_dropped == 5
    taken = inbox.take_ticks(3)
    assert taken is not None and len(taken) == 3
    inbox.give_back(taken)
    inbox.put_ticks(rows[:2])
    assert inbox.ticks_dropped == 5


@pytest.mark.parametrize(
    "type", ["kill", "stop", "stop_strategy", "close_position", "cancel_all", "cancel_algo"]
)
def test_what_stops_or_closes_is_taken_however_much_is_waiting(type: str) -> None:
    taken: list[Any] = []
    told: list[Any] = []
    full = SimpleNamespace(
        inbox=SimpleNamespace(crowded=True),
        loop=SimpleNamespace(post=taken.append),
        server=SimpleNamespace(reply=lambda *args, **named: told.append(args)),
        clock=SimpleNamespace(now_ns=lambda: 1),
    )
    who: Any = SimpleNamespace(name="alice", role=Role.OPERATOR)
    for kind in (type, "submit_order"):
        request: Any = SimpleNamespace(id="r", type=kind, data={}, reason="", expires_ns=0)
        Service._on_request(full, request, who)  # type: ignore[arg-type]
    assert [command.type for command in taken] == [type] and len(told) == 1
