"""What a venue offers: levels of (ticks, lots), best first, for one who takes.

The top of book comes with every tick and the deeper levels a few times a second. A ladder as new as the top is taken as
it is. An older one is a shape: its levels are believed at the same distance behind the best as they were then, for
market makers move their whole ladder with the price, and what lies there costs the staleness of the ladder's age where
the best costs only its own. Without deeper levels there is the top alone; without a top there is nothing.

Two things of our own are in the way. An order of ours resting on the side that would be hit ends the ladder before its
price: the gate refuses an entry that would trade with ourselves, and a venue that prevents it cancels one of the two.
Only a reduction looks past it, less what we show there. And what our open orders on the same side are about to take
(immediate ones, and those that cross) is taken off from the best on: it is gone when the next one arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bus.enums import OrdType, Side, TimeInForce
from core.engine.config import SECOND_NS
from core.engine.orders import Order
from core.engine.state import State

Ladder = list[tuple[int, int]]  # (ticks, lots), best first


class Seen(NamedTuple):
    """A ladder and how old it is: the best level, and those behind it. ``why`` says why there is none."""

    levels: Ladder
    best_ticks: int = 0
    age_ns: int = 0
    deep_age_ns: int = 0  # never less
    why: str = ""


def ladder_of(state: State, instrument: int, side: Side) -> Seen:
    """What a ``side`` order finds at the instrument's venue."""
    bid, ask, _, bid_lots, ask_lots, _, ts_ns, *_ = state.markets[instrument].item()
    best, lots = (ask, ask_lots) if side is Side.BUY else (bid, bid_lots)
    if ts_ns == 0 or best <= 0:
        return Seen([], why="no book")
    if 0 < ask <= bid:
        return Seen([], why="crossed book")
    age_ns = max(state.cold.now_ns - ts_ns, 0)
    stale_ns = int(state.config.router.stale_max_s * SECOND_NS)
    if age_ns > stale_ns:
        return Seen([], best, age_ns, age_ns, "stale book")
    top = [(best, lots)] if lots > 0 else []
    known = state.cold.depths.get(instrument)
    deep_age_ns = state.cold.now_ns - known.ts_ns if known is not None else stale_ns + 1
    if known is None or deep_age_ns > stale_ns:
        return Seen(top, best, age_ns, age_ns, "" if top else "nothing shown")
    told = known.asks if side is Side.BUY else known.bids
    if known.ts_ns >= ts_ns and told:
        return Seen(list(told), told[0][0], deep_age_ns, deep_age_ns)
    levels = top + [(best + ticks - told[0][0], shown) for ticks, shown in told[1:]]
    levels = [level for level in levels if level[0] > 0]
    return Seen(levels, best, age_ns, max(deep_age_ns, age_ns), "" if levels else "nothing shown")


def without_own(side: Side, levels: Ladder, orders: Sequence[Order], *, past_own: bool = False) -> Ladder:
    """``levels`` without what ``orders`` (open ones of this instrument) rest there or are about to take."""
    if not orders:
        return levels
    resting: dict[int, int] = {}
    taking = 0
    best = levels[0][0] if levels else 0
    sign = 1 if side is Side.BUY else -1
    for order in orders:
        if order.side is side:
            taking += order.leaves_lots if _takes(order, best, sign) else 0
        elif order.ord_type is OrdType.LIMIT:
            resting[order.price_ticks] = resting.get(order.price_ticks, 0) + order.leaves_lots
    wall = 0 if past_own or not resting else (min(resting) if side is Side.BUY else max(resting))
    left: Ladder = []
    for ticks, shown in levels:
        if wall and (ticks - wall) * sign >= 0:
            break
        lots = max(shown - resting.get(ticks, 0), 0)
        spent = min(taking, lots)
        taking -= spent
        if lots > spent:
            left.append((ticks, lots - spent))
    return left


def _takes(order: Order, best: int, sign: int) -> bool:
    """Whether an open order of ours will take what is shown: it crosses, and does not wait in a queue."""
    if order.ord_type is OrdType.MARKET:
        return True
    return order.ord_type is OrdType.LIMIT and (
        order.tif is not TimeInForce.GTC or (order.price_ticks - best) * sign >= 0
    )
