"""Kelly sizing under a cap: how much of the account a forecast deserves, and how many lots that is.

For a return with mean ``mu`` and variance ``sigma2`` over one period the growth-optimal holding is ``mu / sigma2`` of
equity (Kelly 1956; Thorp 2006). A mean that was *estimated* from n periods has a standard error of sigma / sqrt(n), and
betting it at face value bets too much; ``shrink`` multiplies it by mu^2 / (mu^2 + sigma2 / n): near 1 when the
signal stands far above its noise, near 0 when it does not. Then a fraction of Kelly (a half gives three quarters
of the growth for a quarter of the variance), then a hard cap. Whatever is not known sizes to zero.
"""

from __future__ import annotations

import math

from core.kernels._jit import kernel


@kernel
def shrink(mu: float, sigma2: float, samples: float) -> float:
    """Estimated mean ``mu`` (per period) drawn towards 0 by its own estimation error over ``samples`` periods."""
    if not (samples > 0.0 and sigma2 >= 0.0) or mu == 0.0 or not math.isfinite(mu):
        return 0.0
    square = mu * mu
    return mu * square / (square + sigma2 / samples)


@kernel
def kelly_fraction(mu: float, sigma2: float, fraction: float, cap: float) -> float:
    """Signed holding as a fraction of equity: ``fraction`` of mu / sigma2 within +-``cap``; 0 when not known."""
    if not (sigma2 > 0.0 and fraction > 0.0 and cap > 0.0) or not math.isfinite(mu):
        return 0.0
    return max(-cap, min(cap, fraction * mu / sigma2))


@kernel
def kelly_lots(
    mu: float,
    sigma2: float,
    samples: float,
    fraction: float,
    equity: float,
    lot_value: float,
    notional_max: float,
) -> int:
    """Signed lots to hold: Kelly of the shrunk mean, never worth more than ``notional_max``.

    ``equity``, ``lot_value`` (of one lot at mark) and ``notional_max`` are in account currency. Rounded towards zero.
    """
    if not (equity > 0.0 and lot_value > 0.0 and notional_max > 0.0):
        return 0
    if not (math.isfinite(equity) and math.isfinite(lot_value) and math.isfinite(notional_max)):
        return 0
    wanted = kelly_fraction(shrink(mu, sigma2, samples), sigma2, fraction, notional_max / equity) * equity
    return int(max(-notional_max, min(notional_max, wanted)) / lot_value)
