"""The kill: cancel, wait, close what is confirmed, wait, latch. Nothing is read into silence."""

from __future__ import annotations

import pytest

from bus.effects import CancelOrder, MassCancel, NewOrder, QueryOpen, QueryOrder, QueryPositions, WriteLatch
from bus.enums import KillPhase, OrdStatus, Purpose, ReportKind, Side, TradingState
from bus.events import OpenOrder

from .kit import SECOND, Bench, config, row

FLATTEN = {"scope": "all", "level": "flatten"}


def armed(**named) -> Bench:
    bench = Bench(config(**named))
    bench.hold(0, 100)
    bench.hold(1, -50)
    bench.working(0, Side.BUY, 10, 98.0)
    bench.working(0, Side.SELL, 10, 102.0)
    return bench


def phase(bench: Bench, key: str = "operator@all") -> KillPhase:
    return bench.kill(key).phase


def cancel_all(bench: Bench) -> None:
    for id in list(bench.state.working):
        bench.report(id, ReportKind.CANCELED)


def test_the_phases_and_what_each_waits_for() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    assert [type(e) for e in bench.effects if isinstance(e, CancelOrder | NewOrder | WriteLatch)] == [
        CancelOrder, CancelOrder, WriteLatch
    ], "cancels at once, the latch beside them, and no closing order yet"  # fmt: skip
    first, second = list(bench.state.working)
    bench.report(first, ReportKind.CANCELED)
    assert phase(bench) is KillPhase.CANCELLING and bench.kill("operator@all").unconfirmed == 1
    bench.report(second, ReportKind.CANCELED)
    assert phase(bench) is KillPhase.CANCELLING, "terminal by report: now the venue's list is asked for"
    assert any(isinstance(e, QueryOpen) for e in bench.effects)
    bench.answer_open()
    assert phase(bench) is KillPhase.FLATTENING and not bench.sent(), (
        "positions are asked for before they are closed"
    )
    bench.answer_positions()
    closing = {(o.instrument, o.side, o.qty_lots, o.reduce_only) for o in bench.sent()}
    assert closing == {(0, Side.SELL, 100, True), (1, Side.BUY, 50, True)}
    for order in list(bench.state.working.values()):
        bench.fill(order.cl_ord_id, order.leaves_lots)
    assert phase(bench) is KillPhase.FLATTENING, "flat by our books: the venue is asked once more"
    bench.answer_positions({})
    assert phase(bench) is KillPhase.FLATTENING
    bench.answer_open()
    assert phase(bench) is KillPhase.LATCHED
    assert [r.status for r in bench.replies() if r.status in ("accepted", "done")] == ["accepted", "done"]


def test_a_halt_keeps_positions() -> None:
    bench = armed()
    before = len(bench.sent(bench.all))
    bench.command("kill", {"scope": "all", "level": "halt"})
    cancel_all(bench)
    bench.answer_open()
    assert phase(bench) is KillPhase.LATCHED and bench.state.qty(0) == 100
    assert len(bench.sent(bench.all)) == before


def test_a_failed_list_is_no_confirmation() -> None:
    bench = armed()
    bench.command("kill", {"scope": "all", "level": "halt"})
    cancel_all(bench)
    bench.answer_open(ok=False)
    assert phase(bench) is KillPhase.CANCELLING
    bench.wait(0.6)
    assert phase(bench) is KillPhase.CANCELLING
    bench.answer_open()
    assert phase(bench) is KillPhase.LATCHED


def test_a_failed_position_query_is_not_flat() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    cancel_all(bench)
    bench.answer_open()
    bench.answer_positions({}, ok=False)
    assert phase(bench) is KillPhase.FLATTENING and not bench.sent()
    bench.answer_positions({})  # a lie, or late: it is not what we hold
    assert phase(bench) is KillPhase.FLATTENING and not bench.sent()
    bench.wait(1.6)
    bench.answer_positions()
    assert len(bench.sent()) == 2


def test_failed_queries_add_up_to_nothing() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    cancel_all(bench)
    bench.answer_open()
    for _ in range(12):
        assert not bench.sent(bench.wait(0.7))
        bench.answer_positions({}, ok=False)
    assert bench.state.qty(0) == 100 and phase(bench) is KillPhase.FLATTENING


def test_an_order_the_list_shows_is_cancelled_though_its_cancel_was_confirmed() -> None:
    bench = armed()
    bench.command("kill", {"scope": "all", "level": "halt"})
    liar = next(iter(bench.state.working.values()))
    cancel_all(bench)
    bench.answer_open(row(liar))
    assert phase(bench) is KillPhase.CANCELLING and liar.is_open and bench.cancelled() == [liar.cl_ord_id] * 2
    bench.report(liar.cl_ord_id, ReportKind.CANCELED)
    bench.answer_open()
    assert phase(bench) is KillPhase.LATCHED


def test_a_stranger_on_the_list_is_adopted_and_cancelled() -> None:
    bench = armed()
    bench.command("kill", {"scope": "all", "level": "halt"})
    cancel_all(bench)
    bench.answer_open(OpenOrder("stranger", 2, Side.BUY, 5, 0, 9000))
    assert bench.state.working["stranger"].purpose is Purpose.ADOPTED and bench.cancelled() == ["stranger"]
    assert phase(bench) is KillPhase.CANCELLING and bench.alerts("UNKNOWN_ORDER")


@pytest.mark.parametrize("level", ["halt", "flatten"])
def test_a_stranger_found_later_begins_a_confirmed_kill_again(level) -> None:
    bench = armed(account_check_interval_s=5.0)
    bench.command("kill", {"scope": "all", "level": level})
    bench.finish_kill()
    bench.wait(6.0)
    bench.answer_open(OpenOrder("stranger", 2, Side.BUY, 5, 0, 9000))
    assert phase(bench) is KillPhase.CANCELLING and "stranger" in bench.cancelled()


def test_a_late_fill_after_a_confirmed_flatten_is_flattened_again() -> None:
    bench = armed()
    late = next(iter(bench.state.working))
    bench.command("kill", FLATTEN)
    bench.finish_kill()
    bench.fill(late, 10, 98.0)
    assert phase(bench) is not KillPhase.LATCHED and bench.state.qty(0) == 10
    bench.finish_kill()
    assert bench.state.qty(0) == 0 and phase(bench) is KillPhase.LATCHED


def test_a_late_fill_after_a_halt_only_tells() -> None:
    bench = armed()
    late = next(iter(bench.state.working))
    bench.command("kill", {"scope": "all", "level": "halt"})
    bench.finish_kill()
    bench.fill(late, 10, 98.0)
    assert phase(bench) is KillPhase.LATCHED and bench.state.qty(0) == 110 and bench.alerts("LATE_FILL")


def test_a_position_found_under_a_confirmed_flatten_is_closed() -> None:
    bench = armed(account_check_interval_s=2.0)
    bench.command("kill", FLATTEN)
    bench.finish_kill()
    for _ in range(4):
        bench.wait(2.1)
        bench.answer_positions({2: 7})
    assert bench.state.qty(2) == 7 and phase(bench) is not KillPhase.LATCHED
    bench.finish_kill()
    assert bench.state.qty(2) == 0


def test_silence_escalates_alarms_and_never_ends() -> None:
    bench = armed()
    bench.command("kill", {"scope": "all", "level": "halt"})
    ids = list(bench.state.working)
    assert [e for e in bench.wait(0.6) if isinstance(e, CancelOrder)], "retry"
    assert any(isinstance(e, MassCancel) for e in bench.wait(1.0)), "mass cancel"
    said = bench.wait(1.5)
    assert {e.cl_ord_id for e in said if isinstance(e, QueryOrder)} >= set(ids), "query each"
    assert not bench.alerts("KILL_UNCONFIRMED")
    bench.wait(2.0)
    (alarm,) = bench.alerts("KILL_UNCONFIRMED")
    assert ids[0] in alarm.message and bench.kill("operator@all").alarmed
    for _ in range(10):
        assert any(isinstance(e, CancelOrder) for e in bench.wait(10.0)), "and on, and on"
    assert phase(bench) is KillPhase.CANCELLING
    cancel_all(bench)
    bench.answer_open()
    assert phase(bench) is KillPhase.LATCHED
    assert bench.alerts("KILL_UNCONFIRMED")[-1].status == "CLEARED"


def test_a_venue_that_refuses_to_close_is_named_and_not_hammered() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    cancel_all(bench)
    bench.answer_open()
    bench.answer_positions()
    sent = 0
    for _ in range(20):
        for order in list(bench.state.working.values()):
            bench.report(order.cl_ord_id, ReportKind.REJECTED)
        sent += len(bench.sent(bench.wait(1.0)))
    assert 10 < sent < 40 and phase(bench) is KillPhase.FLATTENING
    assert "AAA/USDT" in bench.alerts("KILL_UNCONFIRMED")[-1].message


def test_an_unknown_outcome_of_a_closing_order_is_not_sent_twice() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    cancel_all(bench)
    bench.answer_open()
    bench.answer_positions()
    for order in list(bench.state.working.values()):
        bench.report(order.cl_ord_id, ReportKind.UNKNOWN)
    assert not bench.sent(bench.wait(30.0))
    for order in list(bench.state.working.values()):
        bench.report(order.cl_ord_id, ReportKind.CANCELED)
    assert len([o for o in bench.state.working.values() if o.purpose is Purpose.KILL]) == 2


def test_cancelling_an_order_of_unknown_outcome_waits_for_the_venue() -> None:
    bench = Bench()
    order = bench.submit(0, Side.BUY, 10)
    bench.report(order.cl_ord_id, ReportKind.UNKNOWN)
    bench.command("kill", {"scope": "all", "level": "halt"})
    bench.answer_open()
    assert phase(bench) is KillPhase.CANCELLING and order.status is OrdStatus.PENDING_UNKNOWN
    for _ in range(3):
        bench.report(order.cl_ord_id, ReportKind.NOT_FOUND)
    bench.wait(0.6)
    bench.answer_open()
    assert phase(bench) is KillPhase.LATCHED


def test_large_positions_are_closed_in_the_venues_slices() -> None:
    bench = armed(kill=config().kill.__class__(slice_lots_max=40))
    bench.command("kill", FLATTEN)
    cancel_all(bench)
    bench.answer_open()
    bench.answer_positions()
    slices = []
    while order := next((o for o in bench.state.working.values() if o.instrument == 0), None):
        slices.append(order.qty_lots)
        bench.fill(order.cl_ord_id, order.qty_lots)
    assert slices == [40, 40, 20]


def test_a_partial_close_is_followed_by_the_rest() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    cancel_all(bench)
    bench.answer_open()
    bench.answer_positions()
    order = next(o for o in bench.state.working.values() if o.instrument == 0)
    bench.fill(order.cl_ord_id, 60)
    bench.report(order.cl_ord_id, ReportKind.EXPIRED)
    assert [o.qty_lots for o in bench.sent()] == [40]


def test_pulling_again_makes_sure_again_and_a_lower_level_changes_nothing() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    bench.finish_kill()
    bench.command("kill", {"scope": "all", "level": "halt"})
    assert (
        bench.kill("operator@all").level is TradingState.FLATTENING and phase(bench) is KillPhase.CANCELLING
    )
    bench.finish_kill()
    assert len([r for r in bench.replies() if r.status == "done"]) == 2


def test_a_halt_raised_to_flatten_in_the_middle() -> None:
    bench = armed()
    bench.command("kill", {"scope": "all", "level": "halt"})
    bench.command("kill", FLATTEN)
    bench.finish_kill()
    assert bench.state.qty(0) == bench.state.qty(1) == 0
    assert {r.id for r in bench.replies() if r.status == "done"} == {
        "c" + r.id[1:] for r in bench.replies() if r.status == "accepted"
    }


def test_every_change_of_what_is_held_goes_to_the_disk() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    (first,) = bench.latches()
    assert first.record["latches"][0] | {"since_ns": 0, "receipt": ""} == {
        "key": "operator@all", "level": "FLATTENING", "phase": "CANCELLING", "reason": "because", "operator": "alice",
        "since_ns": 0, "receipt": "",
    }  # fmt: skip
    bench.finish_kill()
    last = [e for e in bench.all if isinstance(e, WriteLatch)][-1]
    assert last.record["latches"][0]["phase"] == "LATCHED" and last.seq > first.seq


def test_nothing_is_closed_before_the_venue_has_told_what_it_holds() -> None:
    bench = armed()
    bench.command("kill", FLATTEN)
    for _ in range(5):
        assert not bench.sent(bench.wait(3.0))
    cancel_all(bench)
    bench.answer_open()
    assert any(isinstance(e, QueryPositions) for e in bench.effects)
    for _ in range(5):
        assert not bench.sent(bench.wait(3.0))


@pytest.mark.parametrize("twice", [False, True])
def test_a_list_that_shows_what_was_said_to_be_cancelled_confirms_nothing(twice: bool) -> None:
    """Said cancelled, once more after the venue was asked, and the venue's own list shows it: it still works."""
    bench = Bench()
    order = bench.working()
    bench.command("kill", {"level": "halt"}, id="k")
    bench.report(order.cl_ord_id, ReportKind.CANCELED)
    shown = row(order)
    bench.now += SECOND // 10
    if twice:
        bench.report(order.cl_ord_id, ReportKind.CANCELED)
    bench.now += SECOND // 10
    bench.answer_open(shown)
    assert bench.kill("operator@all").phase is KillPhase.CANCELLING, "the list shows it"
    assert not any(reply.status == "done" for reply in bench.replies("k"))


def test_a_list_that_reports_have_overtaken_is_asked_for_again_at_once() -> None:
    bench = Bench()
    first, second = bench.working(), bench.working(price=98.0)
    bench.command("kill", {"level": "halt"})
    bench.report(first.cl_ord_id, ReportKind.CANCELED)
    bench.report(second.cl_ord_id, ReportKind.CANCELED)
    shown = row(first)
    bench.now += SECOND // 10
    bench.report(first.cl_ord_id, ReportKind.STATUS, cum_lots=0)  # open after all …
    bench.report(first.cl_ord_id, ReportKind.CANCELED)  # … and ended, after the list was asked for
    bench.answer_open(shown)
    asked = [effect for effect in bench.effects if isinstance(effect, QueryOpen)]
    assert bench.kill("operator@all").phase is KillPhase.CANCELLING and len(asked) == 1
    bench.answer_open()
    assert bench.kill("operator@all").phase is KillPhase.LATCHED
