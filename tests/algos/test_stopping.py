"""Kills, stops and restarts: a parent ends with them, or waits until it may go on."""

from __future__ import annotations

import pytest

from bus.events import Boot, VenueStatus
from core.engine import snapshot
from tests.engine.kit import Bench, config, only, strategy

from .kit import AlgoLimits, K, bench, children, drop_all, fill_all, parent, sent


@pytest.mark.parametrize("scope", ["all", "venue:sim", "symbol:AAA/USDT", "strategy:operator"])
@pytest.mark.parametrize("level", ["reduce", "halt", "flatten"])
def test_a_kill_that_covers_it_stops_it_in_that_very_step(scope, level) -> None:
    b = bench()
    b.hold(0, 10)  # so that the strategy scope exists
    p = parent(b)
    (child,) = children(b, open=True)
    b.command("kill", {"scope": scope, "level": level})
    assert p.status == "STOPPED"
    assert b.cancelled() == [child.cl_ord_id]
    b.wait(20.0)
    assert len(children(b)) == 1
    drop_all(b)
    assert p.ended_ns > 0
    reply = b.replies(p.command)[-1]
    assert (reply.status, reply.error_code) == ("failed", "STOPPED")


def test_a_kill_elsewhere_leaves_it_alone() -> None:
    b = bench()
    p = parent(b)
    b.command("kill", {"scope": "symbol:BBB/USDT", "level": "flatten"})
    assert p.status == "RUNNING"


def test_reduce_only_goes_on_while_reducing_and_stops_when_halted() -> None:
    b = bench()
    b.hold(0, 100)
    p = parent(b, side="sell", data={"reduce_only": True})
    b.command("kill", {"level": "reduce"})
    fill_all(b)
    assert sent(b.wait(1.0)) == [10]
    b.command("kill", {"level": "halt"})
    assert p.status == "STOPPED"


def test_children_that_a_reducing_kill_spares_are_called_back_by_the_parent() -> None:
    b = bench()
    b.hold(0, 100)
    p = parent(
        b, side="sell", style="limit"
    )  # may add risk once the long is gone, but this child only reduces
    (child,) = children(b)
    assert child.reduce_only
    b.command("kill", {"level": "reduce"})
    assert (p.status, b.cancelled()) == ("STOPPED", [child.cl_ord_id])


def test_a_switch_that_a_tick_trips_stops_it_in_that_step() -> None:
    b = Bench(config(switches=only(drawdown=0.01)))
    b.hold(0, 500)
    p = parent(b)
    b.price(0, 90.0)
    assert p.status == "STOPPED"
    assert "drawdown" in p.reason


def test_a_timer_under_a_kill_of_the_same_step_sends_nothing() -> None:
    b = Bench(config(switches=only(stale_data_s=2.0, stale_data_level="halt")))
    b.hold(0, 10)
    p = parent(b, slices=2, over_s="4")
    b.now += 3_000_000_000
    b.wait(0.0)
    assert p.status == "STOPPED"
    assert len(children(b)) == 1


@pytest.mark.parametrize(
    ("command", "data"),
    [("cancel_all", {}), ("stop", {}), ("close_position", {"symbol": "AAA/USDT"})],
)
def test_what_cancels_everything_ends_it(command, data) -> None:
    b = bench()
    b.hold(0, 10)
    p = parent(b)
    (child,) = children(b)
    b.command(command, data)
    assert b.cancelled() == [child.cl_ord_id]  # once
    drop_all(b)
    assert p.status == "CANCELLED"
    b.wait(20.0)
    assert len(children(b)) == 1


def test_a_stopped_strategy_ends_its_parents_and_no_others() -> None:
    b = Bench(config(strategies=(strategy("hold-1"), strategy("hold-2"))))
    mine = parent(b, data={"strategy": "hold-1"})
    other = parent(b, data={"strategy": "hold-2"})
    b.command("stop_strategy", {"strategy": "hold-1"})
    drop_all(b)
    assert (mine.status, other.status) == ("CANCELLED", "RUNNING")


def restart(b: Bench, *, clean: bool, down_s: float = 0.0):
    raw = snapshot.save(b.state)
    b.state = snapshot.load(raw, b.config)
    assert snapshot.save(b.state) == raw
    b.now += int(down_s * 1e9)
    b.do(Boot(b.now, b.state.cold.epoch + 1, clean, autostart=True))
    return next(iter(b.state.cold.parents.values()))


def test_a_restart_cancels_by_default() -> None:
    b = bench()
    parent(b)
    p = restart(b, clean=True)
    assert (p.status, p.reason) == ("STOPPING", "the core was restarted")
    b.agree()
    drop_all(b)
    assert p.status == "CANCELLED"


def test_after_a_clean_restart_it_resumes_once_the_books_agree() -> None:
    b = bench(on_restart="resume")
    parent(b)
    fill_all(b)
    p = restart(b, clean=True)
    b.wait(1.5)
    assert (p.status, len(children(b))) == ("WAITING", 1)
    b.agree()
    assert (p.status, p.filled_lots) == ("RUNNING", 10)
    b.wait(0.0)
    assert [o.cl_ord_id[:3] for o in children(b)] == ["a1-", "a2-"]  # slice 1, in the new epoch


@pytest.mark.parametrize(("configured", "status"), [("resume", "RUNNING"), ("cancel", "CANCELLED")])
def test_an_orderly_stop_before_a_restart_keeps_what_is_to_resume(configured, status) -> None:
    b = bench(on_restart=configured)
    parent(b)
    b.command("stop", {"keep_algos": True})
    assert b.cancelled() == [children(b)[0].cl_ord_id]
    drop_all(b)
    b.wait(1.0)
    p = restart(b, clean=True)
    assert len(children(b)) == 1
    b.agree()
    assert p.status == status


def test_after_a_crash_it_waits_for_a_person() -> None:
    b = bench(on_restart="resume")
    parent(b)
    fill_all(b)
    p = restart(b, clean=False)
    b.agree()
    b.finish_kill()
    assert p.status == "WAITING"
    b.command("rearm", {"switch": "all"})
    assert p.status == "WAITING"
    b.command("start")
    assert p.status == "RUNNING"


def test_an_unknown_child_is_resolved_before_it_resumes() -> None:
    b = bench(on_restart="resume")
    parent(b)
    (child,) = children(b)
    b.report(child.cl_ord_id, K.UNKNOWN)
    p = restart(b, clean=True)
    b.answer_positions({})
    b.wait(3.0)
    assert p.status == "WAITING"
    b.report(child.cl_ord_id, K.TRADE, exec_id="it-was-filled", last_lots=10, px_ticks=1e4)
    assert (p.status, p.filled_lots) == ("RUNNING", 10)


def test_a_restart_longer_than_its_time_ends_it() -> None:
    b = bench(on_restart="resume")
    parent(b)
    fill_all(b)
    p = restart(b, clean=True, down_s=60.0)
    b.agree()
    b.wait(1.0)
    assert p.status == "DONE"
    assert len(children(b)) == 1


def test_a_paused_one_is_paused_again_after_a_restart() -> None:
    b = bench(on_restart="resume")
    p = parent(b)
    fill_all(b)
    b.command("pause_algo", {"id": p.id})
    p = restart(b, clean=True)
    b.agree()
    assert p.status == "PAUSED"
    assert len(children(b)) == 1


def test_a_real_kill_while_it_waits_stops_it() -> None:
    b = bench(on_restart="resume")
    parent(b)
    fill_all(b)
    p = restart(b, clean=True)
    b.command("kill", {"level": "halt"})
    assert p.status == "STOPPED"


def test_a_link_that_is_down_denies_children_and_says_so() -> None:
    b = Bench(config(algos=AlgoLimits(denials_max=50)))
    p = parent(b)
    drop_all(b)
    b.do(VenueStatus(b.now, 0, up=False, reason="link down"))
    b.wait(1.0)
    assert (p.denied, len(children(b))) == (1, 1)
    assert "VENUE_DOWN" in p.note


def test_a_parent_forgotten_in_the_step_of_its_late_fill_stops_nobody() -> None:
    """The oldest ended parent is filled late, that fill trips a kill, and the kill's own ending forgets the oldest."""
    b = Bench(config(algos=AlgoLimits(), switches=only(leverage=0.05, leverage_target=0.04)))
    oldest = parent(b)
    late = children(b)[0].cl_ord_id
    b.command("cancel_algo", {"id": oldest.id})
    drop_all(b)
    for _ in range(63):
        ended = parent(b)
        b.command("cancel_algo", {"id": ended.id})
        drop_all(b)
    live = parent(b, data={"symbol": "BBB/USDT"})
    b.report(live.children[0], K.REJECTED)
    assert oldest.id in b.state.cold.parents and not live.open and live.alive
    b.fill(late, 100)
    assert b.kill("leverage@all") is not None and live.status == "STOPPED"
    assert oldest.id not in b.state.cold.parents
