"""Children: how one is priced, sent through the gate like every order, and called back.

Never past the parent's limit: a child's price is the parent's limit or better, and where the market is beyond it no
child is sent. A reduce-only parent sends at most what closes the position with everything else that works filled.
"""

from __future__ import annotations

from typing import NamedTuple

from bus.enums import OrdType, Purpose, Side, TimeInForce
from core.engine import announce, oms, router
from core.engine.algos import pace, reach
from core.engine.algos.parent import Child, Parent
from core.engine.gate import Denial, Wish
from core.engine.state import State

CHILDREN_MAX = 4096  # client order ids (the first) and legs (the last) remembered of one parent
LIMIT_SLACK = 1e-9  # fraction; a price converted between tick sizes is not past a limit that it equals


class Part(NamedTuple):
    """What one child is to be, router or not."""

    instrument: int
    qty_lots: int
    price_ticks: int  # 0 = at market
    parent_lots: int
    expect_px: float = 0.0  # quote, what the router saw; 0 = nobody looked


def send(state: State, parent: Parent, lots: int) -> int:
    """One child (or one a venue) for ``lots`` of the parent; returns the parent lots that left.

    The one door: whatever anybody asks for, no more than is left after what has filled, is open or is unknown.
    """
    sent, lots = 0, min(lots, pace.left_lots(state, parent))
    if lots < 1:
        return 0
    for part in _parts(state, parent, lots):
        if _past_limit(state, parent, part):
            parent.note = "no child: the price is past the limit"
            continue
        sent += _submit(state, parent, part)
    return sent


def wish_of(state: State, parent: Parent, part: Part) -> Wish:
    """The next child as the gate sees it; its intent is the parent's id and a running number."""
    resting = parent.style == "limit" or parent.algo == "iceberg"
    return Wish(
        cl_ord_id=oms.client_order_id(
            state.cold.epoch, parent.strategy, f"{parent.id}|{parent.sent_children}"
        ),
        instrument=part.instrument,
        side=parent.side,
        qty_lots=part.qty_lots,
        strategy=parent.strategy,
        purpose=Purpose.ALGO,
        ord_type=OrdType.LIMIT if part.price_ticks else OrdType.MARKET,
        price_ticks=part.price_ticks,
        tif=TimeInForce.GTC if resting and part.price_ticks else TimeInForce.IOC,
        reduce_only=parent.reduce_only,
    )


def first_wish(state: State, parent: Parent) -> Wish:
    """A child of an ordinary size, for showing what the gate would say."""
    lots = int(parent.params.get("display_lots", 0)) or -(-parent.qty_lots // max(pace.slices_of(parent), 1))
    price = price_ticks(state, parent)
    return wish_of(state, parent, Part(parent.instrument, lots, price or parent.limit_ticks, lots))


def _submit(state: State, parent: Parent, part: Part) -> int:
    wish = wish_of(state, parent, part)
    parent.sent_children += 1  # a denied attempt has used its id up too: the next one is another order
    order = oms.submit(state, wish)
    if isinstance(order, Denial):
        parent.denied += 1
        parent.failed_row += 1
        parent.note = f"denied: {order.layer.name} {order.code} {order.detail}"[:160]
        announce.denied(state, wish, order)
        return 0
    order.parent, key = parent.id, order.cl_ord_id
    order.expect_px = part.expect_px
    if len(parent.children) < CHILDREN_MAX:
        parent.children.append(key)
    parent.legs[key] = Child(part.instrument, part.parent_lots, part.qty_lots, parent.slice)
    parent.open[key] = None
    _forget_old(parent)
    return part.parent_lots


def _forget_old(parent: Parent) -> None:
    """Bounded: a fill of a child so old that its leg is forgotten is taken as in the parent's own lots."""
    if len(parent.legs) > CHILDREN_MAX:
        for key in [key for key in parent.legs if key not in parent.open][: CHILDREN_MAX // 4]:
            del parent.legs[key]


def _parts(state: State, parent: Parent, lots: int) -> list[Part]:
    """Where it goes: the router's legs when the parent may use several venues, else one child at home."""
    if parent.routes:
        allowed, limit = reach.allowed(state, parent), parent.limit_ticks
        if not allowed:
            parent.note = "no child: every venue it may use is stopped"
            return []
        found = router.decide(
            state,
            parent.id,
            parent.instrument,
            parent.side,
            lots,
            limit,
            allowed,
            reduce_only=parent.reduce_only,
        )
        parts = [
            Part(leg.instrument, leg.qty_lots, leg.price_ticks, leg.parent_lots, leg.expect_px)
            for leg in found.legs
        ]
        if not parts:
            parent.note = "no child: no venue has a usable book within the limit"
        return _within(state, parent, parts, lots)
    lots = min(lots, state.specs[parent.instrument].qty_lots_max, _room(state, parent, parent.instrument))
    if lots < 1:
        parent.note = "no child: nothing left to reduce"
        return []
    price = price_ticks(state, parent)
    if price is None:
        parent.note = "no child: the price is past the limit"
        return []
    return [Part(parent.instrument, lots, price, lots)]


def _within(state: State, parent: Parent, parts: list[Part], lots: int) -> list[Part]:
    """The router's word is checked like anybody's: legs only where allowed, in sum no more than was asked for."""
    kept = []
    for part in parts:
        if part.instrument not in parent.routes or min(part.parent_lots, part.qty_lots) < 1:
            continue
        room = _room(state, parent, part.instrument)
        if part.parent_lots > lots or part.qty_lots > room:
            continue
        lots -= part.parent_lots
        kept.append(part)
    return kept


def _room(state: State, parent: Parent, instrument: int) -> int:
    """How much may leave: for a reduce-only parent what is held against its side and nobody is closing yet."""
    if not parent.reduce_only:
        return 1 << 62
    held = -state.qty(instrument) * parent.side_sign
    column = "work_buy_lots" if parent.side is Side.BUY else "work_sell_lots"
    return max(held - int(state.positions[column][instrument]), 0)


def price_ticks(state: State, parent: Parent) -> int | None:
    """Price of a child at home, ticks: 0 = at market, None = the market is past the limit."""
    i, limit = parent.instrument, parent.limit_ticks
    if parent.algo == "iceberg":
        return limit
    bid, ask = int(state.markets["bid_ticks"][i]), int(state.markets["ask_ticks"][i])
    far, near = (ask, bid) if parent.side is Side.BUY else (bid, ask)
    if parent.style == "market":
        return _crossing(state, parent, far) if limit else 0
    touch = near if parent.style == "limit" else far
    if touch <= 0:
        return limit  # no book: the gate says what it thinks of that
    if not limit:
        return touch
    if parent.style == "limit":
        return min(touch, limit) if parent.side is Side.BUY else max(touch, limit)
    return None if (touch - limit) * parent.side_sign > 0 else touch


def _crossing(state: State, parent: Parent, far: int) -> int | None:
    """At market, and yet never past the limit: as far as half the collar goes."""
    limit = parent.limit_ticks
    if far <= 0:
        return limit
    if (far - limit) * parent.side_sign > 0:
        return None
    reach = int(far * (1.0 + 0.5 * state.config.gate.price_collar * parent.side_sign))
    return min(limit, reach) if parent.side is Side.BUY else max(limit, reach, 1)


def _past_limit(state: State, parent: Parent, part: Part) -> bool:
    if not parent.limit_ticks:
        return False
    if not part.price_ticks:
        return True  # at market there is no telling
    ticks = state.instruments["tick_size"]
    price = part.price_ticks * float(ticks[part.instrument])
    limit = parent.limit_ticks * float(ticks[parent.instrument])
    return (price - limit) * parent.side_sign > LIMIT_SLACK * limit


def cancel_open(state: State, parent: Parent, *, counted: bool = False) -> None:
    """Ask for every open child that nobody has asked for yet; the oms chases them until the venue ends them."""
    for key in list(parent.open):
        order = state.working.get(key)
        if order is not None and not order.cancels:
            oms.cancel(state, order, counted=counted)
