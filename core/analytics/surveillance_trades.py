"""Detectors over executions: wash trades, and marking the close."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from core.analytics.surveillance_flow import SECOND_NS, Finding, Flow, OwnFill, OwnOrder, evidence
from core.analytics.surveillance_limits import Thresholds

EPISODE_NS = 60 * SECOND_NS  # pairs further apart belong to different episodes


class Pair(NamedTuple):
    """An own buy and an own sell that took each other's place."""

    buy: OwnFill
    sell: OwnFill
    qty: float

    @property
    def ts_ns(self) -> int:
        return max(self.buy.ts_ns, self.sell.ts_ns)


def wash(flow: Flow, limits: Thresholds) -> list[Finding]:
    """Own buys against own sells of one symbol at the same price within the window, across strategies and venues.

    The account holds afterwards what it held before, and the tape shows volume that was none. A pair is found when
    prices agree to ``wash_price``, times to ``wash_window_s``, and the two orders *crossed*: both stood at one time,
    and in one book would have matched each other. That is what sets a wash apart from a market maker, who also buys
    and sells at one price within a second, one after the other, never against itself. Each quantity is used once,
    oldest first. An episode (pairs within a minute) is reported from ``wash_pairs_min`` pairs of orders on, when they
    are at least ``wash_share_min`` of the own volume meanwhile, or from one pair when its sides *met*: a maker and a
    taker at one venue and the very same price within ``wash_meet_s``. Score: that share.
    """
    found = []
    for symbol, fills in _by_symbol(flow.fills).items():
        for episode in _episodes(_pairs(fills, flow.orders, limits)):
            met = [pair for pair in episode if _met(pair, limits)]
            share = _share(episode, fills)
            couples = {(pair.buy.order, pair.sell.order) for pair in episode}
            if met or (len(couples) >= limits.wash_pairs_min and share >= limits.wash_share_min):
                found.append(_washed(symbol, episode, share, len(met)))
    return found


def _pairs(fills: list[OwnFill], orders: dict[str, OwnOrder], limits: Thresholds) -> Iterator[Pair]:
    window_ns = int(limits.wash_window_s * SECOND_NS)
    waiting: list[tuple[OwnFill, float]] = []  # with what is left of each
    for fill in fills:
        waiting = [(old, left) for old, left in waiting if fill.ts_ns - old.ts_ns <= window_ns and left > 0]
        left = fill.qty
        for n, (old, other_left) in enumerate(waiting):
            if old.side == fill.side or abs(old.price - fill.price) > limits.wash_price * fill.price:
                continue
            if not _crossed(orders.get(old.order), orders.get(fill.order), limits):
                continue
            qty = min(left, other_left)
            if qty <= 0:
                break
            waiting[n] = (old, other_left - qty)
            left -= qty
            yield Pair(old, fill, qty) if fill.side < 0 else Pair(fill, old, qty)
        waiting.append((fill, left))


def _crossed(one: OwnOrder | None, other: OwnOrder | None, limits: Thresholds) -> bool:
    """Both were meant to stand at one time, and the buyer would have paid what the seller asked.

    One whose cancel was asked for before the other was sent was not: it filled on its way out.
    """
    if one is None or other is None:
        return False
    first, second = (one, other) if one.created_ns <= other.created_ns else (other, one)
    if 0 < first.cancel_ns <= second.created_ns:
        return False
    if 0 < first.ended_ns < second.created_ns:
        return False
    buy, sell = (one, other) if one.side > 0 else (other, one)
    return buy.price is None or sell.price is None or buy.price >= sell.price * (1 - limits.wash_price)


def _met(pair: Pair, limits: Thresholds) -> bool:
    """One of them stood and the other came: most likely they traded with each other."""
    near = abs(pair.buy.ts_ns - pair.sell.ts_ns) <= limits.wash_meet_s * SECOND_NS
    same = math.isclose(pair.buy.price, pair.sell.price, rel_tol=1e-9)
    return near and same and pair.buy.venue == pair.sell.venue and pair.buy.maker is not pair.sell.maker


def _episodes(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    episode: list[Pair] = []
    for pair in pairs:
        if episode and pair.ts_ns - episode[-1].ts_ns > EPISODE_NS:
            yield episode
            episode = []
        episode.append(pair)
    if episode:
        yield episode


def _share(episode: list[Pair], fills: list[OwnFill]) -> float:
    """Of the own volume traded meanwhile, how much is in pairs."""
    sides = [fill.ts_ns for pair in episode for fill in (pair.buy, pair.sell)]
    total = sum(fill.qty for fill in fills if min(sides) <= fill.ts_ns <= max(sides))
    return 2 * sum(pair.qty for pair in episode) / total


def _washed(symbol: str, episode: list[Pair], share: float, met: int) -> Finding:
    sides = [fill for pair in episode for fill in (pair.buy, pair.sell)]
    first, last = min(f.ts_ns for f in sides), max(f.ts_ns for f in sides)
    matched = sum(pair.qty for pair in episode)
    owners = sorted({fill.owner for fill in sides})
    venues = sorted({fill.venue for fill in sides})
    low, high = min(f.price for f in sides), max(f.price for f in sides)
    price = f"{low:.10g}" if low == high else f"{low:.10g} to {high:.10g}"
    return Finding(
        kind="wash",
        who=",".join(owners),
        symbol=symbol,
        from_ns=first,
        to_ns=last,
        orders=evidence([fill.order for fill in sides]),
        score=round(min(share, 1.0), 3),
        why=(
            f"{len(episode)} pairs of own buys and sells, {matched:.10g} at {price} on {', '.join(venues)}; "
            f"{met} of them a maker meeting a taker; {min(share, 1.0):.0%} of the own volume meanwhile"
        ),
    )


# --- marking the close ---------------------------------------------------------------------------------------------


def marking_the_close(flow: Flow, limits: Thresholds) -> list[Finding]:
    """Taking, one way, in the last minutes of the configured day, enough to matter, and the mark went along.

    All of: at least ``close_fills_min`` taking executions in the window; ``close_share`` of the own day's volume in the
    symbol; ``close_one_way`` of them net in one direction; the mark moved that way by ``close_move`` from the window's
    start to the day's end. A flow that reaches back less than ``close_day_s`` before the window has no day to compare
    with. Score: 0.5 at all thresholds, 1 when share and move are both twice theirs.
    """
    window_ns = int(limits.close_window_s * SECOND_NS)
    found = []
    for close in flow.closes_ns:
        begin = close - window_ns
        if begin > flow.last_ns:
            break
        if flow.first_ns > begin - limits.close_day_s * SECOND_NS:
            continue
        for symbol, fills in _by_symbol(flow.fills).items():
            finding = _marked(flow, limits, symbol, fills, begin, close)
            if finding is not None:
                found.append(finding)
    return found


def _marked(
    flow: Flow, limits: Thresholds, symbol: str, fills: list[OwnFill], begin: int, close: int
) -> Finding | None:
    day = [f for f in fills if close - 86_400 * SECOND_NS <= f.ts_ns < close]
    taken = [f for f in day if f.ts_ns >= begin and not f.maker]
    if len(taken) < limits.close_fills_min:
        return None
    net = sum(f.side * f.qty for f in taken)
    gross = sum(f.qty for f in taken)
    share = gross / sum(f.qty for f in day)
    move = _move(flow.marks.get(symbol, []), begin, close)
    if move is None or share < limits.close_share or abs(net) < limits.close_one_way * gross:
        return None
    along = move if net > 0 else -move
    if along < limits.close_move:
        return None
    strength = min(share / limits.close_share, 2.0) * min(along / max(limits.close_move, 1e-9), 2.0)
    return Finding(
        kind="close",
        who=",".join(sorted({f.owner for f in taken})),
        symbol=symbol,
        from_ns=taken[0].ts_ns,
        to_ns=taken[-1].ts_ns,
        orders=evidence([f.order for f in taken]),
        score=round(0.5 + (strength - 1.0) / 6.0, 3),
        why=(
            f"{len(taken)} taking executions, {abs(net):.10g} net {'bought' if net > 0 else 'sold'} in the last"
            f" {limits.close_window_s:g} s of the day, {share:.0%} of the day's own volume; the mark moved {move:+.2%}"
        ),
    )


def _move(marks: list[tuple[int, float]], begin: int, close: int) -> float | None:
    """Fraction from the last mark before the window (or its first) to the last before the day's end."""
    before = [price for ts, price in marks if ts <= begin]
    inside = [price for ts, price in marks if begin < ts <= close]
    if not inside or not (before or len(inside) > 1):
        return None
    return inside[-1] / (before[-1] if before else inside[0]) - 1.0


def _by_symbol(fills: list[OwnFill]) -> dict[str, list[OwnFill]]:
    """By symbol, in time order; reports may come late."""
    found: dict[str, list[OwnFill]] = defaultdict(list)
    for fill in sorted(fills, key=lambda f: f.ts_ns):
        found[fill.symbol].append(fill)
    return dict(sorted(found.items()))
