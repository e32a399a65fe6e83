"""Sizing: published numbers, first-order conditions, caps that hold, and matrices that cannot be inverted by name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analytics.errors import RiskInputError
from core.analytics.sizing import Caps, binary, kelly, shrinkage_of, volatility_target
from core.kernels.sizing import shrink

WIDE = Caps(concentration=1e6, leverage=1e6)
MU = np.array([0.10, 0.05, -0.03])
COV = np.array([[0.04, 0.01, 0.0], [0.01, 0.03, 0.005], [0.0, 0.005, 0.05]])
Z_99 = 2.3263478740408408


def test_a_coin_of_sixty_per_cent() -> None:
    """Kelly 1956: f = 0.2, growth 0.0201355 nats = ln 2 - H(0.6)."""
    fraction, growth = binary(0.6, 1.0)
    entropy = -(0.6 * math.log(0.6) + 0.4 * math.log(0.4))
    assert fraction == pytest.approx(0.2, abs=1e-15)
    assert round(growth, 7) == 0.0201355
    assert growth == pytest.approx(math.log(2.0) - entropy, abs=1e-15)


@pytest.mark.parametrize(
    ("p", "odds", "expected"), [(0.5, 1.0, 0.0), (0.3, 1.0, 0.0), (1.0, 2.0, 1.0), (0.5, 2.0, 0.25)]
)
def test_no_edge_no_bet(p: float, odds: float, expected: float) -> None:
    assert binary(p, odds)[0] == pytest.approx(expected)


def test_known_means_are_worth_the_inverse_covariance() -> None:
    sizes = kelly(MU, COV, equity=1e5, fraction=1.0, caps=WIDE)
    assert sizes.weights == pytest.approx(np.linalg.inv(COV) @ MU, rel=1e-12)
    assert sizes.growth == pytest.approx(0.5 * MU @ np.linalg.inv(COV) @ MU)
    assert (sizes.shrinkage, sizes.binding) == (1.0, ())


def test_half_of_kelly_is_half_of_it_at_three_quarters_of_the_growth() -> None:
    full, half = (kelly(MU, COV, equity=1e5, fraction=f, caps=WIDE) for f in (1.0, 0.5))
    assert half.weights == pytest.approx(full.weights / 2.0)
    assert half.growth / full.growth == pytest.approx(0.75)


def test_one_asset_shrinks_as_the_gates_kernel_does() -> None:
    mu, variance, n = 0.002, 0.0009, 250.0
    own = mu * shrinkage_of(np.array([mu]), np.array([[variance]]), n)
    assert own == pytest.approx(shrink(mu, variance, n), rel=1e-14)


def test_more_observations_mean_more_trust() -> None:
    left = [kelly(MU, COV, equity=1e5, samples=n, caps=WIDE).shrinkage for n in (10.0, 100.0, 1e6)]
    assert left == sorted(left)
    assert left[0] < 0.6 < 0.99 < left[-1]


def test_nothing_forecast_nothing_held() -> None:
    assert kelly(np.zeros(3), COV, equity=1e5).weights == pytest.approx(np.zeros(3))


# -- caps

WEIGHTS = st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3)


@given(WEIGHTS, st.floats(0.05, 2.0), st.floats(0.1, 3.0), st.floats(0.01, 0.5), st.booleans())
def test_caps_hold(
    mu: list[float], concentration: float, leverage: float, budget: float, long_only: bool
) -> None:
    caps = Caps(concentration=concentration, leverage=leverage, risk_budget=budget, long_only=long_only)
    sizes = kelly(np.array(mu), COV, equity=1e5, fraction=1.0, caps=caps)
    assert np.abs(sizes.weights).max() <= concentration + 1e-9
    assert sizes.leverage <= leverage + 1e-9
    assert Z_99 * sizes.volatility <= budget + 1e-9
    assert not long_only or sizes.weights.min() >= 0.0


@given(WEIGHTS, st.floats(0.05, 1.0), st.booleans())
def test_bounded_weights_are_the_best_within_the_bounds(mu: list[float], cap: float, long_only: bool) -> None:
    """Karush-Kuhn-Tucker: no slope inside, and at a bound it points outwards."""
    caps = Caps(concentration=cap, leverage=1e6, long_only=long_only)
    weights = kelly(np.array(mu), COV, equity=1e5, fraction=1.0, caps=caps).weights
    slope = np.array(mu) - COV @ weights
    low = 0.0 if long_only else -cap
    for w, g in zip(weights, slope, strict=True):
        if low + 1e-9 < w < cap - 1e-9:
            assert g == pytest.approx(0.0, abs=1e-9)
        else:
            assert g <= 1e-9 if w <= low + 1e-9 else g >= -1e-9


def test_the_cap_that_holds_is_named() -> None:
    def bound(**caps: Any) -> tuple[str, ...]:
        return kelly(
            MU, COV, equity=1e5, fraction=1.0, caps=Caps(**{"concentration": 50.0, "leverage": 50.0, **caps})
        ).binding

    assert bound() == ()
    assert bound(concentration=0.5) == ("concentration",)
    assert bound(leverage=1.0) == ("leverage",)
    assert bound(risk_budget=0.05) == ("risk_budget",)
    assert bound(long_only=True) == ("long_only",)
    assert bound(order_value=10_000.0) == ("order_value",)


def test_an_order_is_measured_from_what_is_held_and_never_holds_back_a_reduction() -> None:
    held = np.array([0.5, 0.5, 0.5])
    sizes = kelly(
        MU,
        COV,
        equity=1e5,
        fraction=1.0,
        caps=Caps(concentration=50.0, leverage=50.0, order_value=1e4),
        held=held,
    )
    assert sizes.weights[:2] == pytest.approx([0.6, 0.6])
    assert -0.1 <= sizes.weights[2] < 0.5


# -- volatility target


def test_a_volatility_target_is_met_or_leverage_holds_it_back() -> None:
    weights = np.array([0.5, 0.3, -0.2])
    scaled = volatility_target(weights, COV, 0.10)
    assert math.sqrt(scaled @ COV @ scaled) == pytest.approx(0.10)
    assert np.abs(volatility_target(weights, COV, 10.0, leverage=2.0)).sum() == pytest.approx(2.0)
    assert volatility_target(np.zeros(3), COV, 0.1) == pytest.approx(np.zeros(3))


# -- what no honest size could follow from

ONES = np.ones((3, 3))
BAD: list[tuple[dict[str, Any], str]] = [
    ({"mu": MU[:2]}, "BAD_SHAPE"),
    ({"mu": np.zeros((3, 1))}, "BAD_SHAPE"),
    ({"mu": np.array([]), "cov": np.zeros((0, 0))}, "BAD_SHAPE"),
    ({"mu": np.array([0.1, math.nan, 0.0])}, "NOT_FINITE"),
    ({"cov": np.full((3, 3), math.inf)}, "NOT_FINITE"),
    ({"cov": COV + np.triu(ONES, 1) * 0.01}, "NOT_PSD"),
    ({"cov": np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])}, "NOT_PSD"),
    ({"cov": np.diag([0.1, 0.0, 0.1])}, "ZERO_VARIANCE"),
    ({"cov": ONES * 0.04}, "SINGULAR"),
    ({"equity": 0.0}, "OUT_OF_RANGE"),
    ({"equity": math.nan}, "OUT_OF_RANGE"),
    ({"samples": 0.0}, "OUT_OF_RANGE"),
    ({"fraction": 1.5}, "OUT_OF_RANGE"),
    ({"caps": Caps(leverage=0.0)}, "OUT_OF_RANGE"),
    ({"held": np.array([1.0])}, "BAD_SHAPE"),
]


@pytest.mark.parametrize(("change", "code"), BAD)
def test_bad_input_is_named(change: dict[str, Any], code: str) -> None:
    terms: dict[str, Any] = {"mu": MU, "cov": COV, "equity": 1e5, **change}
    mu, cov = terms.pop("mu"), terms.pop("cov")
    with pytest.raises(RiskInputError) as caught:
        kelly(mu, cov, **terms)
    assert caught.value.code == code


def test_two_copies_of_one_asset_are_named_however_they_are_scaled() -> None:
    cov = np.array([[1e-8, 1e-4], [1e-4, 1.0]])
    with pytest.raises(RiskInputError) as caught:
        kelly(np.array([0.01, 0.1]), cov, equity=1.0)
    assert caught.value.code == "SINGULAR"


@pytest.mark.parametrize(("p", "odds"), [(-0.1, 1.0), (1.1, 1.0), (0.5, 0.0), (math.nan, 1.0)])
def test_bad_bets_are_named(p: float, odds: float) -> None:
    with pytest.raises(RiskInputError):
        binary(p, odds)
