"""Detectors over orders: layering (spoofing among it), and quote stuffing."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from core.analytics.surveillance_flow import SECOND_NS, Finding, Flow, OwnFill, OwnOrder, evidence
from core.analytics.surveillance_limits import Thresholds

EPISODE_NS = 60 * SECOND_NS
Key = tuple[str, str]  # owner, symbol
K = TypeVar("K")


class Withdrawn(NamedTuple):
    """Size that stood against an execution and was taken away after it."""

    fill: OwnFill
    orders: list[OwnOrder]
    size: float  # net of what was put back
    shown: float  # own size on the side that was executed
    alone: bool  # all of it one owner's


def layering(flow: Flow, limits: Thresholds) -> list[Finding]:
    """Size shown on one side, an execution on the other, then the size goes.

    Judged for the account as a whole: who shows and who executes may be two strategies; once may then be chance, and
    ``layering_together_min`` times in one episode (a minute between them at most) is not. For each execution: own limit
    orders on the *other* side, shown then, not older than ``layering_life_s``, filled to at most
    ``layering_filled_max``, and cancelled by their owner within ``layering_cancel_s``. What is put up again on that
    side meanwhile is deducted, and the rest is compared with everything shown on the executed side (the executed order
    included). So a two-sided quote that is moved is none: it shows as much on either side, and puts back what it takes
    away. Reported from ``layering_ratio`` on; score 0.5 there, 1 at twice that.
    """
    found = []
    by_symbol: dict[str, list[OwnFill]] = defaultdict(list)
    for fill in sorted(flow.fills):
        by_symbol[fill.symbol].append(fill)
    orders = _sent_by(flow, lambda order: order.symbol)
    for symbol, fills in sorted(by_symbol.items()):
        hits = list(_hits(fills, orders.get(symbol, []), limits))
        found += [
            _layered(symbol, episode, limits)
            for episode in _grouped(hits)
            if any(hit.alone for hit in episode) or len(episode) >= limits.layering_together_min
        ]
    return found


def _hits(fills: list[OwnFill], orders: list[OwnOrder], limits: Thresholds) -> Iterator[Withdrawn]:
    """A sweep: only what lived at an execution, and what was sent soon after it, is looked at."""
    sent_ns = [order.created_ns for order in orders]
    alive: list[OwnOrder] = []
    entered = 0
    for fill in fills:
        until = fill.ts_ns + int(limits.layering_cancel_s * SECOND_NS)
        now = bisect_right(sent_ns, fill.ts_ns)
        alive = [
            o for o in (*alive, *orders[entered:now]) if o.lives_at(fill.ts_ns - 1) or o.id == fill.order
        ]
        entered = now
        hit = _against(fill, alive, orders[now : bisect_right(sent_ns, until)], limits)
        if hit is not None:
            yield hit


def _against(
    fill: OwnFill, alive: list[OwnOrder], later: list[OwnOrder], limits: Thresholds
) -> Withdrawn | None:
    until = fill.ts_ns + int(limits.layering_cancel_s * SECOND_NS)
    since = fill.ts_ns - int(limits.layering_life_s * SECOND_NS)
    near = [order for order in alive if order.side == fill.side]
    far = [order for order in alive if order.side != fill.side and order.created_ns >= since]
    gone = [order for order in far if _withdrawn(order, fill.ts_ns, until, limits)]
    back = [order for order in later if order.side != fill.side]
    for alone in (True, False):  # first what the owner of the execution did by itself
        mine = (lambda order: order.owner == fill.owner) if alone else (lambda _order: True)
        shown = max(sum(order.qty for order in near if mine(order)), fill.qty)
        taken = [order for order in gone if mine(order)]
        size = sum(o.qty - o.filled for o in taken) - sum(o.qty for o in back if mine(o))
        if taken and size >= limits.layering_ratio * shown:
            return Withdrawn(fill, taken, size, shown, alone)
    return None


def _withdrawn(order: OwnOrder, after_ns: int, until_ns: int, limits: Thresholds) -> bool:
    return (
        order.price is not None
        and order.lives_at(after_ns)
        and order.own_cancel
        and after_ns < order.cancel_ns <= until_ns
        and order.filled <= limits.layering_filled_max * order.qty
    )


def _grouped(hits: list[Withdrawn]) -> list[list[Withdrawn]]:
    groups: list[list[Withdrawn]] = []
    for hit in hits:
        if groups and hit.fill.ts_ns - groups[-1][-1].fill.ts_ns <= EPISODE_NS:
            groups[-1].append(hit)
        else:
            groups.append([hit])
    return groups


def _layered(symbol: str, episode: list[Withdrawn], limits: Thresholds) -> Finding:
    worst = max(episode, key=lambda hit: hit.size / hit.shown)
    levels = len({order.price for order in worst.orders})
    side = "bought" if worst.fill.side > 0 else "sold"
    waited_s = (max(order.cancel_ns for order in worst.orders) - worst.fill.ts_ns) / SECOND_NS
    return Finding(
        kind="layering",
        who=",".join(
            sorted({owner for hit in episode for owner in (hit.fill.owner, *(o.owner for o in hit.orders))})
        ),
        symbol=symbol,
        from_ns=min(order.created_ns for hit in episode for order in hit.orders),
        to_ns=max(order.cancel_ns for hit in episode for order in hit.orders),
        orders=evidence([i for hit in episode for i in (hit.fill.order, *(o.id for o in hit.orders))]),
        score=round(min(worst.size / (2 * limits.layering_ratio * worst.shown), 1.0), 3),
        why=(
            f"{len(episode)} times: {side} {worst.fill.qty:.10g} while {worst.size:.10g} stood on the other side at"
            f" {levels} prices, {worst.size / worst.shown:.1f} times what was shown here, and was cancelled"
            f" {waited_s:.2f} s later"
        ),
    )


# --- quote stuffing ------------------------------------------------------------------------------------------------


def stuffing(flow: Flow, limits: Thresholds) -> list[Finding]:
    """More messages than anybody could mean: orders sent and cancelled in bursts, and none of them fills.

    Per owner and symbol, a sliding window of ``stuffing_window_s`` with at least ``stuffing_messages_min`` submits,
    amends and cancels, where ``stuffing_cancelled_min`` of the orders sent in it were cancelled unfilled by their owner
    within ``stuffing_life_s``. Windows that overlap are one finding. Score 0.5 at the message threshold, 1 at twice.
    """
    found = []
    for key, orders in sorted(_sent_by(flow, lambda order: (order.owner, order.symbol)).items()):
        messages = sorted(
            (ts, order.id)
            for order in orders
            for ts in (order.created_ns, *order.amends_ns, order.cancel_ns)
            if ts
        )
        if len(messages) >= limits.stuffing_messages_min:
            found += _bursts(key, messages, {order.id: order for order in orders}, limits)
    return found


def _bursts(
    key: Key, messages: list[tuple[int, str]], orders: dict[str, OwnOrder], limits: Thresholds
) -> list[Finding]:
    """Windows ending at each message; those that qualify and overlap are joined."""
    window_ns = int(limits.stuffing_window_s * SECOND_NS)
    found: list[Finding] = []
    start = joined_from = peak = 0
    joined_to = -1
    for end, (ts, _) in enumerate(messages):
        while ts - messages[start][0] > window_ns:
            start += 1
        count = end - start + 1
        if count < limits.stuffing_messages_min:
            continue
        if joined_to >= start:
            joined_to, peak = end, max(peak, count)
            continue
        if joined_to >= 0:
            found += _stuffed(key, messages[joined_from : joined_to + 1], orders, peak, limits)
        joined_from, joined_to, peak = start, end, count
    if joined_to >= 0:
        found += _stuffed(key, messages[joined_from : joined_to + 1], orders, peak, limits)
    return found


def _stuffed(
    key: Key, burst: list[tuple[int, str]], orders: dict[str, OwnOrder], peak: int, limits: Thresholds
) -> list[Finding]:
    first, last = burst[0][0], burst[-1][0]
    sent = [orders[i] for i in dict.fromkeys(i for _, i in burst) if first <= orders[i].created_ns <= last]
    life_ns = int(limits.stuffing_life_s * SECOND_NS)
    empty = [o for o in sent if o.own_cancel and o.cancel_ns - o.created_ns <= life_ns and o.filled == 0]
    amends = sum(1 for o in sent for ts in o.amends_ns if first <= ts <= last)
    if not sent or len(empty) < limits.stuffing_cancelled_min * len(sent):
        return []
    filled = sum(1 for o in sent if o.filled)
    return [
        Finding(
            kind="stuffing",
            who=key[0],
            symbol=key[1],
            from_ns=first,
            to_ns=last,
            orders=evidence([o.id for o in empty]),
            score=round(min(peak / (2 * limits.stuffing_messages_min), 1.0), 3),
            why=(
                f"{len(burst)} messages in {(last - first) / SECOND_NS:.2f} s, {peak} in the busiest"
                f" {limits.stuffing_window_s:g} s: {len(sent)} orders, {amends} amendments, {len(empty)} orders"
                f" cancelled within {limits.stuffing_life_s:g} s without a fill, {filled} filled"
            ),
        )
    ]


def _sent_by(flow: Flow, key: Callable[[OwnOrder], K]) -> dict[K, list[OwnOrder]]:
    """By ``key``, in the order they were sent; a kill's own orders are no flow."""
    found: dict[K, list[OwnOrder]] = defaultdict(list)
    for order in flow.orders.values():
        if not order.owner.startswith("kill "):
            found[key(order)].append(order)
    for orders in found.values():
        orders.sort(key=lambda order: (order.created_ns, order.id))
    return dict(found)
