"""The life of a parent: arrival, pause, the end that waits for the venue, and what is told about it.

    RUNNING <-> PAUSED
       |  WAITING after a restart
       v
    STOPPING -> DONE | CANCELLED   the end that was planned or asked for: children cancelled, terminal, then ended
    STOPPED                        a kill: at once, whatever the children do; its end is told when they are terminal
    FAILED                         nothing could be sent at all

A parent has ended (``ended_ns``) only when every child is terminal by the venue's word. Until then it counts fills; so
it does afterwards, should one come late.
"""

from __future__ import annotations

from bus.effects import Publish, Reply
from core.engine import alarms, announce
from core.engine.algos import children, counts, tape
from core.engine.algos.parent import (
    CANCELLED,
    DONE,
    FAILED,
    PAUSED,
    RUNNING,
    STOPPED,
    STOPPING,
    Parent,
)
from core.engine.algos.view import algo_view, outcome
from core.engine.outcomes import finish
from core.engine.state import State

TELL_NS = 100_000_000  # least time between two publications of one parent's counts
ENDED_MAX = 64  # ended parents kept for the screen and for cost analysis


def arrive(state: State, parent: Parent) -> None:
    """The first child could go now: what the market is at this moment is what its costs are measured from."""
    i = parent.instrument
    row, spec = state.markets[i], state.specs[i]
    parent.arrival_px = state.mark(i)
    parent.arrival_bid, parent.arrival_ask = (
        spec.price_of(int(row[side])) for side in ("bid_ticks", "ask_ticks")
    )
    parent.volume_start, parent.turnover_start = tape.volume_lots(state, i), tape.turnover(state, i)
    parent.seen_lots = parent.volume_start


def wake(state: State, parent: Parent, due_ns: int) -> None:
    """The next time it acts by itself; an older appointment is void, the same one is not made twice."""
    due_ns = max(due_ns, state.cold.now_ns)
    if parent.wake_ns != due_ns:
        parent.wake_ns = due_ns
        state.timer(due_ns, "algo", parent.id)


def pause(state: State, parent: Parent, reason: str, *, alarm: bool) -> None:
    """No more children; the open ones are called back. Time goes on: what is missed is caught up as far as allowed."""
    parent.status, parent.reason, parent.failed_row = PAUSED, reason, 0
    children.cancel_open(state, parent)
    if parent.end_ns:
        wake(state, parent, parent.end_ns)
    if alarm:
        text = f"{state.specs[parent.instrument].symbol} {parent.algo} {parent.id}: {reason}"
        alarms.raise_alert(state, "ALGO_PAUSED", source(parent), text)
    tell(state, parent, at_once=True)


def resume(state: State, parent: Parent) -> None:
    """Go on. What could not be sent meanwhile is still due, within the catch-up."""
    parent.status, parent.reason, parent.failed_row = RUNNING, "", 0
    alarms.clear_alert(state, "ALGO_PAUSED", source(parent))
    wake(state, parent, max(state.cold.now_ns, parent.start_ns))
    tell(state, parent, at_once=True)


def stop(state: State, parent: Parent, reason: str) -> None:
    """A kill covers it: from this moment it sends nothing, ever. What the kill has left of its children goes too."""
    parent.status, parent.reason, parent.wake_ns = STOPPED, reason, 0
    _wind_up(state, parent)


def end(state: State, parent: Parent, final: str, reason: str = "") -> None:
    """In order: call the children back, wait for the venue, then be ended."""
    if parent.status in (STOPPING, STOPPED, DONE, CANCELLED, FAILED):
        return
    parent.status, parent.final, parent.wake_ns = STOPPING, final, 0
    parent.reason = reason or parent.reason
    _wind_up(state, parent)


def _wind_up(state: State, parent: Parent) -> None:
    children.cancel_open(state, parent)
    if parent.open:
        tell(state, parent, at_once=True)
    else:
        settle(state, parent)


def settle(state: State, parent: Parent) -> None:
    """Every child is terminal: the counts are final as far as anybody knows."""
    if parent.ended_ns:
        return
    i = parent.instrument
    if parent.status == STOPPING:
        parent.status = parent.final
    if not parent.reason and parent.filled_lots < parent.qty_lots:
        left = state.specs[i].qty_of(parent.qty_lots - parent.filled_lots)
        parent.reason = f"{left} not done{': ' if parent.note else ''}{parent.note}"
    parent.ended_ns, parent.wake_ns = state.cold.now_ns, 0
    parent.end_px, parent.volume_end, parent.turnover_end = (
        state.mark(i),
        tape.volume_lots(state, i),
        tape.turnover(state, i),
    )
    state.cold.algos_live.pop(parent.id, None)
    for code in ("ALGO_PAUSED", "ALGO_STALLED"):
        alarms.clear_alert(state, code, source(parent))
    announce.audit(
        state, parent.operator or "core", parent.algo, parent.id, parent.status, _summary(state, parent)
    )
    _answer(state, parent)
    publish(state, parent)
    _forget_old(state)


def _answer(state: State, parent: Parent) -> None:
    data = outcome(state, parent)
    for command in parent.waiters:
        finish(state, command, "done", data)
    parent.waiters = []
    if not parent.command:
        return
    if parent.status in (STOPPED, FAILED):
        finish(state, parent.command, "failed", data, parent.status, parent.reason)
    else:
        finish(state, parent.command, "done", data)


def _summary(state: State, parent: Parent) -> str:
    spec = state.specs[parent.instrument]
    text = f"filled {spec.qty_of(parent.filled_lots)} of {spec.qty_of(parent.qty_lots)} {spec.symbol}"
    return f"{text}; {parent.reason}" if parent.reason else text


def _forget_old(state: State) -> None:
    parents = state.cold.parents
    excess = len(parents) - len(state.cold.algos_live) - ENDED_MAX
    if excess > 0:
        for key in [key for key, parent in parents.items() if parent.ended_ns][:excess]:
            del parents[key]


def check_over(state: State, parent: Parent) -> None:
    """More is spoken for than was asked (a fill late or too large, an order back from the dead): shrink the rest."""
    if counts.committed(state, parent) <= parent.qty_lots:
        return
    children.cancel_open(state, parent)
    if parent.filled_lots > parent.qty_lots and not parent.overfilled:
        parent.overfilled = True
        spec = state.specs[parent.instrument]
        text = (
            f"{spec.symbol} {parent.algo} {parent.id}: filled {parent.filled_lots} of {parent.qty_lots} lots"
        )
        alarms.raise_alert(state, "ALGO_OVERFILLED", source(parent), text)


def watch_lag(state: State, parent: Parent, lag_slices: float) -> None:
    """Far behind its schedule: said once, and taken back when it has caught up."""
    behind = lag_slices > state.config.algos.stall_slices
    if behind and not parent.stalled:
        text = f"{state.specs[parent.instrument].symbol} {parent.algo} {parent.id}: {lag_slices:.1f} slices behind"
        alarms.raise_alert(
            state, "ALGO_STALLED", source(parent), f"{text}; {parent.note}" if parent.note else text
        )
    elif parent.stalled and not behind:
        alarms.clear_alert(state, "ALGO_STALLED", source(parent))
    parent.stalled = behind


def tell(state: State, parent: Parent, *, at_once: bool = False) -> None:
    """Counts to the bus and to who asked for it, at most ten a second; a change of status goes at once."""
    if not at_once and state.cold.now_ns - parent.told_ns < TELL_NS:
        return
    publish(state, parent)
    if parent.command and not parent.ended_ns:
        state.emit(Reply(parent.command, "progress", outcome(state, parent)))


def publish(state: State, parent: Parent) -> None:
    parent.told_ns = state.cold.now_ns
    state.emit(Publish(f"algo.{parent.id}", "algo", algo_view(state, parent)))


def source(parent: Parent) -> str:
    """Of its alarms."""
    return f"algo.{parent.id}"
