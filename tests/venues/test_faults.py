"""Each fault shows what it promises, is bounded or clearable, and leaves the truth to be queried afterwards."""

from __future__ import annotations

import pytest

from bus.enums import ReportKind, Side
from bus.events import OpenOrders, Positions, Report, VenueStatus
from core.adapters.faults import FAULTS, Fault, FaultPlan
from core.adapters.venue import VenueEvent
from tests.venues.rig import MS, T0, Rig, new, quote, trade

ACK, TRADE, DONE, REJ = ReportKind.ACK, ReportKind.TRADE, ReportKind.CANCELED, ReportKind.REJECTED
BUY, SELL = Side.BUY, Side.SELL
FAR_MS = 60_000.0


def opened(events: list[VenueEvent]) -> OpenOrders:
    return next(e for e in events if isinstance(e, OpenOrders))


def held(events: list[VenueEvent]) -> Positions:
    return next(e for e in events if isinstance(e, Positions))


def test_hang_swallows_everything_in_its_window_and_nothing_after() -> None:
    rig = Rig()
    rig.send(new("old", BUY, 5, 990))
    rig.wait()
    rig.plan.on("hang", until_ns=rig.now_ns + 1000 * MS)
    rig.send(new("a", BUY, 5))
    rig.cancel("old")
    rig.cancel_all()
    rig.ask(order="a", opened=1, positions=2)
    assert rig.wait(1000.0) == []
    assert rig.plan.counts["hang"] == 6
    rig.cancel("old")
    rig.ask(order="a")
    rig.wait()
    assert (rig.kinds("old"), rig.kinds("a")) == ([ACK, DONE], [ReportKind.NOT_FOUND])


def test_reject_refuses_orders_and_cancels_until_it_is_spent() -> None:
    rig = Rig()
    rig.send(new("old", BUY, 5, 990))
    rig.wait()
    rig.plan.on("reject", limit=3)
    rig.send(new("a", BUY, 5))
    rig.cancel("old")
    rig.cancel_all()
    rig.cancel("old")
    rig.wait()
    assert rig.kinds("a") == [REJ]
    assert rig.kinds("old") == [ACK, ReportKind.CANCEL_REJECTED, ReportKind.CANCEL_REJECTED, DONE]


def test_half_fill_halves_takers_and_comes_to_an_end() -> None:
    rig = Rig(FaultPlan().on("half_fill"))
    rig.send(new("a", BUY, 9))
    rig.wait()
    assert rig.kinds("a") == [ACK, TRADE, DONE]
    assert rig.venue.positions() == {0: 4}
    for k in range(3):
        (lots,) = rig.venue.positions().values()
        rig.send(new(f"close{k}", SELL, lots, reduce_only=True))
        rig.wait()
    assert rig.venue.positions() == {}, "one lot cannot be halved"


def test_disconnect_tells_the_link_and_leaves_outcomes_unknown() -> None:
    rig = Rig(FaultPlan(seed=3).on("disconnect", from_ns=T0 + 500 * MS, until_ns=T0 + 5000 * MS))
    rig.send(new("resting", BUY, 5, 990))
    rig.wait(600.0)
    assert [(e.ts_ns, e.up) for e in rig.events if isinstance(e, VenueStatus)] == [(T0 + 500 * MS, False)]
    ids = [f"o{k}" for k in range(20)]
    rig.send(*(new(name, BUY, 1, 980) for name in ids))
    rig.cancel("resting")
    rig.ask(order="resting", opened=1, positions=2)
    came = rig.wait()
    assert all(rig.kinds(name) == [ReportKind.UNKNOWN] for name in ids)
    assert rig.kinds("resting") == [ACK, ReportKind.CANCEL_UNKNOWN]
    assert (opened(came).ok, held(came).ok) == (False, False)
    assert 0 < sum(o.cl_ord_id in ids for o in rig.venue.open_orders()) < 20, "some have arrived"
    rig.wait(5000.0)
    assert [e.up for e in rig.events if isinstance(e, VenueStatus)] == [False, True]
    rig.ask(opened=3)
    assert opened(rig.wait()).orders == tuple(rig.venue.open_orders())


def test_fills_while_disconnected_are_lost_and_found_by_query() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 5, 995))
    rig.wait()
    rig.plan.on("disconnect")
    rig.feed(quote(rig.now_ns, 990, 995))
    assert rig.kinds("a") == [ACK]
    assert rig.venue.positions() == {0: 5}
    rig.plan.off("disconnect")
    rig.wait()
    rig.ask(order="a", positions=1)
    came = rig.wait()
    assert rig.kinds("a") == [ACK, TRADE, ReportKind.STATUS]
    assert held(came).positions[0].qty_lots == 5


def test_reorder_lets_reports_overtake() -> None:
    rig = Rig(FaultPlan(seed=1).on("reorder"))
    rig.send(*(new(f"o{k}", BUY, 1, 990) for k in range(30)))
    names = [e.cl_ord_id for e in rig.wait() if isinstance(e, Report)]
    assert sorted(names) == sorted(f"o{k}" for k in range(30))
    assert names != [f"o{k}" for k in range(30)]


def test_fill_after_cancel_tells_the_trade_after_the_cancel() -> None:
    rig = Rig(FaultPlan(seed=2).on("fill_after_cancel"))
    rig.send(*(new(f"o{k}", BUY, 8, 990) for k in range(20)))
    rig.wait()
    rig.cancel_all()
    rig.wait(2000.0)
    for k in range(20):
        assert rig.kinds(f"o{k}") == [ACK, DONE, TRADE]
    assert rig.venue.positions() == {0: sum(r.last_lots for k in range(20) for r in rig.reports(f"o{k}"))}
    assert rig.venue.open_orders() == []


def test_duplicate_repeats_reports_with_their_ids() -> None:
    rig = Rig(FaultPlan().on("duplicate"))
    rig.send(new("a", BUY, 5))
    rig.wait()
    assert sorted(rig.kinds("a")) == [ACK, ACK, TRADE, TRADE]
    assert len({r.exec_id for r in rig.reports("a") if r.kind is TRADE}) == 1
    assert rig.venue.positions() == {0: 5}


def test_lie_confirms_a_cancel_once_and_tells_flat_once() -> None:
    rig = Rig()
    rig.send(new("pos", BUY, 5), new("a", BUY, 5, 990))
    rig.wait()
    rig.plan.on("lie")
    rig.cancel("a")
    rig.ask(opened=1, positions=2)
    came = rig.wait()
    assert rig.kinds("a") == [ACK, DONE]
    assert [o.cl_ord_id for o in opened(came).orders] == ["a"], "the order list does not lie"
    assert (held(came).ok, held(came).positions) == (True, ())
    rig.feed(trade(rig.now_ns, 985, 3, buy=False))
    assert rig.kinds("a") == [ACK, DONE, TRADE]
    rig.ask(positions=3)
    assert held(rig.wait()).positions[0].qty_lots == 8
    rig.cancel("a")
    rig.wait()
    assert rig.kinds("a")[-1] is DONE
    assert rig.venue.open_orders() == []


def test_late_reports_come_after_seconds_and_do_not_hold_up_others() -> None:
    rig = Rig(FaultPlan().on("late", limit=1))
    rig.send(new("a", BUY, 5, 990), new("b", BUY, 5, 990))
    rig.wait(1000.0)
    assert (rig.kinds("a"), rig.kinds("b")) == ([], [ACK])
    rig.wait(FAR_MS)
    assert rig.kinds("a") == [ACK]


def test_fail_queries_answers_not_ok_until_cleared() -> None:
    rig = Rig(FaultPlan().on("fail_queries"))
    rig.send(new("a", BUY, 5))
    rig.wait()
    rig.ask(order="a", opened=1, positions=2)
    came = rig.wait()
    assert (opened(came).ok, held(came).ok, len(came)) == (False, False, 2)
    assert "unavailable" in held(came).reason
    rig.plan.clear()
    rig.ask(positions=3)
    assert held(rig.wait()).ok


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_be_cleared(name: str) -> None:
    rig = Rig(FaultPlan(seed=9).on(name))
    rig.send(new("before", BUY, 9, 1001))
    rig.wait(FAR_MS)
    rig.plan.clear()
    rig.wait(FAR_MS)
    rig.cancel_all()
    lots = rig.venue.positions().get(0, 0)
    rig.send(new("close", SELL, max(1, lots), reduce_only=True))
    rig.wait()
    rig.ask(opened=1, positions=2)
    came = rig.wait()
    assert (opened(came).ok, opened(came).orders) == (True, ())
    assert (held(came).ok, held(came).positions) == (True, ())


def test_a_plan_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="unknown fault 'gremlin': one of hang"):
        FaultPlan().on("gremlin")
    with pytest.raises(ValueError, match="probability"):
        Fault(name="hang", probability=1.5)
    assert FaultPlan((Fault(name="hang", from_ns=5, until_ns=9),)).active("hang", 8)
    assert not FaultPlan((Fault(name="hang", from_ns=5, until_ns=9),)).active("hang", 9)
