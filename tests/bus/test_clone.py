"""The Clone under loss, duplication, reordering and restarts: its state is the core's, or it says resync."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.clone import Clone
from bus.linking import Delta, LinkChanged, LinkEvent, Snapshot
from bus.wire import Message, stream_of

TOPICS = ["position.A", "position.B", "order.1", "state", "alert"]


class Core:
    """The publishing side, by the book: epoch, seq per stream, last values, heads in the heartbeat."""

    def __init__(self) -> None:
        self.epoch = 0
        self.restart()

    def restart(self) -> None:
        self.epoch += 1
        self.heads: dict[str, int] = {}
        self.last: dict[str, Message] = {}

    def say(self, topic: str, data: dict[str, object]) -> tuple[str, Message]:
        stream = stream_of(topic)
        self.heads[stream] = self.heads.get(stream, 0) + 1
        message = Message(v=1, epoch=self.epoch, seq=self.heads[stream], ts=0, type=stream, data=data)
        self.last[topic] = message
        return topic, message

    def beat(self) -> tuple[str, Message]:
        return self.say("heartbeat", {"heads": dict(self.heads)})

    def snapshot(self) -> Snapshot:
        return Snapshot(self.epoch, dict(self.heads), dict(self.last))


class Follower:
    """Folds what the clone says, as a console would."""

    def __init__(self, streams: frozenset[str] | None = None) -> None:
        self.clone = Clone(streams)
        self.held: dict[str, Message] = {}
        self.events: list[LinkEvent] = []

    def hear(self, topic: str, message: Message) -> None:
        self.fold(self.clone.feed_message(topic, message))

    def read(self, snapshot: Snapshot) -> None:
        self.fold(self.clone.feed_snapshot(snapshot))

    def fold(self, events: list[LinkEvent]) -> None:
        self.events += events
        for event in events:
            if isinstance(event, Snapshot):
                self.held = dict(event.messages)
            elif isinstance(event, Delta):
                self.held[event.topic] = event.message


def faulty_run(seed: int) -> tuple[Core, Follower]:
    """A wire that loses, repeats and reorders; snapshots that come late; cores that start anew."""
    dice = random.Random(seed)
    core, follower = Core(), Follower()
    flying: list[tuple[str, Message]] = []
    asked: list[Snapshot] = []
    loss, chaos = dice.choice([0.0, 0.02, 0.2]), dice.choice([0.0, 0.1])
    for n in range(dice.randrange(5, 150)):
        roll = dice.random()
        if roll < 0.02:
            core.restart()
        said = core.beat() if roll > 0.85 else core.say(dice.choice(TOPICS), {"n": n})
        flying += [said] * (2 if dice.random() < chaos else 1)
        if dice.random() < chaos and len(flying) > 1:
            flying[-1], flying[-2] = flying[-2], flying[-1]
        while flying and dice.random() < 0.7:
            topic, message = flying.pop(0)
            if dice.random() >= loss:
                follower.hear(topic, message)
        if follower.clone.wants_snapshot and dice.random() < 0.3:
            asked.append(core.snapshot())
        if asked and dice.random() < 0.5:
            follower.read(asked.pop(0))
    for said in [*flying, core.beat(), core.beat()]:  # the wire holds from here on
        follower.hear(*said)
    return core, follower


@pytest.mark.parametrize("block", range(4))
def test_ends_equal_or_says_resync(block: int) -> None:
    equal = 0
    for seed in range(block * 500, block * 500 + 500):
        core, follower = faulty_run(seed)
        if not follower.clone.wants_snapshot:
            assert follower.held == core.last, f"seed {seed}"
            equal += 1
        else:
            follower.read(core.snapshot())
            follower.hear(*core.beat())
            assert not follower.clone.wants_snapshot, f"seed {seed}"
            assert follower.held == core.last, f"seed {seed}"
    assert 50 < equal < 500  # both ends of the claim are exercised


@given(st.integers(min_value=10_000, max_value=10_000_000))
def test_what_was_shown_as_up_was_never_a_mixture(seed: int) -> None:
    _, follower = faulty_run(seed)
    epoch, heads = 0, {}
    for event in follower.events:
        if isinstance(event, Snapshot):
            epoch, heads = event.epoch, dict(event.seq)
        elif isinstance(event, Delta):
            stream = stream_of(event.topic)
            assert event.message.epoch == epoch
            assert event.message.seq == heads.get(stream, 0) + 1
            heads[stream] = event.message.seq


def attached(streams: frozenset[str] | None = None) -> tuple[Core, Follower]:
    core, follower = Core(), Follower(streams)
    core.say("state", {"n": 0})
    follower.read(core.snapshot())
    return core, follower


def test_up_is_said_only_after_a_snapshot() -> None:
    core, follower = Core(), Follower()
    follower.hear(*core.say("state", {"n": 1}))
    assert follower.events == []
    follower.read(core.snapshot())
    assert [type(event) for event in follower.events] == [Snapshot, LinkChanged]
    assert follower.events[1] == LinkChanged("up")


def test_what_came_while_the_snapshot_was_on_its_way_is_applied_after_it() -> None:
    core, follower = Core(), Follower()
    early = core.say("state", {"n": 1})
    snapshot = core.snapshot()
    late = core.say("state", {"n": 2})
    follower.hear(*early)
    follower.hear(*late)
    follower.read(snapshot)
    assert follower.held == core.last
    assert follower.events[-1] == Delta(*late)


def test_a_gap_is_not_applied() -> None:
    core, follower = attached()
    core.say("state", {"n": 1})
    follower.hear(*core.say("state", {"n": 2}))
    assert follower.clone.wants_snapshot
    assert follower.held["state"].data == {"n": 0}
    assert follower.events[-1] == LinkChanged("resync", "state: 1 messages missing")


def test_a_heartbeat_shows_what_no_later_message_has_shown() -> None:
    core, follower = attached()
    core.say("alert", {"n": 1})
    follower.hear(*core.beat())
    assert follower.clone.wants_snapshot
    assert follower.clone.gaps == 1


def test_a_new_epoch_is_not_mixed_into_the_old() -> None:
    core, follower = attached()
    core.restart()
    core.say("state", {"n": 7})
    follower.hear(*core.say("state", {"n": 8}))
    assert follower.clone.wants_snapshot
    assert follower.held["state"].data == {"n": 0}
    follower.read(core.snapshot())
    assert follower.held["state"].data == {"n": 8}


def test_the_last_words_of_an_old_core_are_not_heard() -> None:
    core, follower = attached()
    old = core.say("state", {"n": 1})
    core.restart()
    follower.hear(*core.say("state", {"n": 8}))
    follower.read(core.snapshot())
    follower.hear(*old)
    assert follower.held["state"].data == {"n": 8}
    assert not follower.clone.wants_snapshot


def test_a_snapshot_nobody_asked_for_changes_nothing() -> None:
    core, follower = attached()
    old = core.snapshot()
    follower.hear(*core.say("state", {"n": 1}))
    follower.read(old)
    assert follower.held["state"].data == {"n": 1}


def test_streams_not_followed_are_not_missed() -> None:
    core, follower = attached(frozenset({"state", "heartbeat"}))
    core.say("alert", {"n": 1})
    follower.hear(*core.beat())
    assert not follower.clone.wants_snapshot


def test_after_a_loss_a_lower_epoch_is_believed_again() -> None:
    """A data folder restored from a backup counts epochs from further back."""
    core, follower = Core(), Follower()
    core.restart()
    core.say("state", {"n": 1})
    follower.read(core.snapshot())
    restored = Core()
    restored.say("state", {"n": 9})
    follower.clone.lose()
    follower.read(restored.snapshot())
    assert follower.held["state"].data == {"n": 9}
