"""What it costs and how long it takes to get out.

spread cost   half the relative spread times value; Bangia et al. (1999) add a stressed spread: 1/2 V (mean + a sd)
Amihud        mean of |return| / traded value (2002): price moved a unit of money; low is liquid
time          quantity / (participation x daily volume)
Almgren-Chriss (2000): trade X over N steps of length tau; permanent impact gamma, temporary eta, fixed cost eps a
              unit, volatility sigma in *price* a root of time. Optimal holdings are a hyperbolic sine of urgency
              kappa. Cost is in price x quantity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite


def spread_cost(value: float, spread: float, *, spread_sd: float = 0.0, stress: float = 0.0) -> float:
    """Cost of leaving ``value`` across half a relative ``spread``, widened by ``stress`` standard deviations of it."""
    if not (
        math.isfinite(value) and 0.0 <= spread < math.inf and 0.0 <= spread_sd < math.inf and stress >= 0.0
    ):
        raise RiskInputError(
            "BAD_OPTION", "spread, its deviation and the stress are not negative, all are finite"
        )
    return 0.5 * abs(value) * (spread + stress * spread_sd)


def amihud(returns: npt.ArrayLike, traded_value: npt.ArrayLike) -> float:
    """Illiquidity: mean |return| / value traded, over periods that traded; NOT_POSITIVE if one did not."""
    r, value = finite(returns, rows_min=1, varies=False), finite(traded_value, rows_min=1, varies=False)
    if len(r) != len(value):
        raise RiskInputError("BAD_SHAPE", f"{len(r)} returns for {len(value)} traded values")
    if bool((value <= 0.0).any()):
        row = int(np.argmax(value <= 0.0)) + 1
        raise RiskInputError(
            "NOT_POSITIVE", f"nothing was traded in row {row}; leave such periods out on purpose"
        )
    return float((np.abs(r) / value).mean())


def time_to_liquidate(quantity: float, volume: float, participation: float = 0.1) -> float:
    """Periods of ``volume`` that it takes to trade ``quantity`` at ``participation`` of it; inf when nothing trades."""
    if not (0.0 < participation <= 1.0) or not math.isfinite(quantity) or not 0.0 <= volume < math.inf:
        raise RiskInputError(
            "BAD_OPTION", "participation is above 0 and at most 1; quantity and volume are finite"
        )
    if quantity == 0.0:
        return 0.0
    return abs(quantity) / (participation * volume) if volume > 0.0 else math.inf


@dataclass(frozen=True)
class Liquidation:
    """An optimal way out. ``holdings`` (steps + 1,) from all to nothing; cost above the price at the start."""

    holdings: Floats
    cost: float  # expected, price x quantity
    sd: float  # of the cost
    kappa: float  # urgency, 1 / time; 0 = evenly
    half_life: float  # 1 / kappa, time; inf when even


def almgren_chriss(
    quantity: float,
    time: float,
    steps: int,
    *,
    sigma: float,
    eps: float,
    gamma: float,
    eta: float,
    risk_aversion: float,
) -> Liquidation:
    """The schedule that minimises cost + risk_aversion x variance; ``risk_aversion`` 0 trades evenly."""
    _check(quantity, time, steps, (sigma, eps, gamma, eta, risk_aversion))
    tau = time / steps
    tilde = eta - 0.5 * gamma * tau
    if not tilde > 0.0:
        raise RiskInputError(
            "BAD_OPTION", "steps so long that permanent impact outweighs temporary: take more steps"
        )
    kappa = math.acosh(1.0 + 0.5 * risk_aversion * sigma * sigma / tilde * tau * tau) / tau
    left: Floats = time - tau * np.arange(steps + 1, dtype=np.float64)
    left[-1] = 0.0
    holdings: Floats = quantity * (_sinh_ratio(kappa, left, time) if kappa > 0.0 else left / time)
    sold = -np.diff(holdings)
    cost = 0.5 * gamma * quantity**2 + eps * abs(quantity) + tilde / tau * float(sold @ sold)
    variance = sigma * sigma * tau * float(holdings[1:] @ holdings[1:])
    return Liquidation(holdings, cost, math.sqrt(variance), kappa, 1.0 / kappa if kappa > 0.0 else math.inf)


def _sinh_ratio(kappa: float, left: Floats, time: float) -> Floats:
    """sinh(kappa left) / sinh(kappa time), without overflow for the most urgent."""
    decay = np.exp(kappa * (left - time))
    ratio = decay * np.expm1(-2.0 * kappa * left) / math.expm1(-2.0 * kappa * time)
    return np.asarray(ratio, dtype=np.float64)


def _check(quantity: float, time: float, steps: int, rates: tuple[float, ...]) -> None:
    if not (math.isfinite(quantity) and 0.0 < time < math.inf and isinstance(steps, int) and steps >= 1):
        raise RiskInputError("BAD_OPTION", "quantity is finite, time above 0, steps a whole number from 1")
    if not all(0.0 <= rate < math.inf for rate in rates):
        raise RiskInputError(
            "BAD_OPTION", "sigma, eps, gamma, eta and risk aversion are finite and not negative"
        )
