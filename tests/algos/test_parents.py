"""What a parent does with its slices, its children and its limits."""

from __future__ import annotations

import msgspec
import pytest

from bus.enums import OrdStatus, OrdType, TimeInForce
from bus.events import Timer
from core.engine.algos.accounts import FILLS_MAX
from core.engine.algos.life import ENDED_MAX
from tests.engine.kit import SECOND, WIDE, Bench, config

from .kit import K, ask, bench, children, drop_all, fill_all, parent, sent, spec, trade, views


def test_twap_sends_equal_parts_and_ends_with_all_of_it() -> None:
    b = bench()
    p = parent(b, qty=103)
    parts = []
    for _ in range(10):
        parts += [o.qty_lots for o in children(b, open=True)]
        fill_all(b)
        b.wait(1.0)
    assert parts == [10, 10, 10, 11, 10, 10, 11, 10, 10, 11]
    assert (p.status, p.filled_lots, p.children) == ("DONE", 103, [o.cl_ord_id for o in children(b)])
    said = [r.status for r in b.replies("c1")]
    assert (said[0], said[-1], said.count("done")) == ("accepted", "done", 1)
    assert b.replies("c1")[-1].data["filled"] == 103.0


def test_what_a_slice_leaves_is_rolled_only_when_the_venue_has_ended_it() -> None:
    b = bench()
    p = parent(b, style="limit")
    (first,) = children(b)
    assert (first.ord_type, first.tif, first.price_ticks) == (OrdType.LIMIT, TimeInForce.GTC, 9_999)
    b.report(first.cl_ord_id, K.ACK)
    b.fill(first.cl_ord_id, 4)
    assert sent(b.wait(1.0)) == [10]  # its own part; the other six are being cancelled, and could still fill
    assert first.status is OrdStatus.PENDING_CANCEL
    b.report(first.cl_ord_id, K.CANCELED)
    assert sent(b.effects) == [6]
    assert p.slice_lots == 16


def test_a_lost_cancel_frees_nothing() -> None:
    b = bench()
    parent(b, qty=20, slices=2, style="limit")
    (first,) = children(b)
    b.report(first.cl_ord_id, K.ACK)
    b.wait(5.0)
    b.report(first.cl_ord_id, K.CANCEL_UNKNOWN)
    b.wait(2.0)
    assert sum(o.leaves_lots for o in children(b)) == 20
    assert len(children(b)) == 2


def test_an_unknown_child_is_spoken_for_and_never_sent_again() -> None:
    b = bench(catch_up_max=10.0)
    p = parent(b)
    (first,) = children(b)
    b.report(first.cl_ord_id, K.UNKNOWN)
    for _ in range(12):
        for order in children(b, open=True):
            if order is not first:
                b.fill(order.cl_ord_id, order.leaves_lots)
        b.wait(1.0)
    assert (p.filled_lots, p.status) == (90, "STOPPING")  # it waits for the venue's word on the ten
    assert views(b)[-1].unknown == 10.0
    b.report(first.cl_ord_id, K.TRADE, exec_id="late", last_lots=10, px_ticks=1e4)
    assert (p.filled_lots, p.status) == (100, "DONE")


def test_catching_up_is_capped() -> None:
    b = bench(catch_up_max=0.5)
    p = parent(b)
    fill_all(b)
    b.now += 6 * SECOND
    b.do(Timer(b.now))  # slept through five slices
    assert sent(b.effects) == [15]
    assert (p.slice, p.caught_up) == (6, 1)
    for _ in range(4):
        fill_all(b)
        b.wait(1.0)
    assert p.filled_lots == 10 + 15 + 15 + 15 + 15
    assert p.status == "DONE"
    assert p.reason == "30.0 not done"


def test_a_price_past_the_limit_sends_nothing_and_a_better_one_does() -> None:
    b = bench()
    p = parent(b, price=100.00)  # the ask is 100.01
    b.wait(2.0)
    assert not children(b)
    assert "past the limit" in p.note
    b.price(0, 99.9)
    b.wait(1.0)
    (child,) = children(b)
    assert (child.price_ticks, child.qty_lots) == (9_991, 20)


@pytest.mark.parametrize(("side", "price"), [("buy", 103.0), ("sell", 97.0)])
def test_at_market_under_a_limit_is_a_limit_order_that_crosses(side, price) -> None:
    b = bench()
    parent(b, side=side, price=price, style="market")
    (child,) = children(b)
    assert (child.ord_type, child.tif) == (OrdType.LIMIT, TimeInForce.IOC)
    reach = 10_251 if side == "buy" else 9_749  # half the collar from the touch
    assert child.price_ticks == reach


def test_at_market_without_a_limit_is_at_market() -> None:
    b = bench()
    parent(b, style="market")
    assert children(b)[0].ord_type is OrdType.MARKET


def test_reduce_only_sends_no_more_than_is_held_and_ends_flat() -> None:
    b = bench()
    b.hold(0, 25)
    p = parent(b, side="sell", data={"reduce_only": True})
    for _ in range(11):
        fill_all(b)
        b.wait(1.0)
    assert b.state.qty(0) == 0
    assert (p.filled_lots, p.denied) == (25, 0)
    assert all(o.reduce_only for o in children(b))
    assert "nothing left to reduce" in p.note


def test_denials_in_a_row_pause_it_with_an_alarm_and_it_can_go_on() -> None:
    b = Bench(config(gate=msgspec.structs.replace(WIDE, order_value_max=500.0)))
    p = parent(b)
    b.wait(4.5)
    assert (p.status, p.denied, len(children(b))) == ("PAUSED", 5, 0)
    assert "VALUE_MAX" in p.reason
    assert b.alerts("ALGO_PAUSED")[-1].status == "UNACK"
    b.command("set_limit", {"name": "order_value_max", "value": "1000000"})
    b.command("resume_algo", {"id": p.id})
    b.wait(0.3)
    assert (p.status, len(children(b))) == ("RUNNING", 1)
    assert b.alerts("ALGO_PAUSED")[-1].status == "CLEARED"


def test_rejections_in_a_row_pause_it_too() -> None:
    b = bench(denials_max=3)
    p = parent(b)
    for _ in range(3):
        b.report(children(b, open=True)[0].cl_ord_id, K.REJECTED, reason="margin")
        b.wait(1.0)
    assert (p.status, p.rejected) == ("PAUSED", 3)
    assert "margin" in p.reason


def test_an_accepted_child_ends_the_row() -> None:
    b = bench(denials_max=2)
    p = parent(b)
    for n in range(6):
        (child,) = children(b, open=True)
        kind = K.REJECTED if n % 2 == 0 else K.CANCELED
        b.report(child.cl_ord_id, kind)
        b.wait(1.0)
    assert (p.status, p.rejected) == ("RUNNING", 3)


def test_a_pause_calls_children_back_and_a_slice_keeps_what_it_has_sent() -> None:
    b = bench(catch_up_max=0.0)
    p = parent(b)
    b.command("pause_algo", {"id": p.id})
    assert b.cancelled() == [children(b)[0].cl_ord_id]
    drop_all(b)
    b.command("resume_algo", {"id": p.id})
    b.wait(0.5)
    assert len(children(b)) == 1  # the slice has had its part
    b.wait(0.5)
    assert len(children(b)) == 2


def test_cancelling_waits_for_the_venue() -> None:
    b = bench()
    p = parent(b)
    b.command("cancel_algo", {"id": p.id}, id="stop-it")
    assert (p.status, [r.status for r in b.replies("stop-it")]) == ("STOPPING", ["accepted"])
    b.fill(children(b)[0].cl_ord_id, 3)
    drop_all(b)
    assert (p.status, p.ended_ns > 0, b.replies("stop-it")[-1].data["filled"]) == ("CANCELLED", True, 3.0)
    assert b.replies("c1")[-1].status == "done"


def test_a_fill_after_the_end_counts_and_too_many_alarm() -> None:
    b = bench()
    p = parent(b, qty=10, slices=1)
    (first,) = children(b)
    b.report(first.cl_ord_id, K.CANCELED)
    b.wait(11.0)
    assert (p.status, p.filled_lots) == ("DONE", 0)
    b.fill(first.cl_ord_id, 10)
    assert p.filled_lots == 10
    assert not b.alerts("ALGO_OVERFILLED")
    b.fill(first.cl_ord_id, 2)
    assert p.filled_lots == 12
    assert b.alerts("ALGO_OVERFILLED")


def test_a_late_fill_shrinks_what_is_open() -> None:
    b = bench()
    p = parent(b, qty=20, slices=2, style="limit")
    first = children(b)[0]
    b.report(first.cl_ord_id, K.CANCELED)  # said gone
    b.wait(5.0)
    assert [o.qty_lots for o in children(b, open=True)] == [20]
    b.fill(first.cl_ord_id, 10)  # and was not
    assert b.cancelled() == [children(b, open=True)[0].cl_ord_id]
    drop_all(b)
    b.wait(6.0)
    assert (p.filled_lots, p.status) == (10, "DONE")


def test_falling_behind_alarms_and_catching_up_clears() -> None:
    b = bench(catch_up_max=10.0)
    p = parent(b)
    for _ in range(5):
        drop_all(b)
        b.wait(1.0)
    assert p.stalled
    assert b.alerts("ALGO_STALLED")[-1].status == "UNACK"
    fill_all(b)
    b.wait(1.0)
    assert not p.stalled
    assert b.alerts("ALGO_STALLED")[-1].status == "CLEARED"


def test_small_children_are_merged_up_to_the_venues_minimum() -> None:
    b = bench(specs=spec(notional_min=2_500.0))
    p = parent(b)
    assert p.schedule == [0, 0, 30, 30, 30, 60, 60, 60, 60, 100]


def test_jitter_stays_in_its_slot_and_is_the_same_in_every_run() -> None:
    times = []
    for _ in range(2):
        b = bench()
        p = parent(b, jitter="0.8", data={"intent": "one"})
        found = []
        for _ in range(300):
            n = len(children(b))
            b.wait(0.05)
            fill_all(b)
            if len(children(b)) > n:
                found.append((b.now - p.start_ns) // SECOND)
        times.append(found)
    assert times[0] == times[1]
    assert times[0] == list(range(1, 10))


def test_counts_are_published_at_once_and_then_at_most_ten_a_second() -> None:
    b = bench()
    p = parent(b, qty=1000, slices=1)
    before = len(views(b))
    (child,) = children(b)
    for _ in range(200):
        b.now += SECOND // 100
        b.fill(child.cl_ord_id, 1)
    told = len(views(b)) - before
    assert 10 <= told <= 21
    assert views(b)[-1].filled > 0
    assert p.filled_lots == 200


def test_executions_are_remembered_to_a_bound_with_exact_sums() -> None:
    b = bench()
    p = parent(b, qty=2000, slices=1)
    (child,) = children(b)
    for n in range(FILLS_MAX + 300):
        b.fill(child.cl_ord_id, 1, 100.0 + n % 7, fee=0.25)
    assert len(p.fills) == FILLS_MAX
    assert sum(row[1] for row in p.fills) == p.filled_lots == FILLS_MAX + 300
    assert sum(row[1] * row[2] for row in p.fills) == pytest.approx(p.filled_value)
    assert sum(row[3] for row in p.fills) == pytest.approx(p.fees)


def test_ended_parents_are_kept_to_a_bound() -> None:
    b = bench()
    for _ in range(ENDED_MAX + 10):
        p = parent(b, qty=1, slices=1)
        fill_all(b)
        assert p.ended_ns
    assert len(b.state.cold.parents) == ENDED_MAX
    assert not b.state.cold.algos_live


def test_what_costs_are_measured_from_is_kept() -> None:
    b = bench()
    trade(b, 50, 100.5)
    p = parent(b, start_in_s="2")
    assert (p.decision_px, p.arrival_px) == (100.0, 0.0)
    b.price(0, 101.0)
    b.wait(2.5)
    assert (p.arrival_px, p.arrival_bid, p.arrival_ask, p.volume_start) == (101.0, 100.99, 101.01, 50)
    trade(b, 30)
    fill_all(b, 101.0)
    b.command("cancel_algo", {"id": p.id})
    assert (p.volume_end - p.volume_start, p.end_px > 0) == (30, True)
    assert p.turnover_end - p.turnover_start == 30 * 10_000
    assert p.fills == [(p.ended_ns, 10, 101.0, 0.0, False, pytest.approx(101.0, rel=0.01), 0)]


def test_the_same_intent_twice_is_one_parent() -> None:
    b = bench()
    parent(b, data={"intent": "rebalance-7"})
    again = ask(b, data={"intent": "rebalance-7"})
    assert (again.status, again.error_code) == ("rejected", "DUPLICATE")


def test_a_child_is_not_amended_by_hand() -> None:
    b = bench()
    parent(b, style="limit")
    (child,) = children(b)
    b.report(child.cl_ord_id, K.ACK)
    b.command("amend_order", {"cl_ord_id": child.cl_ord_id, "qty": "90"})
    assert b.replies()[-1].error_code == "NOT_AMENDABLE"
