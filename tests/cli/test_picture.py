"""The picture that `andon status` prints, from snapshots made by hand."""

from __future__ import annotations

from typing import Any

from andon.picture import picture
from bus.linking import Snapshot
from bus.wire import Message


def snapshot(**topics: dict[str, Any]) -> Snapshot:
    messages = {
        topic.replace("__", "."): Message(v=1, epoch=3, seq=1, ts=2_000_000_000, type=topic, data=data)
        for topic, data in topics.items()
    }
    return Snapshot(epoch=3, seq={}, messages=messages)


def alarm(id: str, priority: str, status: str = "UNACK", **more: Any) -> dict[str, Any]:
    return {"id": id, "priority": priority, "status": status, **more}


def test_an_empty_core_has_every_key_and_knows_nothing() -> None:
    seen = picture(Snapshot(epoch=3, seq={}, messages={}))
    assert (seen["epoch"], seen["state"], seen["equity"], seen["working_orders"]) == (3, None, None, None)
    assert (seen["switches"], seen["positions"], seen["alerts"], seen["health"]) == ({}, [], [], {})


def test_the_last_alarm_brings_the_others_most_urgent_first_and_cleared_ones_are_gone() -> None:
    last = alarm("a", "low", "CLEARED", standing=[alarm("b", "medium"), alarm("c", "high", "ACK")])
    assert picture(snapshot(alert=last))["alerts"] == [alarm("c", "high", "ACK"), alarm("b", "medium")]


def test_ages_are_by_the_cores_clock() -> None:
    switches = picture(snapshot(switch__margin={"updated_ns": 1_500_000_000}))["switches"]
    assert switches["margin"]["age_ms"] == 500.0
    assert switches["margin"]["value"] is None


def test_an_age_is_never_negative() -> None:
    assert picture(snapshot(switch__x={"updated_ns": 9_000_000_000}))["switches"]["x"]["age_ms"] == 0.0


def test_the_heartbeat_gives_the_state_until_the_state_has_spoken() -> None:
    assert picture(snapshot(heartbeat={"state": "HALTED"}))["state"] == "HALTED"
    assert picture(snapshot(heartbeat={"state": "HALTED"}, state={"state": "READY"}))["state"] == "READY"
