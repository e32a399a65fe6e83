"""The embedded market: the same bytes for a seed, sane books, coins that move together, a crash on demand."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from bus.instruments import InstrumentSpec
from core.adapters.catalogue import embedded_catalogue
from core.adapters.market import EmbeddedMarket
from core.kernels.tables import TICK, TICK_BUY, TICK_SELL, TICK_TRADE, Table

T0 = 1_700_000_000 * 10**9
S = 10**9
SPECS = embedded_catalogue()


def mids(ticks: Table, instrument: int) -> npt.NDArray[np.float64]:
    mine = ticks[ticks["instrument"] == instrument]
    return np.asarray(
        (mine["bid_ticks"] + mine["ask_ticks"]) * 0.5 * SPECS[instrument].tick_size, dtype=np.float64
    )


def sampled(ticks: Table, instrument: int, step_ns: int, count: int) -> npt.NDArray[np.float64]:
    """Log mid at the end of each of ``count`` steps."""
    mine = ticks["instrument"] == instrument
    at = np.searchsorted(ticks["ts_ns"][mine], T0 + step_ns * np.arange(1, count + 1), side="right") - 1
    return np.log(mids(ticks, instrument)[at])


def number(symbol: str) -> int:
    return next(i for i, spec in enumerate(SPECS) if spec.symbol == symbol)


def test_the_catalogue_has_what_the_paper_market_promises() -> None:
    symbols = {spec.symbol for spec in SPECS}
    assert {"BTC/USDT", "ETH/USDT", "SOL/USDT"} <= symbols
    assert len(symbols) == len(SPECS) >= 12
    assert {spec.settle for spec in SPECS} == {"USDT", "BTC", "EUR"}
    rates = {spec.fx_for for spec in SPECS if spec.settle == "USDT"}
    assert {"BTC", "EUR"} <= rates, "every settlement currency has an instrument that gives its rate"
    assert any(spec.inverse and spec.settle == "BTC" for spec in SPECS)


def test_the_same_seed_gives_the_same_bytes_at_any_block_size() -> None:
    whole = EmbeddedMarket(SPECS, 7, 2000.0, start_ns=T0).block(T0 + 10 * S)
    market = EmbeddedMarket(SPECS, 7, 2000.0, start_ns=T0)
    parts = np.concatenate([market.block(T0 + k * S // 7) for k in range(71)])
    assert whole.dtype == TICK
    assert whole.tobytes() == parts.tobytes()
    assert whole.tobytes() != EmbeddedMarket(SPECS, 8, 2000.0, start_ns=T0).block(T0 + 10 * S).tobytes()


def test_books_are_sane_and_every_instrument_opens_at_once() -> None:
    ticks = EmbeddedMarket(SPECS, 1, 1000.0, start_ns=T0, speed=3600.0).block(T0 + 60 * S)
    assert ticks["instrument"][: len(SPECS)].tolist() == list(range(len(SPECS)))
    assert 50_000 < len(ticks) < 70_000
    assert (np.diff(ticks["ts_ns"]) > 0).all()
    assert (ticks["bid_ticks"] >= 1).all()
    assert (ticks["bid_ticks"] < ticks["ask_ticks"]).all()
    assert (ticks["bid_lots"] >= 1).all()
    assert (ticks["spare"] == 0).all()
    trades = ticks[(ticks["flags"] & TICK_TRADE) != 0]
    assert 0.3 < len(trades) / len(ticks) < 0.5
    bought = (trades["flags"] & TICK_BUY) != 0
    assert (bought != ((trades["flags"] & TICK_SELL) != 0)).all()
    assert (trades["last_ticks"] == np.where(bought, trades["ask_ticks"], trades["bid_ticks"])).all()
    assert (trades["last_lots"] >= 1).all()


def test_coins_move_together_and_the_crosses_agree() -> None:
    ticks = EmbeddedMarket(SPECS, 3, 1000.0, start_ns=T0, speed=600.0).block(T0 + 200 * S)
    moves = np.array([np.diff(sampled(ticks, i, S, 200)) for i in range(len(SPECS))])
    together = np.corrcoef(moves)
    coins = [i for i, spec in enumerate(SPECS) if spec.settle == "USDT" and spec.base != "EUR"]
    pairs = [together[a, b] for a, b in itertools.combinations(coins, 2)]
    assert min(pairs) > 0.3
    assert max(pairs) < 0.99
    assert together[number("BTC/USDT"), number("BTC/USD:BTC")] > 0.95
    assert abs(together[number("BTC/USDT"), number("EUR/USDT")]) < 0.3
    cross = mids(ticks, number("ETH/EUR"))[-1] * mids(ticks, number("EUR/USDT"))[-1]
    assert cross == pytest.approx(mids(ticks, number("ETH/USDT"))[-1], rel=0.01)


def test_speed_compresses_volatility_and_not_the_clock() -> None:
    calm, fast = (
        EmbeddedMarket(SPECS, 5, 500.0, start_ns=T0, speed=speed).block(T0 + 120 * S)
        for speed in (1.0, 400.0)
    )
    assert abs(len(calm) / len(fast) - 1) < 0.05
    spread = [float(np.diff(sampled(t, 0, S, 120)).std()) for t in (calm, fast)]
    assert 10 < spread[1] / spread[0] < 40, "the square root of 400, give or take regimes and jumps"


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_a_crash_takes_its_depth_off_and_it_stays_down(seconds: float) -> None:
    market = EmbeddedMarket(SPECS, 11, 500.0, start_ns=T0)
    before = market.block(T0 + 5 * S)
    market.crash(0.40, seconds)
    after = market.block(T0 + 15 * S)
    btc, eur = number("BTC/USDT"), number("EUR/USDT")
    assert mids(after, btc)[-1] / mids(before, btc)[-1] == pytest.approx(0.60, abs=0.01)
    assert mids(after, eur)[-1] / mids(before, eur)[-1] == pytest.approx(1.0, abs=0.01)
    halfway = after["ts_ns"] < T0 + int((5 + seconds / 2) * S)
    if seconds:
        assert mids(after[halfway], btc)[-1] / mids(before, btc)[-1] == pytest.approx(0.60**0.5, abs=0.02)
    for depth in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="crash depth"):
            market.crash(depth)


def test_the_clock_can_jump_over_a_pause() -> None:
    market = EmbeddedMarket(SPECS, 2, 100.0, start_ns=T0)
    market.block(T0 + S)
    market.skip_to(T0 + 3600 * S)
    ticks = market.block(T0 + 3601 * S)
    assert len(ticks) < 200
    assert ticks["ts_ns"][0] == T0 + 3600 * S


def test_unlisted_instruments_move_too() -> None:
    specs = (InstrumentSpec(symbol="XYZ/USDT"), *SPECS[:2])
    ticks = EmbeddedMarket(specs, 2, 100.0, start_ns=T0).block(T0 + S)
    assert ticks["bid_ticks"][0] == pytest.approx(10_000, rel=0.01)
