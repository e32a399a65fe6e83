"""The kernels against fractions: revaluation to the unit, sums without a rest, betas to the last digits."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from core.kernels import attribution as k
from core.kernels import tables as t
from core.kernels.factors import betas, factor_returns

from .oracle import regression

UNITS = 1e9


def book(rng: random.Random, n: int, rows: int):
    instruments, markets, positions = t.zeros(t.INSTRUMENT, n), t.zeros(t.MARKET, n), t.zeros(t.POSITION, n)
    currencies = t.zeros(t.CURRENCY, 3)
    currencies["rate"] = (1.0, 1.1, 0.25)
    for i in range(n):
        instruments[i]["lot_value"] = rng.choice((0.001, 1.0, 10.0))
        instruments[i]["inverse"] = int(rng.random() < 0.3)
        instruments[i]["settle"] = rng.randrange(3)
        markets[i]["mark_px"] = rng.choice((0.0, rng.randrange(1, 10**6) / 64))
        positions[i]["avg_px"] = rng.randrange(1, 10**6) / 64
    table = t.zeros(t.LEDGER, rows)
    for row in range(rows):
        i = rng.randrange(-1, n)
        table[row]["instrument"] = i
        table[row]["currency"] = rng.randrange(3) if i < 0 else instruments[i]["settle"]
        table[row]["holder"] = rng.randrange(4)
        table[row]["lots"] = rng.randrange(-1000, 1000) if i >= 0 else 0
        table[row]["whole"], table[row]["rest"] = rng.randrange(-(10**5), 10**5), rng.random()
        table[row]["rate"] = rng.choice((0.0, 1.0, 1.125))
        table[row]["worth"] = rng.randrange(-(10**12), 10**12)
    return table, instruments, markets, positions, currencies


def plain(row, instruments, markets, positions, currencies) -> tuple[Fraction, Fraction]:
    """(worth at the old rate, worth now), ledger units, unrounded."""
    i, each = int(row["instrument"]), Fraction(0)
    if i >= 0:
        px = Fraction(float(markets[i]["mark_px"]) or float(positions[i]["avg_px"]) or 1.0)
        value = Fraction(float(instruments[i]["lot_value"]))
        each = -value / px if instruments[i]["inverse"] else value * px
    settle = Fraction(float(row["whole"])) + int(row["lots"]) * each + Fraction(float(row["rest"]))
    now = Fraction(float(currencies[row["currency"]]["rate"]))
    old = Fraction(float(row["rate"])) or now
    return settle * old * 10**9, settle * now * 10**9


@pytest.mark.parametrize("seed", range(20))
def test_what_is_pending_is_the_change_of_worth_by_price_and_then_by_rate(seed: int) -> None:
    rng = random.Random(seed)
    table, *tables = book(rng, 6, 40)
    out = np.zeros((40, 2), dtype=np.int64)
    total, unpriced, beyond = k.pending(table, 40, *tables, UNITS, out)
    assert (unpriced, beyond) == (0, 0) and total == out.sum()
    for n, row in enumerate(table):
        moved, now = plain(row, *tables)
        slack = 1 + max(abs(moved), abs(now)) / 2**50  # a float's own digits, then one rounding to a unit
        assert abs(int(row["worth"]) + int(out[n, 0]) - moved) <= slack
        assert abs(int(row["worth"]) + int(out[n].sum()) - now) <= slack


def test_rows_without_a_rate_or_beyond_the_range_are_counted_and_left_alone() -> None:
    table, *tables = book(random.Random(1), 3, 4)
    table["instrument"], table["currency"], table["lots"] = -1, (0, 1, 2, 0), 0
    table["whole"], table["rest"] = (5, 5, 5, 10**14), 0.0
    tables[3]["rate"][1] = np.nan
    table["rate"] = 1.0
    out = np.ones((4, 2), dtype=np.int64)
    _, unpriced, beyond = k.pending(table, 4, *tables, UNITS, out)
    assert (unpriced, beyond) == (1, 1)
    assert out[1].tolist() == [0, 0] and out[3].tolist() == [0, 0] and out[0].any()


@pytest.mark.parametrize("seed", range(10))
def test_cuts_are_sums_of_the_same_numbers(seed: int) -> None:
    rng = random.Random(seed)
    table, *tables = book(rng, 5, 30)
    parts = np.array([[rng.randrange(-(10**9), 10**9) for _ in range(k.PARTS)] for _ in range(30)])
    pend = np.zeros((30, 2), dtype=np.int64)
    k.pending(table, 25, *tables, UNITS, pend)
    by_symbol, by_holder = np.ones((8, k.PARTS), dtype=np.int64), np.ones((4, k.PARTS), dtype=np.int64)
    total = k.cut(table, 25, parts, pend, 5, by_symbol, by_holder)
    symbols, holders = [[0] * k.PARTS for _ in range(8)], [[0] * k.PARTS for _ in range(4)]
    for n in range(25):
        row = parts[n].tolist()
        row[k.PRICE] += int(pend[n, 0])
        row[k.FX] += int(pend[n, 1])
        i = int(table[n]["instrument"])
        for target in (
            symbols[i if i >= 0 else 5 + int(table[n]["currency"])],
            holders[int(table[n]["holder"])],
        ):
            for part in range(k.PARTS):
                target[part] += row[part]
    assert by_symbol.tolist() == symbols and by_holder.tolist() == holders
    assert total == sum(map(sum, symbols)) == sum(map(sum, holders))


def walk(rng: random.Random, n: int, w: int) -> list[list[int]]:
    """Prices as whole numbers, so that fractions stay small."""
    prices = [[10_000 + rng.randrange(-500, 500) for _ in range(n)]]
    for _ in range(w):
        common = rng.randrange(-40, 41)
        prices.append([max(1, p + common + rng.randrange(-30, 31)) for p in prices[-1]])
    return prices


@pytest.mark.parametrize("seed", range(8))
def test_betas_are_those_of_the_joint_regression(seed: int) -> None:
    rng = random.Random(seed)
    n, w = 5, 24
    prices = walk(rng, n, w)
    weights = [[1.0] * n, [0.0, 1.0, 1.0, 0.0, 0.0]][: 1 + seed % 2]
    moves = [[Fraction(b[i], a[i]) - 1 for i in range(n)] for a, b in pairwise(prices)]
    factors = [
        [sum(int(x) * m for x, m in zip(row, move, strict=True)) / int(sum(row)) for row in weights]
        for move in moves
    ]
    out = np.zeros((n, len(weights)))
    betas(np.array(prices, dtype=float), np.array(weights), 10, out)
    wanted = regression(moves, factors)
    assert np.allclose(out, [[float(b) for b in row] for row in wanted], rtol=1e-9, atol=1e-11)
    index = np.zeros(len(weights))
    factor_returns(
        np.array(prices[0], dtype=float), np.array(prices[1], dtype=float), np.array(weights), index
    )
    assert index == pytest.approx([float(f) for f in factors[0]], rel=1e-12)


def test_a_factor_that_says_nothing_new_gets_no_beta() -> None:
    prices = np.array(walk(random.Random(3), 4, 40), dtype=float)
    once, twice = np.zeros((4, 1)), np.zeros((4, 2))
    betas(prices, np.ones((1, 4)), 10, once)
    betas(prices, np.ones((2, 4)), 10, twice)
    assert np.array_equal(once[:, 0], twice[:, 0]) and not twice[:, 1].any()


def test_too_little_history_makes_no_betas() -> None:
    prices = np.array(walk(random.Random(3), 4, 40), dtype=float)
    few, late = np.ones((4, 1)), np.ones((4, 1))
    betas(prices[:9], np.ones((1, 4)), 10, few)
    prices[:35, 2] = 0.0  # listed late
    betas(prices, np.ones((1, 4)), 10, late)
    assert not few.any() and late[2] == 0.0 and late[1] != 0.0
