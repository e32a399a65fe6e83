"""Brinson and Fachler's parts of an active return: Bacon's example as printed, the identity, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from core.analytics.brinson import brinson_fachler
from core.analytics.errors import RiskInputError

BACON = ([0.4, 0.3, 0.3], [0.4, 0.2, 0.4], [20.0, -5.0, 6.0], [10.0, -4.0, 8.0])


def test_bacons_three_countries() -> None:
    found = brinson_fachler(*BACON)
    assert (f"{found.portfolio:.1f}", f"{found.benchmark:.1f}", f"{found.active:.1f}") == (
        "8.3",
        "6.4",
        "1.9",
    )
    assert [f"{x:.2f}" for x in found.allocation] == ["0.00", "-1.04", "-0.16"]
    assert [f"{x:.1f}" for x in found.selection] == ["4.0", "-0.2", "-0.8"]
    assert [f"{x:.1f}" for x in found.interaction] == ["0.0", "-0.1", "0.2"]


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_are_the_active_return(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wp, wb = (x / x.sum() for x in rng.uniform(0.1, 1.0, (2, 9)))
    rp, rb = rng.normal(0.0, 0.05, (2, 9))
    found = brinson_fachler(wp, wb, rp, rb)
    assert found.active == pytest.approx(found.portfolio - found.benchmark, abs=1e-14)


@pytest.mark.parametrize(("call", "code"), [
    (lambda: brinson_fachler([0.5, 0.4], [0.5, 0.5], [1.0, 1.0], [1.0, 1.0]), "BAD_OPTION"),
    (lambda: brinson_fachler([1.0], [0.5, 0.5], [1.0], [1.0, 1.0]), "BAD_SHAPE"),
    (lambda: brinson_fachler([1.0], [1.0], [float("nan")], [1.0]), "NOT_FINITE"),
    (lambda: brinson_fachler([], [], [], []), "TOO_FEW_ROWS"),
])  # fmt: skip
def test_bad_input_is_a_named_error(call, code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        call()
    assert caught.value.code == code
