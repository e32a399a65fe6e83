"""Commands that end when orders do: a cancel when terminal, an order when the venue has spoken, a close when flat.

Closing a position by hand is the exit that must never be refused for the wrong reason. Working orders on the closing
side could fill as well and take the position through zero, so the gate would be right to refuse; hence they are
cancelled first, and the closing order is sized from what is held when the last of them has ended. A strategy that
quotes again meanwhile is cancelled again, a few times; then the answer says which one keeps at it.
"""

from __future__ import annotations

from typing import Any

from bus.effects import Reply
from bus.enums import OrdStatus, Purpose, Side
from core.engine import oms, trading
from core.engine.gate import Denial
from core.engine.orders import Order
from core.engine.outcomes import finish
from core.engine.records import Wait
from core.engine.state import State

MS_NS = 1_000_000
TELL_NS = 50 * MS_NS  # least time between two progress replies of one command
UNHEARD = (OrdStatus.PENDING_NEW, OrdStatus.PENDING_UNKNOWN)
CLOSE_TRIES = 5  # rounds of cancelling what is quoted again before a close gives up


def begin(state: State, id_: str, ids: list[str], *, heard: bool = False) -> None:
    """The command ends when all of ``ids`` have: been heard of (``heard``), or become terminal."""
    state.cold.waits[id_] = Wait(ids, len(ids), heard, state.cold.now_ns)
    check(state, fresh=id_)


def begin_close(state: State, id_: str, instrument: int) -> None:
    """Cancel what works on the instrument, then close what is held."""
    state.cold.waits[id_] = Wait([], 0, False, state.cold.now_ns, closing=instrument, flat=instrument)
    _cancel_before_close(state, state.cold.waits[id_])
    check(state)


def check(state: State, fresh: str = "") -> None:
    """End the commands whose orders have come to rest.

    What a wait names was pending when it was last looked at (a ``fresh`` one never was), so only orders that this step
    has moved are looked at again: a thousand orders on their way must not cost a thousand looks at each report.
    """
    moved, state.moved = state.moved, {}
    found = [order for key in moved if (order := state.cold.orders.get(key)) is not None]
    forgotten, movers = len(found) < len(moved), {order.command for order in found}
    for id_, wait in list(state.cold.waits.items()):
        if wait.heard and not (forgotten or id_ in movers or id_ == fresh):
            continue
        if id_ not in state.cold.waits:
            continue  # a close before it in this round has looked at all of them, and this one has ended
        every = id_ == fresh
        left = [k for k in wait.ids if (k not in moved and not every) or _pending(state, k, heard=wait.heard)]
        if left and len(left) == len(wait.ids):
            continue
        wait.ids = left
        if left:
            _tell(state, id_, wait)
        elif wait.closing >= 0:
            _close(state, id_, wait)
        else:
            _end(state, id_, wait)


def _tell(state: State, id_: str, wait: Wait) -> None:
    """Counts, at most every TELL_NS: a thousand cancels need not be a thousand replies."""
    if state.cold.now_ns - wait.told_ns >= TELL_NS:
        wait.told_ns = state.cold.now_ns
        state.emit(Reply(id_, "progress", {"done": wait.total - len(wait.ids), "total": wait.total}))


def _pending(state: State, cl_ord_id: str, *, heard: bool) -> bool:
    order = state.cold.orders.get(cl_ord_id)
    if order is None:
        return False
    return order.status in UNHEARD or order.want_lots > 0 if heard else order.is_open


def _cancel_before_close(state: State, wait: Wait) -> None:
    wait.tries += 1
    mine = [
        o for o in state.working.values() if o.instrument == wait.closing and o.purpose is not Purpose.KILL
    ]
    wait.ids = [order.cl_ord_id for order in mine]
    wait.total += len(mine)
    for order in mine:
        oms.cancel(state, order, counted=False)


def _close(state: State, id_: str, wait: Wait) -> None:
    """Nothing of ours works there any more: send the order that closes exactly what is held."""
    if state.qty(wait.closing) == 0:
        _end(state, id_, wait)
        return
    wish = trading.close_of(state, f"{id_}|{wait.tries}", wait.closing)
    wait.decisions = trading.decisions(state, wish)
    order = oms.submit(state, wish, command=id_)
    if not isinstance(order, Denial):
        wait.ids, wait.closing = [order.cl_ord_id], -1
        wait.total += 1
    elif wait.tries < CLOSE_TRIES:
        _cancel_before_close(state, wait)
        check(state)
    else:
        del state.cold.waits[id_]
        keepers = sorted({o.strategy for o in state.working.values() if o.instrument == wait.closing})
        text = f"{order.detail}: {', '.join(keepers) or 'nobody'} keeps quoting; halt the symbol first"
        finish(state, id_, "failed", {"decisions": wait.decisions}, order.code, text)


def _end(state: State, id_: str, wait: Wait) -> None:
    state.cold.waits.pop(id_, None)
    elapsed_ms = (state.cold.now_ns - wait.since_ns) / MS_NS
    data: dict[str, Any] = {"done": wait.total, "total": wait.total, "elapsed_ms": elapsed_ms}
    if wait.decisions:
        data["decisions"] = wait.decisions
    order = next((o for o in reversed(state.cold.orders.values()) if o.command == id_), None)
    if order is not None:
        data |= trading.outcome(state, order)
        if order.status in (OrdStatus.REJECTED, OrdStatus.NOT_SENT):
            finish(state, id_, "failed", data, order.status.name, order.reason or "refused by the venue")
            return
        code, why = _undone(state, wait, order)
        if code:
            finish(state, id_, "failed", data, code, why)
            return
    finish(state, id_, "done", data)


def _undone(state: State, wait: Wait, order: Order) -> tuple[str, str]:
    """What was asked for and has not happened, as (code, why): an amendment, or all of a close."""
    if order.revision and order.refused == order.revision:
        return "REPLACE_REJECTED", order.reason or "it stands as it was"
    ended = order.status in (OrdStatus.CANCELED, OrdStatus.EXPIRED)
    if wait.heard and order.revision > order.answered and ended:
        return order.status.name, order.reason or "it ended before it was changed"
    spec = state.specs[order.instrument]
    whole = order.status is OrdStatus.FILLED and order.qty_lots < spec.qty_lots_max
    left = state.qty(order.instrument) * (-1 if order.side is Side.BUY else 1)  # on the side that was closed
    if wait.flat >= 0 and not whole and left > 0:
        return "NOT_FLAT", f"{spec.qty_of(left):g} {spec.symbol} are still held: close again"
    return "", ""
