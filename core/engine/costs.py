"""What trading at each venue has cost, from own fills: the router's cost model learns here.

Every mean is recursive, m += (x - m) / min(n, WINDOW): exact at first, then an exponential average over about
``WINDOW`` observations, so a venue that changes its fees or grows slow is noticed. The 95th percentile of the latency
is followed by stochastic approximation (Robbins & Monro 1951): up by 0.95 of a step when above it, down by 0.05 when
below. The router weighs all of it against what was expected (core.engine.router.price).

Runs after every step that moved an order or booked a fill, so it looks only at those.
"""

from __future__ import annotations

from typing import Any

from bus.enums import OrdStatus, Purpose, Side
from core.engine.orders import Order
from core.engine.records import Filled
from core.engine.state import State
from core.engine.venuecost import VenueCost

WINDOW = 200  # observations a mean remembers
FADE = 1000  # verdicts after which the counts are halved
MANY = 16  # a step that moves more orders is our own doing (a stop's cancels), not the venue's word
NS_MS = 1e-6
PENDING_UNKNOWN = OrdStatus.PENDING_UNKNOWN
SPOKEN = frozenset(
    {
        OrdStatus.NEW,
        OrdStatus.PARTIALLY_FILLED,
        OrdStatus.FILLED,
        OrdStatus.CANCELED,
        OrdStatus.REJECTED,
        OrdStatus.EXPIRED,
    }
)


def after(state: State) -> None:
    """After every step that booked a fill or heard of an order."""
    for fill in state.filled:
        _on_fill(state, fill)
    if len(state.moved) > MANY:
        return
    for key in state.moved:
        order = state.cold.orders.get(key)
        if order is not None and order.purpose is not Purpose.ADOPTED:
            _on_moved(state, order)


def cost_of(state: State, instrument: int) -> VenueCost:
    """The record of an instrument, made when first asked for."""
    found = state.cold.costs.get(instrument)
    if found is None:
        found = state.cold.costs[instrument] = VenueCost()
    return found


def _on_fill(state: State, fill: Filled) -> None:
    order = fill.order
    value = state.specs[order.instrument].lot_value(fill.price) * fill.lots
    if fill.exec_id.startswith("inferred-") or not value > 0.0:
        return  # price and fee are guesses until its paper comes
    cost = cost_of(state, order.instrument)
    if fill.maker:
        cost.makes += 1
        cost.fee_maker = _mean(cost.fee_maker, fill.fee / value, cost.makes)
        return
    cost.takes += 1
    cost.fee_taker = _mean(cost.fee_taker, fill.fee / value, cost.takes)
    if order.sent_px > 0.0:
        away = _sign(order) * (fill.price - order.sent_px) / order.sent_px
        cost.spread = _mean(cost.spread, away, cost.takes)


def _on_moved(state: State, order: Order) -> None:
    status = order.status
    if status is PENDING_UNKNOWN and not order.unsure:
        order.unsure = True
        cost_of(state, order.instrument).unknowns += 1
    if status in SPOKEN and not order.heard_ns:
        _first_word(state, order)
    if status is OrdStatus.FILLED and order.expect_px > 0.0 and order.filled_lots:
        cost = cost_of(state, order.instrument)
        paid = order.filled_value / order.filled_lots
        cost.slips += 1
        cost.slip = _mean(cost.slip, _sign(order) * (paid - order.expect_px) / order.expect_px, cost.slips)
        order.expect_px = 0.0  # learnt from, once


def _first_word(state: State, order: Order) -> None:
    """Latency and verdict. An answer after an unknown outcome tells of an outage, not of a latency."""
    cost = cost_of(state, order.instrument)
    order.heard_ns = state.cold.now_ns
    cost.sent += 1
    cost.rejects += order.status is OrdStatus.REJECTED
    if cost.sent >= FADE:
        cost.sent, cost.rejects, cost.unknowns = cost.sent // 2, cost.rejects // 2, cost.unknowns // 2
    if order.unsure:
        return
    took_ms = (order.heard_ns - order.created_ns) * NS_MS
    cost.acks += 1
    cost.ack_ms = _mean(cost.ack_ms, took_ms, cost.acks)
    step = 0.2 * cost.ack_ms
    high = took_ms > cost.ack_p95_ms
    cost.ack_p95_ms = took_ms if cost.acks == 1 else cost.ack_p95_ms + step * (0.95 if high else -0.05)


def _mean(mean: float, value: float, count: int) -> float:
    return mean + (value - mean) / min(count, WINDOW)


def _sign(order: Order) -> int:
    return 1 if order.side is Side.BUY else -1


def venue_values(state: State, name: str) -> dict[str, Any]:
    """What is known of a venue's costs, for ``health.venue.<name>``: means over its instruments by observations."""
    rows = [cost for i, cost in state.cold.costs.items() if state.specs[i].venue == name]
    takes, acks, sent = (sum(getattr(row, key) for row in rows) for key in ("takes", "acks", "sent"))
    if not takes + acks + sent:
        return {}
    return {
        "takes": takes,
        "fee_taker_bps": _over(rows, "fee_taker", "takes", 1e4),
        "spread_bps": _over(rows, "spread", "takes", 1e4),
        "slip_bps": _over(rows, "slip", "slips", 1e4),
        "ack_ms": _over(rows, "ack_ms", "acks", 1.0),
        "ack_p95_ms": round(max((row.ack_p95_ms for row in rows), default=0.0), 3),
        "reject_rate": round(sum(row.rejects for row in rows) / sent, 4) if sent else 0.0,
        "unknown_rate": round(min(sum(row.unknowns for row in rows) / sent, 1.0), 4) if sent else 0.0,
    }


def _over(rows: list[VenueCost], what: str, count: str, scale: float) -> float | None:
    weight = sum(getattr(row, count) for row in rows)
    if not weight:
        return None
    mean: float = sum(getattr(row, what) * getattr(row, count) for row in rows) / weight
    return round(mean * scale, 3)
