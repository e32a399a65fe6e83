"""Blocks of ticks: every switch after every tick, whatever the block; garbage changes nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from core.kernels.batch import RESUM_TICKS, UNPRICEABLE, worst_loss
from core.kernels.portfolio import apply_fill
from core.kernels.tables import (
    SW_DAILY_LOSS,
    SW_DRAWDOWN,
    SW_EMERGENCY,
    SW_LEVERAGE,
    SW_MARGIN,
    SW_POSITION_LOSS,
    TICK_TRADE,
    Table,
)

from .kit import CATALOGUE, START_PX, USDT, Book, Oracle, long_256, quotes, several, tripped


def walk(seed: int, rows: int) -> Table:
    """A random walk over the catalogue: quotes, prints, and some of every kind of garbage."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(CATALOGUE), rows)
    mids = [
        max(9, round(START_PX[i] * f / CATALOGUE[i][0]))
        for i, f in zip(which, rng.uniform(0.6, 1.5, rows), strict=True)
    ]
    ticks = quotes(list(zip(which.tolist(), mids, strict=True)), ts_ns=100)
    prints = rng.random(rows) < 0.3
    ticks["last_ticks"] = mids
    ticks["flags"][prints] = TICK_TRADE
    for column, value in (
        ("bid_ticks", -5),
        ("ask_ticks", 1),
        ("flags", 0),
        ("instrument", 99),
        ("instrument", -1),
    ):
        ticks[column][rng.random(rows) < 0.02] = value
    return ticks


def loaded(seed: int, basis_equity: int = 0) -> Book:
    """The catalogue with random positions, every switch armed at limits that a walk may or may not reach."""
    rng = np.random.default_rng(seed)
    book = several()
    book.account["basis_equity"] = basis_equity
    for i, px in enumerate(START_PX):
        apply_fill(i, int(rng.integers(-4000, 4000)) or 1, px, 0.0, *book.tables)
    book.positions["loss_limit"] = rng.uniform(0.2, 0.5, len(CATALOGUE))
    book.arm(drawdown=0.3, position_loss=0.02, daily_loss=0.3, emergency=0.4, leverage=8.0, margin=1.2)
    return book


@pytest.mark.parametrize("basis_equity", [0, 1])
@pytest.mark.parametrize("seed", range(25))
def test_a_block_equals_its_ticks_one_by_one(seed: int, basis_equity: int) -> None:
    whole, single = loaded(seed, basis_equity), loaded(seed, basis_equity)
    ticks = walk(seed, 300)
    start = 0
    while start < len(ticks):
        stop = whole.run(ticks, start)
        for k in range(start, stop):
            assert not tripped(single) or k == start
            single.run(ticks[k : k + 1])
        assert whole.bytes() == single.bytes()
        for book in (whole, single):
            _latch(book)
        start = stop


def _latch(book: Book) -> None:
    """What the engine does: a tripped switch is no longer tested, a position that tripped neither."""
    for s in tripped(book):
        book.switches["armed"][s] = s == SW_POSITION_LOSS
    if book.switches["tripped"][SW_POSITION_LOSS]:
        book.positions["loss_limit"][book.account["trip_instrument"][0]] = np.inf


@pytest.mark.parametrize("seed", range(25))
def test_the_first_trip_is_where_exact_arithmetic_says(seed: int) -> None:
    book = loaded(seed)
    oracle = Oracle(book)
    for i, px in enumerate(START_PX):
        oracle.mean_g[i] = oracle.g(i, Fraction(px))
    ticks = walk(seed + 1000, 300)
    peak = day_open = oracle.totals()["equity"]
    expected, taken = len(ticks), int(book.account["ticks"][0])
    for k in range(len(ticks)):
        probe = book.copy()
        probe.switches["armed"] = 0
        probe.run(ticks[: k + 1])
        if probe.account["ticks"][0] == taken:
            continue  # refused: nothing moved, nothing is tested
        i, taken = int(ticks["instrument"][k]), int(probe.account["ticks"][0])
        oracle.tick(i, float(probe.markets["mark_px"][i]))
        now = oracle.totals()
        peak = max(peak, now["equity"])
        if (
            (peak - now["equity"]) / peak >= 0.3
            or (day_open - now["equity"]) / day_open >= 0.3
            or now["equity"] * 8 <= now["gross"]
            or now["equity"] * 10 < now["margin"] * 12
            or oracle.loss_ratio(i) >= book.positions["loss_limit"][i]
        ):
            expected = k + 1
            break
    assert book.run(ticks) == expected


# name, row, limit, (cash, px, lots), the mid that is just inside, the mid that is exactly at or past the limit
TRIPS = [
    ("drawdown", SW_DRAWDOWN, 0.25, (1024.0, 256, 4), 193, 192),
    ("daily_loss", SW_DAILY_LOSS, 0.25, (1024.0, 256, 4), 193, 192),
    ("emergency", SW_EMERGENCY, 0.5, (1024.0, 256, 4), 129, 128),
    ("leverage", SW_LEVERAGE, 2.0, (1024.0, 256, 6), 171, 170),
    ("margin", SW_MARGIN, 1.25, (256.0, 256, 4), 228, 227),
]


@pytest.mark.parametrize(("name", "row", "limit", "start", "inside", "past"), TRIPS)
def test_a_switch_trips_at_its_limit_and_not_one_tick_before(
    name: str, row: int, limit: float, start: tuple[float, int, int], inside: int, past: int
) -> None:
    book = long_256(*start)
    book.arm(**{name: limit})
    ticks = quotes([(0, inside), (0, past), (0, inside)], ts_ns=50)
    assert book.run(ticks[:1]) == 1
    assert not tripped(book)
    assert book.run(ticks, 1) == 2
    assert tripped(book) == [row]
    assert book.switches["ts_ns"][row] == 51
    value = book.switches["value"][row]
    assert value < limit if name == "margin" else value >= limit


def test_exactly_at_the_limit_is_past_it_and_for_margin_is_not() -> None:
    book = long_256()
    book.arm(drawdown=0.25)
    book.run(quotes([(0, 192)]))
    assert (book.switches["value"][SW_DRAWDOWN], tripped(book)) == (0.25, [SW_DRAWDOWN])
    book = long_256(cash=128.0)  # margin required = 4 * 256 / 8 = 128
    book.arm(margin=1.0)
    book.run(quotes([(1, 256)]))
    assert (book.switches["value"][SW_MARGIN], tripped(book)) == (1.0, [])


def test_position_loss_against_cost_trips_on_the_ticked_position_alone() -> None:
    book = long_256()
    book.fill(1, 4, 256.0)
    book.arm(position_loss=0.25)
    book.positions["loss_limit"] = 0.25
    assert book.run(quotes([(1, 193), (0, 193), (1, 192), (0, 192)])) == 3
    assert tripped(book) == [SW_POSITION_LOSS]
    assert book.account["trip_instrument"][0] == 1
    assert book.switches["value"][SW_POSITION_LOSS] == 0.25
    assert worst_loss(book.positions) == (1, 0.25)
    book.positions["loss_limit"][1] = np.inf  # tripped: the engine flattens it
    assert book.run(quotes([(1, 100), (0, 193), (0, 192)])) == 3
    assert book.account["trip_instrument"][0] == 0


def test_position_loss_against_equity_trips_when_equity_falls_under_a_resting_loss() -> None:
    book = long_256(cash=1024.0)
    book.account["basis_equity"] = 1
    book.fill(1, 1, 256.0)
    book.arm(position_loss=0.2)
    book.positions["loss_limit"] = [np.inf, 0.2]
    book.run(quotes([(1, 100)]))  # 156 lost of 868: 0.18
    assert not tripped(book)
    assert (
        book.run(quotes([(0, 240), (0, 230), (0, 220), (0, 100)])) == 2
    )  # 156 of 804 is 0.194, of 764 0.204
    assert book.account["trip_instrument"][0] == 1
    assert book.switches["value"][SW_POSITION_LOSS] == pytest.approx(156 / 764)


def test_everything_that_trips_on_one_tick_is_marked() -> None:
    book = long_256()
    book.arm(drawdown=0.05, position_loss=0.02, daily_loss=0.10, emergency=0.15, leverage=5.0, margin=1.2)
    book.positions["loss_limit"] = 0.02
    assert book.run(quotes([(0, 20), (0, 19)])) == 1
    assert tripped(book) == [SW_DRAWDOWN, SW_POSITION_LOSS, SW_DAILY_LOSS, SW_EMERGENCY]


def test_a_switch_that_is_not_armed_is_not_tested() -> None:
    book = long_256()
    book.switches["limit"] = 0.0
    book.positions["loss_limit"] = 0.0
    assert book.run(quotes([(0, 20), (0, 1000)])) == 2
    assert not tripped(book)


def test_an_armed_switch_without_a_limit_trips_at_once() -> None:
    for name in ("drawdown", "daily_loss", "emergency", "leverage", "margin"):
        book = long_256()
        book.arm(**{name: np.nan})
        assert book.run(quotes([(0, 256), (0, 256)])) == 1
        assert len(tripped(book)) == 1


def test_trips_of_the_last_call_are_forgotten_by_the_next() -> None:
    book = long_256()
    book.arm(drawdown=0.25)
    book.run(quotes([(0, 100)]))
    book.switches["armed"] = 0
    book.run(quotes([(0, 101)]))
    assert not tripped(book)


def test_values_are_current_after_every_call() -> None:
    book = long_256()
    book.run(quotes([(0, 224)]))
    values = book.switches["value"]
    acct = book.account[0]
    assert values[[SW_DRAWDOWN, SW_DAILY_LOSS, SW_EMERGENCY]].tolist() == [0.125] * 3
    assert (values[SW_LEVERAGE], values[SW_MARGIN]) == (acct["leverage"], acct["margin_ratio"])


def test_unpriceable_equity_is_reported_once_and_again_when_it_returns() -> None:
    book = several()
    book.currencies["cash"][USDT] = np.nan
    book.rebase()
    ticks = quotes([(0, 10_000), (0, 10_001), (0, 10_002)])
    assert book.run(ticks) == 1
    assert book.account["trip_instrument"][0] == UNPRICEABLE
    assert book.run(ticks, 1) == 3
    book.currencies["cash"][USDT] = 1.0
    book.rebase()
    assert book.run(ticks) == 3
    assert book.account["trip_instrument"][0] == -1
    book.currencies["cash"][USDT] = np.inf
    book.rebase()
    assert book.run(ticks) == 1
    assert book.account["trip_instrument"][0] == UNPRICEABLE


def test_a_position_is_still_watched_while_equity_is_unknown() -> None:
    book = long_256()
    book.arm(position_loss=0.02)
    book.positions["loss_limit"] = 0.25
    book.currencies["cash"] = np.nan
    book.rebase()
    assert book.run(quotes([(1, 256), (0, 192)])) == 1
    assert book.run(quotes([(1, 256), (0, 192)])) == 2
    assert (tripped(book), book.account["trip_instrument"][0]) == ([SW_POSITION_LOSS], 0)


def test_long_runs_are_summed_afresh_and_blocks_of_any_size_agree() -> None:
    rows = 2 * RESUM_TICKS + 500
    ticks = walk(7, rows)
    books = []
    for size in (rows, 1000, 17):
        book = loaded(7)
        book.switches["armed"] = 0
        for start in range(0, rows, size):
            book.run(ticks[start : start + size])
        books.append(book)
    assert books[0].account["changed"][0] < RESUM_TICKS
    assert books[0].bytes() == books[1].bytes() == books[2].bytes()
    fresh = books[0].copy()
    fresh.rebase()
    assert books[0].account["equity"][0] == pytest.approx(fresh.account["equity"][0], rel=1e-11)


def test_a_margin_exactly_at_its_limit_does_not_trip_along_with_another_switch() -> None:
    book = long_256(cash=128.0)
    book.arm(margin=1.0, leverage=5.0)  # gross 1,024 over 128 is 8
    assert book.run(quotes([(1, 256)])) == 1
    assert book.account["margin_ratio"][0] == 1.0
    assert tripped(book) == [SW_LEVERAGE]


def test_a_position_that_has_tripped_is_left_alone_even_when_no_equity_is_left() -> None:
    book = long_256(cash=256.0)
    book.account["basis_equity"] = 1
    book.arm(position_loss=0.02)  # its own limit is infinite: it has tripped before
    assert book.run(quotes([(0, 100), (0, 90)])) == 2
    assert book.account["equity"][0] < 0.0
    assert book.positions["loss_ratio"][0] == np.inf
    assert not tripped(book)
