"""Cost analysis as pure functions: published numbers, identities, and nothing missing that becomes a number."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics import tca
from core.analytics.errors import RiskInputError
from core.analytics.tca_cost import cost_of
from core.analytics.tca_trade import Interval
from tests.analytics.tca_made import trade

# -- published ------------------------------------------------------------------------------------------------------

# 1,000 shares decided at 40.00; previous close 40.04; 700 filled at 40.05; the rest cancelled at 40.08; commission 17.
EXAMPLE: dict[str, Any] = {
    "sign": 1,
    "ordered": 1000.0,
    "qty": [700.0],
    "px": [40.05],
    "decision_px": 40.00,
    "arrival_px": 40.04,
    "end_px": 40.08,
    "fees": 17.0,
}


def test_the_textbook_example_to_its_printed_digits() -> None:
    parts = tca.split_filled(**EXAMPLE)
    paper = 1000.0 * 40.00
    printed = {name: f"{100 * value / paper:.2f}" for name, value in parts._asdict().items()}
    assert printed == {"fees": "0.04", "trading": "0.02", "delay": "0.07", "opportunity": "0.06"}
    assert f"{100 * parts.total / paper:.2f}" == "0.19"
    assert parts.total == pytest.approx(76.0, abs=1e-9)


def test_wagners_parts_of_the_same_example_are_others_and_sum_to_the_same() -> None:
    parts = tca.split(**EXAMPLE)
    assert tuple(parts) == pytest.approx((40.0, 7.0, 12.0, 17.0), abs=1e-9)
    perold = {key: value for key, value in EXAMPLE.items() if key != "arrival_px"}
    assert parts.total == pytest.approx(tca.shortfall(**perold), abs=1e-9) == pytest.approx(76.0)


def test_a_sale_is_the_mirror_image() -> None:
    mirrored = {key: 80.0 - EXAMPLE[key] for key in ("decision_px", "arrival_px", "end_px")}
    sale = EXAMPLE | mirrored | {"sign": -1, "px": [80.0 - 40.05]}
    assert tuple(tca.split(**sale)) == pytest.approx(tuple(tca.split(**EXAMPLE)), abs=1e-9)


# -- identities -----------------------------------------------------------------------------------------------------

ticks = st.integers(1, 10**7)


@st.composite
def orders(draw: st.DrawFn, number: Any) -> dict[str, Any]:
    """An order with whole lots and ticks, as ``number`` (Fraction, Decimal, float) in units of 0.001 and 0.01."""
    fills = draw(st.lists(st.tuples(st.integers(1, 10**5), ticks), max_size=8))
    filled = sum(lots for lots, _ in fills)
    ordered = max(filled + draw(st.integers(-5, 10**5)), 1)  # a venue may fill more than was asked for
    px = {name: number(draw(ticks)) / number(100) for name in ("decision_px", "arrival_px", "end_px")}
    return px | {
        "sign": draw(st.sampled_from((1, -1))),
        "ordered": number(ordered) / number(1000),
        "qty": [number(lots) / number(1000) for lots, _ in fills],
        "px": [number(p) / number(100) for _, p in fills],
        "fees": number(draw(st.integers(-(10**6), 10**6))) / number(100),
    }


def _perold(order: dict[str, Any]) -> Any:
    """The definition as it is printed, products first."""
    s, q, p = order["sign"], order["qty"], order["px"]
    filled = sum(q, start=order["ordered"] * 0)
    paid = sum((a * b for a, b in zip(q, p, strict=True)), start=order["ordered"] * 0)
    missed = (order["ordered"] - filled) * (order["end_px"] - order["decision_px"])
    return s * (paid - filled * order["decision_px"]) + s * missed + order["fees"]


@settings(max_examples=1000)
@given(orders(Fraction))
def test_both_splits_are_perolds_shortfall_exactly_in_fractions(order: dict[str, Any]) -> None:
    total = _perold(order)
    assert tca.split(**order).total == tca.split_filled(**order).total == total
    assert tca.shortfall(**{k: v for k, v in order.items() if k != "arrival_px"}) == total


@settings(max_examples=1000)
@given(orders(Decimal))
def test_and_in_decimals(order: dict[str, Any]) -> None:
    assert tca.split(**order).total == _perold(order)


@settings(max_examples=1000)
@given(orders(float))
def test_and_in_floats_to_1e_12_of_what_was_traded(order: dict[str, Any]) -> None:
    highest = max([order["decision_px"], order["arrival_px"], order["end_px"], *order["px"]])
    traded = max(order["ordered"], math.fsum(order["qty"])) * highest
    for parts in (tca.split(**order), tca.split_filled(**order)):
        assert parts.total == pytest.approx(
            _perold(order), rel=0, abs=1e-12 * traded + 1e-12 * abs(order["fees"])
        )


@settings(max_examples=1000)
@given(
    st.sampled_from((1, -1)),
    st.lists(st.tuples(ticks, ticks, ticks), min_size=1, max_size=20),
    st.integers(0, 20),
)
def test_effective_is_realised_and_impact(sign: int, rows: list[tuple[int, int, int]], unknown: int) -> None:
    px, mid, later = (
        np.array(column, dtype=float) / 64.0 for column in zip(*rows, strict=True)
    )  # binary: exact
    if unknown < len(later):
        later[unknown] = math.nan
    parts = tca.spreads(sign, px, mid, later)
    known = np.isfinite(later)
    assert (parts.effective[known] == (parts.realised + parts.impact)[known]).all()
    assert (parts.effective[known] == 2 * sign * (px - mid)[known]).all()
    assert not np.isfinite(np.array(parts)[:, ~known]).any()


@settings(max_examples=1000)
@given(st.integers(0, 10**6), ticks, st.integers(1, 10**6), ticks)
def test_vwap_with_and_without_own_fills_is_one_tape_seen_twice(
    others: int, px: int, own: int, own_px: int
) -> None:
    alone = tca.interval_vwap(others, others * px, own, own * own_px, own_on_tape=False)
    printed = tca.interval_vwap(others + own, others * px + own * own_px, own, own * own_px, own_on_tape=True)
    assert alone == pytest.approx(printed) if others else alone[0] is printed[0] is None
    assert tca.participation(others, own, own_on_tape=False) == tca.participation(
        others + own, own, own_on_tape=True
    )


def test_inverse_contracts_are_costed_in_what_they_settle_in() -> None:
    """1,000 contracts of 100 USD bought at 50,500 instead of 50,000: 100,000 USD are 1/50,000 - 1/50,500 BTC dearer."""
    worth = [tca.worth(px, inverse=True, unit=100.0) for px in (50_000.0, 50_500.0)]
    cost = tca.shortfall(1, 1000.0, [1000.0], [worth[1]], worth[0], worth[0], 0.0)
    assert cost == pytest.approx(100_000.0 / 50_000.0 - 100_000.0 / 50_500.0, rel=1e-12)
    assert tca.worth(7.0, inverse=False, unit=2.0) == 14.0


# -- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"sign": 0}, "BAD_OPTION"),
        ({"px": []}, "BAD_SHAPE"),
        ({"ordered": 0.0}, "NOT_POSITIVE"),
        ({"ordered": math.nan}, "NOT_POSITIVE"),
        ({"qty": [-1.0]}, "NOT_POSITIVE"),
        ({"decision_px": math.nan}, "NOT_FINITE"),
        ({"px": [math.inf]}, "NOT_FINITE"),
        ({"fees": math.nan}, "NOT_FINITE"),
    ],
)
def test_what_cannot_be_costed_is_refused_by_name(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        tca.split(**(EXAMPLE | wrong))
    assert caught.value.code == code


# -- one order ------------------------------------------------------------------------------------------------------


def test_the_numbers_of_one_order_by_hand() -> None:
    cost = cost_of(trade())
    assert cost.notional_acct == 1000.0
    assert (cost.delay_bps, cost.trading_bps, cost.opportunity_bps) == pytest.approx((100.0, 100.0, 0.0))
    assert cost.fees_bps == pytest.approx(0.3 / 1000 * 1e4)
    assert cost.shortfall_settle == pytest.approx(20.3)
    assert cost.shortfall_bps == pytest.approx(203.0)
    assert cost.vwap_px == pytest.approx(102.0)
    assert cost.vwap_slippage_bps == pytest.approx((101 / 102 - 1) * 1e4)
    assert cost.vwap_slippage_own_bps == pytest.approx((101 / 101.9 - 1) * 1e4)
    assert cost.participation_ratio == pytest.approx(0.1)
    assert cost.reversion_bps == pytest.approx(100.0)
    assert cost.maker_ratio == pytest.approx(0.6)
    assert cost.effective_spread_bps == pytest.approx((0.4 * 2 / 100 - 0.6 * 1 / 101.5) * 1e4)
    assert cost.effective_spread_bps == pytest.approx(cost.realised_spread_bps + cost.impact_bps)
    assert cost.missing == {"sigma_bps_per_sqrt_s": "too few seconds of prices before arrival"}


UNKNOWN = {
    "no decision": ({"decision_px": None}, "shortfall_bps", "no price when it was decided"),
    "never there": ({"arrival_px": None, "start_ns": 0}, "shortfall_bps", "never reached the market"),
    "no end": ({"end_px": None, "qty": 11.0}, "shortfall_bps", "no price when it ended"),
    "no tape": ({"intervals": []}, "vwap_px", "no tape"),
    "quiet tape": ({"intervals": [Interval(symbol="S")]}, "vwap_px", "nobody else"),
    "nothing filled": ({"fills": []}, "avg_px", "nothing filled"),
    "ends early": ({"after_px": None}, "reversion_bps", "record ends"),
    "no rate": ({"rate": None}, "notional_acct", "no rate of USDT"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_missing_is_none_with_the_reason_and_never_zero(case: str) -> None:
    change, key, why = UNKNOWN[case]
    cost = cost_of(trade(**change))
    assert getattr(cost, key) is None
    assert why in cost.missing[key]
    for name in cost.__struct_fields__:
        if getattr(cost, name) is None:
            assert cost.missing.get(name), f"{name} is None without a reason"


def test_nothing_left_needs_no_price_at_the_end() -> None:
    assert cost_of(trade(end_px=None)).shortfall_bps == pytest.approx(203.0)


def test_a_guessed_fill_makes_no_shortfall() -> None:
    guessed = trade()
    guessed.fills[0].guessed = True
    assert "guesses" in cost_of(guessed).missing["shortfall_bps"]
