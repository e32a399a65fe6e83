"""Contributions over many periods: what each part added to a compounded return, so that the parts add up again.

Within a period contributions are additive: they sum to its return. Compounded over periods they are not, because later
gains are made on earlier ones. Carino (1999, "Combining attribution effects over time", Journal of Performance
Measurement 3(4)) scales each period's contributions by

    k_t = (ln(1 + r_t) - ln(1 + b_t)) / (r_t - b_t)      and all periods by      k = (ln(1 + R) - ln(1 + B)) / (R - B)

(their limits 1 / (1 + r) where both are equal), so that sum over t of c_it k_t / k sums over i to R - B exactly: the
sum over t of ln(1 + r_t) is ln(1 + R). Without a benchmark b = B = 0 and the parts sum to the compounded return itself.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError

Floats = npt.NDArray[np.float64]
_ADDS_UP = 1e-9  # of a period's return (and absolute): contributions are given as floats
_SERIES = 1e-5  # below this difference the quotient is taken from its series


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """``by`` f8[n], fractions: what each part added; sums to ``total`` (compounded, in excess of the benchmark's)."""

    total: float
    by: Floats
    coefficients: Floats  # k_t / k, f8[periods]


def cumulative(returns: Floats) -> float:
    """Compounded return, a fraction."""
    return math.expm1(math.fsum(map(math.log1p, returns.tolist())))


def link(contributions: Floats, returns: Floats, benchmark: Floats | None = None) -> Linked:
    """Link ``contributions`` f8[periods, parts] (each row sums to return less benchmark) over time; all are fractions.

    Raises RiskInputError: TOO_FEW, NOT_FINITE, DOES_NOT_ADD_UP (with the period), RUIN for a return of -100 % or less.
    """
    rows, made = np.asarray(contributions, dtype=float), np.asarray(returns, dtype=float)
    base = np.zeros(len(made)) if benchmark is None else np.asarray(benchmark, dtype=float)
    _check(rows, made, base)
    each = np.array([_quotient(r, b) for r, b in zip(made.tolist(), base.tolist(), strict=True)])
    whole, bench = cumulative(made), cumulative(base)
    coefficients = each / _quotient(whole, bench)
    return Linked(total=whole - bench, by=coefficients @ rows, coefficients=coefficients)


def _quotient(r: float, b: float) -> float:
    """(ln(1 + r) - ln(1 + b)) / (r - b), its limit where they are equal, its series where they nearly are."""
    x = (r - b) / (1.0 + b)
    if abs(x) < _SERIES:
        return (1.0 - x / 2.0 + x * x / 3.0 - x * x * x / 4.0) / (1.0 + b)
    return math.log1p(x) / (r - b)


def _check(rows: Floats, made: Floats, base: Floats) -> None:
    if rows.ndim != 2 or len(rows) == 0 or len(rows) != len(made) or len(made) != len(base):
        raise RiskInputError(
            "TOO_FEW", "linking needs one row of contributions for each period, at least one"
        )
    if not (np.isfinite(rows).all() and np.isfinite(made).all() and np.isfinite(base).all()):
        raise RiskInputError("NOT_FINITE", "a contribution or return is not a number")
    if (made <= -1.0).any() or (base <= -1.0).any():
        raise RiskInputError("RUIN", "a return of -100 % or less cannot be compounded")
    off = np.abs(rows.sum(axis=1) - (made - base))
    worst = int(off.argmax())
    if off[worst] > _ADDS_UP * max(1.0, abs(float(made[worst]))):
        raise RiskInputError(
            "DOES_NOT_ADD_UP",
            f"period {worst + 1}: contributions sum to {rows[worst].sum():.9g}, the return is"
            f" {made[worst] - base[worst]:.9g}",
        )
