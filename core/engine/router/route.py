"""Where an order goes when several venues trade the same thing.

    admit    venues that may be used: up, reconciled, not halted, no order of unknown outcome
    ladder   what each shows within the limit, less our own orders
    price    all-in: fee, latency, staleness
    room     what caps and wallet leave there
    walk     shared out at the least all-in cost; what cannot be sent is repaired or left over, and said

Pure: reads the state, changes nothing, sends nothing. Whoever asks turns legs into wishes for the gate. An unknown
outcome counts both ways: ``committed`` counts it as filled, so the parent does not ask for it again, and the working
sums count it as open, so room and exposure hold its place; and its venue is out until the venue has spoken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bus.enums import Side
from core.engine.alike import Peer
from core.engine.orders import Order
from core.engine.router import admit, ladders, price, room, walk
from core.engine.router.ladders import Ladder
from core.engine.state import State


class Leg(NamedTuple):
    """One immediate-or-cancel limit order of a route."""

    instrument: int
    qty_lots: int  # of the leg's instrument
    price_ticks: int  # of the leg's instrument: the worst level it needs
    parent_lots: int  # the same quantity in lots of the instrument that was asked for
    expect_px: (
        float  # average price shown for it, quote; goes into Order.expect_px, from which slippage is learnt
    )


class RouteNote(NamedTuple):
    """Why one venue was used or left out."""

    instrument: int
    venue: str
    used: bool
    reason: str  # of leaving it out, or what limits it; "" = used as far as it was the cheapest
    lots: int = 0  # parent lots sent there
    best_px: float = 0.0  # best displayed, quote
    all_in_px: float = 0.0  # the same with fee, latency and staleness, quote
    fee: float = 0.0  # fraction
    drift: float = 0.0  # fraction
    age_ns: int = 0
    room_lots: int = 0  # lots of the venue that may still be sent


class Route(NamedTuple):
    """Legs, why, and what is left over (parent lots that no venue can take now)."""

    legs: list[Leg]
    notes: list[RouteNote]
    left_lots: int


class _Venue(NamedTuple):
    peer: Peer
    levels: Ladder
    offer: walk.Offer
    note: RouteNote


def group(state: State, instrument: int) -> tuple[int, ...]:
    """Instruments that trade the same thing as ``instrument``, itself first."""
    return tuple(peer.instrument for peer in state.alike[instrument])


def committed(state: State, instrument: int, ids: Iterable[str]) -> int:
    """Parent lots that the orders ``ids`` have filled or could still fill, an unknown outcome counted as filled."""
    lots_in = {peer.instrument: peer.lots for peer in state.alike[instrument]}
    orders = (state.cold.orders.get(key) for key in ids)
    return sum(
        lots_in.get(order.instrument, 0) * (order.filled_lots + order.leaves_lots)
        for order in orders
        if order is not None
    )


def route(
    state: State,
    instrument: int,
    side: Side,
    qty_lots: int,
    limit_ticks: int = 0,
    allowed: tuple[int, ...] = (),
    *,
    reduce_only: bool = False,
) -> list[Leg]:
    """Legs for ``qty_lots`` of ``instrument`` within ``limit_ticks`` (0 = none); see ``plan``."""
    return plan(state, instrument, side, qty_lots, limit_ticks, allowed, reduce_only=reduce_only).legs


def plan(
    state: State,
    instrument: int,
    side: Side,
    qty_lots: int,
    limit_ticks: int = 0,
    allowed: tuple[int, ...] = (),
    *,
    reduce_only: bool = False,
) -> Route:
    """The route with its reasons. ``allowed`` are instruments of the group, empty = all of it.

    With ``reduce_only`` each leg only makes smaller what is held at its own venue, and nothing that merely
    forbids entries stands in its way.
    """
    peers = state.alike[instrument]
    orders = admit.open_orders(state, [peer.instrument for peer in peers])
    seen = [
        _look(state, peer, side, limit_ticks, orders[peer.instrument], reduce_only=reduce_only)
        if not allowed or peer.instrument in allowed
        else _out(state, peer, "not asked for")
        for peer in peers
    ]
    usable = [found for found in seen if isinstance(found, _Venue)]
    lots = walk.share([venue.offer for venue in usable], max(qty_lots, 0)) if usable else []
    taken = {venue.peer.instrument: n for venue, n in zip(usable, lots, strict=True)}
    legs = [
        _leg(state, venue, taken[venue.peer.instrument]) for venue in usable if taken[venue.peer.instrument]
    ]
    notes = [_told(found, taken) if isinstance(found, _Venue) else found for found in seen]
    return Route(legs, notes, max(qty_lots, 0) - sum(leg.parent_lots for leg in legs))


def _look(
    state: State,
    peer: Peer,
    side: Side,
    limit_ticks: int,
    orders: Sequence[Order],
    *,
    reduce_only: bool,
) -> _Venue | RouteNote:
    """One venue as the walk sees it, or why not."""
    if why := admit.refusal(state, peer.instrument, orders, reduce_only=reduce_only):
        return _out(state, peer, why)
    seen = ladders.ladder_of(state, peer.instrument, side)
    if seen.why:
        return _out(state, peer, seen.why, seen.age_ns)
    levels = ladders.without_own(side, seen.levels, orders, past_own=reduce_only)
    if not levels:
        return _out(state, peer, "own orders stand before what is shown", seen.age_ns)
    if limit_ticks > 0:
        levels = _within(levels, side, limit_ticks, peer)
    if not levels:
        return _out(state, peer, "nothing within the limit", seen.age_ns)
    most, why = room.room_lots(state, peer.instrument, side, levels, reduce_only=reduce_only)
    least = _least(state, peer.instrument, levels, reduce_only=reduce_only)
    if most < least:
        return _out(
            state, peer, f"{why} leaves {most} lots, below the smallest order of {least}", seen.age_ns
        )
    return _priced(state, peer, side, levels, (least, most), seen)


def _priced(
    state: State, peer: Peer, side: Side, levels: Ladder, bounds: tuple[int, int], seen: ladders.Seen
) -> _Venue:
    """Cost of a unit level by level; a sell's cost is what it does not bring in. Never less from level to level."""
    least, most = bounds
    fee, drift = price.taker_fee(state, peer.instrument), price.drift(state, peer.instrument, seen.age_ns)
    aged = seen.deep_age_ns > seen.age_ns
    deep_drift = price.drift(state, peer.instrument, seen.deep_age_ns) if aged else drift
    tick = state.specs[peer.instrument].tick_size
    sign = 1.0 if side is Side.BUY else -1.0
    factor, behind = tick * (sign + fee + drift), tick * (sign + fee + deep_drift)
    best = seen.best_ticks
    steps = [(ticks * (factor if ticks == best else behind), lots) for ticks, lots in levels]
    offer = walk.Offer(peer.lots, least, min(most, sum(lots for _, lots in levels)), steps)
    note = RouteNote(
        peer.instrument,
        state.specs[peer.instrument].venue,
        used=False,
        reason="",
        best_px=levels[0][0] * tick,
        all_in_px=steps[0][0] * sign,
        fee=fee,
        drift=drift,
        age_ns=seen.age_ns,
        room_lots=most,
    )
    return _Venue(peer, levels, offer, note)


def _within(levels: Ladder, side: Side, limit_ticks: int, peer: Peer) -> Ladder:
    """Levels no worse than the limit, which is in ticks of the instrument asked for; exact."""
    theirs, ours = (
        limit_ticks * peer.ticks.denominator,
        peer.ticks.numerator,
    )  # in whole numbers: a limit is exact
    if side is Side.BUY:
        worst = theirs // ours
        return [level for level in levels if level[0] <= worst]
    worst = -(-theirs // ours)
    return [level for level in levels if level[0] >= worst]


def _least(state: State, instrument: int, levels: Ladder, *, reduce_only: bool) -> int:
    """The smallest order, lots, at the least favourable price it could be judged by; reductions need no notional."""
    spec = state.specs[instrument]
    if reduce_only or not spec.notional_min:
        return max(spec.qty_lots_min, 1)
    price_px = min(levels[0][0], levels[-1][0]) * spec.tick_size
    mark = state.mark(instrument)
    value = spec.lot_value(min(price_px, mark) if mark > 0.0 else price_px)
    return max(spec.qty_lots_min, 1, math.ceil(spec.notional_min / value * (1.0 - 1e-12)))


def _leg(state: State, venue: _Venue, lots: int) -> Leg:
    left, ticks, value = lots, 0, 0.0
    for level, shown in venue.levels:
        ticks, take = level, min(shown, left)
        value += level * take
        left -= take
        if left == 0:
            break
    peer = venue.peer
    expect_px = value / lots * state.specs[peer.instrument].tick_size
    return Leg(peer.instrument, lots, ticks, lots * peer.lots, expect_px)


def _told(venue: _Venue, taken: dict[int, int]) -> RouteNote:
    lots = taken[venue.peer.instrument]
    if lots:
        return venue.note._replace(used=True, lots=lots * venue.peer.lots)
    return venue.note._replace(reason="dearer, or too little is left for its smallest order")


def _out(state: State, peer: Peer, why: str, age_ns: int = 0) -> RouteNote:
    return RouteNote(
        peer.instrument, state.specs[peer.instrument].venue, used=False, reason=why, age_ns=age_ns
    )
