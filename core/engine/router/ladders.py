"""What a venue offers: levels of (ticks, lots), best first, for one who takes.

The top of book comes with every tick and the deeper levels a few times a second, so the top is believed and of the
deeper levels those that lie behind it. Without deeper levels there is the top alone; without a top there is nothing.

Two things are taken off what is displayed, because the router must not count on them: our own resting orders on the
side that would be hit (buying our own offer is no liquidity, and the gate would refuse it as a self-match), and the
open orders of ours that take from the same side (what they will get is gone when the next one arrives). Simulated
venues do not show our resting orders, so there the first is a little too careful; the venues that do show them are
the ones that matter.
"""

from __future__ import annotations

from collections.abc import Iterable

from bus.enums import OrdType, Side, TimeInForce
from core.engine.config import SECOND_NS
from core.engine.orders import Order
from core.engine.state import State

Ladder = list[tuple[int, int]]  # (ticks, lots), best first


def ladder_of(state: State, instrument: int, side: Side) -> tuple[Ladder, int, str]:
    """(levels a ``side`` order takes, age of the top in ns, why there are none)."""
    bid, ask, _, bid_lots, ask_lots, _, ts_ns, *_ = state.markets[instrument].item()
    buys = side is Side.BUY
    best, lots = (ask, ask_lots) if buys else (bid, bid_lots)
    if ts_ns == 0 or best <= 0:
        return [], 0, "no book"
    if 0 < ask <= bid:
        return [], 0, "crossed book"
    age_ns = max(state.cold.now_ns - ts_ns, 0)
    stale_ns = int(state.config.router.stale_max_s * SECOND_NS)
    if age_ns > stale_ns:
        return [], age_ns, "stale book"
    levels: Ladder = [(best, lots)] if lots > 0 else []
    known = state.cold.depths.get(instrument)
    if known is not None and state.cold.now_ns - known.ts_ns <= stale_ns:
        deeper = known.asks if buys else known.bids
        levels += [level for level in deeper if (level[0] > best if buys else level[0] < best)]
    return levels, age_ns, "" if levels else "nothing shown"


def without_own(side: Side, levels: Ladder, orders: Iterable[Order]) -> Ladder:
    """``levels`` less what ``orders`` (open ones of this instrument) rest there or are about to take."""
    resting: dict[int, int] = {}
    orders = list(orders)
    if not orders:
        return levels
    taking = 0
    best = levels[0][0] if levels else 0
    sign = 1 if side is Side.BUY else -1
    for order in orders:
        if order.side is not side:
            resting[order.price_ticks] = resting.get(order.price_ticks, 0) + order.leaves_lots
        elif _takes(order, best, sign):
            taking += order.leaves_lots
    left: Ladder = []
    for ticks, shown in levels:
        lots = shown - resting.get(ticks, 0)
        spent = min(taking, max(lots, 0))
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
