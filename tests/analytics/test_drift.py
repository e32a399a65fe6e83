"""Change detectors: river's documented examples to the row and digit, laws of their statistics, bad input."""

from __future__ import annotations

import math
import random

import pytest

from core.analytics.drift import Adwin, HalfSpaceTrees, Kswin, PageHinkley, critical_distance
from core.analytics.errors import RiskInputError


def stream() -> list[int]:
    """0 and 1 for a thousand rows, then 4 to 7: river's example."""
    rng = random.Random(12345)
    return rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)


@pytest.mark.parametrize(("make", "row", "value"), [
    (Adwin, 1023, 4), (PageHinkley, 1006, 5), (lambda: Kswin(alpha=1e-4, seed=42), 1016, 6),
])  # fmt: skip
def test_the_row_where_river_sees_the_change(make, row: int, value: int) -> None:
    detector, data = make(), stream()
    assert [(i, data[i]) for i, x in enumerate(data) if detector.update(x)] == [(row, value)]


def test_the_scores_that_river_prints() -> None:
    trees = HalfSpaceTrees([(0.0, 1.0)], trees=5, height=3, window=3, seed=42)
    points = (0.5, 0.45, 0.43, 0.44, 0.445, 0.45, 0.0)
    for x in points[:3]:
        trees.learn([x])
    scores = []
    for x in points:
        trees.learn([x])
        scores.append(f"{trees.score([x]):.3f}")
    assert scores == ["0.107", "0.071", "0.107", "0.107", "0.107", "0.071", "0.853"]


def test_the_critical_distance_is_the_table_of_two_equal_samples() -> None:
    """P(D >= d / n) by counting paths; Massey's table: n = 30 at 5 % is 11, at 1 % 13."""
    assert (critical_distance(30, 0.05), critical_distance(30, 0.01), critical_distance(10, 0.05)) == (
        11,
        13,
        7,
    )
    assert critical_distance(2, 1e-9) == 3


def test_nothing_is_seen_where_nothing_changes() -> None:
    rng = random.Random(7)
    flat = [rng.random() for _ in range(5000)]
    assert not any(any(detector.update(x) for x in flat) for detector in (Adwin(), PageHinkley()))
    alarms = sum(map(Kswin(alpha=1e-4, seed=1).update, flat))
    assert alarms <= 2


def test_the_window_keeps_its_mean_and_forgets_what_was_before() -> None:
    adwin, data = Adwin(), [float(x) for x in stream()[:1000]]
    for x in data:
        adwin.update(x)
    assert (adwin.width, adwin.mean) == (1000, pytest.approx(sum(data) / 1000))
    assert adwin._squares == pytest.approx(sum((x - adwin.mean) ** 2 for x in data), rel=1e-9)
    while not adwin.update(5.0):
        assert adwin.width < 1200
    assert adwin.width == 0 and math.isnan(adwin.mean)


@pytest.mark.parametrize(("call", "code"), [
    (lambda: PageHinkley().update(math.nan), "NOT_FINITE"),
    (lambda: Adwin().update(math.inf), "NOT_FINITE"),
    (lambda: Kswin().update(math.nan), "NOT_FINITE"),
    (lambda: HalfSpaceTrees([(0.0, 1.0)]).learn([math.nan]), "NOT_FINITE"),
    (lambda: HalfSpaceTrees([(0.0, 1.0)]).learn([0.1, 0.2]), "BAD_SHAPE"),
    (lambda: HalfSpaceTrees([(1.0, 1.0)]), "BAD_OPTION"),
    (lambda: HalfSpaceTrees([]), "BAD_OPTION"),
    (lambda: PageHinkley(threshold=0.0), "BAD_OPTION"),
    (lambda: Adwin(delta=0.0), "BAD_OPTION"),
    (lambda: Kswin(window=40, last=30), "BAD_OPTION"),
])  # fmt: skip
def test_bad_input_is_a_named_error(call, code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        call()
    assert caught.value.code == code
