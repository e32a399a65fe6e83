"""The gate: layers in a fixed order before every order; the first refusal wins.

The only door. ``approve`` is the one place where an ``Approval`` is made, and an ``Approval`` is what makes a
``NewOrder``, so whatever reaches a venue adapter has been through here. Every missing input refuses: no
price, no equity, no limit, no known instrument means no order. What lowers risk is judged by the *resulting
position with every working order that could still fill*, never by side: a sell of nine times the long is not
a reduction, and the exact closing order is, in every state.

KILL orders (the engine's own closing orders) skip the layers that protect against entering, since no price, no
equity and a broken limit are the very reasons they exist; they never skip FORM, and STATE still insists that they
reduce.
"""

from __future__ import annotations

from bus.effects import Approval, NewOrder, ReplaceOrder
from bus.enums import GateLayer, Purpose
from core.engine.gate import change, exposure, flow, form, price, size, standing
from core.engine.gate.wish import Denial, Verdict, Wish
from core.engine.orders import Order
from core.engine.state import State

LAYERS = (
    (GateLayer.FORM, form.check),
    (GateLayer.AUTHORITY, standing.authority),
    (GateLayer.STATE, standing.check),
    (GateLayer.PRICE, price.check),
    (GateLayer.SIZE, size.check),
    (GateLayer.FLOW, flow.check),
    (GateLayer.EXPOSURE, exposure.check),
)
KILL_LAYERS = (
    (GateLayer.FORM, form.check),
    (GateLayer.STATE, standing.check),
)

__all__ = ["Denial", "Verdict", "Wish", "approve", "approve_replace", "inspect", "reduces"]


def reduces(state: State, wish: Wish) -> bool:
    """True when the position can only end smaller, never through zero, all working orders filled.

    An amendment after which no more could fill than before, and no sooner, reduces too. Exits of one order list stand
    in for each other and count once (change.py).
    """
    if wish.amends and change.harmless(state, wish):
        return True
    held = state.qty(wish.instrument)
    if held * wish.side_sign >= 0:
        return False
    column = "work_buy_lots" if wish.side_sign > 0 else "work_sell_lots"
    working = int(state.positions[column][wish.instrument])
    if state.cold.lists:
        working -= change.overlap_lots(state, wish.instrument, wish.side_sign)
    return working + change.added_lots(state, wish) <= abs(held)


def approve(state: State, wish: Wish) -> NewOrder | Denial:
    """Run the layers; return the order that may leave, or the first refusal."""
    approval = _judge(state, wish)
    if isinstance(approval, Denial):
        return approval
    return NewOrder(
        cl_ord_id=wish.cl_ord_id,
        venue=state.venue_ids[state.specs[wish.instrument].venue],
        instrument=wish.instrument,
        side=wish.side,
        ord_type=wish.ord_type,
        tif=wish.tif,
        qty_lots=wish.qty_lots,
        price_ticks=wish.price_ticks,
        reduce_only=wish.reduce_only or approval.reducing,
        post_only=wish.post_only,
        approval=approval,
        stop_ticks=wish.stop_ticks,
    )


def approve_replace(state: State, wish: Wish, order: Order) -> ReplaceOrder | Denial:
    """The same for an amendment of a working order: ``wish`` is the order as it would be, ``wish.amends`` its id."""
    assert wish.amends == order.cl_ord_id and wish.instrument == order.instrument and wish.side is order.side
    approval = _judge(state, wish)
    if isinstance(approval, Denial):
        return approval
    return ReplaceOrder(
        cl_ord_id=order.cl_ord_id,
        venue=order.venue,
        instrument=order.instrument,
        qty_lots=wish.qty_lots,
        price_ticks=wish.price_ticks,
        approval=approval,
        revision=order.revision + 1,
        stop_ticks=wish.stop_ticks,
    )


def _judge(state: State, wish: Wish) -> Approval | Denial:
    passed = 0
    reducing = form.known(state, wish) and reduces(state, wish)
    for layer, check in KILL_LAYERS if wish.purpose is Purpose.KILL else LAYERS:
        refusal = check(state, wish, reducing)
        if refusal is not None:
            return Denial(layer, *refusal)
        passed |= 1 << layer
    return Approval(layers=passed, reducing=reducing)


def inspect(state: State, wish: Wish) -> list[Verdict]:
    """Every layer's decision with value and limit, refusals and all, for the operator to read. Sends nothing."""
    reducing = form.known(state, wish) and reduces(state, wish)
    verdicts = []
    for layer, check in LAYERS:
        refusal = check(state, wish, reducing)
        code, value, limit, detail = refusal or ("OK", None, None, "")
        verdicts.append(Verdict(layer.name, refusal is None, code, value, limit, detail))
        if refusal is not None and layer is GateLayer.FORM:
            break  # nothing behind it can be judged
    return verdicts
