"""Layer 7, FLOW: not twice, not too often, not too many, not against ourselves.

Exits, children of algorithms and kill orders are exempt where it says so; cancels never come here at all, and are only
counted (``sent``, ``message`` below, called by the order manager).
"""

from __future__ import annotations

import math

from bus.enums import OrdType, Purpose, Side
from core.engine.config import SECOND_NS
from core.engine.desk import Bucket
from core.engine.gate.case import Case
from core.engine.gate.tight import FIRM, Limit, tight
from core.engine.gate.wish import Refusal, Shown, Wish
from core.engine.orders import Order
from core.engine.state import State

RECENT_MAX = 1024  # likenesses remembered
TIDY_EVERY = 32  # orders between two looks at what may be forgotten
STOP, KILL, BUY, SELL = OrdType.STOP, Purpose.KILL, Side.BUY, Side.SELL  # looked up once, not once an order
BY_PLAN = Purpose.STRATEGY
BY_HAND_OR_PLAN = (BY_PLAN, Purpose.OPERATOR)
Likeness = tuple[str, int, int, int, int, int]


def check(case: Case) -> Refusal | None:
    """A repeated intent, a likeness too soon, a repeating strategy, counts, rates, our own quotes, the interval."""
    state, wish = case.state, case.wish
    if not wish.amends and wish.cl_ord_id in state.cold.orders:
        return "DUPLICATE", None, None, f"{wish.cl_ord_id} was sent before"
    if case.reducing:
        return None
    return _twice(case) or _counts(case) or _rates(case) or _self_match(case) or _interval(case)


# --- twice ---------------------------------------------------------------------------------------------------------


def likeness_of(wish: Wish | Order) -> Likeness:
    """What two orders have in common that are the same but for their intent."""
    return wish.strategy, wish.instrument, wish.side, wish.qty_lots, wish.price_ticks, wish.stop_ticks


def _twice(case: Case) -> Refusal | None:
    """Of what plans and hands send; a child's intent is its parent's plan."""
    if case.wish.purpose not in BY_HAND_OR_PLAN:
        return None
    return _likeness(case.state, case.wish) or _repeating(case)


def _likeness(state: State, wish: Wish) -> Refusal | None:
    window_ms = state.config.gate.duplicate_window_ms
    if not window_ms or wish.amends:
        return None
    sent_ns = state.cold.recent.get(likeness_of(wish))
    since_ms = math.inf if sent_ns is None else (state.cold.now_ns - sent_ns) / 1e6
    if not since_ms < window_ms:
        return None
    return "REPEATED_ORDER", since_ms, window_ms, "the same order was sent just before (ms)"


def _repeating(case: Case) -> Refusal | None:
    """Executed again and again on one side: repeats.py has pulled the switch, and only a person re-arms it."""
    limit, repeats = case.state.config.gate.repeat_max, case.state.cold.repeats
    if not limit or not repeats or case.wish.purpose is not BY_PLAN:
        return None
    times = repeats.get(case.limits.repeats[0 if case.wish.side is BUY else 1])
    if times is None or len(times) < limit:
        return None
    return "REPEATED_EXECUTION", float(len(times)), float(limit), "executed too often in a row: andon rearm"


# --- too many, too often -------------------------------------------------------------------------------------------


def _counts(case: Case) -> Refusal | None:
    if case.wish.amends:
        return None
    for limit, scope in case.limits.open_orders:
        count = open_orders(case, scope)
        if not count < limit:
            refusal = case.refuse("OPEN_ORDERS", float(count), limit, "too many open orders", scope)
            if refusal is not None:
                return refusal
    return None


def open_orders(case: Case, scope: str) -> int:
    """Open orders of a scope that the order falls under."""
    desk, wish = case.state.desk, case.wish
    kind = scope.partition(":")[0]
    if kind == "venue":
        return desk.by_venue.get(case.state.venue_ids[case.state.specs[wish.instrument].venue], 0)
    if kind == "strategy":
        return desk.by_strategy.get(wish.strategy, 0)
    if kind == "symbol":
        return desk.by_instrument.get(wish.instrument, 0)
    return len(case.state.working)


def _rates(case: Case) -> Refusal | None:
    """Room for one more message in every scope's budget; of a venue's a part is kept for a kill's cancels."""
    state = case.state
    for limit in case.limits.messages:
        used, room = level_of(state, limit), room_in(state, limit)
        if not used + 1.0 <= room:
            text = "too many order messages (in the budget)"
            return "RATE", used + 1.0, room, text if limit[1] == FIRM else f"{text}; limit of {limit[1]}"
    return None


def room_in(state: State, limit: Limit) -> float:
    """Messages that a scope's bucket holds for entries."""
    gate = state.config.gate
    kept = gate.kill_reserve if limit[1].startswith("venue:") else 0.0
    return limit[0] * gate.messages_burst_s * (1.0 - kept)


def level_of(state: State, limit: Limit) -> float:
    """Messages in the scope's bucket now: what was sent, less what has leaked since."""
    bucket = state.cold.buckets.get(limit[1])
    if bucket is None:
        return 0.0
    passed_s = max(state.cold.now_ns - bucket.ts_ns, 0) / SECOND_NS
    return max(bucket.used - passed_s * limit[0], 0.0)


def message(state: State, order: Order) -> None:
    """An order, an amendment or a cancel has been sent: it counts in every scope that limits messages. Kill: never."""
    if order.purpose is KILL:
        return
    limits = state.desk.limits.get((order.strategy, order.instrument))
    if limits is None:
        limits = tight(state, order.strategy, order.instrument)
    buckets, now_ns = state.cold.buckets, state.cold.now_ns
    for rate, scope in limits.messages:
        bucket = buckets.get(scope)
        if bucket is None:
            bucket = buckets[scope] = Bucket(0.0, now_ns)
        if now_ns > bucket.ts_ns:
            bucket.used = max(bucket.used - (now_ns - bucket.ts_ns) / SECOND_NS * rate, 0.0)
        bucket.used += 1.0
        bucket.ts_ns = now_ns


def sent(state: State, order: Order) -> None:
    """A new order has been sent: its message, and its likeness."""
    message(state, order)
    window_ms = state.config.gate.duplicate_window_ms
    if not window_ms or order.purpose not in BY_HAND_OR_PLAN:
        return
    recent, now_ns = state.cold.recent, state.cold.now_ns
    likeness = likeness_of(order)
    if likeness in recent:
        del recent[likeness]  # last again
    recent[likeness] = now_ns
    if len(recent) % TIDY_EVERY == 0:
        _forget_likenesses(recent, now_ns - int(window_ms * 1e6))


def _forget_likenesses(recent: dict[Likeness, int], since_ns: int) -> None:
    """What is older, and what is too much; the oldest stand first."""
    while recent and (len(recent) > RECENT_MAX or recent[next(iter(recent))] < since_ns):
        del recent[next(iter(recent))]


# --- against ourselves ---------------------------------------------------------------------------------------------


def _self_match(case: Case) -> Refusal | None:
    """It would trade with an order of our own: on the same instrument, whoever's of us it is."""
    state, wish = case.state, case.wish
    if not state.config.gate.self_match or wish.ord_type is STOP:
        return None
    other = SELL if wish.side is BUY else BUY
    own = state.desk.best_ticks(wish.instrument, other)
    if not own:
        return None
    reach = wish.price_ticks or _touch_ticks(case)
    if (reach - own) * wish.side_sign < 0:
        return None
    return "SELF_MATCH", float(reach), float(own), "it would trade with our own resting order (ticks)"


def _touch_ticks(case: Case) -> float:
    """How far a market order reaches at the least: to the best it would take, else to the mark."""
    f = case.facts
    touch = f.ask if case.wish.side_sign > 0 else f.bid
    return touch or f.mark / float(case.state.instruments["tick_size"][case.wish.instrument])


def _interval(case: Case) -> Refusal | None:
    state, wish = case.state, case.wish
    interval_s = state.config.min_trade_interval_s
    if not interval_s or wish.purpose is not BY_PLAN:
        return None
    last = state.cold.hosts[wish.strategy].last_entry_ns.get(wish.instrument)
    since_s = math.inf if last is None else (state.cold.now_ns - last) / SECOND_NS
    if not since_s < interval_s:
        return None
    return case.refuse("TRADE_INTERVAL", since_s, interval_s, "too soon after the last entry (s)")


def shown(case: Case) -> Shown:
    limit = case.limits.open_orders[0][0] if case.limits.open_orders else None
    return float(len(case.state.working)), limit, "open orders"
