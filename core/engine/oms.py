"""The order manager: makes orders out of approved wishes, moves them by the table, keeps the working sums exact.

Client order ids are derived from intent (strategy, intent, attempt) and carry the epoch, so a retry of the same
intent is the same id and the venue refuses the double. A fill is a fact whatever the order's status says; an
execution id seen before is not. Nothing is mutated before the whole report has been judged.
"""

from __future__ import annotations

import hashlib
import math

from bus.effects import CancelOrder, QueryOrder
from bus.enums import OPEN_STATUSES, OrdStatus, OrdType, Purpose, ReportKind, Side, TimeInForce
from bus.events import Report
from core.engine import alarms, books
from core.engine.config import SECOND_NS
from core.engine.gate import Denial, Wish, approve
from core.engine.gate.form import LOTS_MAX
from core.engine.orders import NOT_FOUND_MAX, Order, following
from core.engine.state import DONE_ORDERS_MAX, EXEC_IDS_MAX, State

UNKNOWN_QUERY_NS = SECOND_NS  # how often an unknown outcome is asked about
RATE_KEEP = 4096  # submit times remembered for the order-rate switch


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
        command=command,
        kill=kill,
    )
    state.add_working(order)
    count_message(state, wish.purpose)
    state.emit(verdict)
    return order


def cancel(state: State, order: Order, *, counted: bool = True) -> None:
    """Ask the venue to cancel; never gated, never refused. A stop's cancels are not ``counted`` as order flow."""
    if not order.is_open:
        return
    order.cancels += 1
    if order.status is not OrdStatus.PENDING_UNKNOWN:
        set_status(state, order, OrdStatus.PENDING_CANCEL)
    if counted:
        count_message(state, order.purpose)
    state.emit(CancelOrder(order.cl_ord_id, order.venue, order.instrument))


def query(state: State, order: Order) -> None:
    """Ask what became of it."""
    state.emit(QueryOrder(order.cl_ord_id, order.venue, order.instrument))


def count_message(state: State, purpose: Purpose) -> None:
    """Submits, amends and cancels of strategies and operators count against the order rate; kill orders never do."""
    if purpose is Purpose.KILL:
        return
    times = state.cold.submits_ns
    times.append(state.cold.now_ns)
    if len(times) > 2 * RATE_KEEP:
        del times[:RATE_KEEP]


def set_status(state: State, order: Order, status: OrdStatus) -> None:
    """Move an order and keep the working sums true: the leaves before and after are what changes."""
    before = order.leaves_lots
    was_open = order.is_open
    order.status = status
    order.updated_ns = state.cold.now_ns
    if status is OrdStatus.PENDING_UNKNOWN:
        order.unknown_ns = order.unknown_ns or state.cold.now_ns
    elif order.unknown_ns:
        order.unknown_ns = 0
        order.not_found = 0
        alarms.clear_alert(state, "UNKNOWN_OUTCOME", order.cl_ord_id)
    if order.leaves_lots != before:
        state.shift_working(order.instrument, order.side, order.leaves_lots - before)
    if was_open and not order.is_open:
        state.working.pop(order.cl_ord_id, None)
        _forget_old(state)
    elif not was_open and order.is_open:
        state.cold.orders[order.cl_ord_id] = state.cold.orders.pop(
            order.cl_ord_id
        )  # last again: a reload keeps order
        state.working[order.cl_ord_id] = order
    state.dirty_orders[order.cl_ord_id] = None


def on_report(state: State, report: Report) -> Order | None:
    """Apply the venue's word; returns the order it was about, None when it changed nothing."""
    order = state.cold.orders.get(report.cl_ord_id)
    if order is None:
        alarms.raise_alert(
            state, "ANOMALY", _source(state, report), f"{report.kind.name} for unknown {report.cl_ord_id}"
        )
        return None
    target = following(order, report.kind) if report.venue == order.venue else None
    if target is not None and _would_reopen_filled(order, target):
        target = None
    if target is None:
        text = f"{report.kind.name} on {order.status.name} order {order.cl_ord_id}: ignored"
        alarms.raise_alert(state, "ANOMALY", _source(state, report), text)
        return None
    if report.kind is ReportKind.TRADE:
        return _on_trade(state, order, report, target)
    if report.reason:
        order.reason = report.reason[:200]
    if report.kind is ReportKind.STATUS and report.cum_lots > order.filled_lots:
        return _infer_fill(state, order, report)
    if report.kind is ReportKind.NOT_FOUND and order.is_open:
        return _on_not_found(state, order)
    _count_verdict(state, order, report.kind)
    if not order.is_open and target in OPEN_STATUSES:
        alarms.raise_alert(state, "ANOMALY", order.cl_ord_id, "said finished, shown open: taken as open")
        query(state, order)  # an old answer looks the same: the next one tells
    set_status(state, order, target)
    if target is OrdStatus.PENDING_UNKNOWN:
        _ask_later(state, order)
    return order


def _would_reopen_filled(order: Order, target: OrdStatus) -> bool:
    """Shown open by an old answer, while every lot has been filled: nothing of it could still work."""
    return not order.is_open and target in OPEN_STATUSES and order.filled_lots >= order.qty_lots


def _on_trade(state: State, order: Order, report: Report, target: OrdStatus) -> Order | None:
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
    if order.inferred_lots:  # already booked from a status answer: this is its paper
        known = min(lots, order.inferred_lots)
        order.inferred_lots -= known
        lots -= known
        if lots == 0:
            return order
    _fill(state, order, report, lots, target)
    return order


def _fill(state: State, order: Order, report: Report, lots: int, target: OrdStatus) -> None:
    late = not order.is_open
    before = order.leaves_lots
    order.filled_lots += lots
    order.filled_value += lots * report.px_ticks * float(state.instruments["tick_size"][order.instrument])
    if not late:  # the fill itself shrinks what is working
        after = max(order.qty_lots - order.filled_lots, 0)
        state.shift_working(order.instrument, order.side, after - before)
        _settle_status(state, order, target)
    books.book_fill(state, order, report, lots, late=late, known=_take_adjusted(state, order, lots))
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
    """Lots of this execution the position already holds, because the venue's word was taken for them before."""
    sign = 1 if order.side is Side.BUY else -1
    waiting = state.cold.adjusted.get(order.instrument, 0) * sign
    known = min(lots, max(waiting, 0))
    if known:
        state.cold.adjusted[order.instrument] -= known * sign
    return known


def _settle_status(state: State, order: Order, target: OrdStatus) -> None:
    """After a fill the sums are already right: move the status without moving them again."""
    done = order.filled_lots >= order.qty_lots
    order.status = OrdStatus.FILLED if done else target
    order.updated_ns = state.cold.now_ns
    if order.unknown_ns and order.status is not OrdStatus.PENDING_UNKNOWN:
        order.unknown_ns = 0
        alarms.clear_alert(state, "UNKNOWN_OUTCOME", order.cl_ord_id)
    if done:
        state.working.pop(order.cl_ord_id, None)
        _count_verdict(state, order, ReportKind.TRADE)
        _forget_old(state)
    state.dirty_orders[order.cl_ord_id] = None


def _infer_fill(state: State, order: Order, report: Report) -> Order:
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
    order.inferred_lots += lots
    target = following(order, ReportKind.TRADE) or order.status
    _fill(state, order, inferred, lots, target)
    return order


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
    state.timer(state.cold.now_ns + UNKNOWN_QUERY_NS, "unknown", order.cl_ord_id)


def on_unknown_timer(state: State, cl_ord_id: str) -> None:
    """Keep asking while the outcome is unknown, whatever else happens."""
    order = state.cold.orders.get(cl_ord_id)
    if order is None or order.status is not OrdStatus.PENDING_UNKNOWN:
        return
    query(state, order)
    state.timer(state.cold.now_ns + UNKNOWN_QUERY_NS, "unknown", cl_ord_id)


def adopt(
    state: State, venue: int, cl_ord_id: str, instrument: int, side: int, qty: int, cum: int, px: int
) -> Order:
    """An order the venue shows and we do not know: it is ours now, and it counts."""
    order = Order(
        cl_ord_id=cl_ord_id,
        venue=venue,
        instrument=instrument,
        side=Side(side),
        ord_type=OrdType.LIMIT,
        tif=TimeInForce.GTC,
        qty_lots=qty,
        price_ticks=px,
        strategy="external",
        purpose=Purpose.ADOPTED,
        reduce_only=False,
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


def _count_verdict(state: State, order: Order, kind: ReportKind) -> None:
    if order.purpose is Purpose.KILL or kind not in (ReportKind.ACK, ReportKind.REJECTED, ReportKind.TRADE):
        return
    if order.status is OrdStatus.PENDING_NEW or kind is ReportKind.REJECTED:
        verdicts = state.cold.verdicts
        verdicts.append(int(kind is ReportKind.REJECTED))
        del verdicts[: -state.config.switches.reject_window]


def _remember(state: State, exec_id: str) -> None:
    ids = state.cold.exec_ids
    ids[exec_id] = None
    while len(ids) > EXEC_IDS_MAX:
        del ids[next(iter(ids))]


def _forget_old(state: State) -> None:
    """Drop the oldest terminal orders; bounded work, amortised."""
    orders = state.cold.orders
    excess = len(orders) - len(state.working) - DONE_ORDERS_MAX
    if excess < DONE_ORDERS_MAX // 4:
        return
    for key in [key for key, order in orders.items() if not order.is_open][:excess]:
        del orders[key]


def _mark_ticks(state: State, instrument: int) -> float:
    return state.mark(instrument) / float(state.instruments["tick_size"][instrument])


def _source(state: State, report: Report) -> str:
    names = state.config.venues
    return f"venue.{names[report.venue]}" if 0 <= report.venue < len(names) else "venue.?"
