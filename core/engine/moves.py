"""The bookkeeping of one order: its status, the working sums, the counts behind the flow switches.

Invariant kept: the working columns of POSITION are the sum of what open orders leave, after every call here.
"""

from __future__ import annotations

from bus.effects import QueryOrder
from bus.enums import OPEN_STATUSES, OrdStatus, Purpose, ReportKind
from core.engine import alarms
from core.engine.config import SECOND_NS
from core.engine.gate import flow
from core.engine.orders import Order, forget_want
from core.engine.state import DONE_ORDERS_MAX, State

PENDING_UNKNOWN = OrdStatus.PENDING_UNKNOWN  # looked up once, not once an order
KILL = Purpose.KILL
RATE_KEEP = 4096  # submit times remembered for the order-rate switch
UNKNOWN_QUERY_NS = SECOND_NS  # how often an unknown outcome is asked about
PATIENCE_MAX = 10  # a cancel without an answer is repeated after 1, 2, … this many times UNKNOWN_QUERY_NS


def set_status(state: State, order: Order, status: OrdStatus) -> None:
    """Move an order and keep the working sums true: the leaves before and after are what changes."""
    was_open, is_open = order.status in OPEN_STATUSES, status in OPEN_STATUSES
    if is_open or order.status is not status:  # said twice that it has ended: no newer than said once
        order.updated_ns = state.cold.now_ns
    order.status = status
    if status is PENDING_UNKNOWN:
        order.unknown_ns = order.unknown_ns or state.cold.now_ns
    elif order.unknown_ns:
        order.unknown_ns = 0
        order.not_found = 0
        alarms.clear_alert(state, "UNKNOWN_OUTCOME", order.cl_ord_id)
    if was_open is not is_open:
        _open_or_close(state, order, is_open=is_open)
    elif is_open and order.revision:
        state.desk.repriced(order)
    state.dirty_orders[order.cl_ord_id] = state.moved[order.cl_ord_id] = None


def _open_or_close(state: State, order: Order, *, is_open: bool) -> None:
    """The order has begun or ceased to count."""
    leaves = order.unfilled_lots
    if leaves:
        state.shift_working(order.instrument, order.side, leaves if is_open else -leaves)
    forget_want(order)  # an amendment ends with its order
    if is_open:  # last again: a reload keeps order
        state.cold.orders[order.cl_ord_id] = state.cold.orders.pop(order.cl_ord_id)
        state.working[order.cl_ord_id] = order
        state.desk.add(order)
    else:
        state.working.pop(order.cl_ord_id, None)
        state.desk.remove(order)
        forget_old(state)


def chase(state: State, order: Order) -> None:
    """One timer an order, however often somebody asks: what is unanswered is asked about again."""
    if order.asking:
        return
    order.asking = True
    wait_ns = UNKNOWN_QUERY_NS
    if order.cancels > 1 and order.status is not PENDING_UNKNOWN:
        wait_ns *= min(order.cancels, PATIENCE_MAX)
    state.timer(state.cold.now_ns + wait_ns, "unknown", order.cl_ord_id)


def query(state: State, order: Order) -> None:
    """Ask what became of it."""
    state.emit(QueryOrder(order.cl_ord_id, order.venue, order.instrument))


def count_message(state: State, order: Order, *, new: bool = False) -> None:
    """Submits, amends and cancels of strategies and operators count in every rate; kill orders never do."""
    if order.purpose is KILL:
        return
    (flow.sent if new else flow.message)(state, order)
    times = state.cold.submits_ns
    times.append(state.cold.now_ns)
    if len(times) > 2 * RATE_KEEP:
        del times[:RATE_KEEP]


def count_verdict(state: State, order: Order, kind: ReportKind) -> None:
    if order.purpose is KILL or kind not in (ReportKind.ACK, ReportKind.REJECTED, ReportKind.TRADE):
        return
    if order.status is OrdStatus.PENDING_NEW or kind is ReportKind.REJECTED:
        verdicts = state.cold.verdicts
        verdicts.append(int(kind is ReportKind.REJECTED))
        del verdicts[: -state.config.switches.reject_window]


def forget_old(state: State) -> None:
    """Drop the oldest terminal orders; bounded work, amortised."""
    orders = state.cold.orders
    excess = len(orders) - len(state.working) - DONE_ORDERS_MAX
    if excess < DONE_ORDERS_MAX // 4:
        return
    for key in [key for key, order in orders.items() if not order.is_open][:excess]:
        del orders[key]
