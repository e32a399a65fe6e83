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
from core.engine.gate import (
    authority,
    change,
    data,
    exposure,
    flow,
    form,
    loss,
    price,
    short,
    size,
    standing,
    vetoes,
    waive,
)
from core.engine.gate.case import Case
from core.engine.gate.wish import Denial, Refusal, Verdict, Wish
from core.engine.orders import Order
from core.engine.state import State

LAYERS = (
    (GateLayer.FORM, form.check, form.shown),
    (GateLayer.AUTHORITY, authority.check, authority.shown),
    (GateLayer.STATE, standing.check, standing.shown),
    (GateLayer.DATA, data.check, data.shown),
    (GateLayer.PRICE, price.check, price.shown),
    (GateLayer.SIZE, size.check, size.shown),
    (GateLayer.FLOW, flow.check, flow.shown),
    (GateLayer.EXPOSURE, exposure.check, exposure.shown),
    (GateLayer.LOSS, loss.check, loss.shown),
)
BEHIND_FORM = tuple((layer, check) for layer, check, _ in LAYERS[1:])
FULL_STAMP = sum(1 << layer for layer, _, _ in LAYERS)
KILL = Purpose.KILL  # looked up once, not once an order
ENTRY = Approval(layers=FULL_STAMP, reducing=False)
KILL_STAMP = 1 << GateLayer.FORM | 1 << GateLayer.STATE

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
    return NewOrder(  # by place: a tenth of an order's way is spent here when every field is named
        wish.cl_ord_id,
        state.venue_ids[state.specs[wish.instrument].venue],
        wish.instrument,
        wish.side,
        wish.ord_type,
        wish.tif,
        wish.qty_lots,
        wish.price_ticks,
        wish.reduce_only or approval.reducing,
        wish.post_only,
        approval,
        wish.stop_ticks,
    )


def approve_replace(state: State, wish: Wish, order: Order) -> ReplaceOrder | Denial:
    """The same for an amendment of a working order: ``wish`` is the order as it would be, ``wish.amends`` its id."""
    assert (wish.amends, wish.instrument, wish.side) == (order.cl_ord_id, order.instrument, order.side)
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
    """By the short way where nothing speaks against it, else layer by layer."""
    return ENTRY if short.clear(state, wish) else judge_long(state, wish)


def judge_long(state: State, wish: Wish) -> Approval | Denial:
    """FORM first, for nothing behind it can be judged without; then measure once, then the others in their order."""
    reducing = form.known(state, wish) and reduces(state, wish)
    eased = not reducing and _eased(state, wish)
    case = Case(state, wish, reducing=reducing or eased)
    refusal = form.check(case)
    if refusal is not None:
        return _denied(state, GateLayer.FORM, refusal)
    if eased and (refusal := standing.active(case)) is not None:
        return _denied(state, GateLayer.STATE, refusal)
    if wish.purpose is KILL:
        refusal = standing.check(case)
        if refusal is not None:
            return _denied(state, GateLayer.STATE, refusal)
        return Approval(layers=KILL_STAMP, reducing=case.reducing)
    case.measure()
    for layer, check in BEHIND_FORM:
        refusal = check(case)
        if refusal is not None:
            _count_vetoes(state, case, layer, refusal[0])
            return _denied(state, layer, refusal)
    if case.let_through or case.warming:
        _count_vetoes(state, case, GateLayer.LOSS, "")
        for code, by in case.let_through:
            if by != vetoes.OFF:
                waive.used(state, wish, code, by)
    return Approval(layers=FULL_STAMP, reducing=reducing)


def _eased(state: State, wish: Wish) -> bool:
    """An exit of a list beside others' quotes: like a reduction, but while risk may be added, after the disk."""
    return bool(wish.list_id) and form.known(state, wish) and change.closes_only(state, wish)


def _denied(state: State, layer: GateLayer, refusal: Refusal) -> Denial:
    _count(state, f"{layer.name}.{refusal[0]}")
    return Denial(layer, *refusal)


def _count_vetoes(state: State, case: Case, layer: GateLayer, code: str) -> None:
    """What the vetoes said, whether or not they were listened to, and whatever became of the order."""
    for name in case.warming:
        _count(state, f"warming.{name}")
    for name, by in case.let_through:
        if by == vetoes.OFF:
            _count(state, f"veto.{name}.off")
    if layer is GateLayer.DATA and code in vetoes.CODES:
        _count(state, f"veto.{code}")


def _count(state: State, name: str) -> None:
    counts = state.cold.gate_counts
    counts[name] = counts.get(name, 0) + 1


def inspect(state: State, wish: Wish) -> list[Verdict]:
    """Every layer's decision with value and limit, refusals and all, for the operator to read. Sends nothing."""
    reducing = form.known(state, wish) and reduces(state, wish)
    eased = not reducing and _eased(state, wish)
    case = Case(state, wish, reducing=reducing or eased)
    verdicts: list[Verdict] = []
    for layer, check, shown in LAYERS:
        refusal = standing.active(case) if eased and layer is GateLayer.STATE else check(case)
        if refusal is None:
            if layer is GateLayer.FORM:
                case.measure()
            value, limit, detail = shown(case)
            verdicts.append(Verdict(layer.name, True, "OK", value, limit, _with_overrides(case, detail)))
            continue
        verdicts.append(Verdict(layer.name, False, *refusal))
        if layer is GateLayer.FORM:
            break  # nothing behind it can be judged
    return verdicts


def _with_overrides(case: Case, detail: str) -> str:
    """The override that lets this layer pass stands in its line, once."""
    lifted = [f"{code} lifted by override {by}" for code, by in case.let_through if by != vetoes.OFF]
    case.let_through.clear()
    return "; ".join([detail, *lifted])
