"""Linking: the identity in fifty digits, limits where the quotient has none, bad input by name; closed days to returns."""

from __future__ import annotations

import math
import random
from decimal import Decimal, getcontext

import numpy as np
import pytest

from core.analytics.daily import daily_returns, so_far
from core.analytics.errors import RiskInputError
from core.analytics.linking import cumulative, link

getcontext().prec = 50
D = Decimal


def by_decimals(rows: list[list[str]], bench: list[str]) -> tuple[list[Decimal], Decimal]:
    """Carino (1999) with logarithms of fifty digits: (linked contributions, compounded excess return)."""
    base = [D(b) for b in bench]
    made = [sum(map(D, row), D(0)) + b for row, b in zip(rows, base, strict=True)]

    def quotient(r: Decimal, b: Decimal) -> Decimal:
        return ((1 + r).ln() - (1 + b).ln()) / (r - b) if r != b else 1 / (1 + r)

    whole, whole_base = D(1), D(1)
    for r, b in zip(made, base, strict=True):
        whole, whole_base = whole * (1 + r), whole_base * (1 + b)
    k = quotient(whole - 1, whole_base - 1)
    scale = [quotient(r, b) / k for r, b in zip(made, base, strict=True)]
    parts = [
        sum((D(row[i]) * s for row, s in zip(rows, scale, strict=True)), D(0)) for i in range(len(rows[0]))
    ]
    return parts, whole - whole_base


@pytest.mark.parametrize("seed", range(20))
def test_linked_contributions_are_carinos_and_sum_to_the_compounded_return(seed: int) -> None:
    rng = random.Random(seed)
    periods, parts = rng.randrange(1, 60), rng.randrange(1, 6)
    size = rng.choice((1e-7, 0.003, 0.05))
    rows = [[f"{rng.gauss(0, size):.12f}" for _ in range(parts)] for _ in range(periods)]
    bench = [f"{rng.choice((0.0, rng.gauss(0, size))):.12f}" for _ in range(periods)]
    wanted, total = by_decimals(rows, bench)
    assert abs(sum(wanted) - total) < D("1e-45"), "the identity itself"
    base = np.array([float(b) for b in bench])
    table = np.array([[float(c) for c in row] for row in rows])
    linked = link(table, table.sum(axis=1) + base, base)
    assert linked.by == pytest.approx([float(c) for c in wanted], rel=1e-9, abs=1e-13)
    assert linked.by.sum() == pytest.approx(linked.total, rel=1e-9, abs=1e-14)
    assert linked.total == pytest.approx(float(total), rel=1e-9, abs=1e-14)


def test_one_period_and_nothing_made() -> None:
    assert link(np.array([[0.04, 0.06]]), np.array([0.1])).by.tolist() == pytest.approx([0.04, 0.06])
    flat = link(np.array([[0.05, -0.05], [0.0, 0.0]]), np.zeros(2))
    assert (
        flat.total == 0.0 and flat.by.tolist() == [0.05, -0.05] and flat.coefficients.tolist() == [1.0, 1.0]
    )


def test_brinsons_two_years_by_hand() -> None:
    """10 % and 20 %, all of the first from a, all of the second from b: 32 % = a + b with k_t = ln(1+r)/r."""
    linked = link(np.array([[0.1, 0.0], [0.0, 0.2]]), np.array([0.1, 0.2]))
    k = 0.27763173659827955 / 0.32  # ln 1.32 / 0.32
    assert linked.by.tolist() == pytest.approx([0.09531017980432493 / k, 0.1823215567939546 / k], rel=1e-12)
    assert linked.by.sum() == pytest.approx(0.32, rel=1e-12)


@pytest.mark.parametrize(
    ("rows", "made", "code"),
    [
        (np.zeros((0, 2)), np.zeros(0), "TOO_FEW"),
        (np.array([[0.1]]), np.array([0.2]), "DOES_NOT_ADD_UP"),
        (np.array([[-1.0]]), np.array([-1.0]), "RUIN"),
        (np.array([[np.nan]]), np.array([np.nan]), "NOT_FINITE"),
    ],
)
def test_what_cannot_be_linked_is_named(rows, made, code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        link(rows, made)
    assert caught.value.code == code


def days(*rows: tuple[float, dict[str, float]]) -> list[dict]:
    return [
        {
            "start_ns": n,
            "equity": equity,
            "pnl": sum(by.values()),
            "by_strategy": by,
            "by_symbol": {"X": sum(by.values())},
        }
        for n, (equity, by) in enumerate(rows)
    ]


def test_days_become_returns_that_add_up() -> None:
    rows = days((1000.0, {"a": 100.0}), (1100.0, {"a": -55.0, "b": 22.0}), (1067.0, {"b": 10.67}))
    found = daily_returns(rows, "strategy")
    assert found.by["a"].tolist() == pytest.approx([0.1, -0.05, 0.0]) and found.by["b"][2] == pytest.approx(
        0.01
    )
    assert found.total == pytest.approx(1077.67 / 1000.0 - 1.0) == pytest.approx(cumulative(found.account))
    assert sum(found.linked.values()) == pytest.approx(found.total, rel=1e-12)
    assert daily_returns(rows, "symbol").linked["X"] == pytest.approx(found.total)


def test_too_few_days_or_no_equity() -> None:
    for rows, code in ((days((1.0, {"a": 0.1})), "TOO_FEW"), (days((1.0, {}), (0.0, {})), "NO_EQUITY")):
        with pytest.raises(RiskInputError) as caught:
            daily_returns(rows, "strategy")
        assert caught.value.code == code


def test_since_the_start_days_compound_and_strategies_sum_to_the_account() -> None:
    pnl = {"equity_start": 1000.0, "total": 80.0, "by_day": {"d1": 100.0, "d2": -55.0, "d3": 35.0}}
    pnl["by_strategy"] = {"a": 120.0, "b": -40.0}
    *days, whole = so_far(pnl, "day")
    assert [row["equity"] for row in days] == [1000.0, 1100.0, 1045.0]
    assert math.prod(1.0 + row["return"] for row in days) == pytest.approx(1.0 + whole["return"]) == 1.08
    *parts, whole = so_far(pnl, "strategy")
    assert sum(row["return"] for row in parts) == pytest.approx(whole["return"])
    assert so_far({"equity_start": 0.0, "total": 0.0, "by_day": {}}, "day")[-1]["return"] is None
