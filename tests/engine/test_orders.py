"""The order table, whole: every status against every report, legal and illegal."""

from __future__ import annotations

import pytest

from bus.effects import QueryOrder
from bus.enums import OPEN_STATUSES, OrdStatus, ReportKind, Side
from bus.events import Report
from core.engine import amend, moves
from core.engine.orders import FACES, NOT_FOUND_MAX, TRANSITIONS, face

from .kit import Bench

PRODUCT = [(status, kind) for status in OrdStatus for kind in ReportKind]
EXECUTIONS = {ReportKind.TRADE}
WAITING = (
    OrdStatus.PENDING_CANCEL,
    OrdStatus.PENDING_UNKNOWN,
    OrdStatus.SUSPENDED,
)  # with or without an amendment


def order_in(status: OrdStatus, *, amended: bool = False) -> tuple[Bench, str]:
    """A bench whose one order of 10 lots stands in ``status``, with the working sums right.

    ``amended``: with an amendment to 12 lots unanswered, where the status lets one be.
    """
    bench = Bench()
    order = bench.submit(0, Side.BUY, 10, price_ticks=9900)
    if status is OrdStatus.PENDING_REPLACE or (amended and status in WAITING):
        bench.report(order.cl_ord_id, ReportKind.ACK)
        amend.ask(bench.state, order, 12, 9900, 0)
        moves.set_status(bench.state, order, status)
    elif status is OrdStatus.PARTIALLY_FILLED:
        bench.report(order.cl_ord_id, ReportKind.ACK)
        bench.fill(order.cl_ord_id, 4)
    elif status is OrdStatus.FILLED:
        bench.fill(order.cl_ord_id, 10)
    elif status is not OrdStatus.PENDING_NEW:
        moves.set_status(bench.state, order, status)
    assert order.status is status
    return bench, order.cl_ord_id


def work(bench: Bench) -> int:
    return int(bench.state.positions["work_buy_lots"][0])


@pytest.mark.parametrize(("status", "kind"), PRODUCT, ids=lambda x: x.name)
def test_every_status_against_every_report(status, kind) -> None:
    answers = kind in (ReportKind.REPLACED, ReportKind.REPLACE_REJECTED, ReportKind.REPLACE_UNKNOWN)
    bench, id = order_in(status, amended=answers)
    order = bench.state.cold.orders[id]
    target = TRANSITIONS.get((status, kind))
    held, filled, before = bench.state.qty(0), order.filled_lots, order.working_lots

    trade = {"exec_id": "e1", "last_lots": 1, "px_ticks": 9900.0} if kind in EXECUTIONS else {}
    bench.report(id, kind, **trade)

    if target is None:
        assert order.status is status and order.filled_lots == filled
        assert bench.state.qty(0) == held and work(bench) == order.working_lots == before
        assert bench.alerts("ANOMALY"), f"{kind.name} on {status.name} went unnoticed"
        return
    expected = face(order, target) if target in FACES else target
    if target in OPEN_STATUSES and not order.unfilled_lots:
        expected = OrdStatus.FILLED  # nothing left of it
    assert order.status is expected
    assert work(bench) == order.working_lots
    assert bench.state.qty(0) == held + (1 if kind is ReportKind.TRADE else 0)


def test_the_table_is_as_large_as_it_was_reviewed() -> None:
    assert len(PRODUCT) == 180
    assert len(TRANSITIONS) == 146
    back = [row for row, to in TRANSITIONS.items() if to is OrdStatus.PENDING_NEW]
    assert {status for status, _ in back} == {OrdStatus.PENDING_NEW}, "nothing is ever unsent again"


def test_only_the_venues_word_ends_an_order() -> None:
    """No silence, no timeout, no disconnect leads to a terminal status."""
    silent = (ReportKind.UNKNOWN, ReportKind.CANCEL_UNKNOWN, ReportKind.REPLACE_UNKNOWN)
    assert all(target in OPEN_STATUSES for (status, kind), target in TRANSITIONS.items()
               if kind in silent and status in OPEN_STATUSES)  # fmt: skip


def test_the_last_lot_fills_the_order_whatever_the_row_says() -> None:
    bench, id = order_in(OrdStatus.PENDING_CANCEL)
    bench.fill(id, 10)
    assert bench.state.cold.orders[id].status is OrdStatus.FILLED and work(bench) == 0


def test_an_execution_counts_once() -> None:
    bench, id = order_in(OrdStatus.NEW)
    for _ in range(3):
        bench.fill(id, 4, exec_id="same")
    assert bench.state.qty(0) == 4 and work(bench) == 6


def test_a_late_fill_is_booked_and_told() -> None:
    bench, id = order_in(OrdStatus.CANCELED)
    bench.fill(id, 3)
    assert bench.state.qty(0) == 3
    assert bench.state.cold.orders[id].status is OrdStatus.CANCELED and work(bench) == 0
    assert bench.alerts("LATE_FILL")


def test_more_than_was_ordered_is_booked_and_told() -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.fill(id, 13)
    assert bench.state.qty(0) == 13 and work(bench) == 0 and bench.alerts("OVERFILL")


def test_a_status_that_counts_more_is_booked_once_and_its_paper_corrects_price_and_fee() -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.report(id, ReportKind.STATUS, cum_lots=6)
    assert bench.state.qty(0) == 6 and work(bench) == 4
    bench.fill(id, 6, 98.0, fee=2.5)

    assert bench.state.qty(0) == 6 and work(bench) == 4
    account = bench.state.account[0]
    assert float(account["equity"]) == pytest.approx(100_000.0 + 6 * 2.0 - 2.5)
    assert float(bench.state.positions["fees"][0]) == pytest.approx(2.5)


def test_the_venues_own_count_tells_a_new_execution_from_a_paper() -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.report(id, ReportKind.STATUS, cum_lots=6)
    bench.report(id, ReportKind.TRADE, exec_id="new", last_lots=3, px_ticks=9900.0, cum_lots=9)
    assert bench.state.qty(0) == 9
    bench.report(id, ReportKind.TRADE, exec_id="paper", last_lots=6, px_ticks=9900.0, cum_lots=6)
    assert bench.state.qty(0) == 9 and work(bench) == 1


def test_never_heard_of_it_has_to_be_said_three_times() -> None:
    bench, id = order_in(OrdStatus.PENDING_UNKNOWN)
    order = bench.state.cold.orders[id]
    for n in range(1, NOT_FOUND_MAX):
        bench.report(id, ReportKind.NOT_FOUND)
        assert order.status is OrdStatus.PENDING_UNKNOWN and work(bench) == 10, n
    bench.report(id, ReportKind.NOT_FOUND)
    assert order.status is OrdStatus.CANCELED and work(bench) == 0


def test_an_unknown_outcome_is_asked_about_every_second_and_counts_as_open() -> None:
    bench, id = order_in(OrdStatus.PENDING_NEW)
    bench.report(id, ReportKind.UNKNOWN)
    asked = [e for e in bench.wait(5.5) if isinstance(e, QueryOrder) and e.cl_ord_id == id]
    assert len(asked) == 5 and work(bench) == 10
    bench.report(id, ReportKind.ACK)
    assert bench.state.cold.orders[id].status is OrdStatus.NEW
    assert not [e for e in bench.wait(5.0) if isinstance(e, QueryOrder)]


def test_a_lost_cancel_is_sent_again() -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.command("cancel_order", {"cl_ord_id": id})
    assert bench.cancelled() == [id]
    again = bench.cancelled(bench.wait(6.5))
    assert len(again) == 3  # after 1, 2 and 3 seconds
    bench.report(id, ReportKind.CANCELED)
    assert bench.cancelled(bench.wait(30.0)) == []


def test_a_cancel_that_was_refused_asks_what_became_of_the_order() -> None:
    bench, id = order_in(OrdStatus.PENDING_CANCEL)
    bench.report(id, ReportKind.CANCEL_REJECTED)
    assert bench.state.cold.orders[id].status is OrdStatus.PENDING_UNKNOWN and work(bench) == 10
    assert any(isinstance(e, QueryOrder) for e in bench.wait(1.1))


def test_said_cancelled_and_shown_open_is_open_and_cancelled_again() -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.command("cancel_order", {"cl_ord_id": id})
    bench.report(id, ReportKind.CANCELED)
    assert work(bench) == 0
    bench.report(id, ReportKind.STATUS, cum_lots=0)
    assert work(bench) == 10 and bench.cancelled() == [id]


def test_an_old_status_does_not_reopen_what_is_used_up() -> None:
    bench, id = order_in(OrdStatus.CANCELED)
    bench.fill(id, 10)
    bench.report(id, ReportKind.STATUS, cum_lots=0)
    assert work(bench) == 0 and not bench.state.working


@pytest.mark.parametrize(
    "bad",
    [
        {"last_lots": 0, "px_ticks": 1.0},
        {"last_lots": -4, "px_ticks": 1.0},
        {"last_lots": 1 << 62, "px_ticks": 1.0},
        {"last_lots": 4, "px_ticks": 0.0},
        {"last_lots": 4, "px_ticks": float("nan")},
        {"last_lots": 4, "px_ticks": float("inf")},
        {"last_lots": 4, "px_ticks": 1.0, "fee": float("nan")},
        {"last_lots": 4, "px_ticks": 1.0, "fee": float("-inf")},
    ],
)
def test_nonsense_is_not_booked(bad) -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.report(id, ReportKind.TRADE, exec_id="bad", **bad)
    assert bench.alerts("ANOMALY") and bench.state.qty(0) == 0 and work(bench) == 10
    assert bench.state.equity == 100_000.0 and "bad" not in bench.state.cold.exec_ids


def test_a_word_about_our_order_from_another_venue_is_nothing() -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.do(Report(bench.now, 7, id, ReportKind.TRADE, exec_id="e", last_lots=5, px_ticks=9900.0))
    bench.do(Report(bench.now, 7, id, ReportKind.CANCELED))
    assert bench.state.qty(0) == 0 and work(bench) == 10


def test_an_execution_of_an_unknown_order_makes_us_ask_what_we_hold() -> None:
    bench = Bench()
    said = bench.do(Report(bench.now, 0, "who", ReportKind.TRADE, exec_id="e", last_lots=5, px_ticks=9900.0))
    assert {"QueryOpen", "QueryPositions"} <= {type(e).__name__ for e in said}
    assert bench.state.qty(0) == 0


def test_the_executions_of_an_inferred_fill_are_asked_for_a_few_times() -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.report(id, ReportKind.STATUS, cum_lots=10)
    assert bench.state.cold.orders[id].status is OrdStatus.FILLED
    assert sum(isinstance(e, QueryOrder) for e in bench.effects) == 1
    assert sum(isinstance(e, QueryOrder) for e in bench.wait(30.0)) == 5


def test_papers_of_two_inferred_fills_end_at_the_true_price() -> None:
    bench, id = order_in(OrdStatus.NEW)
    bench.price(0, 99.0)
    bench.report(id, ReportKind.STATUS, cum_lots=6)
    bench.price(0, 97.0)
    bench.report(id, ReportKind.STATUS, cum_lots=10)
    bench.fill(id, 6, 98.0, fee=1.0)
    bench.fill(id, 4, 96.0, fee=0.5)
    assert float(bench.state.account["equity"][0]) == pytest.approx(100_000.0 - 6 * 1.0 + 4 * 1.0 - 1.5)
