"""Each detector finds what it is for, and lets pass what only looks like it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bus import trail
from bus.trail import Line
from core.analytics.surveillance import Finding, Thresholds, inspect

from .flows import CLOSE, SECOND, T0, Tale

DAY_END = (CLOSE - T0) / SECOND


def found(tale: Tale, **limits: float) -> list[Finding]:
    return inspect(tale.flow, Thresholds(**limits))  # type: ignore[arg-type]


# --- wash ----------------------------------------------------------------------------------------------------------


def crossing(tale: Tale, at: float, *, price: float = 100.0, apart_s: float = 0.5, sell_price: float = 0.0,
             venues: tuple[str, str] = ("one", "two"), who: tuple[str, str] = ("s1", "s1")) -> None:  # fmt: skip
    """A buy and a sell that stand together and both fill, as takers."""
    buy = tale.order(at, "buy", 5, price, who=who[0], venue=venues[0])
    sell = tale.order(at + 0.01, "sell", 5, sell_price or price, who=who[1], venue=venues[1])
    tale.fill(at + 0.02, buy, 5, price)
    tale.fill(at + 0.02 + apart_s, sell, 5, sell_price or price)


def test_wash_two_strategies_that_meet_once_are_enough() -> None:
    tale = Tale()
    sell = tale.order(1, "sell", 10, 100.0, who="maker")
    buy = tale.order(5, "buy", 4, None, who="taker")
    tale.fill(5.01, buy, 4, 100.0)
    tale.fill(5.01, sell, 4, 100.0, maker=True)
    (finding,) = found(tale)
    assert (finding.kind, finding.who, finding.symbol) == ("wash", "maker,taker", "AAA")
    assert set(finding.orders) == {buy, sell} and finding.score == 1.0
    assert finding.from_ns == finding.to_ns == tale.ns(5.01)
    assert "1 of them a maker meeting a taker" in finding.why


def test_wash_across_venues_needs_three_pairs() -> None:
    tale = Tale()
    for n in range(2):
        crossing(tale, 10.0 * n)
    assert found(tale) == []
    crossing(tale, 20.0)
    (finding,) = found(tale)
    assert finding.kind == "wash" and "on one, two" in finding.why
    assert (finding.from_ns, finding.to_ns) == (tale.ns(0.02), tale.ns(20.52))


NOT_WASH: dict[str, Callable[[Tale, float], None]] = {
    "one tick apart": lambda tale, at: crossing(tale, at, price=100.01, sell_price=100.0),
    "too late": lambda tale, at: crossing(tale, at, apart_s=1.5),
    "a market maker: bought, then offered": lambda tale, at: (
        tale.trade(at, "buy", 5, 100.0, maker=True),
        tale.trade(at + 0.5, "sell", 5, 100.0, maker=True),
    )[0] and None,
    "quotes that never crossed": lambda tale, at: apart(tale, at),
    "one of them was on its way out": lambda tale, at: going(tale, at),
}  # fmt: skip


def going(tale: Tale, at: float) -> None:
    """A bid whose cancel is on its way is hit; the offer that was sent with the cancel fills at the same price."""
    bid = tale.order(at, "buy", 5, 100.0)
    line = Line(trail.CANCEL, "s1", "one", "asked", order=bid)
    tale.flow.take(tale.ns(at + 0.5), None, [line])
    offer = tale.order(at + 0.5, "sell", 5, 100.0)
    tale.fill(at + 0.52, bid, 5, 100.0, maker=True)
    tale.fill(at + 0.53, offer, 5, 100.0)


def apart(tale: Tale, at: float) -> None:
    """Bid below the offer, both standing; both filled at one price because the venue improved one of them."""
    bid = tale.order(at, "buy", 5, 99.0)
    offer = tale.order(at, "sell", 5, 100.0)
    tale.fill(at + 0.1, offer, 5, 100.0, maker=True)
    tale.fill(at + 0.2, bid, 5, 100.0, maker=True)


@pytest.mark.parametrize("name", NOT_WASH)
def test_not_a_wash(name: str) -> None:
    tale = Tale()
    for n in range(10):
        NOT_WASH[name](tale, 10.0 * n)
    assert [finding for finding in found(tale) if finding.kind == "wash"] == []


def test_each_quantity_is_matched_once() -> None:
    """One large sell against three small buys is three pairs; against one, however often told, it is one."""
    tale = Tale()
    sell = tale.order(0, "sell", 15, 100.0, who="b")
    buys = [tale.order(0.1, "buy", 5, 100.0, who="a") for _ in range(3)]
    for buy in buys:
        tale.fill(0.2, buy, 5, 100.0)
    tale.fill(0.2, sell, 5, 100.0)
    assert found(tale) == [], "one pair, both taking"
    tale.fill(0.3, sell, 10, 100.0)
    (finding,) = found(tale)
    assert "3 pairs" in finding.why and "matched" not in finding.why


# --- layering ------------------------------------------------------------------------------------------------------


def spoof(tale: Tale, at: float, *, levels: int = 5, size: int = 20, cancel_after_s: float = 0.5, who: str = "s1",
          by: str = "s1", own: int = 10, back: int = 0) -> None:  # fmt: skip
    """Sells shown in layers, a small buy executed, the layers withdrawn."""
    layers = [tale.order(at, "sell", size, 101.0 + n / 100, who=who) for n in range(levels)]
    tale.trade(at + 1.0, "buy", own, 100.0, who=who)
    for key in layers:
        tale.cancel(at + 1.0 + cancel_after_s, key, by)
    if back:
        tale.order(at + 1.2 + cancel_after_s, "sell", back, 101.5, who=who)


def test_layering_is_found_and_its_orders_named() -> None:
    tale = Tale()
    spoof(tale, 100.0)
    (finding,) = found(tale)
    assert (finding.kind, finding.who, finding.symbol) == ("layering", "s1", "AAA")
    assert finding.score == 1.0 and len(finding.orders) == 6
    assert "at 5 prices, 10.0 times" in finding.why


def test_one_large_order_is_enough_and_repetitions_are_one_finding() -> None:
    tale = Tale()
    for n in range(3):
        spoof(tale, 20.0 * n, levels=1, size=60)
    (finding,) = found(tale)
    assert finding.why.startswith("3 times") and finding.score == pytest.approx(0.6)


def test_showing_and_executing_may_be_two_strategies() -> None:
    tale = Tale()
    for n in range(3):
        assert found(tale) == [], "once or twice may be chance"
        layers = [tale.order(10.0 * n, "sell", 30, 101.0, who="shows") for _ in range(3)]
        tale.trade(10.0 * n + 1.0, "buy", 10, 100.0, who="takes")
        for key in layers:
            tale.cancel(10.0 * n + 1.5, key, "shows")
    (finding,) = found(tale)
    assert (finding.kind, finding.who) == ("layering", "shows,takes") and finding.why.startswith("3 times")


NOT_LAYERING: dict[str, Callable[[Tale, float], object]] = {
    "not enough": lambda tale, at: spoof(tale, at, levels=2, size=20),
    "kept": lambda tale, at: spoof(tale, at, cancel_after_s=9.0),
    "a kill withdrew them": lambda tale, at: spoof(tale, at, by="kill drawdown@all"),
    "a person's stop withdrew them": lambda tale, at: spoof(tale, at, by="ann"),
    "put up again at another price": lambda tale, at: spoof(tale, at, back=100),
    "a two-sided quote that is moved": lambda tale, at: requote(tale, at),
    "the same size stood on both sides": lambda tale, at: (
        [tale.order(at, "buy", 50, 99.0) for _ in range(2)],
        spoof(tale, at),
    ),
}


def requote(tale: Tale, at: float) -> None:
    """A maker with four levels a side: one bid is filled, everything is cancelled and quoted anew lower."""
    bids = [tale.order(at, "buy", 10, 100.0 - n / 100) for n in range(4)]
    offers = [tale.order(at, "sell", 10, 101.0 + n / 100) for n in range(4)]
    tale.fill(at + 1.0, bids[0], 1, 100.0, maker=True)  # only a little of it
    for key in (*bids, *offers):
        tale.cancel(at + 1.1, key)


@pytest.mark.parametrize("name", NOT_LAYERING)
def test_not_layering(name: str) -> None:
    tale = Tale()
    for n in range(5):
        NOT_LAYERING[name](tale, 100.0 * n)
    assert [finding for finding in found(tale) if finding.kind == "layering"] == []


# --- stuffing ------------------------------------------------------------------------------------------------------


def burst(tale: Tale, at: float, count: int, *, gap_s: float = 0.01, life_s: float = 0.2, fills: int = 0,
          cancelled: float = 1.0, by: str = "s1") -> None:  # fmt: skip
    for n in range(count):
        when = at + n * gap_s
        key = tale.order(when, "buy", 1, 90.0)
        if n < fills:
            tale.fill(when + 0.001, key, 1, 90.0)
        elif n < count * cancelled:
            tale.cancel(when + life_s, key, by)


def test_stuffing_is_found() -> None:
    tale = Tale()
    burst(tale, 50.0, 60)
    (finding,) = found(tale)
    assert (finding.kind, finding.who, finding.symbol) == ("stuffing", "s1", "AAA")
    assert finding.score == 1.0 and "60 orders cancelled within 1 s without a fill, 0 filled" in finding.why
    assert tale.ns(50.0) == finding.from_ns and finding.to_ns <= tale.ns(51.0)


def test_two_bursts_are_two_findings_and_a_long_one_is_one() -> None:
    tale = Tale()
    burst(tale, 0.0, 40)
    burst(tale, 30.0, 400)
    assert [finding.kind for finding in found(tale)] == ["stuffing", "stuffing"]
    assert found(tale)[1].to_ns - found(tale)[1].from_ns > 4 * SECOND


@pytest.mark.parametrize(
    "named",
    [
        {"count": 24},  # 48 messages, two short
        {"count": 60, "gap_s": 0.06},  # as many, but over seconds
        {"count": 60, "fills": 12},  # a fifth of them trade
        {"count": 60, "cancelled": 0.8},  # a fifth of them stand
        {"count": 60, "life_s": 2.0},  # they stood long enough to be hit
        {"count": 60, "by": "kill order_rate@all"},  # a kill took them away
    ],
    ids=lambda named: ", ".join(f"{k} {v}" for k, v in named.items()),
)
def test_not_stuffing(named: dict) -> None:
    tale = Tale()
    burst(tale, 0.0, **named)
    assert [finding for finding in found(tale) if finding.kind == "stuffing"] == []


# --- marking the close ---------------------------------------------------------------------------------------------


def marking(tale: Tale, *, ends: float = DAY_END, takers: int = 4, qty: int = 10, move: float = 0.004, early: int = 20,
            sells: int = 0, maker: bool = False) -> None:  # fmt: skip
    """A quiet day, then buying into its end while the mark rises."""
    tale.trade(ends - 10_000, "buy", early, 100.0)
    tale.mark(ends - 310, 100.0)
    for n in range(takers):
        tale.trade(ends - 200 + 10 * n, "sell" if n < sells else "buy", qty, 100.1, maker=maker)
    tale.mark(ends - 1, 100.0 * (1 + move))


def test_marking_the_close_is_found() -> None:
    tale = Tale()
    marking(tale)
    (finding,) = found(tale)
    assert (finding.kind, finding.who, finding.symbol) == ("close", "s1", "AAA")
    assert len(finding.orders) == 4 and 0.5 < finding.score <= 1.0
    assert "40 net bought in the last 300 s" in finding.why and "+0.40%" in finding.why


def test_selling_it_down_is_the_same() -> None:
    tale = Tale()
    marking(tale, sells=4, move=-0.004)
    assert [finding.kind for finding in found(tale)] == ["close"]


@pytest.mark.parametrize(
    "named",
    [
        {"ends": DAY_END - 5_000},  # in the middle of the day
        {"takers": 2},
        {"early": 60},  # most of the day's volume came before
        {"sells": 1},  # three bought, one sold: net half of it
        {"move": 0.001},
        {"move": -0.004},  # the mark went the other way
        {"maker": True},  # hit, not hitting
    ],
    ids=lambda named: ", ".join(f"{k} {v}" for k, v in named.items()),
)
def test_not_marking_the_close(named: dict) -> None:
    tale = Tale()
    marking(tale, **named)
    tale.mark(DAY_END + 1, 100.0)  # the day ended, whatever was done before
    assert [finding for finding in found(tale) if finding.kind == "close"] == []


def test_a_flow_that_began_just_before_the_end_has_no_day_to_compare_with() -> None:
    tale = Tale()
    tale.flow.first_ns = CLOSE - 1_000 * SECOND
    marking(tale)
    assert found(tale) == []


# --- all together --------------------------------------------------------------------------------------------------


def everything() -> Tale:
    tale = Tale()
    for n in range(3):
        crossing(tale, 10.0 * n)
    spoof(tale, 1_000.0)
    burst(tale, 2_000.0, 60)
    marking(tale, takers=30)
    return tale


def test_the_order_of_arrival_within_a_symbol_does_not_change_what_is_found() -> None:
    tale = everything()
    expected = found(tale)
    assert sorted(finding.kind for finding in expected) == ["close", "layering", "stuffing", "wash"]
    tale.flow.fills.reverse()
    assert found(tale) == expected
    assert inspect(tale.flow, Thresholds(), ("wash",)) == [f for f in expected if f.kind == "wash"]
    with pytest.raises(ValueError, match="no detector"):
        inspect(tale.flow, Thresholds(), ("gossip",))


def test_a_repeated_report_is_one_execution() -> None:
    tale = Tale()
    key = tale.order(0, "buy", 10, 100.0)
    tale.fill(1, key, 4, 100.0)
    tale.count -= 1
    tale.fill(1, key, 4, 100.0)
    assert (len(tale.flow.fills), tale.flow.orders[key].filled) == (1, 4.0)


def test_pruning_forgets_what_ended_and_keeps_what_stands() -> None:
    tale = Tale()
    stands = tale.order(0, "buy", 1, 100.0)
    tale.trade(1, "buy", 1, 100.0)
    tale.flow.prune(tale.ns(10))
    assert list(tale.flow.orders) == [stands] and tale.flow.fills == [] and tale.flow.dropped == 2
