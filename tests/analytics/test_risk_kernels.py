"""The kernels under the measures against slow and obvious ones, and the distributions against recorded numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernels.risk import normal
from core.kernels.risk.montecarlo import fill_normals, simulate_pnl
from core.kernels.risk.order_stats import panel_var_es, rolling_var_es, smallest, tail_count, var_es

from .oracles import recorded


def slow_var_es(x: np.ndarray, alpha: float) -> tuple[float, float]:
    """Sort everything; count the tail in whole thousandths."""
    ordered = sorted(x.tolist())
    weight = round(alpha * 1000) * len(x) / 1000
    k = math.ceil(weight)
    return -ordered[k - 1], -(math.fsum(ordered[: k - 1]) + (weight - k + 1) * ordered[k - 1]) / weight


def shaped(kind: str, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return {
        "normal": lambda: rng.standard_normal(n),
        "rising": lambda: np.sort(rng.standard_normal(n)),
        "falling": lambda: np.sort(rng.standard_normal(n))[::-1].copy(),
        "constant": lambda: np.full(n, 0.1),
        "few values": lambda: rng.integers(0, 4, n).astype(float),
        "the sample misleads": lambda: (
            np.where(np.arange(n) % (n // max(512, n // 64) or 1) == 0, -9.0, 1.0) + rng.random(n)
        ),
        "with gains without end": lambda: np.where(rng.random(n) < 0.3, np.inf, rng.standard_normal(n)),
    }[kind]()


KINDS = (
    "normal", "rising", "falling", "constant", "few values", "the sample misleads", "with gains without end",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_are_those_of_a_sort(kind: str) -> None:
    rng = np.random.default_rng(11)
    for seed in range(60):
        n = int(rng.integers(1, 9000))
        k = int(rng.integers(1, n + 1)) if seed % 3 else min(n, int(rng.integers(1, 50)))
        x = shaped(kind, n, seed)
        found = smallest(x, k)
        assert np.array_equal(np.sort(found), np.sort(x)[:k]), (n, k)
        assert found[-1] == found.max()
        assert not len(smallest(np.append(x, np.nan), k))


@given(
    st.integers(1, 3000), st.sampled_from([0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.333]), st.integers(0, 99)
)
def test_var_and_es_are_those_of_a_sort(n: int, alpha: float, seed: int) -> None:
    x = np.random.default_rng(seed).standard_t(3, n)
    if alpha * n < 1 - 1e-9 * n:
        assert all(math.isnan(value) for value in var_es(x, alpha))
    else:
        assert var_es(x, alpha) == pytest.approx(slow_var_es(x, alpha), rel=1e-12, abs=1e-14)


def test_whole_tails_are_whole_however_alpha_was_written() -> None:
    assert tail_count(1000, 1 - 0.95) == (50, 50.0)  # 50.000000000000043 in floats
    assert tail_count(500, 0.01) == (5, 5.0)
    assert tail_count(237, 0.01) == (3, pytest.approx(2.37))


@pytest.mark.parametrize("bad", [math.nan, -math.inf])
@pytest.mark.parametrize("n", [150, 5000])
def test_no_number_from_a_tail_that_is_none(bad: float, n: int) -> None:
    for at in (0, n // 2, n - 1):
        x = np.random.default_rng(0).standard_normal(n)
        x[at] = bad
        assert all(math.isnan(value) for value in var_es(x, 0.01))


def test_panels_and_windows_are_their_series() -> None:
    x = np.random.default_rng(2).standard_normal((5, 700))
    panel, rolling = np.empty((5, 2)), np.empty((700 - 249, 2))
    panel_var_es(x, 0.02, panel)
    rolling_var_es(x[0], 250, 0.02, rolling)
    assert [tuple(row) for row in panel] == [var_es(row, 0.02) for row in x]
    assert [tuple(row) for row in rolling] == [var_es(x[0, t : t + 250], 0.02) for t in range(451)]


MASK = (1 << 64) - 1


def slow_mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def slow_normal(seed: int, path: int, factor: int, factors: int) -> float:
    """One draw in integers of any size and the library's log, sine and cosine."""
    golden = 0x9E3779B97F4A7C15
    key = slow_mix((seed * golden + 0xBF58476D1CE4E5B9) & MASK)
    counter = 2 * (path * ((factors + 1) // 2) + factor // 2)
    u, g = slow_mix((key + counter * golden) & MASK), slow_mix((key + (counter + 1) * golden) & MASK)
    length = math.sqrt(-2 * math.log(((u >> 11) + 0.5) / 2**53))
    turn = ((g >> 12) + 0.5) / 2**52 * math.pi / 4
    pair = (math.sin(turn), math.cos(turn)) if g & 1 else (math.cos(turn), math.sin(turn))
    return length * pair[factor % 2] * (-1 if g & (4 if factor % 2 else 2) else 1)


@pytest.mark.parametrize(("seed", "factors"), [(0, 1), (3, 5), (2**63 - 1, 4)])
def test_draws_are_those_of_plain_arithmetic(seed: int, factors: int) -> None:
    z = np.empty((300, factors))
    fill_normals(seed, 0, z)
    slow = [[slow_normal(seed, path, j, factors) for j in range(factors)] for path in range(300)]
    assert z == pytest.approx(np.array(slow), rel=1e-14)


def test_a_path_is_the_same_however_it_is_cut() -> None:
    whole, part = np.empty((2000, 3)), np.empty((700, 3))
    fill_normals(9, 0, whole)
    fill_normals(9, 777, part)
    assert np.array_equal(whole[777:1477], part)


def test_draws_have_the_moments_of_normals_and_no_company() -> None:
    z = np.empty((400_000, 4))
    fill_normals(42, 0, z)
    n = z.size
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10395 - 225)):
        assert abs((z**power).mean() - moment) < 4 * math.sqrt(variance / n), power
    assert np.abs(np.corrcoef(z.T) - np.eye(4)).max() < 4 / math.sqrt(len(z))
    assert abs(np.corrcoef(z[1:, 0], z[:-1, 0])[0, 1]) < 4 / math.sqrt(len(z))
    assert abs(np.corrcoef(z[:, 0] ** 2, z[:, 1] ** 2)[0, 1]) < 4 / math.sqrt(len(z))
    for x in (-3.0, -1.0, 0.0, 2.0):
        p = normal.normal_cdf(x)
        assert abs((z <= x).mean() - p) < 4 * math.sqrt(p * (1 - p) / n)


def test_a_linear_book_is_its_factors_summed() -> None:
    chol = np.array([[0.02, 0.0, 0.0], [0.01, 0.03, 0.0], [0.0, -0.01, 0.01]])
    w, mean, z = np.array([1.0, 2.0, -1.0]), np.array([0.1, 0.0, 0.2]), np.empty((999, 3))
    fill_normals(5, 0, z)
    assert simulate_pnl(chol, w, mean, 999, 5) == pytest.approx((z @ chol.T + mean) @ w, abs=1e-14)


TOLERANCE = {"binomial_cdf": 1e-11}


@pytest.mark.parametrize("function", sorted(recorded()["distributions"]))
def test_distributions_to_twelve_digits(function: str) -> None:
    ours = getattr(normal, function)
    for *arguments, theirs in recorded()["distributions"][function]:
        assert ours(*arguments) == pytest.approx(theirs, rel=TOLERANCE.get(function, 1e-12), abs=1e-300), (
            arguments
        )


@given(st.floats(1e-12, 0.5), st.floats(0.5, 500))
def test_quantiles_undo_the_cdf(p: float, df: float) -> None:
    assert normal.t_cdf(normal.t_quantile(p, df), df) == pytest.approx(p, rel=1e-10)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, math.nan])
def test_no_quantile_outside_the_open_interval(p: float) -> None:
    with pytest.raises(ValueError):
        normal.normal_quantile(p)
    with pytest.raises(ValueError):
        normal.t_quantile(p, 4.0)
