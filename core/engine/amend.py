"""Amendments: a working order changed in place, and what the venue's answers to that are worth.

An amendment keeps the order's id and carries a *revision*. Until it is answered the order is PENDING_REPLACE and the
larger of both quantities counts, because the old one can still fill and the new one may hold already. What ends it:

    REPLACED            the venue's numbers are booked, never below what has filled
    REPLACE_REJECTED    the order stands as it was; perhaps it was refused because it is gone, so we ask
    a STATUS            that has seen the revision, or shows exactly what was wanted, is the answer
    STATUS three times  a while apart, without it: it was lost on the way, the order stands as it was

An answer to a revision that has been answered changes nothing. One that comes after it was given up is the venue's
word all the same: it is booked, and told, because the order was counted too small meanwhile. Nothing here opens or
closes an order by itself: the table does (orders.py).
"""

from __future__ import annotations

from bus.effects import ReplaceOrder
from bus.enums import OPEN_STATUSES, OrdStatus, OrdType, ReportKind
from bus.events import Report
from core.engine import alarms
from core.engine.gate import Denial, Wish, approve_replace
from core.engine.gate.form import LOTS_MAX
from core.engine.moves import UNKNOWN_QUERY_NS, chase, count_message, query, set_status
from core.engine.orders import FACES, Order, book_want, following, forget_want
from core.engine.state import State

R = ReportKind
ANSWERS = (R.REPLACED, R.REPLACE_REJECTED, R.REPLACE_UNKNOWN, R.STATUS)
UNSEEN_MAX = (
    3  # answers in a row that show the order without its amendment, a while apart, that end the amendment
)


def obstacle(order: Order, qty_lots: int, price_ticks: int, stop_ticks: int) -> tuple[str, str]:
    """Why this order cannot be changed so, as (code, what to do); ("", "") when it can."""
    if order.parent:  # a larger child would take the parent beyond itself
        return (
            "NOT_AMENDABLE",
            f"{order.cl_ord_id} is a child of {order.parent}: cancel that, and ask for another",
        )
    if order.status not in FACES:
        return (
            "NOT_AMENDABLE",
            f"{order.cl_ord_id} is {order.status.name}: only an acknowledged order can be changed",
        )
    if order.cancels:  # it is chased until the venue ends it, also where a first cancel was refused
        return "NOT_AMENDABLE", f"{order.cl_ord_id} has been told to go and is being cancelled"
    if order.want_lots:
        return "NOT_AMENDABLE", f"{order.cl_ord_id} has an amendment on its way already"
    if qty_lots <= order.filled_lots:
        return "BELOW_FILLED", f"{order.filled_lots} lots have filled: cancel what is left instead"
    if order.ord_type is not OrdType.LIMIT and price_ticks:
        return "PRICE_ON_STOP", "only a limit order has a price to change"
    if order.ord_type is not OrdType.STOP and stop_ticks:
        return "STOP_ON_LIMIT", "only a stop order has a trigger to change"
    same = (qty_lots, price_ticks, stop_ticks) == (order.qty_lots, order.price_ticks, order.stop_ticks)
    return ("SAME", "nothing would change") if same else ("", "")


def ask(
    state: State, order: Order, qty_lots: int, price_ticks: int, stop_ticks: int
) -> ReplaceOrder | Denial:
    """Through the gate and out; the working sums count the larger quantity from this moment."""
    verdict = approve_replace(state, wish_of(order, qty_lots, price_ticks, stop_ticks), order)
    if isinstance(verdict, Denial):
        return verdict
    before = order.working_lots
    order.revision = verdict.revision
    order.want_lots, order.want_ticks, order.want_stop = qty_lots, price_ticks, stop_ticks
    order.unseen, order.unseen_ns = 0, state.cold.now_ns
    _count(state, order, before)
    set_status(state, order, OrdStatus.PENDING_REPLACE)
    count_message(state, order)
    chase(state, order)
    state.emit(verdict)
    return verdict


def wish_of(order: Order, qty_lots: int, price_ticks: int, stop_ticks: int) -> Wish:
    """The order as it would be; to the gate an amendment is a message with an id of its own."""
    return Wish(
        cl_ord_id=f"{order.cl_ord_id}.{order.revision + 1}",
        instrument=order.instrument,
        side=order.side,
        qty_lots=qty_lots,
        strategy=order.strategy,
        purpose=order.purpose,
        ord_type=order.ord_type,
        price_ticks=price_ticks,
        tif=order.tif,
        reduce_only=order.reduce_only,
        post_only=order.post_only,
        stop_ticks=stop_ticks,
        amends=order.cl_ord_id,
        list_id=order.list_id,
        protects=order.protects,
    )


def on_answer(state: State, order: Order, report: Report) -> OrdStatus | None:
    """Book what the answer says about the amendment; where the table takes the order, None for nowhere."""
    if report.kind is R.STATUS:
        return _on_status(state, order, report)
    revision = report.revision or order.revision
    if report.kind is R.REPLACE_UNKNOWN:
        return following(order, report.kind) if order.want_lots and revision == order.revision else None
    if revision > order.revision or (revision == 0 and report.order_lots > 0):
        _differs(state, order, report)  # nobody here asked for it
        return _end(order, following(order, report.kind))
    if revision <= order.answered:
        return None  # heard before: nothing to learn
    order.answered = revision
    if report.kind is R.REPLACE_REJECTED:
        return _on_refused(state, order, revision)
    if order.is_open or order.status is OrdStatus.FILLED:
        _on_taken(state, order, report, revision)
    return _end(order, following(order, report.kind))


def _on_taken(state: State, order: Order, report: Report, revision: int) -> None:
    """It took. With a newer one on its way this is what held before that."""
    before, newer = order.working_lots, (0, 0, 0)
    if revision < order.revision:
        newer = order.want_lots, order.want_ticks, order.want_stop
    elif order.want_lots:
        book_want(order)
    else:
        text = f"amendment {revision} of {order.cl_ord_id} took after it had been given up"
        alarms.raise_alert(state, "ANOMALY", order.cl_ord_id, text)
    _take(order, report)
    order.want_lots, order.want_ticks, order.want_stop = newer
    _count(state, order, before)


def _on_refused(state: State, order: Order, revision: int) -> OrdStatus | None:
    if revision == order.revision:
        order.refused = revision
        _forget(state, order)
    target = _end(order, following(order, R.REPLACE_REJECTED))
    if target in FACES:
        query(state, order)  # refused because it is gone?
    return target


def _on_status(state: State, order: Order, report: Report) -> OrdStatus | None:
    """A look at the order: does it show the amendment? ``order_lots`` < 0: it does not say."""
    if report.order_lots < 0:
        return _end(order, following(order, R.STATUS))
    if not order.want_lots:
        if report.revision >= order.revision:
            _differs(state, order, report)
        return _end(order, following(order, R.STATUS))
    took = _shows(report, order.want_lots, order.want_ticks, order.want_stop)
    if not took and report.revision < order.revision and not _given_up(state, order):
        return following(order, R.STATUS)
    waiting = order.status is OrdStatus.PENDING_REPLACE
    before = order.working_lots
    if took or report.revision >= order.revision:
        order.answered = order.revision
    if not took:
        order.refused = order.revision
    forget_want(order)
    _take(order, report)
    _count(state, order, before)
    answer = R.REPLACED if took else R.REPLACE_REJECTED
    return _end(order, following(order, answer if waiting else R.STATUS))


def _given_up(state: State, order: Order) -> bool:
    """One look without it proves little, several that it is lost."""
    if state.cold.now_ns - order.unseen_ns >= UNKNOWN_QUERY_NS // 2:
        order.unseen += 1
        order.unseen_ns = state.cold.now_ns
    return order.unseen >= UNSEEN_MAX


def _differs(state: State, order: Order, report: Report) -> None:
    """The venue shows an order other than ours, and nothing of ours is on its way: it is as the venue says."""
    if not order.is_open or _shows(report, order.qty_lots, order.price_ticks, order.stop_ticks):
        return
    before = order.working_lots
    _take(order, report)
    _count(state, order, before)
    text = f"{order.cl_ord_id} is {order.qty_lots} lots at the venue, which nobody here asked for"
    alarms.raise_alert(state, "ANOMALY", order.cl_ord_id, text)


def _count(state: State, order: Order, before: int) -> None:
    """The sums and the desk see the order as it is now; ``before`` is what it counted."""
    state.shift_working(order.instrument, order.side, order.working_lots - before)
    state.desk.repriced(order)


def _shows(report: Report, qty_lots: int, price_ticks: int, stop_ticks: int) -> bool:
    """The report's numbers are these; what it leaves out agrees."""
    pairs = (
        (report.order_lots, qty_lots),
        (report.order_ticks, price_ticks),
        (report.order_stop, stop_ticks),
    )
    return all(said in (-1, known) for said, known in pairs)


def _take(order: Order, report: Report) -> None:
    """The venue's numbers, never below what has filled; what it leaves out stays."""
    if 0 < report.order_lots < LOTS_MAX:
        order.qty_lots = report.order_lots
    order.qty_lots = max(order.qty_lots, order.filled_lots)
    if 0 < report.order_ticks < LOTS_MAX:
        order.price_ticks = report.order_ticks
    if 0 < report.order_stop < LOTS_MAX:
        order.stop_ticks = report.order_stop


def _forget(state: State, order: Order) -> None:
    """The amendment did not take: only what stands counts."""
    before = order.working_lots
    forget_want(order)
    _count(state, order, before)


def _end(order: Order, target: OrdStatus | None) -> OrdStatus | None:
    """Nothing left of an order is FILLED, whatever the row says."""
    return OrdStatus.FILLED if target in OPEN_STATUSES and order.unfilled_lots == 0 else target
