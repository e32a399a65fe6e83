"""Order lists: orders that stand or fall together, and the stop that guards what an entry has opened.

    bracket   an entry; a take-profit and a protective stop for what it has filled
    oco       a take-profit and a stop for what is held: what one fills, the other is shrunk by

Exits are sized by facts. What the entry has filled, less what exits have filled, less what somebody else has closed of
its strategy's share, is the list's *claim*; what has been released so does not come back. Both exits guard the claim as
far as the account holds that much on that side, older lists first: while others' shares offset it, less is closed.
They are amended whenever that changes, and cancelled when nothing is left, so a position closed by hand leaves no stop
behind that could open a new one. They are reduce-only at the venue and judged by the gate at every change.

A protective stop that ends unasked (the venue, a mass cancel, an expiry) is placed again, a second apart and then
slower, with an alarm while it is missing. A take-profit that others cancel stays cancelled. What a stop of ours does
to them stands in protect.py. Under a kill that flattens the list is over at once. While a kill is closing positions,
or an operator one, the exits are withdrawn, because the closing order must be the only one that can fill.

Invariant kept: no exit of a list is sent for more than the list's claim, and none without a position to close.
"""

from __future__ import annotations

from bus.enums import OrdStatus, OrdType, Purpose, TimeInForce, TradingState
from core.engine import alarms, amend, announce, list_stops, oms, protect
from core.engine.config import SECOND_NS
from core.engine.gate import Denial, Wish
from core.engine.listed import ENDED, OCO, WORKING, OrderList
from core.engine.orders import FACES, Order
from core.engine.records import Filled
from core.engine.state import State

KEPT_MAX = 128  # ended lists remembered, for late fills
AGAIN_S_MAX = 10  # a missing stop is placed again after 1, 2, 4, … this many seconds
NOTHING_LEFT = "nothing left to guard"


def after(state: State) -> None:
    """After every step that moved an order, a position or a kill: fills are counted, then lists looked at."""
    for filled in state.filled:
        if filled.order.list_id:
            _count(state, filled)
    _look(state)


def follow(state: State) -> None:
    """At the end of a step: what has ended in it, a kill or a close by hand, gives exits back now, not some time."""
    if list_stops.stops_of(state) != state.cold.lists_stops:
        _look(state)


def on_timer(state: State, key: str) -> None:
    """A new exit is due."""
    held = state.cold.lists.get(key)
    if held is not None:
        held.timer_ns = 0
        beside = [other for other in state.cold.lists.values() if other.instrument == held.instrument]
        _review_all(state, held.instrument, beside)


def on_boot(state: State) -> None:
    """After a restart what should stand together is looked at again; timers died with the process."""
    for held in state.cold.lists.values():
        held.timer_ns = 0
        _wake(state, held, state.cold.now_ns + SECOND_NS)


def find(state: State, key: str) -> OrderList | None:
    """A list at work, or one that has ended not long ago."""
    return state.cold.lists.get(key) or state.cold.lists_done.get(key)


def exits_of(state: State, held: OrderList) -> list[Wish]:
    """Both exits as they would be sent now, the stop first."""
    return [
        _wish(state, held, stop=stop)
        for stop in (True, False)
        if (held.stop_ticks if stop else held.take_ticks)
    ]


def place_both(state: State, held: OrderList, command: str) -> Denial | None:
    """The exits of an oco; a refusal of either leaves nothing behind."""
    for stop in (True, False):
        sent = _send(state, held, stop=stop, command=command)
        if isinstance(sent, Denial):
            _end(state, held, f"{sent.layer.name} {sent.code}")
            return sent
    return None


def cancelled_by_hand(state: State, order: Order) -> None:
    """Somebody wants this leg gone: so it is, and of an oco the other with it."""
    held = state.cold.lists.get(order.list_id)
    if held is None:
        return
    both = held.kind == OCO
    held.stop_off = held.stop_off or both or order.cl_ord_id == held.stop
    held.take_off = held.take_off or both or order.cl_ord_id == held.take


def to_cancel(state: State, ids: list[str], strategy: str = "") -> list[str]:
    """Of the orders that a cancel of everything names, those that are to go; the lists of all, or of one, follow.

    Also those of which nothing works at this moment: what was withdrawn for a while does not come back after it.
    """
    gone = [key for key in ids if not protect.spared(state, state.cold.orders[key])]
    for held in state.cold.lists.values():
        if not strategy or held.strategy == strategy:
            held.take_off = True
            held.stop_off = held.stop_off or state.config.protective_on_cancel_all == protect.CANCEL
    return gone


# --- counting ------------------------------------------------------------------------------------------------------


def _count(state: State, filled: Filled) -> None:
    held = find(state, filled.order.list_id)
    if held is None:
        return
    if filled.order.cl_ord_id != held.entry:
        held.exited_lots += filled.lots
        return
    held.entered_lots += filled.lots
    if held.status == ENDED and held.reason == NOTHING_LEFT:  # late, and yet a position to guard
        held.status, held.ended_ns, held.reason = WORKING, 0, ""
        state.cold.lists[held.id] = state.cold.lists_done.pop(held.id)


def _review_all(state: State, instrument: int, those: list[OrderList]) -> None:
    """Claims are cut to what is still there, oldest list of the instrument first; then each is put in order."""
    qty = state.qty(instrument)
    left = abs(qty)
    claimed: dict[str, int] = {}  # by strategy, the older lists'
    for held in those:
        room = left if qty * held.exit_sign < 0 else 0
        own = room if held.kind == OCO else _share(state, held) - claimed.get(held.strategy, 0)
        held.released_lots += max(held.claim_lots - max(own, 0), 0)
        held.guard_lots = min(held.claim_lots, room)
        claimed[held.strategy] = claimed.get(held.strategy, 0) + held.claim_lots
        left -= held.guard_lots
        _review(state, held)


def _share(state: State, held: OrderList) -> int:
    """Lots its strategy holds on the side that the exits would close."""
    holding = state.cold.holdings.get(f"{held.strategy}|{held.instrument}")
    return 0 if holding is None else max(-holding.qty_lots * held.exit_sign, 0)


def _look(state: State) -> None:
    """At the lists whose orders, fills or position have moved; at all when what they stand under has changed."""
    orders = state.cold.orders
    moved = {orders[key].instrument for key in state.moved if key in orders} | set(state.touched)
    stops = list_stops.stops_of(state)
    every, state.cold.lists_stops = stops != state.cold.lists_stops, stops
    found: dict[int, list[OrderList]] = {}
    for held in state.cold.lists.values():
        if every or held.instrument in moved:
            found.setdefault(held.instrument, []).append(held)
    for instrument, those in found.items():
        _review_all(state, instrument, those)


# --- one list ------------------------------------------------------------------------------------------------------


def _review(state: State, held: OrderList) -> None:
    level = list_stops.level_of(state, held)
    entry = state.working.get(held.entry) is not None
    if level >= TradingState.FLATTENING:
        _end(state, held, level.name.lower())
    elif not entry and held.claim_lots == 0:
        _end(state, held, NOTHING_LEFT)
    elif list_stops.closing(state, held):
        _cancel_exits(state, held)
    else:
        if level is TradingState.HALTED:
            held.take_off = True
            held.stop_off = held.stop_off or state.config.protective_on_cancel_all == protect.CANCEL
        _fit_stop(state, held)
        _fit_take(state, held)
        if not entry and (held.stop_off or not held.stop_ticks) and (held.take_off or not held.take_ticks):
            _end(state, held, "exits cancelled")


def _fit_stop(state: State, held: OrderList) -> None:
    order = state.working.get(held.stop)
    wanted = bool(held.stop_ticks) and not held.stop_off and held.guard_lots > 0
    if order is not None:
        _fit(state, held, order, wanted=wanted)
        if order.status in FACES:
            held.stop_ticks = order.stop_ticks or held.stop_ticks  # amended by hand: so it shall stay
            if state.cold.now_ns >= held.due_ns:
                held.failures = 0
    elif wanted and state.cold.now_ns >= held.due_ns:
        last = state.cold.orders.get(held.stop)
        filled = last is not None and last.status is OrdStatus.FILLED
        if filled or state.cold.now_ns - held.due_ns > AGAIN_S_MAX * SECOND_NS:
            held.failures = 0  # the one before has done its work, or stood for a while
        held.due_ns = state.cold.now_ns + min(1 << held.failures, AGAIN_S_MAX) * SECOND_NS
        held.failures = min(held.failures + 1, AGAIN_S_MAX)
        _wake(state, held, held.due_ns)
        _send(state, held, stop=True)
        if held.failures > 1:
            _alarm(state, held)
    elif wanted:
        _wake(state, held, held.due_ns)
    if not wanted or (order is not None and order.status in FACES):
        alarms.clear_alert(state, "UNPROTECTED", f"list.{held.id}")


def _fit_take(state: State, held: OrderList) -> None:
    order = state.working.get(held.take)
    wanted = bool(held.take_ticks) and not held.take_off and held.guard_lots > 0
    if order is not None:
        _fit(state, held, order, wanted=wanted)
        if order.status in FACES:
            held.take_ticks = order.price_ticks
        return
    last = state.cold.orders.get(held.take)
    if wanted and last is not None and last.status is not OrdStatus.FILLED and held.moving != held.take:
        held.take_off = True  # others ended it, and so it stays
    elif wanted and state.cold.now_ns >= held.take_due_ns:
        held.moving = ""
        if isinstance(
            _send(state, held, stop=False), Denial
        ):  # too far away for the gate, perhaps: again later
            held.take_due_ns = state.cold.now_ns + AGAIN_S_MAX * SECOND_NS
            _wake(state, held, held.take_due_ns)
    elif wanted:
        _wake(state, held, held.take_due_ns)


def _fit(state: State, held: OrderList, order: Order, *, wanted: bool) -> None:
    """Make a working exit as large as what it guards; gone when it is not wanted."""
    if not wanted:
        if not order.cancels:
            _withdraw(state, held, order)
        return
    guard = min(held.guard_lots, state.specs[held.instrument].qty_lots_max)
    if order.status not in FACES or order.cancels or order.want_lots or order.leaves_lots == guard:
        return  # one that was told to go is not amended: when it has ended another takes its place
    once = order.revision and order.refused == order.revision
    lots = order.filled_lots + guard
    if once or isinstance(amend.ask(state, order, lots, order.price_ticks, order.stop_ticks), Denial):
        _withdraw(state, held, order)  # amending it did not work: another takes its place


def _send(state: State, held: OrderList, *, stop: bool, command: str = "") -> Order | Denial:
    """One exit, as large as what it guards."""
    sent = oms.submit(state, _wish(state, held, stop=stop), command=command)
    if isinstance(sent, Denial):
        held.note = f"{sent.layer.name} {sent.code}"
        return sent
    held.note = ""
    if stop:
        held.stops, held.stop = held.stops + 1, sent.cl_ord_id
    else:
        held.takes, held.take = held.takes + 1, sent.cl_ord_id
    return sent


def _wish(state: State, held: OrderList, *, stop: bool) -> Wish:
    intent = f"{held.id}|stop|{held.stops}" if stop else f"{held.id}|take|{held.takes}"
    return Wish(
        cl_ord_id=oms.client_order_id(state.cold.epoch, held.strategy, intent),
        instrument=held.instrument,
        side=held.exit_side,
        qty_lots=min(held.guard_lots, state.specs[held.instrument].qty_lots_max),
        strategy=held.strategy,
        purpose=Purpose.OPERATOR,
        ord_type=OrdType.STOP if stop else OrdType.LIMIT,
        price_ticks=0 if stop else held.take_ticks,
        stop_ticks=held.stop_ticks if stop else 0,
        tif=TimeInForce.GTC,
        reduce_only=True,
        list_id=held.id,
        protects=stop,
    )


def _end(state: State, held: OrderList, reason: str) -> None:
    """Over: nothing of it may remain."""
    held.status, held.reason, held.ended_ns = ENDED, reason, state.cold.now_ns
    _cancel_exits(state, held)
    alarms.clear_alert(state, "UNPROTECTED", f"list.{held.id}")
    announce.audit(state, held.operator or "engine", f"{held.kind} ended", held.id, reason)
    done = state.cold.lists_done
    done[held.id] = state.cold.lists.pop(held.id)
    while len(done) > KEPT_MAX:
        del done[next(iter(done))]


def _cancel_exits(state: State, held: OrderList) -> None:
    for key in (held.stop, held.take):
        order = state.working.get(key)
        if order is not None and not order.cancels:
            _withdraw(state, held, order)
        elif order is not None and key == held.take:
            held.moving = key  # whoever is closing has cancelled it: it may come back


def _withdraw(state: State, held: OrderList, order: Order) -> None:
    """Cancelled by ourselves: it may come back."""
    if order.cl_ord_id == held.take:
        held.moving = held.take
    elif order.status in FACES:
        held.failures = 0  # it stood
    oms.cancel(state, order, counted=False)


# --- around it -----------------------------------------------------------------------------------------------------


def _alarm(state: State, held: OrderList) -> None:
    """A stop that should be there and is not, more than a moment."""
    symbol = state.specs[held.instrument].symbol
    why = held.note or getattr(state.cold.orders.get(held.stop), "reason", "") or "ended by the venue"
    text = f"{symbol}: {held.guard_lots} lots without their stop ({why}), tried {held.failures} times"
    alarms.raise_alert(state, "UNPROTECTED", f"list.{held.id}", text)


def _wake(state: State, held: OrderList, due_ns: int) -> None:
    """One appointment a list, the earliest."""
    if due_ns > state.cold.now_ns and not state.cold.now_ns < held.timer_ns <= due_ns:
        held.timer_ns = due_ns
        state.timer(due_ns, "list", held.id)
