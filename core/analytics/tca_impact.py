"""What size costs at a venue, refitted from own orders: I = fixed + Y sigma sqrt(Q / V).

``sigma`` is the volatility over a time and ``V`` the market's volume over the same time; which time does not matter,
because both grow so that sigma sqrt(1 / V) stays (sigma with its square root, V with the time itself). "fixed" takes
what every order pays whatever its size, half the spread first of all, so that it is not read as impact. The form is the
square-root law (exponent 1/2: Y. Sato, K. Kanazawa, arXiv 2411.13965, 2024); Almgren et al. 2005 found 3/5 on shares.

One order says almost nothing: over a minute the price moves by many times what the order did. So the regression is
Huber's (P. Huber, "Robust Statistics", 1981, k = 1.345 for 95 % efficiency at the normal), scaled by the median
absolute deviation, each order divided by the volatility it was exposed to where that is known, and the answer comes
with its confidence interval and is refused below ``PARENTS_MIN`` orders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.analytics.tca import BPS
from core.analytics.tca_cost import Cost
from core.analytics.tca_trade import Trade

Floats = npt.NDArray[np.float64]
PARENTS_MIN = 30
HUBER_K = 1.345
MAD_NORMAL = 1.482602218505602  # 1 / (the normal's 75 % quantile): MAD to standard deviation
ROUNDS = 100
Z95 = 1.959963984540054


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """A fit. ``y`` is a pure number near 1; ``fixed_bps`` is paid whatever the size; intervals are 95 %."""

    model: str
    parents: int
    y: float
    y_low: float
    y_high: float
    fixed_bps: float
    fixed_low_bps: float
    fixed_high_bps: float
    residual_bps: float  # robust standard deviation of one order around the fit


def fit(
    cost: Floats,
    sigma: Floats,
    q_over_v: Floats,
    exposed_s: Floats | None = None,
    *,
    parents_min: int = PARENTS_MIN,
) -> Impact:
    """Fit ``fixed`` and ``Y``. All of shape (n,).

    ``cost`` fraction of price paid against arrival before fees; ``sigma`` fraction per square root of a second;
    ``q_over_v`` quantity over the market's volume of one second; ``exposed_s`` seconds each order was out, where known:
    its noise grows with sigma sqrt(exposed). Raises RiskInputError (TOO_FEW_ROWS, NOT_FINITE, ZERO_VARIANCE).
    """
    n = len(cost)
    if n < parents_min:
        raise RiskInputError("TOO_FEW_ROWS", f"{n} orders with a known cost; a fit needs {parents_min}")
    columns = (cost, sigma, q_over_v) if exposed_s is None else (cost, sigma, q_over_v, exposed_s)
    if (
        not all(np.isfinite(column).all() for column in columns)
        or (sigma <= 0).any()
        or (q_over_v <= 0).any()
    ):
        raise RiskInputError("NOT_FINITE", "costs must be numbers, volatility and size above 0")
    design = np.column_stack([np.ones(n), sigma * np.sqrt(q_over_v)])
    if np.ptp(design[:, 1]) <= 1e-12 * design[:, 1].max():
        raise RiskInputError(
            "ZERO_VARIANCE", "all orders are of one size and volatility: no slope to be seen"
        )
    noise = np.ones(n) if exposed_s is None else sigma * np.sqrt(np.maximum(exposed_s, 1e-3))
    noise = noise / np.median(noise)
    beta, error, scale = _huber(design / noise[:, None], cost / noise)
    return Impact(
        model="sqrt",
        parents=n,
        y=float(beta[1]),
        y_low=float(beta[1] - Z95 * error[1]),
        y_high=float(beta[1] + Z95 * error[1]),
        fixed_bps=float(beta[0] * BPS),
        fixed_low_bps=float((beta[0] - Z95 * error[0]) * BPS),
        fixed_high_bps=float((beta[0] + Z95 * error[0]) * BPS),
        residual_bps=float(scale * BPS),
    )


def _huber(design: Floats, y: Floats) -> tuple[Floats, Floats, float]:
    """(coefficients, standard errors, scale) by reweighted least squares; errors as Huber 1981, section 7.6."""
    n, p = design.shape
    beta = np.linalg.lstsq(design, y, rcond=None)[0]
    scale = 0.0
    for _ in range(ROUNDS):
        residual = y - design @ beta
        scale = max(float(np.median(np.abs(residual))) * MAD_NORMAL, 1e-300)
        weight = np.minimum(1.0, HUBER_K * scale / np.maximum(np.abs(residual), 1e-300))
        root = np.sqrt(weight)
        before, beta = beta, np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
        if np.max(np.abs(beta - before)) <= 1e-12 * max(float(np.max(np.abs(beta))), 1e-300):
            break
    residual = (y - design @ beta) / scale
    inside = np.abs(residual) <= HUBER_K
    slope = float(np.mean(inside))
    psi = np.clip(residual, -HUBER_K, HUBER_K)
    correction = 1.0 + p / n * (1.0 - slope) / max(slope, 1e-12)
    spread = correction**2 * float(psi @ psi) / (n - p) * scale**2 / max(slope, 1e-12) ** 2
    covariance = spread * np.linalg.inv(design.T @ design)
    return beta.astype(np.float64), np.sqrt(np.diag(covariance)).astype(np.float64), scale


def refit(
    trades: Sequence[Trade], costs: Sequence[Cost], *, parents_min: int = PARENTS_MIN
) -> dict[str, Impact | str]:
    """Venue -> its fit, or the reason there is none. Only orders that took, and were worked at one venue, count."""
    rows: dict[str, list[tuple[float, float, float, float]]] = {}
    for trade, cost in zip(trades, costs, strict=True):
        for venue in cost.venues:
            rows.setdefault(venue, [])
        if len(cost.venues) == 1 and (row := _row(trade, cost)) is not None:
            rows[cost.venues[0]].append(row)
    result: dict[str, Impact | str] = {}
    for venue in sorted(rows):
        table = np.array(rows[venue], dtype=np.float64).reshape(-1, 4)
        try:
            result[venue] = fit(*table.T, parents_min=parents_min)
        except RiskInputError as error:
            result[venue] = error.message
    return result


def _row(trade: Trade, cost: Cost) -> tuple[float, float, float, float] | None:
    """(cost fraction, sigma, Q over V of a second, seconds exposed) of an order that took; None when not known."""
    paid, sigma, volume = cost.arrival_slippage_bps, trade.sigma, trade.volume_per_s
    if paid is None or not sigma or not volume or cost.maker_ratio is None or cost.maker_ratio >= 0.5:
        return None
    last_ns = max(fill.ts_ns for fill in trade.fills)
    exposed = max((last_ns - trade.start_ns) / 1e9, 1e-3)
    return (paid / BPS, sigma, cost.filled_qty / volume, exposed) if math.isfinite(paid) else None
