"""Transaction cost analysis: what an order came to, against what it was decided at.

Every formula here is a difference of two prices times a quantity, signed so that a cost is positive: ``sign`` is +1 for
a buy and -1 for a sell. ``ordered`` X was decided at P_d, reached the market at P_0, filled q_j at p_j (Q in all) and
stopped with X - Q unfilled at P_end.

Shortfall (A. Perold, "The Implementation Shortfall: Paper versus Reality", J. Portfolio Management 14(3), 1988):

    IS = s [sum q_j p_j - Q P_d]  +  s (X - Q)(P_end - P_d)  +  fees

Two ways of splitting it are in use, and both sum to it identically:

* ``split`` (W. Wagner, M. Edwards 1993; R. Kissell, "The Science of Algorithmic Trading", 2013): the whole order was
  late, s X (P_0 - P_d); what filled paid s (sum q_j p_j - Q P_0); the rest missed s (X - Q)(P_end - P_0).
* ``split_filled`` (the textbook form of the CFA programme): only what filled was late, s Q (P_0 - P_d); what did not
  fill missed all of it, s (X - Q)(P_end - P_d).

The functions are plain arithmetic, so that they hold for Fraction and Decimal exactly, and they take differences before
they multiply, so that with floats the identities hold to the last bits of the cost and not of the notional.

An inverse contract settles in its base currency and a unit of it is worth ``contract_value / price``. Fed with
``worth(price)`` in place of the price every formula holds as it stands, in the settlement currency.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError

Floats = npt.NDArray[np.float64]
Numbers = Sequence[Any] | npt.NDArray[Any]  # floats, or Fractions, or Decimals: all of a kind
BPS = 10_000


class Split(NamedTuple):
    """The parts of a shortfall, in the money of the prices; cost positive."""

    delay: Any
    trading: Any
    opportunity: Any
    fees: Any

    @property
    def total(self) -> Any:
        """The shortfall: the parts sum to it."""
        return self.delay + self.trading + self.opportunity + self.fees


class Spreads(NamedTuple):
    """Per execution, shape (n,), quote: effective = realised + impact. nan where a mid is not known."""

    effective: Floats
    realised: Floats
    impact: Floats


def shortfall(
    sign: int, ordered: Any, qty: Numbers, px: Numbers, decision_px: Any, end_px: Any, fees: Any
) -> Any:
    """Perold's shortfall. ``qty`` and ``px`` of shape (n,) are the fills. Raises RiskInputError on bad input."""
    _check(sign, ordered, qty, px, (decision_px, end_px, fees))
    missed = (ordered - _sum(qty, ordered)) * (end_px - decision_px)
    return sign * (_paid_over(qty, px, decision_px) + missed) + fees


def split(
    sign: int,
    ordered: Any,
    qty: Numbers,
    px: Numbers,
    decision_px: Any,
    arrival_px: Any,
    end_px: Any,
    fees: Any,
) -> Split:
    """Delay of the whole order, trading, opportunity, fees (Wagner, Kissell). Raises RiskInputError on bad input."""
    _check(sign, ordered, qty, px, (decision_px, arrival_px, end_px, fees))
    left = ordered - _sum(qty, ordered)
    return Split(
        delay=sign * ordered * (arrival_px - decision_px),
        trading=sign * _paid_over(qty, px, arrival_px),
        opportunity=sign * left * (end_px - arrival_px),
        fees=fees,
    )


def split_filled(
    sign: int,
    ordered: Any,
    qty: Numbers,
    px: Numbers,
    decision_px: Any,
    arrival_px: Any,
    end_px: Any,
    fees: Any,
) -> Split:
    """Delay of what filled only, and the rest missed from the decision on (CFA). The same total as ``split``."""
    _check(sign, ordered, qty, px, (decision_px, arrival_px, end_px, fees))
    filled = _sum(qty, ordered)
    return Split(
        delay=sign * filled * (arrival_px - decision_px),
        trading=sign * _paid_over(qty, px, arrival_px),
        opportunity=sign * (ordered - filled) * (end_px - decision_px),
        fees=fees,
    )


def spreads(sign: int, px: Floats, mid: Floats, mid_later: Floats) -> Spreads:
    """2s(p - m_t) = 2s(p - m_{t+tau}) + 2s(m_{t+tau} - m_t), each of shape (n,), quote (SEC Rule 605's terms).

    The effective spread is what the taker paid around the mid; realised is what the maker kept of it after the price
    had moved for tau; the rest is the price's move. nan in a mid makes that execution's row nan.
    """
    effective = 2.0 * sign * (px - mid)
    realised = 2.0 * sign * (px - mid_later)
    impact = 2.0 * sign * (mid_later - mid)
    gone = np.isnan(effective) | np.isnan(realised)
    return Spreads(*(np.where(gone, math.nan, part) for part in (effective, realised, impact)))


def slippage_bps(sign: int, px: float, benchmark_px: float) -> float:
    """s (p / benchmark - 1), basis points; positive = worse than the benchmark."""
    return sign * (px / benchmark_px - 1.0) * BPS


def interval_vwap(
    volume_qty: float, turnover: float, own_qty: float, own_value: float, *, own_on_tape: bool
) -> tuple[float | None, float | None]:
    """(VWAP of the others, VWAP of all) of an interval, quote; None where nothing traded.

    ``volume_qty`` and ``turnover`` (quote) are the tape's. A real venue's tape shows our fills too (``own_on_tape``);
    a recorded tape that we trade against in simulation does not.
    """
    own = 1.0 if own_on_tape else 0.0
    others_qty, others_value = volume_qty - own * own_qty, turnover - own * own_value
    all_qty, all_value = others_qty + own_qty, others_value + own_value
    tiny = 1e-12 * max(abs(volume_qty), abs(own_qty))
    return (
        others_value / others_qty if others_qty > tiny else None,
        all_value / all_qty if all_qty > tiny else None,
    )


def participation(volume_qty: float, own_qty: float, *, own_on_tape: bool) -> float | None:
    """Q / V, fraction of all that traded, own fills counted once; None when nothing traded."""
    total = volume_qty if own_on_tape else volume_qty + own_qty
    return own_qty / total if total > 0.0 else None


def reversion_bps(sign: int, avg_px: float, mid_after: float) -> float:
    """s (average fill / mid some time after the end - 1), bps: positive = the price came back, we had moved it."""
    return slippage_bps(sign, avg_px, mid_after)


def worth(px: float, *, inverse: bool, unit: float = 1.0) -> float:
    """Settlement-currency worth of one unit, so that more is dearer: linear ``unit p``, inverse ``-unit / p``."""
    return -unit / px if inverse else unit * px


def weighted(values: Floats, weights: Floats) -> float | None:
    """Mean of the known ``values`` by their ``weights``; None when none is known or they weigh nothing."""
    known = np.isfinite(values) & np.isfinite(weights) & (weights > 0.0)
    total = float(np.sum(weights[known]))
    return float(np.dot(values[known], weights[known]) / total) if total > 0.0 else None


def _sum(qty: Numbers, like: Any) -> Any:
    return sum(qty, start=like - like)


def _paid_over(qty: Numbers, px: Numbers, base: Any) -> Any:
    """Sum of q (p - base)."""
    return sum((q * (p - base) for q, p in zip(qty, px, strict=True)), start=base - base)


def _check(sign: int, ordered: Any, qty: Numbers, px: Numbers, others: tuple[Any, ...]) -> None:
    if sign not in (1, -1):
        raise RiskInputError("BAD_OPTION", f"sign is +1 for a buy and -1 for a sell, not {sign!r}")
    if len(qty) != len(px):
        raise RiskInputError("BAD_SHAPE", f"{len(qty)} quantities and {len(px)} prices: one price a fill")
    if not ordered > 0:
        raise RiskInputError("NOT_POSITIVE", f"the quantity ordered must be above 0, not {ordered!r}")
    if not all(math.isfinite(value) for value in (ordered, *others, *qty, *px)):
        raise RiskInputError("NOT_FINITE", "a price, quantity or fee is not a finite number")
    if any(not q > 0 for q in qty):
        raise RiskInputError("NOT_POSITIVE", "a fill's quantity must be above 0")
