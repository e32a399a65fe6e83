"""The link against a real server: attach, gaps, a hung core, a new core, commands that must not be lost or doubled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bus import link as link_module
from bus.address import Address, resolve, write_core
from bus.link import SocketLink
from bus.linking import Delta, LinkChanged, LinkEvent, Snapshot
from bus.outbox import UNCONFIRMED
from bus.wire import Message, Reply

from .toy import Toy, until


class Console:
    """An owner: drains, folds, remembers what it was told."""

    def __init__(self, link: SocketLink) -> None:
        self.link = link
        self.held: dict[str, Message] = {}
        self.states: list[str] = []
        self.replies: list[Reply] = []
        self.events: list[LinkEvent] = []

    def take(self) -> None:
        for event in self.link.drain():
            self.events.append(event)
            if isinstance(event, Snapshot):
                self.held = dict(event.messages)
            elif isinstance(event, Delta):
                self.held[event.topic] = event.message
            elif isinstance(event, LinkChanged):
                self.states.append(event.state)
            else:
                self.replies.append(event)

    def until(self, true: Callable[[], Any]) -> None:
        until(lambda: [self.take()] and true(), 15.0)

    def qty(self, symbol: str) -> float | None:
        message = self.held.get(f"position.{symbol}")
        return None if message is None else message.data["qty"]

    def ended(self, id: str) -> list[str]:
        return [reply.status for reply in self.replies if reply.id == id]


@contextmanager
def console(address: Address, **options: Any) -> Iterator[Console]:
    link = SocketLink(address, **options)
    link.start()
    try:
        yield Console(link)
    finally:
        link.close()


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Toy]:
    with Toy(tmp_path, beat_s=0.1) as toy:
        yield toy


def test_up_comes_after_the_snapshot_and_changes_follow(toy: Toy) -> None:
    toy.put("A", 1)
    with console(resolve(None, toy.data_dir)) as me:
        me.until(lambda: "up" in me.states)
        assert [type(event) for event in me.events[:3]] == [LinkChanged, Snapshot, LinkChanged]
        for n in range(2, 200):
            toy.put("A", n)
        me.until(lambda: me.qty("A") == 199)
        stats = me.link.stats()
        assert (stats.state, stats.epoch, stats.gaps, stats.decode_errors) == ("up", 1, 0, 0)
        assert stats.rtt_ms is not None
        assert abs(stats.skew_ns) < 5_000_000_000
        me.until(lambda: me.link.stats().heartbeat_ns == 1)


def test_a_command_returns_its_replies_in_order(toy: Toy) -> None:
    with console(resolve(None, toy.data_dir)) as me:
        id = me.link.send("kill", {"scope": "all", "level": "halt"}, reason="drill")
        me.until(lambda: me.ended(id)[-1:] == ["done"])
        assert me.ended(id) == ["accepted", "progress", "progress", "progress", "done"]
        assert len(toy.seen) == 1


def test_a_lost_message_is_noticed_and_healed(toy: Toy) -> None:
    with console(resolve(None, toy.data_dir)) as me:
        me.until(lambda: "up" in me.states)
        toy.do(lambda: toy.server._heads.put("position.A", "position", {"qty": 5}, 1))  # numbered, never sent
        me.until(lambda: me.qty("A") == 5)
        assert me.states[-2:] == ["resync", "up"]
        assert me.link.stats().gaps == 1


def test_an_undecodable_message_is_a_resync_not_an_end(toy: Toy) -> None:
    with console(resolve(None, toy.data_dir)) as me:
        me.until(lambda: "up" in me.states)
        toy.do(toy.server._ports[0].publish, b"position.A\0\xc1")
        me.until(lambda: me.states[-2:] == ["resync", "up"])
        assert me.link.stats().decode_errors == 1


def test_a_hung_core_is_lost_although_its_sockets_stand(toy: Toy) -> None:
    with console(resolve(None, toy.data_dir)) as me:
        me.until(lambda: "up" in me.states)
        toy.do(setattr, toy, "beating", False)
        me.until(lambda: "lost" in me.states)
        lost = next(event for event in me.events if isinstance(event, LinkChanged) and event.state == "lost")
        assert (lost.attempt, lost.detail[:12]) == (1, "no heartbeat")
        toy.put("A", 3)
        toy.do(setattr, toy, "beating", True)
        me.until(lambda: me.states[-1] == "up")
        assert me.qty("A") == 3


def test_a_new_core_is_found_through_core_json_and_nothing_old_stays(tmp_path: Path) -> None:
    old = Toy(tmp_path, epoch=1, beat_s=0.1).__enter__()
    old.put("OLD", 1)
    with console(resolve(None, tmp_path)) as me:
        me.until(lambda: me.qty("OLD") == 1)
        old.__exit__()
        me.until(lambda: "lost" in me.states)
        with Toy(tmp_path, epoch=2, beat_s=0.1) as new:
            new.put("NEW", 2)
            me.until(lambda: me.qty("NEW") == 2)
            assert me.qty("OLD") is None
            assert me.link.stats().epoch == 2


def test_a_quick_restart_on_the_same_endpoints_is_a_resync(toy: Toy) -> None:
    """No silence to notice: only the epoch tells."""
    toy.put("OLD", 1)
    with console(resolve(None, toy.data_dir)) as me:
        me.until(lambda: me.qty("OLD") == 1)

        def restart() -> None:
            heads = toy.server._heads
            heads.epoch, toy.server.epoch = 2, 2
            heads.seqs.clear()
            heads.bodies.clear()

        toy.do(restart)
        me.until(lambda: me.link.stats().epoch == 2 and me.states[-1] == "up")
        assert me.qty("OLD") is None


def test_no_core_is_said_and_tried_again(tmp_path: Path) -> None:
    with Toy(tmp_path, beat_s=0.1) as toy:
        address = resolve(None, tmp_path)
        (tmp_path / "bus" / "core.json").unlink()
        with console(address) as me:
            me.until(lambda: me.states[-1] == "lost")
            assert "andon core" in me.events[-1].detail  # type: ignore[union-attr]
            write_core(tmp_path, toy.address)
            me.until(lambda: me.states[-1] == "up")


def test_silence_is_answered_by_the_same_id_on_a_new_connection_and_acted_on_once(toy: Toy) -> None:
    with console(resolve(None, toy.data_dir)) as me:
        me.until(lambda: "up" in me.states)
        swallowed = []
        real = toy.server._take

        def deaf(*args: Any) -> None:
            if len(swallowed) < 2 and b"k1" in args[2]:
                swallowed.append(args[0])
            else:
                real(*args)

        toy.server._take = deaf  # type: ignore[method-assign]
        me.link.send("kill", {}, id="k1")
        me.until(lambda: me.ended("k1")[-1:] == ["done"])
        assert len({route for _, route in swallowed}) == 2
        assert len(toy.seen) == 1
        assert me.ended("k1") == ["accepted", "progress", "progress", "progress", "done"]


def test_replies_of_a_running_kill_find_the_new_connection(toy: Toy) -> None:
    toy.answers = lambda request, identity: toy.server.reply(request.id, "accepted")
    with console(resolve(None, toy.data_dir)) as me:
        me.until(lambda: "up" in me.states)
        me.link.send("kill", {}, id="k1")
        me.until(lambda: me.ended("k1") == ["accepted"])
        toy.do(setattr, toy, "beating", False)
        me.until(lambda: "lost" in me.states)
        toy.do(toy.server.reply, "k1", "progress", {"cancelled": 3})
        toy.do(setattr, toy, "beating", True)
        me.until(lambda: me.ended("k1") == ["accepted", "progress"])
        toy.do(toy.server.reply, "k1", "done")
        me.until(lambda: me.ended("k1") == ["accepted", "progress", "done"])
        assert len(toy.seen) == 1


def test_what_nobody_answers_is_said_to_be_unconfirmed_and_a_later_answer_still_comes(toy: Toy) -> None:
    toy.answers = lambda request, identity: None
    with console(resolve(None, toy.data_dir)) as me:
        me.link.send("kill", {}, id="k1")
        me.until(lambda: me.ended("k1") == [UNCONFIRMED])
        toy.do(toy.server.reply, "k1", "done")
        me.until(lambda: me.ended("k1") == [UNCONFIRMED, "done"])
        assert len(toy.seen) == 1


def test_a_kill_sent_while_the_core_was_away_reaches_it_and_an_old_order_does_not(tmp_path: Path) -> None:
    with Toy(tmp_path, beat_s=0.1) as toy:
        address = resolve(None, tmp_path)
        (tmp_path / "bus" / "core.json").unlink()
        with console(address) as me:
            me.until(lambda: me.states[-1] == "lost")
            me.link.send("kill", {}, id="k1")
            me.link.send("submit_order", {}, id="o1", expires_ns=time.time_ns() + 100_000_000)
            me.until(lambda: me.ended("o1") == [UNCONFIRMED])
            write_core(tmp_path, toy.address)
            me.until(lambda: me.ended("k1")[-1:] == ["done"])
            assert [request.type for request, _ in toy.seen] == ["kill"]


def test_only_the_streams_asked_for_are_held(toy: Toy) -> None:
    toy.put("A", 1)
    toy.do(toy.server.publish, "order.1", "order", {}, 1)
    with console(resolve(None, toy.data_dir), streams=["position"]) as me:
        me.until(lambda: "up" in me.states)
        toy.do(toy.server.publish, "order.1", "order", {}, 1)
        toy.put("A", 2)
        me.until(lambda: me.qty("A") == 2)
        assert not [topic for topic in me.held if topic.startswith("order")]
        assert me.link.stats().gaps == 0


def test_an_owner_that_does_not_drain_gets_a_snapshot_not_a_flood(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "EVENTS_MAX", 50)
    with console(resolve(None, toy.data_dir)) as me:
        me.until(lambda: "up" in me.states)
        for n in range(300):
            toy.put("A", n)
        until(lambda: me.link.stats().received >= 300)
        assert len(me.link._events) <= 52
        me.until(lambda: me.qty("A") == 299 and me.states[-1] == "up")
        assert "resync" in me.states


def test_close_is_prompt_even_when_there_is_no_core(tmp_path: Path) -> None:
    nowhere = Address(f"ipc://{tmp_path}/no", f"ipc://{tmp_path}/where")
    with console(nowhere) as me:
        me.link.send("kill", {})
    assert not me.link._thread.is_alive()
