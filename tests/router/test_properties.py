"""What holds for every route, whatever the books: never more, never past the limit, never where it must not go."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from bus.enums import OrdStatus, OrdType, ReportKind, Side, TimeInForce
from bus.events import VenueStatus
from core.engine import router
from core.engine.gate import Wish
from core.engine.orders import Order
from core.engine.router import ladders, room
from tests.engine.kit import Bench

from . import oracle
from .rig import Book, build, draw, tell

SEEDS = st.integers(0, 10**9)
EXAMPLES = settings(max_examples=150)


def ask(bench: Bench, book: Book, qty_lots: int | None = None, **named) -> router.Route:
    return router.plan(bench.state, 0, book.side, qty_lots or book.qty_lots, book.limit_ticks, **named)


def send(bench: Bench, book: Book, leg: router.Leg) -> Order | None:
    """A leg through the gate, as an algorithm would."""
    sent = bench.submit(
        leg.instrument, book.side, leg.qty_lots, price_ticks=leg.price_ticks, tif=TimeInForce.IOC
    )
    return sent if isinstance(sent, Order) else None


@EXAMPLES
@given(SEEDS)
def test_never_more_than_asked_nor_past_the_limit_nor_off_the_venues_sizes(seed: int) -> None:
    book = draw(seed)
    found = ask(build(book), book)
    limit_px = book.limit_ticks * book.specs[0].tick_size
    assert sum(leg.parent_lots for leg in found.legs) + found.left_lots == book.qty_lots
    assert len({leg.instrument for leg in found.legs}) == len(found.legs)
    for leg in found.legs:
        one = book.specs[leg.instrument]
        px = leg.price_ticks * one.tick_size
        assert book.limit_ticks == 0 or (px - limit_px) * book.sign < 1e-9
        assert leg.parent_lots == leg.qty_lots * round(one.lot_size / book.specs[0].lot_size)
        assert one.qty_lots_min <= leg.qty_lots <= one.qty_lots_max
        assert (
            leg.qty_lots * one.lot_value(min(px, oracle.mid(book, leg.instrument))) >= one.notional_min - 1e-9
        )
        assert leg.qty_lots <= oracle.cap(book, leg.instrument)
        assert (leg.expect_px - px) * book.sign < 1e-9, "the limit is the worst price it needs"


@EXAMPLES
@given(SEEDS)
def test_the_same_question_has_the_same_answer_and_changes_nothing(seed: int) -> None:
    book = draw(seed)
    one, two = build(book), build(book)
    before = one.state.cold.progress, one.state.positions.tobytes(), len(one.state.effects)
    first = ask(one, book)
    assert first == ask(one, book) == ask(two, book)
    assert before == (one.state.cold.progress, one.state.positions.tobytes(), len(one.state.effects))


@EXAMPLES
@given(
    SEEDS,
    st.integers(0, 2),
    st.sampled_from(("down", "unknown", "not allowed", "halted", "stale", "crossed")),
)
def test_an_excluded_venue_gets_nothing_and_the_reason_is_said(seed: int, n: int, how: str) -> None:
    book = draw(seed)
    n %= len(book.specs)
    bench = build(book)
    allowed = exclude(bench, book, n, how)
    found = ask(bench, book, allowed=allowed)
    assert n not in {leg.instrument for leg in found.legs}
    note = next(note for note in found.notes if note.instrument == n)
    assert not note.used
    assert note.reason
    others = [note for note in found.notes if note.instrument != n]
    assert all(note.used or note.reason for note in others)


def exclude(bench: Bench, book: Book, n: int, how: str) -> tuple[int, ...]:
    """Make venue ``n`` unusable in one of the ways there are."""
    one = book.specs[n]
    match how:
        case "down":
            bench.do(VenueStatus(bench.now, n, up=False, reason="link"))
        case "unknown":
            order = bench.submit(n, Side.BUY, 12, price_ticks=1, tif=TimeInForce.GTC, strategy="x")
            if not isinstance(order, Order):
                order = bench.submit(n, Side.BUY, 12)
            bench.report(order.cl_ord_id, ReportKind.UNKNOWN)
            assert order.status is OrdStatus.PENDING_UNKNOWN
        case "halted":
            bench.command("kill", {"scope": f"venue:{one.venue}", "level": "halt"})
        case "stale":
            bench.now += int((book.limits.stale_max_s + 1) * 1e9)
            for i in range(len(book.specs)):
                if i != n:
                    tell_one(bench, book, i)
        case "crossed":  # ticks and depth that cross are refused at the door; the router does not rely on it
            bench.state.markets["bid_ticks"][n] = bench.state.markets["ask_ticks"][n]
        case _:
            return tuple(i for i in range(len(book.specs)) if i != n) or (99,)
    return ()


def tell_one(bench: Bench, book: Book, i: int) -> None:
    from .rig import top

    bench.do(top(bench.now, i, book.bids[i], book.asks[i]))


@EXAMPLES
@given(SEEDS)
def test_reserved_room_is_never_exceeded_however_often_one_asks(seed: int) -> None:
    """Send what the router says, again and again, with nothing answered: what is open stays reserved."""
    book = draw(seed)
    bench = build(book)
    for _ in range(6):
        for leg in ask(bench, book).legs:
            send(bench, book, leg)
        for i, one in enumerate(book.specs):
            _within_caps(bench, book, i, one)


def _within_caps(bench: Bench, book: Book, i: int, one) -> None:
    row = bench.state.positions[i]
    up, down = int(row["qty_lots"] + row["work_buy_lots"]), int(row["qty_lots"] - row["work_sell_lots"])
    cap = book.limits.exposure_max.get(one.venue)
    if cap is not None:
        worst = max(abs(up), abs(down))
        may = math.floor(cap / (one.lot_size * oracle.mid(book, i)))
        assert worst <= max(may, abs(book.held[i])), f"{one.venue}: {worst} lots, {may} allowed"
    paid_in = book.limits.wallet.get(one.venue)
    if paid_in is not None and book.side is Side.SELL:
        assert down >= min(book.held[i], 0), "sold what is not held at a cash venue"
    if paid_in is not None and book.side is Side.BUY and book.held[i] >= 0:
        cost = book.held[i] * one.lot_size * 100.0
        for order in bench.state.working.values():
            if order.instrument == i:
                px = order.price_ticks * one.tick_size * (1 + one.fee_rate_taker)
                cost += order.leaves_lots * one.lot_size * px
        assert cost <= max(paid_in, book.held[i] * one.lot_size * 100.0) + 1e-6


@EXAMPLES
@given(SEEDS)
def test_a_reduction_never_enlarges_any_venues_position(seed: int) -> None:
    book = draw(seed)
    bench = build(book)
    found = ask(bench, book, reduce_only=True)
    for leg in found.legs:
        assert leg.qty_lots <= max(-book.sign * book.held[leg.instrument], 0)


@EXAMPLES
@given(SEEDS, st.integers(0, 2))
def test_an_unknown_outcome_counts_both_ways(seed: int, n: int) -> None:
    """As filled for what is still needed, as open for room; its venue is out, the others get the certain rest."""
    book = draw(seed)
    bench = build(book)
    legs = ask(bench, book).legs
    orders = [(leg, send(bench, book, leg)) for leg in legs]
    orders = [(leg, order) for leg, order in orders if order is not None]
    if not orders:
        return
    leg, lost = orders[n % len(orders)]
    bench.report(lost.cl_ord_id, ReportKind.UNKNOWN)
    ids = [order.cl_ord_id for _, order in orders]
    for _other, order in orders:
        if order is not lost:
            bench.report(order.cl_ord_id, ReportKind.EXPIRED)
    done = router.committed(bench.state, 0, ids)
    assert done == leg.parent_lots, "the unknown order is taken as filled, the ended ones as they ended"
    left = book.qty_lots - done
    tell(bench, book)
    again = ask(bench, book, left) if left else router.Route([], [], 0)
    assert lost.instrument not in {one.instrument for one in again.legs}
    assert done + sum(one.parent_lots for one in again.legs) <= book.qty_lots
    column = "work_buy_lots" if book.side is Side.BUY else "work_sell_lots"
    assert int(bench.state.positions[column][lost.instrument]) == lost.qty_lots, "open for every balance"
    free = room.closable_lots(bench.state, lost.instrument, book.side)
    assert free == max(-book.sign * book.held[lost.instrument] - lost.qty_lots, 0)


def test_what_we_display_and_what_we_are_taking_is_not_counted_as_liquidity() -> None:
    flying = _order(Side.BUY, 102, 5, TimeInForce.IOC)
    queued = _order(Side.BUY, 90, 50)
    resting = _order(Side.SELL, 102, 4)
    ladder = [(100, 3), (101, 10), (102, 10)]
    assert ladders.without_own(Side.BUY, ladder, [flying, queued]) == [(101, 8), (102, 10)]
    assert ladders.without_own(Side.BUY, ladder, [flying, resting]) == [(101, 8)], "not into our own offer"
    assert ladders.without_own(Side.BUY, ladder, [resting], past_own=True) == [(100, 3), (101, 10), (102, 6)]
    bids = [(99, 3), (98, 10)]
    assert ladders.without_own(Side.SELL, bids, [_order(Side.BUY, 98, 1), _order(Side.SELL, 105, 7)]) == [
        (99, 3)
    ]
    stop = _order(Side.SELL, 0, 4)
    stop.ord_type = OrdType.STOP
    assert ladders.without_own(Side.BUY, ladder, [stop]) == ladder, "a stop is not in the book"


@EXAMPLES
@given(SEEDS)
def test_no_leg_would_trade_with_ourselves(seed: int) -> None:
    """A maker of ours stands on the other side; the gate takes every leg of the route all the same."""
    book = draw(seed)
    bench = build(book)
    other = Side.SELL if book.side is Side.BUY else Side.BUY
    for i in range(len(book.specs)):
        px = book.taken(i)[-1][0]
        bench.submit(i, other, 12, price_ticks=px, tif=TimeInForce.GTC, strategy="maker")
    for leg in ask(bench, book).legs:
        sent = bench.submit(
            leg.instrument, book.side, leg.qty_lots, price_ticks=leg.price_ticks, tif=TimeInForce.IOC
        )
        assert isinstance(sent, Order) or sent.code != "SELF_MATCH", sent


def _order(side: Side, ticks: int, lots: int, tif: TimeInForce = TimeInForce.GTC) -> Order:
    wish = Wish(cl_ord_id="x", instrument=0, side=side, qty_lots=lots, strategy="s", purpose=0)
    return Order(
        cl_ord_id=wish.cl_ord_id, venue=0, instrument=0, side=side, ord_type=OrdType.LIMIT, tif=tif, qty_lots=lots,
        price_ticks=ticks, strategy="s", purpose=0, reduce_only=False, post_only=False, created_ns=0, updated_ns=0,
        status=OrdStatus.NEW,
    )  # fmt: skip
