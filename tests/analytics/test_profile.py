"""The profile: published weights, hysteresis, unknown is UNKNOWN, and recommendations that do what they say."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.analytics import scenarios
from core.analytics.advice import EXPOSURES, effect, recommend
from core.analytics.book import Book, Holding, Limits, make
from core.analytics.profile import (
    BOUNDS,
    EXPONENT,
    HYSTERESIS,
    WEIGHTS,
    Level,
    concentration,
    cost_of_exit,
    level,
    nearest_limit,
    profile,
    score,
    value_at_risk,
)  # fmt: skip
from core.analytics.stress import measures, run

DOCS = Path(__file__).parents[2] / "docs" / "risk-profile.md"
FACTS: dict[str, Any] = {"spread_bps": 2.0, "adv": 1e9, "volatility_day": 0.03, "beta": 1.0}


def book_of(*sizes: float, cash: float = 100_000.0, **more: Any) -> Book:
    """Positions of these thousands of account currency, at a mark of 100."""
    holdings = [
        Holding(symbol=f"S{i}/USDT", qty=10.0 * k, mark=100.0, lot=0.01, **FACTS) for i, k in enumerate(sizes)
    ]
    return make(holdings, cash={"USDT": cash}, **more)


def shocks_of(book: Book) -> scenarios.Shocks:
    return scenarios.compile(scenarios.load().scenarios, book)


def seen(book: Book) -> Any:
    return profile(book, shocks_of(book))


# -- the score


def test_the_weights_are_a_whole_and_the_docs_show_them() -> None:
    assert math.fsum(weight for weight, _, _ in WEIGHTS.values()) == pytest.approx(1.0)
    text = DOCS.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{name}` | {w:.2f} | {measure} | {against} |" for name, (w, measure, against) in WEIGHTS.items()
    ]
    for named, bound in BOUNDS.items():
        assert re.search(rf"{named.name}\D+{bound:.0f}", text), named
    assert f"{HYSTERESIS:.0f} points" in text


def test_the_score_by_hand() -> None:
    uses = dict.fromkeys(WEIGHTS, 0.0)
    assert score(uses) == 0.0
    assert score(dict.fromkeys(WEIGHTS, 1.0)) == pytest.approx(100.0)
    assert score(dict.fromkeys(WEIGHTS, 0.5)) == pytest.approx(50.0)
    assert score({**uses, "leverage": 1.0}) == pytest.approx(100.0 * 0.2 ** (1.0 / EXPONENT))
    assert math.isnan(score({**uses, "margin": math.nan}))


@given(
    st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.floats(0.0, 1.0)), st.sampled_from(sorted(WEIGHTS))
)
def test_more_use_is_never_a_better_score(part: dict[str, float], grown: str) -> None:
    uses = {**dict.fromkeys(WEIGHTS, 0.0), **part}
    assert score({**uses, grown: 1.0}) >= score(uses) - 1e-9


def test_measures_by_hand() -> None:
    """Two of 20,000 and -10,000 on 100,000, 3 % a day, rho 0.6."""
    book = book_of(20.0, -10.0)
    v = np.array([600.0, -300.0])
    assert value_at_risk(book) == pytest.approx(
        2.3263478740408408 * math.sqrt(0.4 * (v**2).sum() + 0.6 * 300.0**2)
    )
    assert concentration(book) == pytest.approx((4.0 + 1.0) / 9.0)
    expected = sum(x * (0.0001 + 0.03 * math.sqrt(x / 1e9)) for x in (20_000.0, 10_000.0))
    assert cost_of_exit(book) == pytest.approx(expected)
    found = {d.name: d.value for d in seen(book).drivers}
    assert (found["leverage"], found["concentration"]) == (pytest.approx(0.3), pytest.approx(0.2))
    assert found["margin"] == pytest.approx(1.2 / (100_000.0 / 3_000.0))


def test_drivers_are_sorted_and_their_shares_are_a_whole() -> None:
    drivers = seen(book_of(150.0, -60.0, 30.0)).drivers
    shares = [d.share for d in drivers]
    assert shares == sorted(shares, reverse=True)
    assert math.fsum(shares) == pytest.approx(1.0)


def test_a_flat_book_is_low_and_has_nothing_to_recommend() -> None:
    book = make([], cash={"USDT": 1000.0})
    shown = seen(book)
    assert (shown.score, shown.level) == (0.0, Level.LOW)
    assert recommend(book, shocks_of(book), shown) == ()


def test_more_of_the_same_is_never_less_risk() -> None:
    scores = [seen(book_of(k, k / 2, -k / 4)).score for k in (1.0, 10.0, 50.0, 200.0)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


# -- the level

LADDER = [
    (0.0, Level.LOW),
    (24.999, Level.LOW),
    (25.0, Level.MEDIUM),
    (50.0, Level.HIGH),
    (75.0, Level.CRITICAL),
]


@pytest.mark.parametrize(("points", "expected"), LADDER)
def test_levels_begin_at_their_bounds(points: float, expected: Level) -> None:
    assert level(points) is expected


STEPS = [  # shown before, score, shown after
    (Level.LOW, 25.0, Level.MEDIUM),
    (Level.MEDIUM, 24.9, Level.MEDIUM),
    (Level.MEDIUM, 20.0, Level.MEDIUM),
    (Level.MEDIUM, 19.9, Level.LOW),
    (Level.CRITICAL, 72.0, Level.CRITICAL),
    (Level.CRITICAL, 69.9, Level.HIGH),
    (Level.CRITICAL, 46.0, Level.HIGH),
    (Level.CRITICAL, 10.0, Level.LOW),
    (Level.HIGH, 90.0, Level.CRITICAL),
    (Level.UNKNOWN, 24.9, Level.LOW),
    (Level.CRITICAL, math.nan, Level.UNKNOWN),
]


@pytest.mark.parametrize(("before", "points", "after"), STEPS)
def test_a_level_is_left_only_well_below_its_bound(before: Level, points: float, after: Level) -> None:
    assert level(points, before) is after


@given(st.lists(st.floats(70.5, 79.5), min_size=2, max_size=30))
def test_a_score_that_dithers_within_the_hysteresis_changes_the_level_once_at_most(
    points: list[float],
) -> None:
    shown, changes = level(points[0]), 0
    for x in points[1:]:
        after = level(x, shown)
        changes += after is not shown
        shown = after
    assert changes <= 1


def test_a_switch_that_has_tripped_is_critical_at_any_score() -> None:
    book = book_of(1.0, equity_peak=110_000.0)  # 9 % below its peak, limit 5 %
    shown = seen(book)
    assert shown.measures.trips == ("drawdown",)
    assert shown.score < BOUNDS[Level.CRITICAL]
    assert shown.level is Level.CRITICAL


def test_what_is_not_known_is_unknown_and_never_low() -> None:
    nan_mark = make([Holding(symbol="A/USDT", qty=1.0, mark=math.nan, avg_px=1.0)], cash={"USDT": 1e6})
    no_rate = make([Holding(symbol="A/ZZZ", qty=1.0, mark=1.0, settle="ZZZ")], cash={"USDT": 1e6})
    no_cash = make([], cash={"USDT": math.nan})
    for book in (nan_mark, no_rate, no_cash):
        shown = seen(book)
        assert shown.level is Level.UNKNOWN
        assert math.isnan(shown.score)
        assert recommend(book, shocks_of(book), shown) == ()


def test_no_equity_is_critical() -> None:
    shown = seen(book_of(10.0, cash=-1.0))
    assert (shown.level, shown.measures.leverage) == (Level.CRITICAL, math.inf)


def test_the_nearest_limit_is_the_one_with_least_of_its_way_left() -> None:
    book = book_of(300.0, limits=Limits(leverage=4.0))  # leverage 3 of 4; margin 3.33 of 1.2
    assert nearest_limit(book.limits, measures(book)) == ("leverage", pytest.approx(0.25))
    off = Limits(
        drawdown=None, position_loss=None, daily_loss=None, emergency=None, leverage=None, margin=None
    )
    assert nearest_limit(off, measures(book)) == ("", 1.0)


# -- recommendations


@given(st.lists(st.floats(-250.0, 250.0).map(lambda x: round(x, 2)), min_size=1, max_size=5))
def test_every_recommendation_does_what_it_says_and_makes_nothing_worse(sizes: list[float]) -> None:
    book = book_of(*sizes)
    shocks = shocks_of(book)
    before = profile(book, shocks)
    for r in recommend(book, shocks, before):
        share = np.full(book.n, r.qty) if not r.symbol else np.zeros(book.n)
        if r.symbol:
            i = book.symbols.index(r.symbol)
            share[i] = min(1.0, r.qty / abs(book.qty[i]))
            assert r.side == ("sell" if book.qty[i] > 0.0 else "buy")
            assert r.qty / 0.01 == pytest.approx(round(r.qty / 0.01)) or share[i] == 1.0
        after = effect(book, shocks, share)
        assert after.score == pytest.approx(r.score, rel=1e-6)
        assert r.score < before.score
        assert (after.measures.leverage, after.worst_fraction) == pytest.approx(
            (r.leverage, r.worst_fraction)
        )
        old, new = ({d.name: d.value for d in p.drivers} for p in (before, after))
        assert all(new[name] <= old[name] * (1.0 + 0.01) + 1e-12 for name in EXPOSURES)


def test_a_hedge_is_never_cut_and_the_text_names_action_and_effect() -> None:
    book = book_of(300.0, -150.0)
    shocks = shocks_of(book)
    advice = recommend(book, shocks, profile(book, shocks))
    assert advice
    assert "S1/USDT" not in [r.symbol for r in advice]
    pattern = r"(cut|close) \S.* → score \d+ \(\w+\), leverage \d+\.\d×, (margin [\d.]+|no margin), worst [+-][\d.]+%"
    assert all(re.fullmatch(pattern, r.text) for r in advice), [r.text for r in advice]


def test_the_smallest_cut_that_reaches_the_next_level_is_named() -> None:
    book = book_of(200.0)
    shocks = shocks_of(book)
    now = profile(book, shocks)
    first = next(r for r in recommend(book, shocks, now) if r.symbol)
    assert first.level < now.level
    lot_less = np.array([(first.qty - 0.5) / book.qty[0]])
    bound = BOUNDS[Level(first.level + 1)]
    assert first.score <= bound - 1.0 < effect(book, shocks, lot_less).score + 0.05


def test_a_trip_that_no_cut_can_end_does_not_turn_every_advice_into_close_everything() -> None:
    book = book_of(150.0, 20.0, equity_peak=110_000.0)
    shocks = shocks_of(book)
    now = profile(book, shocks)
    advice = recommend(book, shocks, now)
    assert now.measures.trips == ("drawdown",)
    assert [r.text for r in advice if r.text.startswith("cut S0/USDT by ")]
    assert all(r.score < now.score and r.level is Level.CRITICAL for r in advice)


def test_a_leverage_that_has_tripped_is_brought_back_under_its_limit() -> None:
    book = book_of(300.0, 250.0)
    shocks = shocks_of(book)
    now = profile(book, shocks)
    assert now.measures.trips == ("leverage",)
    advice = recommend(book, shocks, now)
    assert advice
    assert all(r.leverage < 5.0 for r in advice)


def test_a_cut_costs_its_spread_and_fee_and_nothing_else() -> None:
    holding = Holding(symbol="A/USDT", qty=4.0, mark=110.0, avg_px=100.0, spread_bps=20.0, fee_rate=0.001)
    book = make([holding], cash={"USDT": 1000.0})
    share = np.array([0.25])
    assert book.cost_of_cut(share) == pytest.approx(110.0 * 0.002)
    after = book.cut(share)
    assert measures(after).equity == pytest.approx(1040.0 - 0.22)
    assert (after.qty[0], after.in_settle()[1][0]) == (3.0, pytest.approx(30.0))
    assert book.qty[0] == 4.0


@given(
    st.lists(st.floats(-200.0, 200.0).map(lambda x: round(x, 1)), min_size=1, max_size=4), st.floats(0.0, 1.0)
)
def test_cutting_the_whole_book_never_raises_the_score(sizes: list[float], fraction: float) -> None:
    book = book_of(*sizes)
    assume(any(sizes))
    shocks = shocks_of(book)
    now = profile(book, shocks)
    assert effect(book, shocks, np.full(book.n, fraction)).score <= now.score + 0.2  # the cost of the trade


def test_worst_of_profile_and_of_stress_are_one() -> None:
    book = book_of(120.0, -80.0, 40.0)
    shown, worst = seen(book), run(book, shocks_of(book)).worst
    assert worst is not None
    assert (shown.worst_scenario, shown.worst_fraction) == (worst.name, pytest.approx(worst.pnl_fraction))
