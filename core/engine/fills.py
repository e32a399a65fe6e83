"""Executions: told, told twice, told late, or known only from a status answer.

A fill is a fact whatever the order's status says; an execution id seen before is not. What was booked before its
paper came (from a status answer, or because the venue's position was believed) is recognised when it comes.
"""

from __future__ import annotations

import math

import msgspec

from bus.enums import OrdStatus, ReportKind, Side
from bus.events import Report
from core.engine import alarms, books
from core.engine.config import SECOND_NS
from core.engine.gate.form import LOTS_MAX
from core.engine.moves import count_verdict, forget_old
from core.engine.orders import Order, book_want, following, forget_want
from core.engine.records import Filled
from core.engine.state import EXEC_IDS_MAX, State

EXPLAINS_NS = 60 * SECOND_NS  # how long an execution may still explain what was taken on the venue's word


def on_trade(state: State, order: Order, report: Report, target: OrdStatus) -> Order | None:
    whole = 0 < report.last_lots < LOTS_MAX and 0.0 < report.px_ticks < math.inf
    if not (whole and math.isfinite(report.fee)):
        alarms.raise_alert(
            state, "ANOMALY", order.cl_ord_id, "execution without quantity, price or fee: ignored"
        )
        return None
    if report.exec_id in state.cold.exec_ids:
        return None
    _remember(state, report.exec_id)
    lots = report.last_lots
    if known := _inferred(order, report):  # already booked from a status answer: this is its paper
        order.inferred_lots -= known
        lots -= known
        books.reprice(state, order, known * _sign(order), order.inferred_px, report)
        if lots == 0:
            return order
        report = msgspec.structs.replace(report, last_lots=lots, fee=report.fee * lots / report.last_lots)
    _fill(state, order, report, lots, target)
    return order


def _inferred(order: Order, report: Report) -> int:
    """Lots of this execution that are in the books already; the venue's own count tells the new ones from them."""
    known = min(report.last_lots, order.inferred_lots)
    if report.cum_lots < 0:
        return known
    return min(known, max(report.last_lots - max(report.cum_lots - order.filled_lots, 0), 0))


def _sign(order: Order) -> int:
    return 1 if order.side is Side.BUY else -1


def _fill(state: State, order: Order, report: Report, lots: int, target: OrdStatus) -> None:
    late = not order.is_open
    before = order.working_lots
    order.filled_lots += lots
    order.filled_value += lots * report.px_ticks * float(state.instruments["tick_size"][order.instrument])
    if order.want_lots > order.qty_lots and order.filled_lots > order.qty_lots:
        book_want(order)  # more than there was to fill before: the amendment took, whatever its answer says
        target = following(order, ReportKind.TRADE) or target
    if not late:  # the fill itself shrinks what is working
        state.shift_working(order.instrument, order.side, order.unfilled_lots - before)
        _settle_status(state, order, target)
    books.book_fill(state, order, report, lots, late=late, known=_take_adjusted(state, order, lots))
    price = report.px_ticks * float(state.instruments["tick_size"][order.instrument])
    state.filled.append(Filled(order, lots, price, report.fee, report.maker, late, report.exec_id))
    symbol = state.specs[order.instrument].symbol
    if order.filled_lots > order.qty_lots:
        alarms.raise_alert(
            state,
            "OVERFILL",
            order.cl_ord_id,
            f"{symbol}: filled {order.filled_lots} of {order.qty_lots} lots",
        )
    elif late:
        alarms.raise_alert(
            state, "LATE_FILL", order.cl_ord_id, f"{symbol}: {lots} lots after {order.status.name}"
        )


def _take_adjusted(state: State, order: Order, lots: int) -> int:
    """Lots of this execution the position already holds, because the venue's word was taken for them before.

    Only an order that was there then can explain it, and not for ever. It is a guess: the venue is asked again.
    """
    taken_ns = state.cold.adjusted_ns.get(order.instrument, 0)
    if order.created_ns > taken_ns or state.cold.now_ns - taken_ns > EXPLAINS_NS:
        return 0
    sign = _sign(order)
    waiting = state.cold.adjusted.get(order.instrument, 0) * sign
    known = min(lots, max(waiting, 0))
    if known:
        state.cold.adjusted[order.instrument] -= known * sign
        state.timer(state.cold.now_ns, "recheck", str(order.venue))
    return known


def _settle_status(state: State, order: Order, target: OrdStatus) -> None:
    """After a fill the sums are already right: move the status without moving them again."""
    done = order.unfilled_lots == 0
    order.status = OrdStatus.FILLED if done else target
    order.updated_ns = state.cold.now_ns
    if order.unknown_ns and order.status is not OrdStatus.PENDING_UNKNOWN:
        order.unknown_ns = 0
        alarms.clear_alert(state, "UNKNOWN_OUTCOME", order.cl_ord_id)
    if done:
        forget_want(order)
        state.working.pop(order.cl_ord_id, None)
        state.desk.remove(order)
        count_verdict(state, order, ReportKind.TRADE)
        forget_old(state)
    state.dirty_orders[order.cl_ord_id] = state.moved[order.cl_ord_id] = None


def infer(state: State, order: Order, report: Report) -> Order:
    """The venue counts more filled than we do: book the difference now; its executions are matched when they come."""
    lots = report.cum_lots - order.filled_lots
    price_ticks = report.px_ticks if report.px_ticks > 0.0 else _mark_ticks(state, order.instrument)
    if not price_ticks > 0.0:
        return order
    inferred = Report(
        report.ts_ns,
        report.venue,
        order.cl_ord_id,
        ReportKind.TRADE,
        exec_id=f"inferred-{order.cl_ord_id}-{report.cum_lots}",
        last_lots=lots,
        px_ticks=price_ticks,
    )
    price = price_ticks * float(state.instruments["tick_size"][order.instrument])
    order.inferred_px = _average(state, order, lots, price)
    order.inferred_lots += lots
    target = following(order, ReportKind.TRADE) or order.status
    _fill(state, order, inferred, lots, target)
    return order


def _average(state: State, order: Order, lots: int, price: float) -> float:
    """Average price of what is inferred already and ``lots`` more; harmonic for inverse contracts: cost is additive."""
    had = order.inferred_lots
    if had == 0:
        return price
    if state.specs[order.instrument].inverse:
        return (had + lots) / (had / order.inferred_px + lots / price)
    return (had * order.inferred_px + lots * price) / (had + lots)


def _remember(state: State, exec_id: str) -> None:
    ids = state.cold.exec_ids
    ids[exec_id] = None
    while len(ids) > EXEC_IDS_MAX:
        del ids[next(iter(ids))]


def _mark_ticks(state: State, instrument: int) -> float:
    return state.mark(instrument) / float(state.instruments["tick_size"][instrument])
