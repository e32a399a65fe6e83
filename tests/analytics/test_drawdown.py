"""Drawdowns: the starting capital counts, spells add up to the path, panels are columns, the tail is coherent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.drawdown import (
    conditional_drawdown,
    drawdown_at_risk,
    max_drawdown,
    panel_max_drawdown,
    spells,
    underwater,
)
from core.analytics.errors import RiskInputError
from core.analytics.performance import performance

from .oracles_performance import numbers, returns

some_returns = st.lists(st.floats(-0.6, 0.9).map(lambda v: round(v, 4)), min_size=2, max_size=200)


def by_wealth(r: np.ndarray) -> np.ndarray:
    wealth = np.concatenate([np.ones((1, *r.shape[1:])), np.cumprod(1.0 + r, axis=0)])
    return (wealth / np.maximum.accumulate(wealth, axis=0) - 1.0)[1:]


def test_the_first_loss_counts() -> None:
    """A peak that begins after the first return would say -1 %."""
    trap = [-0.10, 0.05, 0.02, -0.01]
    assert max_drawdown(trap) == pytest.approx(-0.10, abs=1e-15)
    assert underwater(trap)[0] == pytest.approx(-0.10, abs=1e-15)
    assert performance(trap, periods_per_year=252).max_drawdown == max_drawdown(trap)


@pytest.mark.parametrize("name", ["SPY", "BTC", "GOOG", "SHLD"])
def test_the_path_of_real_series(name: str) -> None:
    x = returns(name)
    assert np.abs(underwater(x) - by_wealth(x)).max() < 1e-12
    assert max_drawdown(x) == pytest.approx(numbers()["series"][name]["empyrical"]["max_drawdown"], rel=1e-9)


@given(some_returns)
@settings(max_examples=100)
def test_spells_tell_the_whole_path(r: list[float]) -> None:
    path, found, own = underwater(r), spells(r), performance(r, periods_per_year=252)
    inside = np.zeros(len(r), dtype=bool)
    for spell in found:
        stop = len(r) if spell.end is None else spell.end
        assert (path[spell.start : stop] < 0).all() and spell.periods == stop - spell.start
        assert path[spell.start : stop].min() == path[spell.trough] == spell.depth
        inside[spell.start : stop] = True
    assert (inside == (path < 0)).all()
    assert own.longest_drawdown == max((spell.periods for spell in found), default=0)
    assert own.max_drawdown == pytest.approx(min((spell.depth for spell in found), default=0.0), abs=1e-12)
    if found:
        assert own.average_drawdown == pytest.approx(np.mean([spell.depth for spell in found]), abs=1e-12)


def test_a_new_peak_at_every_other_step_fills_every_row() -> None:
    found = spells([-0.1, 0.5] * 50 + [-0.1])
    assert len(found) == 51 and found[-1].end is None and found[0].end == 1


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (4, 1), (7, 3), (1001, 17), (50, 2049), (6, 4100)])
def test_a_panel_is_its_columns(shape: tuple[int, int]) -> None:
    panel = np.random.default_rng(shape[0]).standard_normal(shape).clip(-5, 5) * 0.05
    assert panel_max_drawdown(panel) == pytest.approx(
        np.minimum(by_wealth(panel).min(axis=0), 0.0), abs=1e-12
    )
    assert (panel_max_drawdown(np.asfortranarray(panel)) == panel_max_drawdown(panel)).all()


def test_the_tail_of_drawdowns() -> None:
    """Ten periods with drawdowns 1 % … 10 %: the worst 25 % are 10, 9 and half of 8."""
    levels = 1.0 - np.arange(1, 11) / 100
    r = levels / np.r_[1.0, levels[:-1]] - 1.0
    assert drawdown_at_risk(r, 0.25) == pytest.approx(0.08)
    assert conditional_drawdown(r, 0.25) == pytest.approx((0.10 + 0.09 + 0.5 * 0.08) / 2.5)
    assert conditional_drawdown(r, 0.2) == pytest.approx(0.095)


@given(some_returns, st.floats(0.05, 0.49))
@settings(max_examples=60)
def test_the_conditional_tail_lies_between_its_boundary_and_the_worst(r: list[float], alpha: float) -> None:
    if alpha * len(r) < 1.0:
        with pytest.raises(RiskInputError) as refused:
            conditional_drawdown(r, alpha)
        assert refused.value.code == "TAIL_TOO_THIN"
        return
    inside = conditional_drawdown(r, alpha)
    assert drawdown_at_risk(r, alpha) - 1e-12 <= inside <= -max_drawdown(r) + 1e-12


@pytest.mark.parametrize("function", [underwater, max_drawdown, spells])
@pytest.mark.parametrize(
    ("values", "code"),
    [([0.1, math.nan], "NOT_FINITE"), ([], "TOO_FEW_ROWS"), ([0.1, -1.01], "BELOW_MINUS_ONE")],
)
def test_bad_input_is_refused_by_name(function, values: list[float], code: str) -> None:
    with pytest.raises(RiskInputError) as refused:
        function(values)
    assert refused.value.code == code


def test_a_bad_panel_is_refused_by_name() -> None:
    with pytest.raises(RiskInputError) as refused:
        panel_max_drawdown([[0.1, 0.2], [math.nan, 0.1]])
    assert refused.value.code == "NOT_FINITE"
    with pytest.raises(RiskInputError) as refused:
        panel_max_drawdown([0.1, 0.2])
    assert refused.value.code == "BAD_SHAPE"
