"""The order manager: makes orders out of approved wishes, moves them by the table, keeps the working sums exact.

Client order ids are derived from intent (strategy, intent, attempt) and carry the epoch, so a retry of the same
intent is the same id and the venue refuses the double. Nothing is mutated before the whole report has been judged.
Executions are in fills.py, the bookkeeping of one order in moves.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bus.effects import CancelOrder
from bus.enums import OPEN_STATUSES, OrdStatus, OrdType, Purpose, ReportKind, Side, TimeInForce
from bus.events import OpenOrder, Report
from core.engine import alarms, amend, fills
from core.engine.gate import Denial, Wish, approve
from core.engine.moves import chase, count_message, count_verdict, set_status
from core.engine.moves import query as query
from core.engine.orders import NOT_FOUND_MAX, Order, following
from core.engine.state import State

PAPERS_MAX = 5  # times the executions of an inferred fill are asked for
PENDING_CANCEL, PENDING_UNKNOWN = OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_UNKNOWN


def client_order_id(epoch: int, strategy: str, intent: str) -> str:
    """``a<epoch>-<strategy>-<hash of intent>``: same intent, same id. 36 characters at most, venue-safe."""
    digest = hashlib.blake2b(f"{strategy}|{intent}".encode(), digest_size=6).hexdigest()
    safe = "".join(c if c.isalnum() else "-" for c in strategy)[:12]
    return f"a{epoch}-{safe}-{digest}"


def submit(state: State, wish: Wish, *, command: str = "", kill: str = "") -> Order | Denial:
    """Through the gate, into the books, out as an effect. The working sums count it from this moment."""
    verdict = approve(state, wish)
    if isinstance(verdict, Denial):
        return verdict
    now = state.cold.now_ns
    order = Order(
        cl_ord_id=wish.cl_ord_id,
        venue=verdict.venue,
        instrument=wish.instrument,
        side=wish.side,
        ord_type=wish.ord_type,
        tif=wish.tif,
        qty_lots=wish.qty_lots,
        price_ticks=wish.price_ticks,
        strategy=wish.strategy,
        purpose=wish.purpose,
        reduce_only=verdict.reduce_only,
        post_only=wish.post_only,
        created_ns=now,
        updated_ns=now,
        sent_px=state.mark(wish.instrument),
        command=command,
        kill=kill,
        stop_ticks=wish.stop_ticks,
        list_id=wish.list_id,
        protects=wish.protects,
    )
    state.add_working(order)
    count_message(state, order, new=True)
    state.emit(verdict)
    return order


def cancel(state: State, order: Order, *, counted: bool = True) -> None:
    """Ask the venue to cancel; never gated, never refused. A stop's cancels are not ``counted`` as order flow.

    Whoever asks, the order is chased until the venue ends it: a lost cancel is sent again.
    """
    if not order.is_open:
        return
    order.cancels += 1
    chase(state, order)
    if order.status is not PENDING_UNKNOWN:
        set_status(state, order, PENDING_CANCEL)
    if counted:
        count_message(state, order)
    state.emit(CancelOrder(order.cl_ord_id, order.venue, order.instrument))


def cancel_each(state: State, orders: Sequence[Order]) -> None:
    """``cancel``, uncounted, of many working orders.

    The same in half the time, because this loop stands between a breach and its first cancel.
    """
    now_ns, effects, dirty, moved = state.cold.now_ns, state.effects, state.dirty_orders, state.moved
    for order in orders:
        key = order.cl_ord_id
        order.cancels += 1
        if not order.asking:
            chase(state, order)
        if order.status is not PENDING_UNKNOWN:  # open before and after: the working sums stay as they are
            order.status = PENDING_CANCEL
            order.updated_ns = now_ns
            dirty[key] = moved[key] = None
        effects.append(CancelOrder(key, order.venue, order.instrument))


def on_report(state: State, report: Report) -> Order | None:
    """Apply the venue's word; returns the order it was about, None when it changed nothing."""
    order = state.cold.orders.get(report.cl_ord_id)
    if order is None:
        alarms.raise_alert(
            state, "ANOMALY", _source(state, report), f"{report.kind.name} for unknown {report.cl_ord_id}"
        )
        return None
    target = _target(order, report)
    if target is None:
        text = f"{report.kind.name} on {order.status.name} order {order.cl_ord_id}: ignored"
        alarms.raise_alert(state, "ANOMALY", _source(state, report), text)
        return None
    if report.kind is ReportKind.TRADE:
        return fills.on_trade(state, order, report, target)
    if report.reason:
        order.reason = report.reason[:200]
    if report.kind is ReportKind.NOT_FOUND and order.is_open:
        return _on_not_found(state, order)
    if report.kind is ReportKind.STATUS and report.cum_lots > order.filled_lots:
        fills.infer(state, order, report)
        query(state, order)  # for the executions: price and fee are guesses until they come
        chase(state, order)
        target = _target(order, report)
    if report.kind in amend.ANSWERS:
        target = amend.on_answer(state, order, report)
    count_verdict(state, order, report.kind)
    if target is not None:
        _move(state, order, target)
    return order


def _target(order: Order, report: Report) -> OrdStatus | None:
    """Where the table takes the order; nowhere by another venue's word, or back to work when nothing is left of it."""
    target = following(order, report.kind) if report.venue == order.venue else None
    used_up = not order.is_open and order.filled_lots >= order.qty_lots
    if used_up and report.kind is ReportKind.REPLACED:
        return target  # an amendment may have enlarged it: amend.py looks
    return None if target in OPEN_STATUSES and used_up else target


def _move(state: State, order: Order, target: OrdStatus) -> None:
    reopened = not order.is_open and target in OPEN_STATUSES
    if reopened:
        alarms.raise_alert(state, "ANOMALY", order.cl_ord_id, "said finished, shown open: taken as open")
        query(state, order)  # an old answer looks the same: the next one tells
    set_status(state, order, target)
    if target is OrdStatus.PENDING_UNKNOWN:
        _ask_later(state, order)
    elif reopened and order.cancels:
        cancel(state, order, counted=False)  # it was told to go


def _on_not_found(state: State, order: Order) -> Order:
    """One "never heard of it" proves little, several in a row that it is gone."""
    order.not_found += 1
    if order.not_found < NOT_FOUND_MAX:
        set_status(state, order, OrdStatus.PENDING_UNKNOWN)
        _ask_later(state, order)
        return order
    order.reason = "the venue does not know it"
    set_status(state, order, OrdStatus.CANCELED)
    return order


def _ask_later(state: State, order: Order) -> None:
    text = f"{state.specs[order.instrument].symbol}: outcome of {order.cl_ord_id} unknown, asking the venue"
    alarms.raise_alert(state, "UNKNOWN_OUTCOME", order.cl_ord_id, text)
    chase(state, order)


def on_unknown_timer(state: State, cl_ord_id: str) -> None:
    """Keep asking while an outcome is unknown and cancelling what should be gone, whatever else happens."""
    order = state.cold.orders.get(cl_ord_id)
    if order is None:
        return
    order.asking = False
    if order.inferred_lots and order.papers < PAPERS_MAX:
        order.papers += 1
        query(state, order)
        chase(state, order)
    if not order.is_open:
        return
    if order.status is OrdStatus.PENDING_UNKNOWN:
        query(state, order)
        chase(state, order)
    elif order.cancels:
        cancel(state, order, counted=False)
        query(state, order)
    elif order.want_lots:  # the amendment's answer is missing
        query(state, order)
        chase(state, order)


def on_boot(state: State) -> None:
    """Timers died with the process: what was being chased is chased again."""
    for order in state.working.values():
        order.asking = False
        unsure = order.status is OrdStatus.PENDING_UNKNOWN
        if order.cancels or order.inferred_lots or order.want_lots or unsure:
            chase(state, order)


def adopt(state: State, venue: int, row: OpenOrder) -> Order:
    """An order the venue shows and we do not know: it is ours now, and it counts."""
    cl_ord_id, instrument, cum = row.cl_ord_id, row.instrument, row.cum_lots
    order = Order(
        cl_ord_id=cl_ord_id,
        venue=venue,
        instrument=instrument,
        side=Side(row.side),
        ord_type=OrdType.STOP if row.stop_ticks else OrdType.LIMIT,
        tif=TimeInForce.GTC,
        qty_lots=row.qty_lots,
        price_ticks=row.price_ticks,
        stop_ticks=row.stop_ticks,
        strategy="external",
        purpose=Purpose.ADOPTED,
        reduce_only=row.reduce_only,
        post_only=False,
        created_ns=state.cold.now_ns,
        updated_ns=state.cold.now_ns,
        status=OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW,
        filled_lots=cum,
    )
    state.add_working(order)
    alarms.raise_alert(
        state, "UNKNOWN_ORDER", cl_ord_id, f"{state.specs[instrument].symbol}: adopted {cl_ord_id}"
    )
    return order


def _source(state: State, report: Report) -> str:
    names = state.config.venues
    return f"venue.{names[report.venue]}" if 0 <= report.venue < len(names) else "venue.?"
