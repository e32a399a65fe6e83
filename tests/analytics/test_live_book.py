"""Books from tables equal the engine's own sums; bars make honest returns."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.analytics import live, scenarios, stress
from core.analytics.bars import Bars, from_closes
from core.analytics.book_tables import from_tables, traded
from core.analytics.errors import RiskInputError
from core.analytics.profile import Level
from tests.kernels.kit import CATALOGUE

from .live_kit import FEE, NAMES, copied, filled, known


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
