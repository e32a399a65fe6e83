"""The router against an integer programme: the same quantity at the same all-in cost, on many small books."""

from __future__ import annotations

import pytest

from core.engine import router
from core.engine.router import walk

from . import oracle
from .rig import Book, build, draw

BOOKS, CHUNKS = 600, 6
TOLERANCE = 1e-9  # of the cost


def cost_of(book: Book, legs: list[router.Leg]) -> float:
    """All-in cost of legs by the oracle's prices, walking the displayed levels."""
    total = 0.0
    for leg in legs:
        left = leg.qty_lots
        for ticks, lots in oracle.usable(book, leg.instrument):
            take = min(left, lots)
            left -= take
            unit = book.specs[leg.instrument].lot_size / book.specs[0].lot_size
            total += oracle.all_in(book, leg.instrument, ticks) * take * unit
        assert left == 0, "more than is displayed"
    return total


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_quantity_and_cost_are_the_optimum(chunk: int) -> None:
    split = worse = 0
    for seed in range(chunk, BOOKS, CHUNKS):
        book = draw(seed)
        legs = router.route(build(book).state, 0, book.side, book.qty_lots, book.limit_ticks)
        filled, cost = oracle.best(book)
        assert sum(leg.parent_lots for leg in legs) == filled, f"book {seed}"
        assert cost_of(book, legs) == pytest.approx(cost, rel=TOLERANCE, abs=1e-9), f"book {seed}"
        split += len(legs) > 1
        worse += bool(legs) and _one_venue(book)[0] < filled
    assert split > BOOKS // CHUNKS // 4, "most of these books need no router"
    assert worse > BOOKS // CHUNKS // 4, "one venue would do as well"


def _one_venue(book: Book) -> tuple[int, float]:
    """The best that a single venue can do, as the oracle sees it."""
    found = [(0, 0.0)]
    for i in range(len(book.specs)):
        alone = Book(**{**vars(book), "bids": _only(book.bids, i), "asks": _only(book.asks, i)})
        found.append(oracle.best(alone))
    return min(found, key=lambda one: (-one[0], one[1]))


def _only(sides: tuple, i: int) -> tuple:
    """One venue's levels; the others keep a price and have next to nothing within reach."""
    return tuple(levels if n == i else ((levels[0][0], 0),) for n, levels in enumerate(sides))


def test_more_than_one_listing_of_coarse_lots_is_searched_through() -> None:
    """The book on which a search around greedy's choice alone, venue by venue, stayed 0.1 above the optimum."""
    book = draw(1383)
    assert len({one.lot_size for one in book.specs}) == 3
    legs = router.route(build(book).state, 0, book.side, book.qty_lots, book.limit_ticks)
    assert cost_of(book, legs) == pytest.approx(oracle.best(book)[1], rel=TOLERANCE)


def test_greedy_alone_is_the_optimum_where_nothing_needs_repair() -> None:
    """Equal lots and no smallest orders: convex, and the walk is never repaired."""
    for seed in range(200):
        book = draw(seed, units=(1,))
        plain = tuple(_no_minimum(one) for one in book.specs)
        book = Book(**{**vars(book), "specs": plain})
        bench = build(book)
        legs = router.route(bench.state, 0, book.side, book.qty_lots, book.limit_ticks)
        filled, cost = oracle.best(book)
        assert (sum(leg.parent_lots for leg in legs), cost_of(book, legs)) == pytest.approx((filled, cost))


def _no_minimum(one):
    import msgspec

    return msgspec.structs.replace(one, qty_lots_min=1, notional_min=0.0)


def test_with_many_venues_what_is_too_small_is_dropped() -> None:
    """Beyond the exact search: everything sent may be sent, nothing is past what was asked for."""
    steps = [(1.0 + n / 10, 3) for n in range(4)]
    offers = [walk.Offer(1, 4 + n, 12, [(c + n / 100, lots) for c, lots in steps]) for n in range(6)]
    for qty in range(1, 60):
        lots = walk.share(offers, qty)
        assert all(n == 0 or n >= offer.least for n, offer in zip(lots, offers, strict=True))
        assert walk.filled(offers, lots) <= qty
        assert walk.filled(offers, lots) == qty or qty < 9, (qty, lots)
