"""Commands, alarms, ages and distances, without a terminal."""

from __future__ import annotations

import pytest
from fake_core import EPOCH, NOW, FakeClock, FakeCore, FakeLink, S
from scenarios import SCENARIOS

from bus.linking import LinkStats
from bus.wire import Error, Reply
from tui.control import Control
from tui.model import derive
from tui.model.alarms import entries, raise_silence, rate_10min, unacked
from tui.model.reduce import apply
from tui.model.view import Curve, Moment, View


def view_of(core: FakeCore) -> View:
    view = View()
    for event in core.link.drain():
        apply(view, event, core.clock.mono)
    return view


def moment_of(core: FakeCore, skew_ns: int = 0) -> Moment:
    return Moment(core.clock.wall, core.clock.mono, LinkStats(skew_ns=skew_ns))


def reply(command_id: str, status: str, error=None, **data) -> Reply:
    made = Reply(v=1, id=command_id, status=status, epoch=EPOCH, seq=1, data=data)
    if error:
        made.error = Error(code=error[0], message=error[1])
    return made


def sent() -> tuple[View, str, Control]:
    clock, view = FakeClock(), View()
    control = Control(FakeLink(), view)
    command_id = control.kill("halt", "all", "", Moment(clock.wall, clock.mono, LinkStats()))
    return view, command_id, control


MONO = 5_000 * S


def test_a_command_goes_from_sent_to_done_by_the_cores_words_only():
    view, command_id, _ = sent()
    command = view.commands.by_id[command_id]
    assert (command.state, command.ack_ms) == ("SENT", None)
    apply(view, reply(command_id, "accepted"), MONO + 9_000_000)
    assert (command.state, command.ack_ms) == ("ACK", 9.0)
    apply(
        view,
        reply(command_id, "progress", cancelled=12, cancel_total=50, flat=3, flat_total=8, unconfirmed=1),
        MONO,
    )
    assert (command.state, command.counts) == ("ACK", "cancelled 12/50 flat 3/8 unconfirmed 1")
    apply(view, reply(command_id, "done", receipt="5f0c"), MONO + 412_000_000)
    assert (command.state, command.end_ms, command.receipt) == ("DONE", 412.0, "5f0c")
    apply(view, reply(command_id, "failed"), MONO + S)
    assert command.state == "DONE"  # an end is an end


def test_a_refusal_says_why():
    view, command_id, _ = sent()
    apply(view, reply(command_id, "rejected", error=("not_permitted", "viewer may not")), MONO)
    command = view.commands.by_id[command_id]
    assert (command.state, command.error) == ("REJECTED", "not_permitted: viewer may not")


def test_what_was_done_in_part_says_what_was_not():
    view, command_id, _ = sent()
    apply(view, reply(command_id, "done", rearmed=["drawdown@all"], refused=["leverage still 5.2x"]), MONO)
    command = view.commands.by_id[command_id]
    assert (command.state, command.error) == ("DONE", "NOT: leverage still 5.2x")


def test_the_links_own_unconfirmed_is_no_acknowledgement():
    view, command_id, _ = sent()
    apply(view, reply(command_id, "unconfirmed", error=("unconfirmed", "no answer")), MONO + S // 2)
    assert view.commands.by_id[command_id].ack_ms is None
    raise_silence(view, NOW, MONO + 2 * S, "andon kill")
    assert unacked(view)["high"] == 1


def test_silence_for_a_second_is_a_high_alarm_with_the_way_round_and_an_answer_clears_it():
    view, command_id, _ = sent()
    raise_silence(view, NOW, MONO + S, "andon kill --reason x")
    assert not view.local
    raise_silence(view, NOW, MONO + S + 1, "andon kill --reason x")
    raise_silence(view, NOW, MONO + 2 * S, "andon kill --reason x")
    (alarm,) = view.local.values()
    assert alarm.priority == "high"
    assert "andon kill --reason x" in alarm.message
    apply(view, reply(command_id, "accepted"), MONO + 3 * S)
    assert alarm.status == "CLEARED"


def test_only_stopping_never_expires():
    _view, _, control = sent()
    moment = Moment(NOW, MONO, LinkStats(skew_ns=7 * S))
    control.rearm("drawdown", "checked", moment)
    control.stop("", moment)
    kill, rearm, stop = control.link.sent
    assert kill["expires_ns"] == stop["expires_ns"] == 0
    assert rearm["expires_ns"] == NOW + 7 * S + 5 * S  # on the core's clock
    assert rearm["reason"] == "checked"
    assert kill["reason"] == "operator at console"
    assert kill["data"] == {"scope": "all", "level": "halt"}


def test_ages_come_from_the_cores_clock_and_the_skew():
    core = SCENARIOS["running"]()
    view = view_of(core)
    assert derive.core_age_ns(view, moment_of(core)) == 0
    assert derive.core_age_ns(view, moment_of(core, skew_ns=4 * S)) == 4 * S
    assert derive.core_age_ns(view, moment_of(core, skew_ns=-4 * S)) == 0  # never from the future
    core.clock.advance(2)
    assert derive.core_age_ns(view, moment_of(core)) == 2 * S
    assert derive.core_age_ns(View(), moment_of(core)) is None


def test_a_mark_is_as_old_as_its_tick_or_the_core_whichever_is_older():
    core = SCENARIOS["running"]()
    view = view_of(core)
    avax, btc = view.positions["AVAX/USDT"], view.positions["BTC/USDT"]
    assert derive.mark_age_ns(avax, view, moment_of(core)) == int(4.2 * S)
    core.clock.advance(20)
    assert derive.mark_age_ns(btc, view, moment_of(core)) == 20 * S + S // 10
    btc.mark = None
    assert derive.mark_age_ns(btc, view, moment_of(core)) is None


@pytest.mark.parametrize(
    ("seconds", "grade"),
    [(0, "fresh"), (1, "fresh"), (1.1, "old"), (3.1, "doubtful"), (10, "doubtful"), (10.1, "stale")],
)
def test_grades(seconds, grade):
    assert derive.age_grade(int(seconds * S)) == grade


def test_switches_stand_tripped_first_then_nearest_then_unlimited():
    view = view_of(SCENARIOS["halted"]())
    names = [s.name for s in derive.switches_by_distance(view)]
    assert names[0] == "drawdown"
    assert names[1] == "position_loss"
    assert set(names[-4:]) == {"journal", "operator", "reconciliation", "startup"}


def test_time_to_the_limit_needs_an_approach():
    view = view_of(SCENARIOS["near_limit"]())
    drawdown = view.switches["drawdown"]
    assert derive.minutes_to_limit(drawdown) == pytest.approx((0.05 - 0.0466) / 0.0021)
    assert derive.minutes_to_limit(view.switches["leverage"]) is None  # moves away
    drawdown.rate_per_min = None
    assert derive.minutes_to_limit(drawdown) is None


def test_kill_counts_name_what_is_unconfirmed():
    view = view_of(SCENARIOS["killing"]())
    (kill,) = derive.kills(view)
    assert derive.kill_counts(kill) == "cancelled 4/5  flat 1/4  unconfirmed 1"


def test_unknown_orders_come_first():
    view = view_of(SCENARIOS["running"]())
    assert derive.open_orders(view)[0].status == "PENDING_UNKNOWN"
    assert len(derive.open_orders(view)) == 5


def test_a_flood_folds_low_ones_by_source_and_never_a_high_one():
    core = SCENARIOS["flood"]()
    view = view_of(core)
    assert rate_10min(view, core.clock.wall) > 10
    rows = entries(view, core.clock.wall)
    assert [r.alert.id for r in rows[:3]] == ["h2", "h3", "h1"]
    folded = [r for r in rows if r.more]
    assert [(r.alert.id, r.more) for r in folded] == [("f0", 13)]  # first-out leads
    assert unacked(view) == {"high": 3, "medium": 5, "low": 14}


def test_no_flood_no_folding():
    core = SCENARIOS["running"]()
    view = view_of(core)
    assert all(r.more == 0 for r in entries(view, core.clock.wall))


def test_acknowledging_is_asked_of_the_core_and_not_assumed():
    core = SCENARIOS["running"]()
    view = view_of(core)
    control = Control(core.link, view)
    control.acknowledge("a1", moment_of(core))
    assert core.link.sent[-1]["type"] == "acknowledge_alert"
    assert core.link.sent[-1]["data"] == {"id": "a1"}
    assert view.alerts["a1"].status == "UNACK"


def test_the_curve_thins_itself_and_keeps_both_ends():
    curve = Curve()
    for i in range(5000):
        curve.add(i * S, float(i))
    assert len(curve.points) <= 512
    assert curve.points[0] == (0, 0.0)
    assert curve.points[-1][0] > 4900 * S
    curve.add(0, 1.0)  # a clock that went back
    assert curve.points == [(0, 1.0)]
