"""Orders taken together: what each venue answered and charged, and what each algorithm came to.

Costs are weighted by value in account currency; quartiles are over orders, each counted once. An order whose
shortfall is missing is counted in ``without`` and in nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np

from core.analytics.tca import BPS, weighted, worth
from core.analytics.tca_cost import Cost
from core.analytics.tca_trade import Child, Execution, Trade

_MEANS = (
    "shortfall_bps",
    "delay_bps",
    "trading_bps",
    "opportunity_bps",
    "fees_bps",
    "arrival_slippage_bps",
    "effective_spread_bps",
    "realised_spread_bps",
    "impact_bps",
    "vwap_slippage_bps",
    "vwap_slippage_own_bps",
    "participation_ratio",
    "reversion_bps",
)


class GroupCost(msgspec.Struct, kw_only=True):
    """One algorithm's (strategy's, symbol's) orders together."""

    name: str
    parents: int
    without: int  # orders whose shortfall could not be told
    notional_acct: float
    filled_ratio: float | None  # by value
    maker_ratio: float | None
    shortfall_bps: float | None
    delay_bps: float | None
    trading_bps: float | None
    opportunity_bps: float | None
    fees_bps: float | None
    arrival_slippage_bps: float | None
    effective_spread_bps: float | None
    realised_spread_bps: float | None
    impact_bps: float | None
    vwap_slippage_bps: float | None
    vwap_slippage_own_bps: float | None
    participation_ratio: float | None
    reversion_bps: float | None
    shortfall_q1_bps: float | None
    shortfall_median_bps: float | None
    shortfall_q3_bps: float | None


class VenueCost(msgspec.Struct, kw_only=True):
    """What one venue answered, charged and gave. Ratios are of orders sent, shares of value filled."""

    venue: str
    orders: int
    fills: int
    filled_settle: float  # value filled
    maker_ratio: float | None  # by value
    fee_bps: float | None
    maker_fee_bps: float | None  # the tier, as charged
    taker_fee_bps: float | None
    reject_ratio: float | None
    cancel_ratio: float | None  # ended unfilled or in part: by us or by its terms
    unknown_ratio: float | None
    unanswered: int
    ack_p50_ms: float | None
    ack_p90_ms: float | None
    ack_p99_ms: float | None
    effective_spread_bps: float | None
    realised_spread_bps: float | None
    impact_bps: float | None


def quartiles(values: Iterable[float | None]) -> tuple[float | None, float | None, float | None]:
    """(q1, median, q3) of the known values, by linear interpolation (Hyndman–Fan type 7); None without any."""
    known = [v for v in values if v is not None and math.isfinite(v)]
    if not known:
        return None, None, None
    q1, median, q3 = (float(q) for q in np.percentile(known, (25.0, 50.0, 75.0)))
    return q1, median, q3


def by(costs: Sequence[Cost], key: Callable[[Cost], str]) -> list[GroupCost]:
    """One row for each ``key``, in order of first appearance."""
    groups: dict[str, list[Cost]] = {}
    for cost in costs:
        groups.setdefault(key(cost), []).append(cost)
    return [_group(name, own) for name, own in groups.items()]


def _group(name: str, costs: list[Cost]) -> GroupCost:
    known = [c for c in costs if c.shortfall_bps is not None and c.notional_acct is not None]
    weights = np.array([c.notional_acct for c in known], dtype=np.float64)
    means = {field: weighted(_column(known, field), weights) for field in _MEANS}
    q1, median, q3 = quartiles(c.shortfall_bps for c in known)
    filled = weights * _column(known, "filled_ratio")
    return GroupCost(
        name=name,
        parents=len(costs),
        without=len(costs) - len(known),
        notional_acct=float(weights.sum()),
        filled_ratio=weighted(_column(known, "filled_ratio"), weights),
        maker_ratio=weighted(_column(known, "maker_ratio"), filled),
        **means,
        shortfall_q1_bps=q1,
        shortfall_median_bps=median,
        shortfall_q3_bps=q3,
    )


def _column(costs: Sequence[Cost], field: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([math.nan if (v := getattr(c, field)) is None else v for c in costs], dtype=np.float64)


def by_venue(trades: Sequence[Trade]) -> list[VenueCost]:
    """One row a venue, by name."""
    children: dict[str, list[Child]] = {}
    fills: dict[str, list[tuple[Trade, Execution]]] = {}
    for trade in trades:
        for child in trade.children:
            children.setdefault(child.venue, []).append(child)
        for fill in trade.fills:
            fills.setdefault(fill.venue, []).append((trade, fill))
    return [_venue(name, children.get(name, []), fills.get(name, [])) for name in sorted({*children, *fills})]


def _venue(name: str, children: list[Child], fills: list[tuple[Trade, Execution]]) -> VenueCost:
    orders = len(children)
    value = np.array(
        [f.qty * abs(worth(f.px, inverse=t.inverse, unit=t.unit)) for t, f in fills], dtype=float
    )
    fee = np.array([f.fee for _, f in fills], dtype=float)
    maker = np.array([f.maker for _, f in fills], dtype=bool)
    acks = [ms for child in children if (ms := child.ack_ms) is not None]
    p50, p90, p99 = (float(p) for p in np.percentile(acks, (50, 90, 99))) if acks else (None, None, None)
    spread = _spread_bps(fills, value)
    return VenueCost(
        venue=name,
        orders=orders,
        fills=len(fills),
        filled_settle=float(value.sum()),
        maker_ratio=_share(value[maker].sum(), value.sum()),
        fee_bps=_share(BPS * fee.sum(), value.sum()),
        maker_fee_bps=_share(BPS * fee[maker].sum(), value[maker].sum()),
        taker_fee_bps=_share(BPS * fee[~maker].sum(), value[~maker].sum()),
        reject_ratio=_share(sum(c.status == "REJECTED" for c in children), orders),
        cancel_ratio=_share(sum(c.status in ("CANCELED", "EXPIRED") for c in children), orders),
        unknown_ratio=_share(sum(c.unknown for c in children), orders),
        unanswered=sum(c.ack_ns == 0 for c in children),
        ack_p50_ms=p50,
        ack_p90_ms=p90,
        ack_p99_ms=p99,
        effective_spread_bps=spread[0],
        realised_spread_bps=spread[1],
        impact_bps=spread[2],
    )


def _spread_bps(
    fills: list[tuple[Trade, Execution]], value: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[float | None, float | None, float | None]:
    """Effective, realised, impact by value, over the fills that have both mids."""
    rows = [
        (2 * t.sign * (f.px - f.mid) / f.mid, 2 * t.sign * (f.px - f.mid_later) / f.mid)
        if f.mid and f.mid_later
        else (math.nan, math.nan)
        for t, f in fills
    ]
    both = np.array(rows, dtype=np.float64).reshape(-1, 2) * BPS
    effective, realised = both[:, 0], both[:, 1]
    return weighted(effective, value), weighted(realised, value), weighted(effective - realised, value)


def _share(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole else None
