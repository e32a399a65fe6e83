"""Schedules: golden numbers to their printed digits, and what must hold of every one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernels import schedules as k

# Almgren & Chriss 2000, the paper's example: a million shares in five days.
X, DAYS, SIGMA, GAMMA, ETA, EPSILON = 1e6, 5, 0.95, 2.5e-7, 2.5e-6, 0.0625
GOLDEN = [  # lambda, kappa, holdings after each day but the last
    (0.0, "0.000000", ["800000.00", "600000.00", "400000.00", "200000.00"]),
    (1e-6, "0.607076", ["541955.55", "289854.22", "147897.49", "62141.80"]),
    (2e-6, "0.846297", ["428598.85", "182932.81", "76295.72", "27643.38"]),
    (1e-5, "1.726711", ["177868.31", "31636.20", "5621.63", "969.25"]),
]
CASES = 2_500  # of each of the four: 10,000 schedules

lots = st.one_of(st.integers(1, 50), st.integers(1, 10**6), st.integers(1, 1 << 40))
slices = st.one_of(st.integers(1, 12), st.integers(1, 400))
weights = st.lists(st.one_of(st.just(0.0), st.floats(0.0, 1e9)), min_size=1, max_size=60)


def path(risk_aversion: float):
    kappa = k.urgency(risk_aversion, SIGMA, ETA, GAMMA, 1.0)
    return kappa, k.holdings(X, DAYS, 1.0, kappa)


@pytest.mark.parametrize(("risk_aversion", "kappa", "held"), GOLDEN)
def test_almgren_chriss_trajectory(risk_aversion, kappa, held) -> None:
    found, trajectory = path(risk_aversion)
    assert f"{found:.6f}" == kappa
    assert [f"{x:.2f}" for x in trajectory] == ["1000000.00", *held, "0.00"]


@pytest.mark.parametrize(
    ("risk_aversion", "cost", "deviation"),
    [(0.0, "662500.00", "1040672.86"), (1e-6, "911226.99", "603430.67")],
)
def test_almgren_chriss_cost_and_its_deviation(risk_aversion, cost, deviation) -> None:
    _, trajectory = path(risk_aversion)
    assert f"{k.expected_cost(trajectory, 1.0, ETA, GAMMA, EPSILON):.2f}" == cost
    assert f"{k.cost_deviation(trajectory, 1.0, SIGMA):.2f}" == deviation


@pytest.mark.parametrize("risk_aversion", [1e-7, 1e-6, 1e-5])
def test_no_neighbour_of_the_trajectory_is_better(risk_aversion) -> None:
    """E + lambda V is convex: if no small step helps, it is the optimum."""
    _, best = path(risk_aversion)

    def objective(held) -> float:
        deviation = k.cost_deviation(held, 1.0, SIGMA)
        return k.expected_cost(held, 1.0, ETA, GAMMA, EPSILON) + risk_aversion * deviation * deviation

    for j in range(1, DAYS):
        for step in (-50.0, 50.0):
            other = best.copy()
            other[j] += step
            assert objective(other) > objective(best)


def test_impact_that_makes_trading_fast_free_has_no_schedule() -> None:
    assert math.isnan(k.urgency(1e-6, SIGMA, 1e-7, 1e-6, 1.0))
    assert math.isnan(k.urgency(-1.0, SIGMA, ETA, GAMMA, 1.0))


def test_extreme_urgency_neither_overflows_nor_stalls() -> None:
    held = k.holdings(1e6, 50, 10.0, 40.0)
    assert held[0] == 1e6
    assert held[-1] == 0.0
    assert np.isfinite(held).all()
    assert (np.diff(held) <= 0.0).all()


def whole(cumulative, total: int, count: int) -> None:
    """Never falling, never too much, and in the end all of it."""
    rows = cumulative.tolist()
    assert len(rows) == count
    assert rows[-1] == total
    assert all(0 <= a <= b for a, b in zip([0, *rows], rows, strict=False))


@settings(max_examples=CASES, deadline=None)
@given(lots=lots, slices=slices)
def test_twap_is_within_a_lot_of_the_line(lots, slices) -> None:
    rows = k.twap(lots, slices)
    whole(rows, lots, slices)
    assert all(0 <= lots * (i + 1) - row * slices < slices for i, row in enumerate(rows.tolist()))


@settings(max_examples=CASES, deadline=None)
@given(lots=lots, weights=weights)
def test_vwap_is_within_a_lot_of_the_curve(lots, weights) -> None:
    curve = np.array(weights)
    rows = k.by_curve(lots, curve)
    whole(rows, lots, len(weights))
    share = np.cumsum(curve) / curve.sum() if curve.sum() > 0.0 else (np.arange(len(curve)) + 1) / len(curve)
    slack = 1.0 + lots * 1e-9
    assert (np.abs(rows - lots * share)[:-1] <= slack).all()


@settings(max_examples=CASES, deadline=None)
@given(
    lots=lots, slices=st.integers(1, 100), kappa=st.floats(0.0, 10.0), tau=st.floats(0.001, 1000.0)
)  # fmt: skip
def test_shortfall_schedules_are_front_loaded(lots, slices, kappa, tau) -> None:
    held = k.holdings(float(lots), slices, tau, kappa)
    rows = k.by_holdings(lots, held)
    whole(rows, lots, slices)
    assert (rows + 1 >= k.twap(lots, slices)).all()  # never behind the even schedule, rounding aside


@settings(max_examples=CASES, deadline=None)
@given(data=st.data(), lots=st.integers(1, 10**6), slices=slices, least=st.integers(1, 5000))
def test_merging_leaves_no_child_under_the_minimum_and_loses_nothing(data, lots, slices, least) -> None:
    rows = k.merged(k.twap(lots, slices), least)
    whole(rows, lots, slices)
    parts = [part for part in np.diff(rows, prepend=0).tolist() if part]
    assert lots < least or min(parts) >= least
    if lots < least:
        assert parts == [lots]


@settings(max_examples=1000, deadline=None)
@given(remaining=st.integers(0, 1 << 40), weights=weights, data=st.data())
def test_a_dynamic_schedule_ends_at_nothing_whatever_fills(remaining, weights, data) -> None:
    curve, left = np.array(weights), remaining
    for i in range(len(weights)):
        part = int(k.dynamic_child(left, curve, i))
        assert 0 <= part <= left
        left -= part if i == len(weights) - 1 else data.draw(st.integers(0, part))
    assert left == 0


@settings(max_examples=1000, deadline=None)
@given(rate=st.floats(0.001, 0.9), others=st.integers(0, 10**9))
def test_participation_is_of_all_volume_ours_included(rate, others) -> None:
    ours = int(k.pov_lots(rate, others))
    assert ours <= rate * (ours + others) + 1e-6 * (1 + others)
    assert ours + 1 > rate * (ours + others) * (1 - 1e-9)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, math.nan])
def test_participation_that_is_none_sends_nothing(rate) -> None:
    assert k.pov_lots(rate, 1000) == 0


def test_curves_that_are_not_volumes_are_flat() -> None:
    for bad in ([1.0, -1.0, 2.0, 2.0], [0.0] * 4, [math.nan, 1.0, 1.0, 1.0], [math.inf, 1.0, 1.0, 1.0]):
        assert k.by_curve(100, np.array(bad)).tolist() == [25, 50, 75, 100]


def test_slices_take_their_share_of_the_hours_they_span() -> None:
    profile = np.zeros(k.HOURS)
    profile[72 : 72 + 2] = 1.0, 3.0  # Thursday 00:00 and 01:00 UTC: the epoch began on a Thursday
    half_hour = k.HOUR_NS // 2
    assert k.slice_weights(profile, 0, half_hour, 5).tolist() == [0.5, 0.5, 1.5, 1.5, 0.0]
    assert k.slice_weights(profile, half_hour, k.HOUR_NS, 1).tolist() == [0.5 + 1.5]
    week_ns = k.HOURS * k.HOUR_NS
    again = k.slice_weights(profile, 3 * week_ns, half_hour, 5)
    assert again.tolist() == [0.5, 0.5, 1.5, 1.5, 0.0]


def test_a_learned_hour_is_drawn_towards_flat_by_how_little_was_seen() -> None:
    volume, seen = np.zeros(k.HOURS), np.ones(k.HOURS)
    volume[:] = 100.0
    volume[5] = 700.0
    once = k.shrunk(volume, seen, 4.0)
    often = k.shrunk(volume * 50, seen * 50, 4.0)
    assert 1.0 < once[5] < often[5] < 7.0
    assert once.mean() == pytest.approx(1.0)
    assert k.shrunk(np.zeros(k.HOURS), np.zeros(k.HOURS), 4.0).tolist() == [1.0] * k.HOURS
    raw = k.shrunk(volume, seen, 0.0)
    assert raw[5] / raw[0] == pytest.approx(7.0)
