"""Parents at work: what is due is sent as children, what the children come to is counted, a kill stops all of it.

A parent acts at three moments: when its timer fires (a slice begins, or its time is over), when a child has ended (what
it left is due again, an iceberg shows its next part), and when a kill covers it. Ticks alone never make it act, so a
block of ticks costs a parent nothing.

Invariant kept, after every step: filled + open + unknown <= the parent, but for what a venue did that nobody asked for
(a fill after the end, more than was ordered, an order back from the dead): that counts, alarms and shrinks the rest.
"""

from __future__ import annotations

from bus.enums import OrdStatus
from core.engine.algos import accounts, children, life, pace, reach, tape
from core.engine.algos.parent import (
    CANCELLED,
    DONE,
    FAILED,
    PAUSED,
    RUNNING,
    STOPPED,
    STOPPING,
    WAITING,
    Parent,
)
from core.engine.config import SECOND_NS
from core.engine.orders import Order
from core.engine.state import State

RETRY_NS = SECOND_NS  # an iceberg whose part was refused or taken away shows the next after this


def start(state: State, parent: Parent) -> None:
    """A new parent, its schedule made: now, or at its time."""
    state.cold.parents[parent.id] = parent
    state.cold.algos_live[parent.id] = None
    tape.watch(state, parent.instrument)
    if parent.start_ns <= state.cold.now_ns:
        _act(state, parent)
    else:
        life.wake(state, parent, parent.start_ns)
    if not parent.ended_ns:
        life.tell(state, parent, at_once=not parent.arrived)


def after(state: State) -> None:
    """After every step that moved an order, booked a fill or pulled a switch: count, end, stop."""
    cold = state.cold
    if not (state.moved or state.filled or cold.algos_live):
        return
    touched: dict[str, bool] = {}  # parent -> a child of it has filled whole
    for fill in state.filled:
        accounts.on_fill(state, fill, touched)
    for key in list(state.moved):
        order = cold.orders.get(key)
        if order is not None and order.parent:
            _on_moved(state, order, touched)
    if cold.kills:
        for id_ in list(cold.algos_live):
            _stop_if_covered(state, cold.parents[id_])
    for id_, whole in touched.items():
        _go_on(state, id_, whole=whole)
    for id_ in list(cold.algos_live):
        if cold.parents[id_].status == WAITING:
            _resume_if_ready(state, cold.parents[id_])


def on_timer(state: State, key: str) -> None:
    """A slice of the parent ``key`` is due, or its end; an empty key is the hour of the tape."""
    if not key:
        tape.on_hour(state)
        return
    parent = state.cold.parents.get(key)
    if parent is None or not parent.wake_ns or state.cold.now_ns < parent.wake_ns:
        return  # an appointment that was put off or called off
    parent.wake_ns = 0
    if _stop_if_covered(state, parent):
        return
    if parent.end_ns and state.cold.now_ns >= parent.end_ns:
        life.end(state, parent, DONE)
    elif parent.status == RUNNING:
        _act(state, parent)
    elif parent.alive and parent.end_ns:
        life.wake(state, parent, parent.end_ns)


def on_boot(state: State) -> None:
    """After a restart parents go on or end, as configured; their timers died with the process."""
    tape.on_boot(state)
    resume = state.config.algos.on_restart == "resume"
    for id_ in list(state.cold.algos_live):
        parent = state.cold.parents[id_]
        parent.wake_ns = 0
        if parent.status in (STOPPING, STOPPED):
            children.cancel_open(state, parent)
            if not parent.open:
                life.settle(state, parent)
        elif resume:
            _suspend(state, parent, "restarted: waits for the books and for a start")
        else:
            life.end(state, parent, CANCELLED, "the core was restarted")


def suspend_all(state: State, note: str) -> None:
    """An orderly stop before a restart: they wait, their children are called back."""
    for id_ in list(state.cold.algos_live):
        parent = state.cold.parents[id_]
        if parent.alive and parent.status != STOPPING:
            _suspend(state, parent, note)


def _suspend(state: State, parent: Parent, note: str) -> None:
    parent.back_to = parent.back_to if parent.status == WAITING else parent.status
    parent.status, parent.note = WAITING, note
    if parent.end_ns:
        life.wake(state, parent, parent.end_ns)
    life.tell(state, parent, at_once=True)


def _on_moved(state: State, order: Order, touched: dict[str, bool]) -> None:
    """A child has changed its status: open or not, that is the question."""
    parent, key = state.cold.parents.get(order.parent), order.cl_ord_id
    if parent is None:
        return
    whole = touched.setdefault(parent.id, False)
    if order.is_open:
        if key in parent.legs:
            parent.open[key] = None  # where it is already, but for one back from the dead: it counts again
        if order.status is not OrdStatus.PENDING_UNKNOWN:
            parent.failed_row = 0
    elif key in parent.open:
        del parent.open[key]
        touched[parent.id] = whole or order.status is OrdStatus.FILLED
        _on_ended(parent, order)


def _on_ended(parent: Parent, order: Order) -> None:
    child = parent.legs[order.cl_ord_id]
    if order.status is OrdStatus.REJECTED:
        parent.rejected += 1
        parent.failed_row += 1
        parent.note = f"rejected by the venue: {order.reason}"[:160]
    elif order.status is not OrdStatus.NOT_SENT:
        parent.failed_row = 0
    if child.slice < parent.slice:
        parent.rolled_lots += max(child.parent_lots - child.in_parent(order.filled_lots), 0)


def _go_on(state: State, id_: str, *, whole: bool) -> None:
    """Counts have moved: what follows from them."""
    parent = state.cold.parents.get(id_)
    if parent is None:
        return  # ended long ago, filled late, and forgotten in this very step
    life.check_over(state, parent)
    if parent.ended_ns:
        children.cancel_open(state, parent)
        life.publish(state, parent)
        return
    if not parent.open and parent.status in (STOPPING, STOPPED):
        life.settle(state, parent)
        return
    if parent.status == RUNNING:
        _work_on(state, parent, whole=whole)
    if not parent.ended_ns:
        life.tell(state, parent)


def _work_on(state: State, parent: Parent, *, whole: bool) -> None:
    if parent.filled_lots >= parent.qty_lots:
        life.end(state, parent, DONE)
    elif parent.failed_row >= state.config.algos.denials_max:
        life.pause(state, parent, parent.note, alarm=True)
    elif parent.algo == "sor":
        if not parent.open:
            life.end(state, parent, DONE if parent.filled_lots else FAILED)
    elif parent.algo == "iceberg":
        if not parent.open and whole:
            _show_next(state, parent)
        elif not parent.open:
            _later(state, parent)
    elif parent.rolled_lots:
        most, parent.rolled_lots = parent.rolled_lots, 0
        _send_due(state, parent, most)


def _act(state: State, parent: Parent) -> None:
    """Its moment has come."""
    if not parent.arrived:
        parent.arrived = True
        life.arrive(state, parent)
    if parent.algo == "sor":
        parent.slice = 0
        if not parent.open:
            children.send(state, parent, parent.qty_lots)
        if not parent.open:
            life.end(state, parent, FAILED)
    elif parent.algo == "iceberg":
        _show_next(state, parent)
    else:
        _begin_slice(state, parent)
    if parent.status == RUNNING and parent.failed_row >= state.config.algos.denials_max:
        life.pause(state, parent, parent.note, alarm=True)


def _begin_slice(state: State, parent: Parent) -> None:
    """Call back what the last slice left, send this one's part of what is due, come again at the next."""
    children.cancel_open(state, parent, counted=True)
    parent.rolled_lots, parent.note = 0, ""
    if pace.open_slice(state, parent, pace.slice_at(state, parent)):
        parent.slice_px.append(state.mark(parent.instrument))
        parent.slice_volume.append(tape.volume_lots(state, parent.instrument))
    _send_due(state, parent)
    life.watch_lag(state, parent, pace.lag_slices(parent))
    last = parent.next_slice >= pace.slices_of(parent)
    due_ns = parent.end_ns if last else pace.begins_ns(parent, parent.next_slice)
    if parent.status == RUNNING:
        life.wake(state, parent, due_ns)
        life.tell(state, parent)


def _send_due(state: State, parent: Parent, most: int = 1 << 62) -> None:
    lots = min(pace.due_lots(state, parent), most)
    if lots < 1:
        return
    if not parent.reduce_only and lots < pace.child_min(state, parent):
        parent.note = "no child: what is due is below the smallest order"
        return
    parent.slice_lots += children.send(state, parent, lots)


def _show_next(state: State, parent: Parent) -> None:
    """The next part of an iceberg, once nothing of it is shown."""
    parent.slice = 0
    if not parent.open:
        children.send(state, parent, int(parent.params["display_lots"]))
    if parent.open and parent.end_ns:
        life.wake(state, parent, parent.end_ns)
    elif not parent.open:
        _later(state, parent)


def _later(state: State, parent: Parent) -> None:
    due_ns = state.cold.now_ns + RETRY_NS
    life.wake(state, parent, min(due_ns, parent.end_ns) if parent.end_ns else due_ns)


def _stop_if_covered(state: State, parent: Parent) -> bool:
    """Within the very step in which a kill comes to cover it."""
    if not parent.alive or parent.status == STOPPING:
        return False
    kill = reach.covering(state, parent)
    if kill is None:
        return False
    life.stop(state, parent, f"{kill.switch} {kill.level.name} in {kill.scope}")
    return True


def _resume_if_ready(state: State, parent: Parent) -> None:
    """A restarted parent goes on when somebody has started the core and everything about it is known."""
    if not reach.ready(state, parent):
        return
    if parent.end_ns and state.cold.now_ns >= parent.end_ns:
        life.end(state, parent, DONE, "its time was over when it could have gone on")
    elif parent.back_to == PAUSED:
        life.pause(state, parent, "paused before the restart", alarm=False)
    else:
        life.resume(state, parent)
