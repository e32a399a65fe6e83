"""The walk: how a quantity is shared out over venues at the least all-in cost. Pure numbers, no state.

*Before repair, greedy is optimal.* A venue's ladder gets dearer with every lot (levels are sorted, and fee, latency and
staleness add the same to each), so the cost of taking n lots there is convex in n. The sum over venues of convex costs
under one budget, sum n = Q, and an upper bound each is minimised by always taking the cheapest lot left: exchange any
lot taken for a cheaper one left behind and the total falls, so nothing but greedy has no such exchange (Fox 1966,
"Discrete optimization via marginal analysis"). Upper bounds (displayed size, balances, a venue's largest order) only
cut a ladder short, and a lower bound only takes its first lots beforehand; neither breaks this.

*Two things do.* A smallest order makes a venue's possible quantities {0} or [least, most], with a hole; and a venue
whose lot is several of ours takes only multiples. Then greedy may leave a few lots where nothing may be sent, or be one
large lot off. Repair goes through the choices that are left: which venues are used at all (a subset: the hole is gone,
each one used has a lower bound), and for each venue of coarse lots the whole lots around what greedy took (its cost is
convex in them, so the best is near). Within each choice the rest is greedy and therefore exact. With at most
``EXACT_VENUES`` venues that is at most a few hundred walks over short ladders. With more, the better of two is taken:
the offending venue that holds least is dropped, again and again; or the search over those that greedy used most.

What is asked for first is quantity, then cost: of two ways to fill the same the cheaper, and never a lot less
because it would have been cheap to leave. What no venue can take is left over, and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

EXACT_VENUES = 4  # subsets are searched up to this many venues
WINDOW = 2  # coarse lots to either side of greedy's that are tried


class Offer(NamedTuple):
    """One venue as the walk sees it. Lots are the venue's, except where they are said to be the parent's."""

    unit: int  # parent lots per lot
    least: int  # lots, the smallest order
    most: int  # lots, what may be sent at most
    steps: Sequence[tuple[float, int]]  # (all-in cost of a unit of quantity, lots), cheapest first


Mark = tuple[float, int, int]  # cost, offer, lots


def share(offers: Sequence[Offer], qty: int) -> list[int]:
    """Lots for each offer: at most ``qty`` parent lots together, as much as can be, as cheaply as it can be."""
    marks = merged(offers)
    lots, clean = greedy(offers, marks, qty, [0] * len(offers))
    if clean and _whole(offers, lots):
        return lots
    if len(offers) <= EXACT_VENUES:
        return min(_choices(offers, marks, qty), key=lambda found: _badness(offers, found))
    return min(_many(offers, marks, qty, lots), key=lambda found: _badness(offers, found))


def merged(offers: Sequence[Offer]) -> list[Mark]:
    """All ladders as one, cheapest first; at equal cost the earlier offer first."""
    return sorted((cost, n, lots) for n, offer in enumerate(offers) for cost, lots in offer.steps)


def greedy(
    offers: Sequence[Offer], marks: Sequence[Mark], qty: int, floors: Sequence[int]
) -> tuple[list[int], bool]:
    """Take ``floors`` first and then always the cheapest lot that fits.

    The second is whether every lot fitted when its turn came: then no lot left behind is cheaper than one taken, and
    without floors this is the optimum whatever the sizes of lots.
    """
    lots, given = list(floors), list(floors)
    left = qty - filled(offers, floors)
    clean = True
    for _, n, shown in marks:
        if left == 0:
            break
        offer, spent = offers[n], 0
        if given[n]:
            spent = shown if shown < given[n] else given[n]
            given[n] -= spent
        take = shown - spent
        if take > offer.most - lots[n]:
            take = offer.most - lots[n]
        if take * offer.unit > left:
            take = left // offer.unit
            clean = clean and take * offer.unit == left
        if take > 0:
            lots[n] += take
            left -= take * offer.unit
    return lots, clean


def cost_of(offers: Sequence[Offer], lots: Sequence[int]) -> float:
    """All-in cost of taking ``lots``, in the offers' cost times parent lots."""
    total = 0.0
    for offer, wanted in zip(offers, lots, strict=True):
        left = wanted
        for cost, shown in offer.steps:
            take = min(shown, left)
            total += cost * take * offer.unit
            left -= take
            if left == 0:
                break
    return total


def filled(offers: Sequence[Offer], lots: Sequence[int]) -> int:
    """Parent lots in ``lots``."""
    return sum(offer.unit * n for offer, n in zip(offers, lots, strict=True))


def _badness(offers: Sequence[Offer], lots: Sequence[int]) -> tuple[int, float, tuple[int, ...]]:
    return -filled(offers, lots), cost_of(offers, lots), tuple(-n for n in lots)


def _whole(offers: Sequence[Offer], lots: Sequence[int]) -> bool:
    """Nothing is smaller than a venue takes."""
    return all(n == 0 or n >= offer.least for offer, n in zip(offers, lots, strict=True))


def _choices(offers: Sequence[Offer], marks: Sequence[Mark], qty: int) -> Iterator[list[int]]:
    """Every choice of used venues, and of whole lots at the coarse ones; the first is to send nothing."""
    yield [0] * len(offers)
    for used in product((False, True), repeat=len(offers)):
        fits = all(0 < offer.least <= offer.most for on, offer in zip(used, offers, strict=True) if on)
        if not (fits and any(used)):
            continue
        chosen = [
            offer if on else offer._replace(least=0, most=0) for on, offer in zip(used, offers, strict=True)
        ]
        floors = [offer.least for offer in chosen]
        if filled(chosen, floors) <= qty:
            yield from _around(chosen, marks, qty, greedy(chosen, marks, qty, floors)[0])


def _around(
    offers: Sequence[Offer], marks: Sequence[Mark], qty: int, lots: list[int], done: tuple[int, ...] = ()
) -> Iterator[list[int]]:
    """``lots``, and what comes of a few coarse lots more or less: the coarsest venue first, the finer ones follow."""
    yield lots
    fine = min(offer.unit for offer in offers if offer.most)
    coarse = [n for n, offer in enumerate(offers) if offer.most and offer.unit > fine and n not in done]
    if not coarse:
        return
    at = max(coarse, key=lambda n: (offers[n].unit, -n))
    for count in range(max(offers[at].least, lots[at] - WINDOW), min(offers[at].most, lots[at] + WINDOW) + 1):
        fixed = [*offers[:at], offers[at]._replace(least=count, most=count), *offers[at + 1 :]]
        floors = [offer.least for offer in fixed]
        if filled(fixed, floors) <= qty:
            yield from _around(fixed, marks, qty, greedy(fixed, marks, qty, floors)[0], (*done, at))


def _many(offers: Sequence[Offer], marks: Sequence[Mark], qty: int, lots: list[int]) -> Iterator[list[int]]:
    """Too many venues for every subset: what dropping comes to, and the optimum of those that greedy used most."""
    yield _drop(offers, marks, qty, lots)
    by_use = sorted(range(len(offers)), key=lambda n: (-lots[n] * offers[n].unit, n))
    kept = set(by_use[:EXACT_VENUES])
    few = [offer if n in kept else offer._replace(least=0, most=0) for n, offer in enumerate(offers)]
    yield from _choices(few, marks, qty)


def _drop(offers: Sequence[Offer], marks: Sequence[Mark], qty: int, lots: list[int]) -> list[int]:
    """Many venues: without the one that holds least of what it may not take, until all that is left may be sent."""
    offers = list(offers)
    while not _whole(offers, lots):
        small = [n for n, offer in enumerate(offers) if 0 < lots[n] < offer.least]
        worst = min(small, key=lambda n: (lots[n] * offers[n].unit, n))
        offers[worst] = offers[worst]._replace(most=0)
        lots = greedy(offers, marks, qty, [0] * len(offers))[0]
    return lots
