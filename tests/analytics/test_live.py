"""What the analyst computes: books from tables equal the engine's own sums, bars make honest returns, VaR says when not."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bus.instruments import InstrumentSpec
from core.analytics import live, scenarios, stress
from core.analytics.bars import Bars, History, from_closes
from core.analytics.book_tables import Copy, Facts, facts, from_tables, traded
from core.analytics.covariance import ledoit_wolf
from core.analytics.errors import RiskInputError
from core.analytics.profile import Level
from core.analytics.var import value_at_risk
from tests.kernels.kit import CATALOGUE, Book, several

NAMES = ("ALT/USDT", "BTC/USD:BTC", "BTC/USDT", "DAX/EUR", "EUR/USDT", "INV/EUR")
CURRENCIES = ("USDT", "BTC", "EUR")
FEE = 0.0005


def known() -> Facts:
    """Specs of the tables' catalogue."""
    specs = [
        InstrumentSpec(
            symbol=name,
            base=name.partition("/")[0],
            settle=CURRENCIES[row[4]],
            inverse=bool(row[3]),
            tick_size=row[0],
            lot_size=0.5,
            contract_value=row[1] / 0.5,
            fee_rate_taker=FEE,
            fx_for=CURRENCIES[row[5]] if row[5] >= 0 else "",
        )
        for name, row in zip(NAMES, CATALOGUE, strict=True)
    ]
    return facts(specs, ccy="USDT", currencies=CURRENCIES, betas=dict.fromkeys(NAMES, 1.0))


def copied(book: Book, ts_ns: int = 1) -> Copy:
    return Copy(ts_ns, *(table.copy() for table in book.tables))


def filled(seed: int) -> Book:
    """A book with random positions at prices off the mark."""
    rng, book = np.random.default_rng(seed), several()
    for _ in range(12):
        i = int(rng.integers(len(CATALOGUE)))
        px = float(book.markets["mark_px"][i]) * float(rng.uniform(0.9, 1.1))
        book.fill(i, int(rng.integers(-50, 51)) or 1, px, float(rng.uniform(0, 2)))
    return book


# -- the book


@pytest.mark.parametrize("seed", range(20))
def test_a_book_from_tables_has_the_engines_own_sums(seed: int) -> None:
    book = filled(seed)

    seen = stress.measures(from_tables(known(), copied(book)))

    account = book.account[0]
    for name in ("equity", "gross", "net", "margin", "leverage", "margin_ratio", "drawdown", "daily_loss"):
        assert getattr(seen, name) == pytest.approx(float(account[name]), rel=1e-12, abs=1e-9), name


@pytest.mark.parametrize("seed", range(40))
def test_a_trade_moves_the_book_as_a_fill_moves_the_engines(seed: int) -> None:
    rng, book = np.random.default_rng(1000 + seed), filled(seed)
    i, lots = int(rng.integers(len(CATALOGUE))), int(rng.integers(-80, 81)) or 3
    price = float(book.markets["mark_px"][i]) * float(rng.uniform(0.95, 1.05))
    rows = np.arange(len(CATALOGUE))
    before = from_tables(known(), copied(book), rows)

    after = traded(before, i, lots * 0.5, price)

    value = lots * CATALOGUE[i][1]
    book.fill(i, lots, price, abs(value * price if not CATALOGUE[i][3] else value / price) * FEE)
    engine = from_tables(known(), copied(book), rows)
    np.testing.assert_allclose(after.assets["units"], engine.assets["units"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(after.assets["cost"], engine.assets["cost"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(after.cash, engine.cash, rtol=1e-12, atol=1e-9)
    assert stress.measures(after).equity == pytest.approx(float(book.account["equity"][0]), rel=1e-12)


def test_what_is_assumed_is_named_and_what_is_unknown_stays_unknown() -> None:
    book = filled(3)
    copy = copied(book)
    copy.markets["bid_ticks"][copy.held[0]] = 0

    seen = from_tables(known(), copy)
    assert any(text.startswith("volatility of") for text in seen.assumed)
    assert any(text.startswith("spread of 1 of") for text in seen.assumed)

    copy.currencies["rate"][2] = np.nan  # the euro
    copy.positions["qty_lots"][3] = copy.positions["qty_lots"][3] or 5
    row, profile, _ = live.profile_data(
        from_tables(known(), copy), scenarios.compile(scenarios.load().scenarios, from_tables(known(), copy)),
        Level.HIGH, advise=True,
    )  # fmt: skip
    assert (row["level"], row["score"]) == ("UNKNOWN", None)
    assert profile.level is Level.UNKNOWN


# -- bars


def test_bars_keep_the_last_mark_of_each_and_make_no_return_over_a_gap() -> None:
    bars, second = Bars(("A", "B"), 60.0, 100), 1_000_000_000
    for at, a, b in (
        (0, 100, 10),
        (59, 101, 11),
        (60, 102, 0),
        (119, 110, 0),
        (125, 121, 12),
        (300, 50, 12),
        (360, 55, 6),
        (430, 1, 1),
    ):
        bars.take(at * second, [a, b])

    # bars 0: 101 | 1: 110 | 2: 121 | (3, 4 missing) | 5: 50 | 6: 55 | 7 under way
    np.testing.assert_allclose(bars.returns()[:, 0], [110 / 101 - 1, 121 / 110 - 1, 55 / 50 - 1])
    np.testing.assert_allclose(bars.returns()[:, 1], [math.nan, math.nan, 6 / 12 - 1])  # 0 is no price


def test_bars_are_bounded_ignore_time_that_runs_back_and_survive_a_restart(tmp_path: Path) -> None:
    bars, rng = Bars(("A",), 1.0, 50), np.random.default_rng(1)
    prices = 100 * np.cumprod(1 + 0.01 * rng.standard_normal(500))
    for k, price in enumerate(prices):
        bars.take(k * 1_000_000_000, [price])
    bars.take(5_000_000_000, [1e9])
    expected = prices[-51:-1] / prices[-52:-2] - 1
    np.testing.assert_allclose(bars.returns()[:, 0][-50:], expected, rtol=1e-12)
    assert len(bars.returns()) <= 51

    bars.save(tmp_path / "risk" / "bars.npz")
    again = Bars(("A",), 1.0, 50)
    assert again.load(tmp_path / "risk" / "bars.npz")
    np.testing.assert_array_equal(again.returns(), bars.returns())
    assert not Bars(("B",), 1.0, 50).load(tmp_path / "risk" / "bars.npz")
    assert not Bars(("A",), 2.0, 50).load(tmp_path / "risk" / "bars.npz")
    assert not Bars(("A",), 1.0, 50).load(tmp_path / "nothing.npz")


@pytest.mark.parametrize("cut", [0, 10, 200, -5])
def test_a_torn_history_is_no_history(tmp_path: Path, cut: int) -> None:
    bars = Bars(("A",), 1.0, 50)
    for k in range(20):
        bars.take(k * 1_000_000_000, [100.0 + k])
    path = tmp_path / "bars.npz"
    bars.save(path)
    path.write_bytes(path.read_bytes()[:cut])

    assert not Bars(("A",), 1.0, 50).load(path)


def test_closes_from_a_file_stand_in_for_sampled_marks(tmp_path: Path) -> None:
    path = tmp_path / "closes.csv"
    path.write_text(
        "date,BTC/USDT,other\n2024-01-01,100,1\n2024-01-02,110,1\n2024-01-03,99,2\n2024-01-04,99,3\n"
    )

    found = from_closes(path, NAMES, need=3, window=2)

    assert (found.period_s, found.rows, found.source) == (86_400.0, 2, "closes.csv")
    np.testing.assert_allclose(found.returns[:, 2], [-0.1, 0.0])
    assert np.isnan(found.returns[:, 0]).all()
    path.write_text("date,other\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n")
    with pytest.raises(RiskInputError, match="no column is a symbol"):
        from_closes(path, NAMES, need=3, window=2)


# -- VaR


def moves(rows: int, seed: int = 7) -> History:
    """Correlated returns, all six instruments."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((rows, 1))
    x = 0.01 * (0.7 * common + 0.7 * rng.standard_normal((rows, len(NAMES))))
    return History(x, 3600.0, 60, "a test")


def one_long(lots: int = 100) -> Book:
    book = several()
    book.currencies["cash"][1:] = 0.0
    book.rebase()
    book.fill(0, lots, 100.0)
    return book


def asked(book: Book, history: History, **named: float | str) -> dict:
    given = {"alpha": 0.05, "horizon_s": 3600.0, "method": "historical"} | named
    return live.var_data(known(), copied(book), history, **given)


def test_var_of_one_linear_position_is_that_of_its_returns() -> None:
    history = moves(400)

    found = asked(one_long(), history)

    value = 100 * 0.001 * 100.0  # lots x lot value x mark
    own = value_at_risk(history.returns[:, 0], 0.05)
    assert found["var"] == pytest.approx(own.var * value, rel=1e-8)
    assert found["es"] == pytest.approx(own.es * value, rel=1e-8)
    assert found["n"] == 400
    day = asked(one_long(), history, horizon_s=86_400.0)
    assert day["var"] == pytest.approx(found["var"] * math.sqrt(24), rel=1e-8)


def test_parts_add_up_to_the_normal_var_and_a_small_trade_moves_it_by_its_marginal() -> None:
    history, book = moves(400), one_long()
    book.fill(4, -300, 1.1)
    found = asked(book, history, method="normal")
    cov, _ = ledoit_wolf(history.returns)
    at = from_tables(known(), copied(book))
    w = np.zeros(len(NAMES))
    w[copied(book).held] = at.exposures()
    z = 1.6448536269514722
    total = z * math.sqrt(w @ cov @ w)

    assert sum(found["component"].values()) == pytest.approx(total, rel=1e-7)
    sds = np.sqrt(np.diag(cov))
    assert found["breakdown"]["worst"] == pytest.approx(z * (np.abs(w) @ sds), rel=1e-7)
    assert found["breakdown"]["all_ones"] == pytest.approx(abs(z * (w @ sds)), rel=1e-7)
    assert found["breakdown"]["worst"] >= total
    step = np.zeros(len(NAMES))
    step[3] = 0.01
    after = z * math.sqrt((w + step) @ cov @ (w + step))
    assert (after - total) / 0.01 == pytest.approx(found["marginal"]["DAX/EUR"], rel=1e-3)
    big = np.zeros(len(NAMES))
    big[3] = 50_000.0
    wide = z * math.sqrt((w + big) @ cov @ (w + big))
    assert (
        wide <= total + found["unit"]["DAX/EUR"] * 50_000.0 * 1.1
    )  # stand-alone is of the sample, not shrunk


def test_an_inverse_book_is_revalued_not_multiplied() -> None:
    """100,000 USD of inverse contracts lose more BTC falling than a line says, and the BTC falls too."""
    history, book = moves(400), several()
    book.currencies["cash"][1:] = 0.0
    book.rebase()
    book.fill(1, 100, 60_000.0)
    found = asked(book, history)

    x = history.returns[:, 2]  # BTC/USDT gives the rate; the contract's own mark moves by its own column
    own = history.returns[:, 1]
    pnl = 1_000.0 * (1.0 - 1.0 / (1.0 + own)) * (1.0 + x)
    assert found["var"] == pytest.approx(value_at_risk(pnl, 0.05).var, rel=1e-6)


def test_monte_carlo_agrees_with_the_normal_model_for_a_linear_book() -> None:
    found = asked(one_long(), moves(2_000))
    normal, simulated = found["methods"]["normal"][0], found["methods"]["monte_carlo"][0]
    assert simulated == pytest.approx(normal, rel=0.05)


@pytest.mark.parametrize(("rows", "note"), [(0, "n=0 of 60 needed"), (59, "n=59 of 60 needed")])
def test_too_little_history_gives_no_number(rows: int, note: str) -> None:
    found = asked(one_long(), moves(rows))

    assert (found["var"], found["es"], found["note"]) == (None, None, note)
    assert not found["marginal"]


def test_a_tail_too_thin_a_hole_in_history_and_an_unknown_rate_are_said() -> None:
    thin = asked(one_long(), moves(60), alpha=0.01)
    assert thin["var"] is None
    assert "TAIL_TOO_THIN" in thin["note"]
    assert thin["methods"]["normal"][0] > 0.0  # the others have an answer

    holes = moves(100)
    holes.returns[50, 0] = np.nan
    assert "no whole history of ALT/USDT" in asked(one_long(), holes)["note"]

    book = one_long()
    book.fill(3, 10, 180.0)
    book.currencies["rate"][2] = np.nan
    assert "not known" in asked(book, moves(100))["note"]


def test_a_flat_book_has_none_and_coins_in_cash_have_some() -> None:
    book = several()
    book.currencies["cash"][1:] = 0.0
    book.rebase()
    flat = asked(book, moves(100))
    assert (flat["var"], flat["note"]) == (0.0, "flat")
    assert flat["unit"]["ALT/USDT"] > flat["marginal"]["ALT/USDT"] > 0.0

    history = moves(100)
    book.currencies["cash"][1] = 2.0
    book.rebase()
    coins = asked(book, history)
    worth = 2.0 * 60_000.0
    assert coins["var"] == pytest.approx(value_at_risk(history.returns[:, 2], 0.05).var * worth, rel=1e-6)


def test_betas_are_least_squares_and_need_history() -> None:
    history = moves(300)
    found = live.factors_data(known(), history, "BTC/USDT")
    x, y = history.returns[:, 2], history.returns[:, 0]
    assert found["betas"]["ALT/USDT"] == pytest.approx(np.cov(x, y)[0, 1] / x.var(ddof=1), rel=1e-8)
    assert found["betas"]["BTC/USDT"] == pytest.approx(1.0)
    assert not live.factors_data(known(), moves(10), "BTC/USDT")["betas"]


# -- what if


def test_what_if_leaves_the_book_alone_and_tells_both_sides() -> None:
    copy, chosen = copied(one_long()), scenarios.load()
    before = copy.positions.tobytes()

    found = live.what_if(known(), copy, chosen, [(0, 500_000.0, 0.0)], {"name": "market_crash"}, None)

    assert copy.positions.tobytes() == before
    assert found["after"]["score"] > found["before"]["score"]
    assert found["orders"][0]["price"] > 100.0  # bought at the far side
    assert found["scenario"]["after"]["pnl"] < found["scenario"]["before"]["pnl"] < 0.0
    closed = live.what_if(known(), copy, chosen, [(0, -50.0, 100.0)], {}, None)
    assert closed["after"]["measures"]["gross"] == 0.0


def test_what_if_refuses_by_name_what_cannot_be_computed() -> None:
    copy, chosen = copied(one_long()), scenarios.load()
    copy.markets["mark_px"][3] = 0.0
    for orders, scenario, code in (
        ([(3, 1.0, 0.0)], {}, "NO_MARK"),
        ([], {"name": "the end of the world"}, "BAD_SCENARIO"),
        ([], {"name": "mine", "markt": -0.2}, "BAD_SCENARIO"),
        ([], {"name": "mine", "days": 0.0}, "BAD_SCENARIO"),
    ):
        with pytest.raises(RiskInputError) as caught:
            live.what_if(known(), copy, chosen, orders, scenario, None)
        assert caught.value.code == code


@pytest.mark.parametrize("seed", range(30))
def test_a_unit_alone_bounds_what_any_trade_adds(seed: int) -> None:
    """The gate's careful estimate: ES after a trade of x is at most ES before and unit times |x|."""
    rng, history, book = np.random.default_rng(seed), moves(300, seed), one_long(int(seed * 7 - 100) or 1)
    before = asked(book, history)
    i = int(rng.choice([0, 2, 4]))  # linear, settled in the account's currency
    lots = int(rng.integers(-4_000, 4_000)) or 1
    mark = float(book.markets["mark_px"][i])
    book.fill(i, lots, mark)
    x = abs(lots) * CATALOGUE[i][1] * mark

    after = asked(book, history)

    assert after["es"] <= before["es"] + before["unit"][NAMES[i]] * x * (1.0 + 1e-9) + 1e-9
    assert after["var"] <= after["es"]
