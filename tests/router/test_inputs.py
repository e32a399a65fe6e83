"""What the router stands on: which instruments are alike, which books are believed, what fills have taught."""

from __future__ import annotations

import sys
from fractions import Fraction

import msgspec
import pytest

from bus.enums import OrdStatus, ReportKind, Side, TimeInForce
from bus.events import Boot, Depth
from core.engine import costs, depth, router, snapshot
from core.engine.alike import Peer, peers_of
from core.engine.config import RouterLimits
from core.engine.orders import Order
from core.engine.router import ladders, price
from tests.engine.kit import Bench, config

from .rig import Book, build, draw, spec, tell, top

route = sys.modules["core.engine.router.route"]  # the package names a function so
TWO = (spec("sim"), spec("alt", lot_size=5.0, tick_size=0.05))
GOOD = Depth(0, 0, ((9_999, 5), (9_998, 5)), ((10_001, 5), (10_004, 5)))


def two(**named) -> Bench:
    return Bench(config(instruments=TWO, venues=("sim", "alt"), router=RouterLimits(**named)))


# --- alike -------------------------------------------------------------------------------------------------------


def test_lots_and_ticks_convert_exactly() -> None:
    fine, coarse = spec("sim", lot_size=0.00001, tick_size=0.01), spec("alt", lot_size=0.0001, tick_size=0.1)
    rows = peers_of((fine, coarse))
    assert rows[0] == (Peer(0, 1, Fraction(1)), Peer(1, 10, Fraction(10)))
    assert rows[1] == (Peer(1, 1, Fraction(1)),), "a tenth of a lot could not be counted"


@pytest.mark.parametrize(
    "change",
    [
        {"base": "BBB"},
        {"quote": "EUR"},
        {"settle": "AAA"},
        {"inverse": True},
        {"venue": "sim"},
        {"lot_size": 1.5},
        {"symbol": "AAA/USDT:USDT@alt"},
    ],
)
def test_what_is_not_the_same_thing_is_not_alike(change: dict) -> None:
    other = msgspec.structs.replace(spec("alt"), **change)
    assert peers_of((spec("sim"), other))[0] == (Peer(0, 1, Fraction(1)),)


def test_without_a_base_nothing_is_alike() -> None:
    nameless = msgspec.structs.replace(spec("sim"), base=""), msgspec.structs.replace(spec("alt"), base="")
    assert [len(row) for row in peers_of(nameless)] == [1, 1]


# --- books -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        (((9_998, 5), (9_999, 5)), ()),
        ((), ((10_001, 5), (10_001, 5))),
        (((0, 5),), ()),
        (((-3, 5),), ()),
        ((), ((10_001, 0),)),
        ((), ((10_001, -1),)),
        (((10_001, 5),), ((10_001, 5),)),
        ((), ((1 << 50, 5),)),
    ],
)
def test_a_book_that_cannot_be_changes_nothing_and_alarms(bids, asks) -> None:
    bench = two()
    bench.do(msgspec.structs.replace(GOOD, ts_ns=bench.now))
    known = bench.state.depths[0]
    bench.do(Depth(bench.now, 0, bids, asks))
    assert bench.state.depths[0] is known
    assert [view.code if hasattr(view, "code") else view.id for view in bench.alerts("ANOMALY")]


def test_an_unknown_instrument_has_no_book() -> None:
    bench = two()
    for i in (-1, 2, 99):
        bench.do(Depth(bench.now, i, GOOD.bids, GOOD.asks))
    assert not bench.state.depths
    assert bench.alerts("ANOMALY")


def test_a_deep_book_is_cut() -> None:
    bench = two()
    bench.do(Depth(bench.now, 0, (), tuple((100 + n, 1) for n in range(200))))
    assert len(bench.state.depths[0].asks) == depth.LEVELS_MAX


def test_books_survive_a_snapshot_and_not_a_restart() -> None:
    """A replay from a snapshot must route as the first time; another process starts without other people's books."""
    bench = two()
    bench.do(msgspec.structs.replace(GOOD, ts_ns=bench.now))
    again = snapshot.load(snapshot.save(bench.state))
    assert again.depths == bench.state.depths
    assert snapshot.save(again) == snapshot.save(bench.state)
    bench.do(Boot(bench.now, 2, clean=False))
    assert not bench.state.depths


def test_an_older_ladder_is_a_shape_behind_the_top() -> None:
    bench = two()
    bench.price(0, 100.0)
    bench.do(msgspec.structs.replace(GOOD, ts_ns=bench.now))
    assert ladders.ladder_of(bench.state, 0, Side.BUY).levels == [(10_001, 5), (10_004, 5)], (
        "as new as the top"
    )
    bench.now += 10**9
    bench.price(0, 100.02)  # ask 100.03
    seen = ladders.ladder_of(bench.state, 0, Side.BUY)
    assert seen.levels == [(10_003, 1000), (10_006, 5)]
    assert (seen.age_ns, seen.deep_age_ns) == (0, 10**9 + 1000)
    found = router.plan(bench.state, 0, Side.BUY, 1_005, 0, (0,))
    assert [(leg.qty_lots, leg.price_ticks) for leg in found.legs] == [(1_005, 10_006)]
    bench.now += 10**10
    bench.price(0, 100.02)
    assert ladders.ladder_of(bench.state, 0, Side.BUY).levels == [(10_003, 1000)], "too old to be a shape"


def test_no_level_is_cheaper_than_one_before_it() -> None:
    """What the walk's proof rests on, also where the levels behind are older than the top, and for sells."""
    for seed in range(60):
        book = draw(seed)
        bench = build(book)
        bench.now += 1_500_000_000
        for i in range(len(book.specs)):
            bench.do(top(bench.now, i, book.bids[i], book.asks[i]))
        for peer in bench.state.alike[0]:
            seen = route._look(bench.state, peer, book.side, 0, [], reduce_only=False)
            if isinstance(seen, route._Venue):
                costs = [cost for cost, _ in seen.offer.steps]
                assert costs == sorted(costs)


# --- costs -------------------------------------------------------------------------------------------------------


def taker(
    bench: Bench, lots: int, px: float, *, expect: float = 0.0, fee: float = 0.0, wait_ms: int = 30
) -> Order:
    """A taker order through its life, answered after ``wait_ms``."""
    order = bench.submit(0, Side.BUY, lots, price_ticks=10_100, tif=TimeInForce.IOC)
    assert isinstance(order, Order)
    order.expect_px = expect
    bench.now += wait_ms * 1_000_000
    bench.report(order.cl_ord_id, ReportKind.ACK)
    bench.fill(order.cl_ord_id, lots, px, fee=fee)
    return order


def test_fee_latency_spread_and_slip_are_learnt() -> None:
    bench = two()
    for _ in range(50):
        taker(bench, 10, 100.05, expect=100.02, fee=10 * 100.05 * 0.0012, wait_ms=80)
    cost = bench.state.cold.costs[0]
    assert (cost.takes, cost.acks, cost.slips, cost.sent) == (50, 50, 50, 50)
    assert cost.fee_taker == pytest.approx(0.0012)
    assert cost.ack_ms == pytest.approx(80.0)
    assert cost.ack_p95_ms > 40.0
    assert cost.spread == pytest.approx(0.0005)
    assert cost.slip == pytest.approx(0.03 / 100.02)
    assert price.taker_fee(bench.state, 0) == pytest.approx((20 * 0.0005 + 50 * 0.0012) / 70)
    assert price.taker_fee(bench.state, 1) == 0.0005


def test_what_was_learnt_turns_the_route() -> None:
    """Both venues alike; the one that turns out dearer than its rate is left."""
    specs = (spec("sim"), spec("alt"))
    bench = Bench(config(instruments=specs, venues=("sim", "alt")))
    bench.price(0, 100.0)  # the fresher book
    assert [leg.instrument for leg in router.route(bench.state, 0, Side.BUY, 10)] == [0]
    for _ in range(30):
        taker(bench, 10, 100.01, fee=10 * 100.01 * 0.002)
        bench.price(0, 100.0)
    bench.price(1, 100.0)
    assert [leg.instrument for leg in router.route(bench.state, 0, Side.BUY, 10)] == [1]


def test_refusals_and_unknown_outcomes_are_counted() -> None:
    bench = two()
    for n in range(10):
        order = bench.submit(0, Side.BUY, 10, price_ticks=9_700)
        assert isinstance(order, Order)
        if n % 5 == 0:
            bench.report(order.cl_ord_id, ReportKind.UNKNOWN)
            assert order.status is OrdStatus.PENDING_UNKNOWN
        bench.report(order.cl_ord_id, ReportKind.REJECTED if n % 2 else ReportKind.ACK)
    cost = bench.state.cold.costs[0]
    assert (cost.sent, cost.rejects, cost.unknowns) == (10, 5, 2)
    assert cost.acks == 8, "an answer after an outage says nothing of latency"
    assert costs.venue_values(bench.state, "sim")["reject_rate"] == 0.5
    assert costs.venue_values(bench.state, "alt") == {}


def test_what_was_learnt_survives_a_snapshot() -> None:
    bench = two()
    taker(bench, 10, 100.02, expect=100.01, fee=0.3)
    again = snapshot.load(snapshot.save(bench.state))
    assert again.cold.costs == bench.state.cold.costs


def test_a_refit_from_outside_replaces_the_expectation() -> None:
    bench = two(fee_bps={"sim": 9.0}, slip_bps={"sim": 3.0}, latency_ms={"alt": 0.0})
    assert price.taker_fee(bench.state, 0) == pytest.approx(0.0009)
    assert price.drift(bench.state, 0, 0) == pytest.approx(0.0003)
    assert price.drift(bench.state, 1, 0) == 0.0
    assert price.drift(bench.state, 1, 10**9) > 0.0


def test_a_venue_has_a_message_budget() -> None:
    bench = two(messages_per_s=2.0)
    for _ in range(2):
        assert isinstance(bench.submit(0, Side.BUY, 10, price_ticks=9_700), Order)
    found = router.plan(bench.state, 0, Side.BUY, 10)
    assert "budget" in found.notes[0].reason
    assert [leg.instrument for leg in found.legs] == [1]
    bench.now += 1_000_000_001
    bench.price(0, 100.0)
    assert not router.plan(bench.state, 0, Side.BUY, 10).notes[0].reason


def test_nothing_is_asked_for_nothing_is_sent() -> None:
    book: Book = draw(3)
    bench = build(book)
    tell(bench, book)
    for lots in (0, -5):
        assert router.plan(bench.state, 0, book.side, lots)[0] == []
