"""What a change of a working order would add, and exits that stand in for each other.

An amendment is judged by what it adds to what could fill anyway, so the amended order is never counted twice. One that
makes nothing larger and no price bolder adds nothing: it passes like a reduction.

A take-profit and a stop of one list guard the same lots. Both are reduce-only at the venue, which judges them by the
position at every fill, and what one of them fills the other is shrunk by. So of the two only the larger counts when a
further exit is judged; the working sums behind every exposure go on counting both.

Where others quote on the same side, an exit of a list need not lower the account's risk with *their* orders filled as
well; yet reduce-only at the venue it can close what is held and no more. It may go while entries may (``closes_only``).
"""

from __future__ import annotations

from bus.enums import OrdType
from core.engine.gate.wish import Wish
from core.engine.orders import Order
from core.engine.state import State


def overlap_lots(state: State, instrument: int, sign: int) -> int:
    """Lots on the ``sign`` side (+1 buys) that the working sum counts twice."""
    lots = 0
    for held in state.cold.lists.values():
        if held.instrument == instrument and held.exit_sign == sign:
            take, stop = state.working.get(held.take), state.working.get(held.stop)
            if take is not None and stop is not None and take.reduce_only and stop.reduce_only:
                lots += min(take.working_lots, stop.working_lots)
    return lots


def added_lots(state: State, wish: Wish) -> int:
    """Lots by which an order, or the change of one, would add to what could fill on its side."""
    old = state.working.get(wish.amends) if wish.amends else None
    had = 0 if old is None else old.working_lots
    would = wish.qty_lots if old is None else max(wish.qty_lots - old.filled_lots, had)
    other = _other_leg(state, wish)
    beside = 0 if other is None else other.working_lots
    return max(would, beside) - max(had, beside)


def closes_only(state: State, wish: Wish) -> bool:
    """An exit of a list that with every other reduce-only order closes no more than is held, others' entries aside."""
    held = state.qty(wish.instrument)
    if not (wish.list_id and wish.reduce_only) or held * wish.side_sign >= 0:
        return False
    exits = sum(
        o.working_lots
        for o in state.working.values()
        if o.instrument == wish.instrument and o.side is wish.side and o.reduce_only
    )
    exits -= overlap_lots(state, wish.instrument, wish.side_sign)
    return exits + added_lots(state, wish) <= abs(held)


def harmless(state: State, wish: Wish) -> bool:
    """An amendment after which no more could fill than before, and no sooner."""
    order = state.working.get(wish.amends) if wish.amends else None
    if order is None or wish.qty_lots - order.filled_lots > order.working_lots:
        return False
    return not bolder(order, wish)


def bolder(order: Order, wish: Wish) -> bool:
    """Nearer to trading than it was: a buy limit higher, a buy stop lower, and the reverse for sells."""
    if order.ord_type is OrdType.STOP:
        return (order.stop_ticks - wish.stop_ticks) * wish.side_sign > 0
    return (wish.price_ticks - order.price_ticks) * wish.side_sign > 0


def _other_leg(state: State, wish: Wish) -> Order | None:
    """The working exit of the same list that this one would stand beside."""
    held = state.cold.lists.get(wish.list_id) if wish.list_id and wish.reduce_only else None
    if held is None or held.exit_sign != wish.side_sign:
        return None
    mine = wish.amends or wish.cl_ord_id
    for key in (held.take, held.stop):
        order = state.working.get(key)
        if key != mine and order is not None and order.reduce_only:
            return order
    return None
