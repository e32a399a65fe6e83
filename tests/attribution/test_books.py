"""What each event posts, by hand: parts, holders, symbols, hours, days; and what an error of the books looks like."""

from __future__ import annotations

import msgspec
import pytest

from bus.enums import Purpose, ReportKind, Side
from bus.events import Boot, Funding, Timer
from bus.instruments import InstrumentSpec
from core.engine import attribution, books, pnlview, snapshot
from core.engine.config import AttributionConfig
from core.engine.gate import Denial
from core.engine.ledger import PART_NAMES
from core.kernels import portfolio
from tests.engine.kit import SECOND, SPECS, T0, Bench, quote, strategy
from tests.engine.kit import config as kit_config

UNIT = 10**9
HOUR = 3600 * SECOND
EUR = InstrumentSpec(symbol="EUR/USDT", base="EUR", tick_size=0.01, lot_size=1.0, fx_for="EUR")
IN_EUR = InstrumentSpec(symbol="DDD/EUR", base="DDD", quote="EUR", settle="EUR", tick_size=0.01, lot_size=1.0)


def config(**named):
    """The kit's, with two strategies that are never asked."""
    quiet = tuple(strategy(id, symbols=()) for id in ("a", "b"))
    return kit_config(**({"strategies": quiet, "signal_interval_s": 1e8} | named))


def parts(bench: Bench, cut: str = "part", key: str = "") -> dict[str, float]:
    """Parts in account currency; of one row of a cut when ``key`` names it."""
    found = pnlview.attributed(bench.state)
    row = list(found.part.values()) if cut == "part" else getattr(found, cut)[key]
    return {name: value / UNIT for name, value in zip(PART_NAMES, row, strict=True) if value}


def adds_up(bench: Bench) -> None:
    """Every cut, and the account."""
    found = pnlview.attributed(bench.state)
    for name in pnlview.CUTS:
        assert sum(found.totals(name).values()) == found.total, name
    off = attribution.residual(bench.state, found.total - bench.state.cold.ledger.total)
    assert abs(off) <= attribution.bound(bench.state) < 1e-6
    assert not bench.state.cold.ledger.alarmed


def test_a_round_trip_by_a_taker() -> None:
    bench = Bench(config())
    bench.hold(0, 100, 100.03)  # mid 100: three ticks away
    assert parts(bench) == {"spread": -3.0}
    bench.price(0, 101.0)
    assert parts(bench) == {"spread": -3.0, "price": 100.0}
    order = bench.submit(0, Side.SELL, 100)
    bench.report(order.cl_ord_id, ReportKind.ACK)
    bench.fill(order.cl_ord_id, 100, 100.99, fee=5.05)
    assert parts(bench) == {"spread": -4.0, "price": 100.0, "fees": -5.05}
    bench.price(0, 50.0)
    assert parts(bench) == {"spread": -4.0, "price": 100.0, "fees": -5.05}, "flat is flat"
    adds_up(bench)


def test_a_maker_earns_the_half_spread() -> None:
    bench = Bench(config())
    order = bench.working(0, Side.BUY, 10, 99.99)
    bench.fill(order.cl_ord_id, 10, 99.99, fee=-0.1)
    assert parts(bench) == {"spread": pytest.approx(0.1), "fees": 0.1}
    adds_up(bench)


def test_funding_is_carry_and_goes_to_the_holders_by_quantity() -> None:
    bench = Bench(config())
    bench.hold(0, 300, strategy="a", purpose=Purpose.STRATEGY)
    bench.hold(0, -100, strategy="b", purpose=Purpose.STRATEGY)
    bench.do(Funding(bench.now, 0, 0.001))
    assert parts(bench) == {"funding": -20.0}
    assert parts(bench, "strategy", "a") == {"funding": -30.0} and parts(bench, "strategy", "b") == {
        "funding": 10.0
    }
    adds_up(bench)


def test_a_cross_out_changes_hands_and_makes_nothing() -> None:
    bench = Bench(config())
    bench.hold(0, 300, strategy="a", purpose=Purpose.STRATEGY)
    bench.hold(0, -100, strategy="b", purpose=Purpose.STRATEGY)
    bench.price(0, 110.0)
    order = bench.submit(0, Side.SELL, 200, reduce_only=True)
    bench.fill(order.cl_ord_id, 200, 109.0)
    assert bench.state.qty(0) == 0
    assert parts(bench) == {"price": 2000.0, "spread": -200.0}
    a, b = parts(bench, "strategy", "a"), parts(bench, "strategy", "b")
    assert a == {"price": 3000.0, "spread": -200.0, "transfer": -100.0}
    assert b == {"price": -1000.0, "transfer": 100.0}
    adds_up(bench)


def test_what_is_taken_on_the_venues_word_and_its_late_paper() -> None:
    bench = Bench(config())
    order = bench.submit(0, Side.BUY, 10)
    bench.report(order.cl_ord_id, ReportKind.ACK)
    books.adjust(bench.state, 0, 10, bench.state.mark(0))
    assert parts(bench) == {}
    bench.price(0, 103.0)
    assert parts(bench, "strategy", "unexplained") == {"price": 30.0}
    bench.fill(order.cl_ord_id, 10, 100.5, fee=1.0)
    assert bench.state.qty(0) == 10
    assert parts(bench, "strategy", "unexplained") == {"price": 30.0, "transfer": -25.0}
    adds_up(bench)


def test_an_inferred_fill_is_corrected_by_its_paper() -> None:
    bench = Bench(config())
    order = bench.working(0, Side.BUY, 10, 101.0, strategy="a", purpose=Purpose.STRATEGY)
    bench.report(order.cl_ord_id, ReportKind.STATUS, cum_lots=10)
    assert bench.state.qty(0) == 10 and parts(bench) == {}
    bench.price(0, 102.0)
    bench.fill(order.cl_ord_id, 10, 100.4, fee=0.7)
    assert parts(bench) == {"price": 20.0, "spread": pytest.approx(-4.0), "fees": -0.7}
    adds_up(bench)


def foreign(cash: dict[str, float]) -> Bench:
    return Bench(config(instruments=(*SPECS, EUR, IN_EUR), cash=cash))


def test_profit_and_cash_in_another_currency_have_an_fx_part() -> None:
    bench = foreign({"USDT": 100_000.0, "EUR": 1_000.0})
    bench.price(3, 1.25)
    assert parts(bench) == {"fx": -98_750.0}, "the kit's first price of a euro is 100"
    bench.hold(4, 100, 100.0)
    bench.price(4, 102.0)
    assert parts(bench, "symbol", "DDD/EUR") == {"price": 250.0}
    bench.price(3, 1.5)
    assert parts(bench, "symbol", "DDD/EUR") == {"price": 250.0, "fx": 50.0}
    assert parts(bench, "symbol", "cash.EUR") == {"fx": -98_500.0}
    assert parts(bench, "strategy", "cash") == {"fx": -98_500.0}
    adds_up(bench)


def test_before_the_first_rate_nothing_is_measured_and_what_waited_is_named_after() -> None:
    bench = Bench(config(instruments=(*SPECS, EUR, IN_EUR)), start=False)
    state = bench.state = snapshot.create(bench.config)
    bench.all.clear()
    bench.do(Boot(T0, 1, True, autostart=True))
    bench.agree()
    bench.price(4, 100.0)
    assert state.cold.ledger.begun, "nothing is held in euros yet: equity is known"
    assert isinstance(bench.submit(4, Side.BUY, 10), Denial), "a late fill is the only way into it"
    books.move(state, 4, 10, 100.2, 3.0)
    books.share(state, state.holding("a", 4), 10, 100.2, 3.0)
    assert state.equity != state.equity and pnlview.attributed(state).unpriced == 1
    assert pnlview.pnl_view(state).residual is None
    bench.price(3, 1.25)
    assert pnlview.attributed(state).unpriced == 0
    books.move(state, 4, 1, 100.0, 0.0)
    books.share(state, state.holding("a", 4), 1, 100.0, 0.0)
    assert parts(bench) == {"fees": -3.75, "price": pytest.approx(-2.5)}
    adds_up(bench)


def test_hours_sessions_and_days_are_cut_at_their_borders() -> None:
    midnight = (T0 // (24 * HOUR) + 1) * 24 * HOUR
    cut = AttributionConfig(sessions={"night": 0.0, "noon": 12.5})
    bench = Bench(config(attribution=cut))
    bench.hold(0, 100)
    bench.wait((midnight - HOUR - bench.now) / SECOND + 60)
    bench.price(0, 101.0)  # in the last hour of the day
    bench.wait(HOUR / SECOND)
    bench.price(0, 103.0)  # in the first of the next
    bench.wait(11.9 * HOUR / SECOND)
    bench.price(0, 106.0)  # before 12:30
    bench.wait(0.9 * HOUR / SECOND)
    bench.price(0, 110.0)
    found = pnlview.attributed(bench.state)
    assert [value // UNIT for value in found.totals("hour").values() if value] == [100, 200, 300, 400]
    assert [value // UNIT for value in found.totals("day").values()] == [100, 900]
    assert {key: value // UNIT for key, value in found.totals("session").items()} == {
        "noon": 500,
        "night": 500,
    }
    assert list(found.hour)[1] == pnlview.stamp(midnight) and list(found.day)[1] == pnlview.stamp(midnight)
    day = pnlview.daily_view(bench.state).days[0]
    assert (day.pnl, day.equity, day.by_symbol, day.by_strategy) == (
        100.0,
        1e5,
        {"AAA/USDT": 100.0},
        {"operator": 100.0},
    )
    adds_up(bench)


def test_hours_and_days_that_are_no_longer_kept_stay_in_the_sums() -> None:
    bench = Bench(config())
    bench.hold(0, 1)
    for n in range(200 * 3):
        bench.now += 8 * HOUR
        bench.do(Timer(bench.now))
        bench.price(0, 100.0 + n % 7)
    found = pnlview.attributed(bench.state)
    assert len(found.hour) <= 50 and len(found.day) <= 94
    assert any(found.hour[pnlview.EARLIER]) and any(found.day[pnlview.EARLIER])
    adds_up(bench)


def test_a_snapshot_keeps_every_figure() -> None:
    bench = foreign({"USDT": 100_000.0, "EUR": 1_000.0})
    bench.hold(4, 100, 100.02, strategy="a", purpose=Purpose.STRATEGY)
    bench.price(3, 1.3)
    bench.wait(4000)
    bench.price(4, 99.0)
    loaded = snapshot.load(snapshot.save(bench.state), bench.config)
    assert pnlview.attributed(loaded) == pnlview.attributed(bench.state)
    assert snapshot.fingerprint(loaded) == snapshot.fingerprint(bench.state)


def test_looking_changes_nothing() -> None:
    bench = Bench(config())
    bench.hold(0, 100)
    bench.price(0, 103.0)
    before = snapshot.fingerprint(bench.state)
    pnlview.pnl_view(bench.state)
    assert snapshot.fingerprint(bench.state) == before


def test_money_that_no_event_explains_is_alarmed_until_it_is_gone() -> None:
    bench = Bench(config())
    bench.hold(0, 10)
    bench.state.currencies["cash"][0] += 0.001
    portfolio.rebase(*bench.state.book[:5])
    bench.hold(0, 1)
    assert bench.alerts("ATTRIBUTION")[-1].status == "UNACK"
    assert "differ by 0.001" in bench.alerts("ATTRIBUTION")[-1].message
    assert pnlview.pnl_view(bench.state).residual == pytest.approx(0.001, abs=1e-9)
    bench.state.currencies["cash"][0] -= 0.001
    portfolio.rebase(*bench.state.book[:5])
    bench.hold(0, 1)
    assert bench.alerts("ATTRIBUTION")[-1].status == "CLEARED"


def test_the_market_and_a_basket_explain_what_their_betas_say() -> None:
    """AAA moves as three times the market less twice the pair: once that is learnt nothing is left of its price part."""
    cut = AttributionConfig(sample_s=10.0, window=50, need=10, factors={"pair": ("BBB/USDT", "CCC/USDT")})
    bench = Bench(config(attribution=cut))
    bench.hold(0, 100)
    seen = []
    for n in range(40):
        step = (1, -1, 2, -2, 3, -3, 0)[n % 7] / 100
        bench.wait(10)
        for i, beta in enumerate((2.0, 1.0, 1.0)):
            bench.price(i, 100.0 * (1 + beta * step))
        seen.append(pnlview.attributed(bench.state))
    assert seen[5].factor["factor.market"] == 0 and seen[5].part["price"]
    learnt, last = seen[20], seen[38]
    made = last.part["price"] - learnt.part["price"]
    market, pair, rest = (
        (last.factor[name] - learnt.factor[name]) / made
        for name in ("factor.market", "factor.pair", "idiosyncratic")
    )
    assert (
        made
        and abs(rest) < 0.01
        and market > 0.5
        and pair != 0.0
        and market + pair + rest == pytest.approx(1.0)
    )
    adds_up(bench)


def test_an_unpriced_instrument_is_valued_at_cost() -> None:
    spec = msgspec.structs.replace(SPECS[0], symbol="EEE/USDT")
    bench = Bench(config(instruments=(*SPECS, spec)))
    bench.state.markets["mark_px"][3] = 0.0
    bench.state.markets["bid_ticks"][3] = bench.state.markets["ask_ticks"][3] = 0
    books.move(bench.state, 3, 10, 97.0, 1.0)
    books.share(bench.state, bench.state.holding("a", 3), 10, 97.0, 1.0)
    assert parts(bench) == {"fees": -1.0}
    bench.do(quote(bench.now, 3, 99.0))
    assert parts(bench) == {"fees": -1.0, "price": 20.0}
    adds_up(bench)


def test_stamps() -> None:
    assert pnlview.stamp(0) == "1970-01-01T00:00Z"
    assert pnlview.stamp(951_782_399 * SECOND) == "2000-02-28T23:59Z"
    assert pnlview.stamp(951_868_800 * SECOND) == "2000-03-01T00:00Z"
    assert pnlview.stamp(1_709_164_800 * SECOND) == "2024-02-29T00:00Z"
