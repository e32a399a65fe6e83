"""The reducer, without a terminal: whatever was lost or repeated, a snapshot makes it whole."""

from __future__ import annotations

import pytest
from fake_core import EPOCH, NOW, FakeCore, S
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import SCENARIOS

from bus.linking import Delta, LinkChanged, Snapshot
from bus.wire import Message
from tui.model.reduce import ORDERS_KEPT, SINGLES, TABLES, apply
from tui.model.view import View

TABLE_NAMES = [attribute for _, attribute, _ in TABLES.values()]
SINGLE_NAMES = [attribute for _, attribute in SINGLES.values()]


def fold(events, view=None) -> View:
    view = view or View()
    for event in events:
        apply(view, event, 1)
    return view


def state_of(view: View) -> dict:
    return {name: getattr(view, name) for name in [*TABLE_NAMES, *SINGLE_NAMES]}


def chatter() -> tuple[FakeCore, list[Delta]]:
    """A core that has said a lot, and every delta of it."""
    core = FakeCore()
    core.link.events.clear()
    core.state()
    core.switches()
    core.book()
    core.orders()
    core.pnl()
    core.alert("a1", "low", "x", "first", 9)
    core.alert("a1", "low", "x", "first", 9, status="ACK")
    core.position("BTC/USDT", 0.0, 0.0, 64_000.0)
    core.order("7-91f", "BTC/USDT", "buy", 0.25, 64_120.0, 2, status="FILLED", filled=0.25)
    core.account()
    core.heartbeat()
    return core, list(core.link.events)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_drops_and_repeats_end_equal_after_a_snapshot(data):
    _core, deltas = chatter()
    cut = data.draw(st.integers(0, len(deltas)))
    before = data.draw(
        st.lists(st.sampled_from(deltas[: max(cut, 1)]), max_size=40)
    )  # lost, repeated, reordered
    whole = Snapshot(EPOCH, {}, last_of(deltas[:cut]))
    mangled = fold([*before, whole, *deltas[cut:]])
    assert state_of(mangled) == state_of(fold(deltas))


def last_of(deltas) -> dict[str, Message]:
    return {d.topic: d.message for d in deltas}


def test_snapshot_forgets_what_it_does_not_name():
    view = fold(SCENARIOS["running"]().link.events)
    assert view.positions
    apply(view, Snapshot(EPOCH, {}, {}), 1)
    assert state_of(view) == state_of(View())


def test_the_last_alarm_brings_the_others_that_stand():
    core = FakeCore()
    core.alert("a1", "low", "x", "one", 9)
    core.alert("a2", "high", "x", "two", 5, status="ACK")
    core.alert("a3", "low", "x", "three", 1)
    late = fold([Snapshot(EPOCH, {}, core.last)])
    assert state_of(late)["alerts"] == state_of(fold(core.link.events))["alerts"]
    assert set(late.alerts) == {"a1", "a2", "a3"}


def test_an_older_standing_row_does_not_undo_a_newer_one():
    core = FakeCore()
    core.alert("a1", "low", "x", "one", 9)
    core.alert("a2", "low", "x", "two", 5)
    old = core.link.events[-1]
    core.alert("a1", "low", "x", "one", 0, status="ACK")
    view = fold([*core.link.events, old])
    assert view.alerts["a1"].status == "ACK"


@pytest.mark.parametrize("bad", [{}, {"symbol": 3}, {"symbol": "X", "qty": "many"}])
def test_what_does_not_decode_is_counted_and_changes_nothing(bad):
    message = Message(v=1, epoch=1, seq=1, ts=NOW, type="position", data=bad)
    view = fold([Delta("position.X", message)])
    assert view.undecodable == 1
    assert not view.positions
    assert view.core_ns == 0  # nor is it a sign of life


def test_unknown_topics_are_a_sign_of_life_only():
    view = fold([Delta("risk", Message(v=1, epoch=1, seq=1, ts=NOW, type="risk", data={"x": 1}))])
    assert view.core_ns == NOW
    assert view.undecodable == 0


def test_link_loss_is_timed_from_its_beginning_and_keeps_the_values():
    view = fold(SCENARIOS["running"]().link.events)
    apply(view, LinkChanged("lost"), 10 * S)
    apply(view, LinkChanged("connecting"), 12 * S)
    assert view.lost_mono_ns == 10 * S
    assert view.positions
    apply(view, LinkChanged("up"), 13 * S)
    assert view.lost_mono_ns == 0


def test_a_new_epoch_starts_a_new_curve():
    view = fold(SCENARIOS["running"]().link.events)
    assert len(view.curve.points) > 100
    apply(view, Snapshot(EPOCH, {}, {}), 1)
    assert len(view.curve.points) > 100
    apply(view, Snapshot(EPOCH + 1, {}, {}), 1)
    assert not view.curve.points


def test_finished_orders_are_forgotten_and_open_ones_never():
    core = FakeCore()
    core.order("open", "BTC/USDT", "buy", 1, 1.0, 9_999)
    for i in range(ORDERS_KEPT + 5):
        core.order(f"d{i}", "BTC/USDT", "buy", 1, 1.0, 1, status="FILLED")
    view = fold(core.link.events)
    assert len(view.orders) <= ORDERS_KEPT
    assert "open" in view.orders
