"""The simulated venue without faults: what fills, at what price, and what is refused."""

from __future__ import annotations

import pytest

from bus.enums import ReportKind, Side, TimeInForce
from bus.events import Funding, OpenOrder, OpenOrders, Positions, Report, VenuePosition
from bus.instruments import InstrumentSpec
from tests.venues.rig import MS, SPECS, T0, Rig, new, quote, rows, trade

ACK, TRADE, DONE, REJ = ReportKind.ACK, ReportKind.TRADE, ReportKind.CANCELED, ReportKind.REJECTED
BUY, SELL = Side.BUY, Side.SELL


def test_a_market_order_pays_for_depth_and_the_depth_stays_taken_until_the_next_quote() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 25))
    rig.wait()
    assert rig.kinds("a") == [ACK, TRADE, TRADE]
    _, first, rest = rig.reports("a")
    assert (first.last_lots, first.px_ticks, first.cum_lots) == (10, 1001.0, 10)
    assert (rest.last_lots, rest.cum_lots) == (15, 25)
    assert rest.px_ticks == pytest.approx((10 * 1002 + 5 * 1003) / 15)
    rig.send(new("b", BUY, 7))
    rig.wait()
    assert [r.px_ticks for r in rig.reports("b")[1:]] == [1003.0, 1004.0], "what was taken is gone"
    rig.feed(quote(rig.now_ns, 1000, 1001))
    rig.send(new("c", BUY, 5))
    rig.wait()
    assert [r.px_ticks for r in rig.reports("c")[1:]] == [1001.0]
    assert rig.venue.positions() == {0: 37}


def test_fees_are_by_liquidity_and_fills_name_it() -> None:
    rig = Rig()
    rig.send(new("taker", BUY, 10), new("maker", SELL, 10, 1005))
    rig.wait()
    rig.feed(quote(rig.now_ns, 1005, 1006))
    taker, maker = rig.reports("taker")[1], rig.reports("maker")[1]
    assert not taker.maker
    assert taker.fee == pytest.approx(0.0005 * 10 * 0.01 * 100.1)
    assert maker.maker
    assert maker.fee == pytest.approx(0.0002 * 10 * 0.01 * 100.5)
    gain = 10 * 0.01 * (100.5 - 100.1) - taker.fee - maker.fee
    assert rig.venue.equity() == {"USDT": pytest.approx(gain)}


def test_inverse_contracts_settle_in_the_base_currency() -> None:
    spec = InstrumentSpec(
        symbol="BTC/USD:BTC", quote="USD", settle="BTC", inverse=True, tick_size=1.0, lot_size=1.0,
        contract_value=100.0, fee_rate_taker=0.0,
    )  # fmt: skip
    rig = Rig(specs=(spec,), cash={"BTC": 2.0})
    rig.send(new("a", BUY, 5))
    rig.wait()
    rig.feed(quote(rig.now_ns, 1199, 1201))
    assert rig.venue.equity() == {"BTC": pytest.approx(2.0 + 500.0 * (1 / 1001 - 1 / 1200))}


def test_a_resting_order_waits_for_its_turn_in_the_queue() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 5, 1000))
    rig.wait()
    rig.feed(trade(rig.now_ns, 1000, 10, buy=False))
    assert rig.kinds("a") == [ACK], "ten lots were ahead"
    rig.feed(trade(rig.now_ns, 1000, 40, buy=True))
    assert rig.kinds("a") == [ACK], "buyers do not hit bids"
    rig.feed(trade(rig.now_ns, 1000, 2, buy=False))
    rig.feed(trade(rig.now_ns, 1000, 9, buy=False))
    assert [(r.last_lots, r.cum_lots, r.px_ticks) for r in rig.reports("a")[1:]] == [
        (2, 2, 1000.0),
        (3, 5, 1000.0),
    ]


def test_own_orders_at_one_price_fill_in_time_priority_and_share_a_trade() -> None:
    rig = Rig()
    rig.send(*(new(f"o{k}", SELL, 4, 1001) for k in range(3)))
    rig.wait()
    rig.feed(trade(rig.now_ns, 1001, 16, buy=True))
    assert [rig.reports(f"o{k}")[-1].cum_lots for k in range(3)] == [4, 2, 0], (
        "16 traded, 10 were ahead of us"
    )
    assert rig.venue.positions() == {0: -6}


def test_a_better_price_trades_first_and_the_queue_behind_it_is_remembered() -> None:
    rig = Rig()
    rig.send(new("low", BUY, 5, 1000))
    rig.wait()
    rig.feed(trade(rig.now_ns, 1000, 8, buy=False))  # two lots still ahead of low
    rig.feed(quote(rig.now_ns, 1000, 1003))
    rig.send(new("high", BUY, 5, 1001))
    rig.wait()
    rig.feed(trade(rig.now_ns, 1001, 3, buy=False))
    assert (rig.reports("high")[-1].cum_lots, rig.kinds("low")) == (3, [ACK]), (
        "nobody was ahead inside the spread"
    )
    rig.cancel("high")
    rig.wait()
    rig.feed(trade(rig.now_ns, 1000, 3, buy=False))
    assert rig.reports("low")[-1].cum_lots == 1


def test_a_trade_through_or_a_crossing_quote_fills_but_never_more_than_was_shown() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 50, 990))
    rig.wait()
    rig.feed(trade(rig.now_ns, 989, 7, buy=False))
    assert rig.reports("a")[-1].cum_lots == 7
    rig.feed(quote(rig.now_ns, 985, 988, 12))
    assert [(r.last_lots, r.px_ticks, r.maker) for r in rig.reports("a")[1:]] == [
        (7, 990.0, True),
        (12, 990.0, True),
    ]
    rig.feed(quote(rig.now_ns, 985, 995, 12))
    assert rig.reports("a")[-1].cum_lots == 19


def test_what_a_resting_order_took_is_gone_for_the_next_taker() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 6, 1000))
    rig.wait()
    rig.feed(quote(rig.now_ns, 995, 1000))
    rig.send(new("b", BUY, 6))
    rig.wait()
    assert [(r.last_lots, r.px_ticks) for r in rig.reports("b")[1:]] == [(4, 1000.0), (2, 1001.0)]


def test_after_a_trade_through_nobody_is_ahead_any_more() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 10, 990))
    rig.wait()
    rig.feed(trade(rig.now_ns, 989, 4, buy=False))
    rig.feed(trade(rig.now_ns, 990, 2, buy=False))
    assert rig.reports("a")[-1].cum_lots == 6


def test_a_later_order_does_not_jump_the_queue_when_the_display_shrinks() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 1, 1000))
    rig.wait()
    rig.feed(quote(rig.now_ns, 1000, 1001, 2))
    rig.send(new("b", BUY, 8, 1000))
    rig.wait()
    rig.feed(trade(rig.now_ns, 1000, 12, buy=False))
    assert (rig.reports("a")[-1].cum_lots, rig.reports("b")[-1].cum_lots) == (1, 1)


def test_a_marketable_limit_takes_what_is_within_and_rests_with_the_remainder() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 100, 1002), new("ioc", BUY, 100, 1002, tif=TimeInForce.IOC))
    rig.wait()
    assert sum(r.last_lots for r in rig.reports("a")) == 20
    assert [(o.cl_ord_id, o.cum_lots) for o in rig.venue.open_orders()] == [("a", 20)]
    assert rig.kinds("ioc") == [ACK, ReportKind.EXPIRED]


def test_fill_or_kill_is_all_or_nothing() -> None:
    rig = Rig()
    fok = TimeInForce.FOK
    rig.send(new("no", BUY, 21, 1002, tif=fok), new("yes", BUY, 20, 1002, tif=fok))
    rig.wait()
    assert rig.kinds("no") == [ACK, ReportKind.EXPIRED]
    assert rig.reports("yes")[-1].cum_lots == 20


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (new("x", BUY, 0), "quantity outside"),
        (new("x", BUY, -4), "quantity outside"),
        (new("x", BUY, 10_001), "quantity outside"),
        (new("x", BUY, 1, instrument=9), "unknown instrument"),
        (new("x", BUY, 1, instrument=-1), "unknown instrument"),
        (new("x", BUY, 1, -5), "price not positive"),
        (new("x", BUY, 1, 1001, post_only=True), "post only"),
        (new("x", SELL, 1, 999, post_only=True), "post only"),
        (new("x", BUY, 1, reduce_only=True), "nothing to close"),
        (new("used", BUY, 1), "duplicate"),
    ],
)
def test_what_a_venue_refuses(order: object, why: str) -> None:
    rig = Rig()
    rig.send(new("used", BUY, 1))
    rig.wait()
    before = len(rig.events)
    rig.send(order)  # type: ignore[arg-type]
    rig.wait()
    (report,) = rig.events[before:]
    assert isinstance(report, Report)
    assert report.kind is REJ
    assert why in report.reason
    assert rig.venue.positions() == {0: 1}


def test_no_market_price_no_market_order() -> None:
    rig = Rig(specs=(*SPECS, InstrumentSpec(symbol="C/USDT")))
    rig.feed(quote(rig.now_ns, 0, 0, 0, instrument=2))
    rig.send(new("x", BUY, 1, instrument=2))
    rig.wait()
    assert (rig.kinds("x"), rig.reports("x")[0].reason) == ([REJ], "no market price")


def test_reduce_only_never_turns_the_position() -> None:
    rig = Rig()
    rig.send(new("in", BUY, 8), new("out", SELL, 50, reduce_only=True))
    rig.wait()
    assert rig.venue.positions() == {}
    assert [r.cum_lots for r in rig.reports("out") if r.kind is TRADE] == [8]
    assert rig.kinds("out")[-1] is ReportKind.EXPIRED


def test_resting_reduce_only_ends_when_nothing_is_left_to_close() -> None:
    rig = Rig()
    rig.send(new("in", BUY, 8))
    rig.wait()
    rig.send(new("r1", SELL, 6, 1003, reduce_only=True), new("r2", SELL, 6, 1003, reduce_only=True))
    rig.wait()
    rig.feed(quote(rig.now_ns, 1004, 1005, 100))
    assert rig.venue.positions() == {}
    assert rig.kinds("r1") == [ACK, TRADE]
    assert rig.kinds("r2") == [ACK, TRADE, DONE]
    assert rig.venue.open_orders() == []


def test_cancels_are_answered_and_unknown_ones_too() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 5, 990), new("f", BUY, 5))
    rig.wait()
    rig.cancel("a", "a", "f", "ghost")
    rig.wait()
    assert rig.kinds("a") == [ACK, DONE, ReportKind.CANCEL_REJECTED]
    assert rig.reports("f")[-1].reason == "already filled"
    assert rig.reports("ghost")[-1].reason == "unknown order"


def test_mass_cancel_takes_all_or_one_instrument_and_orders_nobody_remembers() -> None:
    rig = Rig()
    rig.venue.restore({1: -7}, [OpenOrder("foreign", 0, BUY, 9, 4, 900)])
    rig.send(new("a", BUY, 5, 990), new("b", BUY, 5, 990, instrument=1))
    rig.wait()
    rig.cancel_all(instrument=1)
    rig.wait()
    assert {o.cl_ord_id for o in rig.venue.open_orders()} == {"foreign", "a"}
    rig.cancel_all()
    rig.wait()
    assert rig.venue.open_orders() == []
    assert rig.reports("foreign")[-1].cum_lots == 4
    assert rig.venue.positions() == {1: -7}


def test_queries_tell_the_truth() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 15, 1001), new("m", SELL, 3, instrument=1))
    rig.wait()
    rig.ask(opened=41, positions=42)
    came = rig.wait()
    opened = next(e for e in came if isinstance(e, OpenOrders))
    held = next(e for e in came if isinstance(e, Positions))
    assert (opened.request, opened.ok, opened.orders) == (41, True, (OpenOrder("a", 0, BUY, 15, 10, 1001),))
    assert (held.request, held.positions) == (42, (VenuePosition(0, 10), VenuePosition(1, -3)))


def test_a_query_for_an_order_tells_its_trades_again_with_the_same_ids() -> None:
    rig = Rig()
    rig.send(new("a", BUY, 15, 1001), new("f", SELL, 2), new("r", BUY, 0))
    rig.wait()
    told = {r.exec_id for r in rig.reports("a") if r.kind is TRADE}
    rig.events.clear()
    for name in ("a", "f", "r", "ghost"):
        rig.ask(order=name)
    rig.wait()
    assert rig.kinds("a") == [TRADE, ReportKind.STATUS]
    assert {r.exec_id for r in rig.reports("a") if r.kind is TRADE} == told
    assert rig.kinds("f") == [TRADE, ReportKind.STATUS]
    assert rig.reports("f")[-1].cum_lots == rig.reports("f")[-1].order_lots, "nothing left of it"
    assert rig.kinds("r") == rig.kinds("ghost") == [ReportKind.NOT_FOUND]


def test_reports_travel_and_stay_in_line() -> None:
    rig = Rig(latency_ms=20.0, jitter_ms=10.0)
    rig.send(*(new(f"o{k}", BUY, 1, 990) for k in range(50)))
    assert rig.venue.next_due_ns() >= T0 + 20 * MS
    assert rig.venue.due(T0 + 19 * MS) == []
    came = rig.wait()
    stamps = [event.ts_ns for event in came]
    assert stamps == sorted(stamps)
    assert stamps[0] >= T0 + 40 * MS
    assert stamps[-1] <= T0 + 60 * MS
    assert [e.cl_ord_id for e in came if isinstance(e, Report)] == [f"o{k}" for k in range(50)]


def test_an_order_meets_the_book_as_it_is_when_it_arrives() -> None:
    rig = Rig(latency_ms=20.0, jitter_ms=0.0)
    rig.send(new("a", BUY, 5))
    rig.venue.on_ticks(rows(quote(T0 + 10 * MS, 1009, 1010), quote(T0 + 20 * MS, 1019, 1020)))
    rig.wait()
    assert rig.reports("a")[1].px_ticks == 1010.0


def test_zero_latency_answers_at_once() -> None:
    rig = Rig(latency_ms=0.0, jitter_ms=0.0)
    rig.send(new("a", BUY, 5))
    assert rig.venue.next_due_ns() == T0
    assert [e.kind for e in rig.venue.due(T0) if isinstance(e, Report)] == [ACK, TRADE]


def test_funding_is_paid_on_the_interval() -> None:
    rig = Rig(funding_interval_s=3600.0, funding_rate=1e-4)
    rig.send(new("a", BUY, 10))
    rig.wait()
    before = rig.venue.equity()["USDT"]
    came = [e for e in rig.wait(ms=2 * 3600_000.0) if isinstance(e, Funding)]
    assert [e.instrument for e in came] == [0, 1, 0, 1]
    assert all(5e-5 <= e.rate <= 1.5e-4 for e in came)
    paid = sum(e.rate for e in came if e.instrument == 0) * 10 * 0.01 * 100.05
    assert rig.venue.equity()["USDT"] == pytest.approx(before - paid)


def test_execution_ids_differ_between_sessions() -> None:
    ids = set()
    for session in ("1", "2"):
        rig = Rig(session=session)
        rig.send(new("a", BUY, 5))
        rig.wait()
        ids.add(rig.reports("a")[1].exec_id)
    assert len(ids) == 2
