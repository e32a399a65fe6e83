"""Amendments: what counts while one is on its way, what each answer books, and what happens in between."""

from __future__ import annotations

import msgspec
import pytest

from bus.effects import QueryOrder, ReplaceOrder
from bus.enums import OrdStatus, ReportKind, Side
from bus.events import Report
from core.engine import amend, snapshot
from core.engine.gate import Denial
from core.engine.orders import Order

from .kit import WIDE, Bench, config

S, R = OrdStatus, ReportKind


def work(bench: Bench, side: str = "buy") -> int:
    return int(bench.state.positions[f"work_{side}_lots"][0])


def amended(lots: int = 12, *, filled: int = 0, ticks: int = 9900) -> tuple[Bench, Order]:
    """An order of 10 lots at 99.00, ``filled`` of them done, and an amendment on its way."""
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    if filled:
        bench.fill(order.cl_ord_id, filled)
    change(bench, order, lots, ticks)
    return bench, order


def change(bench: Bench, order: Order, lots: int, ticks: int = 9900, stop: int = 0) -> ReplaceOrder | Denial:
    bench.state.effects = []
    sent = amend.ask(bench.state, order, lots, ticks, stop)
    bench.effects = bench.state.effects
    bench.all += bench.effects
    return sent


def answer(bench: Bench, order: Order, kind: R, **named) -> None:
    bench.report(order.cl_ord_id, kind, revision=named.pop("revision", order.revision), **named)


# --- what counts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lots", "counts"), [(12, 12), (7, 10), (10, 10)])
def test_the_larger_quantity_counts_until_it_is_answered(lots: int, counts: int) -> None:
    bench, order = amended(lots, ticks=9890)
    assert order.status is S.PENDING_REPLACE and work(bench) == counts
    assert order.leaves_lots == 10 == order.qty_lots - order.filled_lots
    answer(bench, order, R.REPLACED, order_lots=lots, order_ticks=9890)
    assert order.status is S.NEW and work(bench) == order.leaves_lots == lots and order.price_ticks == 9890


def test_what_the_venue_books_counts_and_never_less_than_what_has_filled() -> None:
    bench, order = amended(7)
    bench.fill(order.cl_ord_id, 8)
    assert order.status is S.PENDING_REPLACE and work(bench) == 2
    answer(bench, order, R.REPLACED, order_lots=7)
    assert order.status is S.FILLED and order.qty_lots == 8 and work(bench) == 0 and not bench.state.working


def test_a_refused_amendment_leaves_the_order_as_it_was_and_asks() -> None:
    bench, order = amended(12)
    answer(bench, order, R.REPLACE_REJECTED, reason="too late")
    assert order.status is S.NEW and work(bench) == 10 and order.reason == "too late"
    assert any(isinstance(e, QueryOrder) for e in bench.effects), "perhaps it was refused because it is gone"


def test_a_fill_while_it_is_on_its_way_is_a_fill() -> None:
    bench, order = amended(12, filled=1)
    bench.fill(order.cl_ord_id, 9)
    assert order.status is S.PENDING_REPLACE and order.leaves_lots == 0 and work(bench) == 2
    answer(bench, order, R.REPLACED, order_lots=12)
    assert order.status is S.PARTIALLY_FILLED and work(bench) == order.leaves_lots == 2


def test_filled_and_then_refused_is_filled() -> None:
    bench, order = amended(12)
    bench.fill(order.cl_ord_id, 10)
    assert order.status is S.PENDING_REPLACE and order.cl_ord_id in bench.state.working
    answer(bench, order, R.REPLACE_REJECTED)
    assert order.status is S.FILLED and work(bench) == 0 and not bench.state.working


def test_a_fill_beyond_the_old_quantity_is_the_answer() -> None:
    bench, order = amended(12)
    bench.fill(order.cl_ord_id, 11)
    assert (order.qty_lots, order.status, work(bench)) == (12, S.PARTIALLY_FILLED, 1)
    answer(bench, order, R.REPLACED, order_lots=12)
    assert order.status is S.PARTIALLY_FILLED and work(bench) == 1
    assert not bench.alerts("OVERFILL")


def test_a_fill_beyond_the_new_quantity_is_booked_and_told() -> None:
    bench, order = amended(7)
    answer(bench, order, R.REPLACED, order_lots=7)
    bench.fill(order.cl_ord_id, 9)
    assert bench.state.qty(0) == 9 and work(bench) == 0 and order.status is S.FILLED
    assert bench.alerts("OVERFILL")


# --- cancels and kills in between ------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [R.REPLACED, R.REPLACE_REJECTED, R.REPLACE_UNKNOWN, R.CANCELED])
def test_a_cancel_while_it_is_on_its_way_goes_out_and_wins(first: R) -> None:
    bench, order = amended(12)
    bench.command("cancel_order", {"cl_ord_id": order.cl_ord_id})
    assert bench.cancelled() == [order.cl_ord_id] and order.status is S.PENDING_CANCEL and work(bench) == 12
    answer(bench, order, first, **({"order_lots": 12} if first is R.REPLACED else {}))
    expected = {R.REPLACED: 12, R.REPLACE_REJECTED: 10, R.REPLACE_UNKNOWN: 12, R.CANCELED: 0}[first]
    assert work(bench) == expected
    bench.report(order.cl_ord_id, R.CANCELED)
    assert order.status is S.CANCELED and work(bench) == 0 and order.want_lots == 0


def test_an_answer_after_the_cancel_changes_nothing() -> None:
    bench, order = amended(12)
    bench.command("cancel_order", {"cl_ord_id": order.cl_ord_id})
    bench.report(order.cl_ord_id, R.CANCELED)
    answer(bench, order, R.REPLACED, order_lots=12)
    assert order.status is S.CANCELED and work(bench) == 0 and not bench.alerts("ANOMALY")


@pytest.mark.parametrize("level", ["halt", "flatten"])
def test_a_kill_while_it_is_on_its_way_cancels_and_waits_for_all_of_it(level: str) -> None:
    bench, order = amended(12, filled=2)
    bench.command("kill", {"level": level})
    assert order.cl_ord_id in bench.cancelled()
    answer(bench, order, R.REPLACED, order_lots=12)
    assert bench.kill("operator@all").pending == {order.cl_ord_id: None} and work(bench) == 10
    bench.fill(order.cl_ord_id, 3)
    bench.finish_kill()
    assert work(bench) == 0 and bench.state.qty(0) == (0 if level == "flatten" else 5)


# --- silence, lateness, repetition -----------------------------------------------------------------------------------


def test_an_unknown_outcome_is_asked_about_and_the_venues_revision_is_the_answer() -> None:
    bench, order = amended(12)
    answer(bench, order, R.REPLACE_UNKNOWN)
    assert order.status is S.PENDING_UNKNOWN and work(bench) == 12
    assert any(isinstance(e, QueryOrder) for e in bench.wait(1.1))
    bench.report(order.cl_ord_id, R.STATUS, cum_lots=0, order_lots=12, order_ticks=9900, revision=1)
    assert order.status is S.NEW and order.qty_lots == 12 and work(bench) == 12


def test_silence_is_asked_about_too() -> None:
    bench, order = amended(12)
    assert sum(isinstance(e, QueryOrder) for e in bench.wait(3.5)) == 3 and order.status is S.PENDING_REPLACE


def test_three_looks_without_it_a_while_apart_say_that_it_was_lost() -> None:
    bench, order = amended(12)
    for n in range(1, amend.UNSEEN_MAX + 1):
        assert work(bench) == 12, n
        bench.wait(1.0)
        for _ in range(3):  # told three times, counted once
            bench.report(order.cl_ord_id, R.STATUS, cum_lots=0, order_lots=10, order_ticks=9900, revision=0)
    assert order.status is S.NEW and work(bench) == 10


def test_a_lost_refusal_of_what_has_filled_ends_by_looking() -> None:
    bench, order = amended(12)
    bench.fill(order.cl_ord_id, 10)
    assert order.status is S.PENDING_REPLACE and work(bench) == 2
    for _ in range(amend.UNSEEN_MAX):
        bench.wait(1.0)
        bench.report(order.cl_ord_id, R.STATUS, cum_lots=10, order_lots=10, order_ticks=9900)
    assert order.status is S.FILLED and work(bench) == 0 and not bench.state.working


def test_a_late_yes_after_it_was_given_up_is_booked_and_told() -> None:
    bench, order = amended(12)
    for _ in range(amend.UNSEEN_MAX):
        bench.wait(1.0)
        bench.report(order.cl_ord_id, R.STATUS, cum_lots=0, order_lots=10, order_ticks=9900)
    assert work(bench) == 10
    answer(bench, order, R.REPLACED, order_lots=12)
    assert work(bench) == 12 and bench.alerts("ANOMALY")


def test_a_late_yes_opens_again_what_had_filled() -> None:
    bench, order = amended(12)
    for _ in range(amend.UNSEEN_MAX):
        bench.wait(1.0)
        bench.report(order.cl_ord_id, R.STATUS, cum_lots=0, order_lots=10, order_ticks=9900)
    bench.fill(order.cl_ord_id, 10)
    assert order.status is S.FILLED
    answer(bench, order, R.REPLACED, order_lots=12)
    assert order.status is S.PARTIALLY_FILLED and work(bench) == 2 and order.cl_ord_id in bench.state.working


def test_an_answer_to_an_older_revision_changes_nothing() -> None:
    bench, order = amended(12)
    answer(bench, order, R.REPLACED, order_lots=12)
    change(bench, order, 8)
    answer(bench, order, R.REPLACED, order_lots=8)
    for kind in (R.REPLACED, R.REPLACE_REJECTED, R.REPLACE_UNKNOWN):
        answer(bench, order, kind, revision=1, order_lots=12)
        assert (order.qty_lots, work(bench), order.status) == (8, 8, S.NEW), kind


def test_an_older_answer_that_was_never_heard_counts_while_the_newer_is_on_its_way() -> None:
    bench, order = amended(20)
    for _ in range(amend.UNSEEN_MAX):
        bench.wait(1.0)
        bench.report(order.cl_ord_id, R.STATUS, cum_lots=0, order_lots=10, order_ticks=9900)
    change(bench, order, 12)
    answer(bench, order, R.REPLACED, revision=1, order_lots=20)
    assert work(bench) == 20 and order.status is S.PENDING_REPLACE and order.want_lots == 12
    answer(bench, order, R.REPLACED, order_lots=12)
    assert work(bench) == 12 and order.status is S.NEW


def test_an_order_changed_at_the_venue_by_somebody_else_is_as_the_venue_says() -> None:
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    bench.report(order.cl_ord_id, R.STATUS, cum_lots=0, order_lots=25, order_ticks=9900)
    assert work(bench) == 25 and bench.alerts("ANOMALY")


@pytest.mark.parametrize("lots", [0, -3, 1 << 62])
def test_nonsense_in_an_answer_is_not_booked(lots: int) -> None:
    bench, order = amended(12)
    answer(bench, order, R.REPLACED, order_lots=lots, order_ticks=-7)
    assert (order.qty_lots, order.price_ticks, work(bench)) == (12, 9900, 12)


def test_another_venues_answer_is_nothing() -> None:
    bench, order = amended(12)
    bench.do(Report(bench.now, 7, order.cl_ord_id, R.REPLACED, order_lots=50, revision=1))
    assert order.status is S.PENDING_REPLACE and work(bench) == 12


# --- the gate --------------------------------------------------------------------------------------------------------


def test_what_adds_is_judged_by_the_difference_alone() -> None:
    bench = Bench(config(gate=msgspec.structs.replace(WIDE, concentration_max=0.0125)))
    order = bench.working(0, Side.BUY, 10, 99.0)  # 1,000 of 100,000
    grown = change(bench, order, 12)
    assert isinstance(grown, ReplaceOrder) and not grown.approval.reducing
    answer(bench, order, R.REPLACED, order_lots=12)
    refused = change(bench, order, 13)
    assert isinstance(refused, Denial) and refused.code == "CONCENTRATION" and work(bench) == 12


def test_what_adds_nothing_passes_before_the_start_and_what_adds_does_not() -> None:
    bench = Bench()
    bench.hold(0, 100)
    exit_ = bench.working(0, Side.SELL, 60, 101.0, reduce_only=True)
    entry = bench.working(1, Side.BUY, 10, 99.0)
    bench.state.cold.started = False
    for order, lots, ticks, passes in (
        (exit_, 100, 10100, True),  # all of the position, no more
        (entry, 5, 9900, True),  # smaller
    ):
        sent = change(bench, order, lots, ticks)
        assert isinstance(sent, ReplaceOrder) is passes and sent.approval.reducing
        answer(bench, order, R.REPLACED, order_lots=lots, order_ticks=ticks)
    for order, lots, ticks in ((exit_, 101, 10100), (entry, 6, 9900), (entry, 5, 9950)):
        assert isinstance(change(bench, order, lots, ticks), Denial), (lots, ticks)


def test_an_amendment_counts_in_the_order_rate() -> None:
    bench = Bench()
    order = bench.working(0, Side.BUY, 10, 99.0)
    before = len(bench.state.cold.submits_ns)
    change(bench, order, 12)
    assert len(bench.state.cold.submits_ns) == before + 1


def test_an_amendment_survives_a_restart() -> None:
    bench, order = amended(12)
    raw = snapshot.save(bench.state)
    state = snapshot.load(raw, bench.config)
    again = state.cold.orders[order.cl_ord_id]
    assert (again.want_lots, again.status) == (12, S.PENDING_REPLACE)
    assert (
        int(state.positions["work_buy_lots"][0]) == sum(o.working_lots for o in state.working.values()) == 12
    )
