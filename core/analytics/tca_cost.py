"""The cost of one order, number by number, each either known or missing with the reason. Nothing missing is 0.

Basis points are of the arrival value, ``qty x arrival price``, so that the parts add up in bps as they do in money;
money is in the settlement currency, and ``notional_acct`` (account currency) is what orders are weighted by.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from core.analytics.tca import (
    BPS,
    Split,
    interval_vwap,
    participation,
    reversion_bps,
    slippage_bps,
    split,
    spreads,
    weighted,
    worth,
)
from core.analytics.tca_trade import Trade

_MONEY = ("shortfall", "delay", "trading", "opportunity", "fees")


class Cost(msgspec.Struct, kw_only=True):
    """One order's account. ``missing`` says why a field is None."""

    id: str
    algo: str
    symbol: str
    side: str
    strategy: str
    purpose: str
    status: str
    venues: list[str]
    created_ns: int
    ended_ns: int
    duration_s: float | None = None
    qty: float
    filled_qty: float
    filled_ratio: float
    children: int
    fills: int
    denied: int = 0
    decision_px: float | None = None
    arrival_px: float | None = None
    end_px: float | None = None
    avg_px: float | None = None
    settle_ccy: str = ""
    notional_acct: float | None = None
    shortfall_bps: float | None = None
    delay_bps: float | None = None
    trading_bps: float | None = None
    opportunity_bps: float | None = None
    fees_bps: float | None = None
    shortfall_settle: float | None = None
    delay_settle: float | None = None
    trading_settle: float | None = None
    opportunity_settle: float | None = None
    fees_settle: float | None = None
    arrival_slippage_bps: float | None = None  # of what filled, before fees
    effective_spread_bps: float | None = None
    realised_spread_bps: float | None = None
    impact_bps: float | None = None
    spread_known_ratio: float | None = None  # share of the filled quantity that the three above are about
    tau_s: float = 0.0
    vwap_px: float | None = None  # of the others
    vwap_slippage_bps: float | None = None  # against the others' VWAP
    vwap_slippage_own_bps: float | None = None  # against the VWAP with own fills in it
    participation_ratio: float | None = None
    reversion_bps: float | None = None
    maker_ratio: float | None = None  # share of the filled quantity
    sigma_bps_per_sqrt_s: float | None = None
    volume_qty: float | None = None
    missing: dict[str, str] = {}


def cost_of(trade: Trade, *, tau_s: float = 0.0, own_on_tape: bool = False) -> Cost:
    """All measures of one order. ``tau_s`` is what the mids "later" were taken after, for the record."""
    filled = trade.filled_qty
    cost = Cost(
        id=trade.id,
        algo=trade.algo,
        symbol=trade.symbol,
        side="buy" if trade.sign > 0 else "sell",
        strategy=trade.strategy,
        purpose=trade.purpose,
        status=trade.status,
        venues=sorted({child.venue for child in trade.children}),
        created_ns=trade.created_ns,
        ended_ns=trade.ended_ns,
        duration_s=_duration_s(trade),
        qty=trade.qty,
        filled_qty=filled,
        filled_ratio=filled / trade.qty,
        children=len(trade.children),
        fills=len(trade.fills),
        denied=trade.denied,
        decision_px=trade.decision_px,
        arrival_px=trade.arrival_px,
        end_px=trade.end_px,
        settle_ccy=trade.settle_ccy,
        tau_s=tau_s,
    )
    if trade.sigma is not None:
        cost.sigma_bps_per_sqrt_s = trade.sigma * BPS
    _shortfall(trade, cost)
    _prices(trade, cost, own_on_tape=own_on_tape)
    _spreads(trade, cost)
    _reasons(trade, cost)
    return cost


def _duration_s(trade: Trade) -> float | None:
    return (trade.ended_ns - trade.start_ns) / 1e9 if trade.start_ns and trade.ended_ns else None


def _worth(trade: Trade, px: float) -> float:
    return worth(px, inverse=trade.inverse, unit=trade.unit)


def _shortfall(trade: Trade, cost: Cost) -> None:
    """Perold in Wagner's parts; all five or none."""
    why = _why_no_shortfall(trade)
    if why or trade.decision_px is None or trade.arrival_px is None:
        cost.missing |= {f"{name}_bps": why for name in _MONEY} | {f"{name}_settle": why for name in _MONEY}
        return
    end_px = trade.end_px if trade.end_px is not None else trade.arrival_px  # nothing left: it is not asked
    parts = split(
        trade.sign,
        trade.qty,
        [fill.qty for fill in trade.fills],
        [_worth(trade, fill.px) for fill in trade.fills],
        _worth(trade, trade.decision_px),
        _worth(trade, trade.arrival_px),
        _worth(trade, end_px),
        math.fsum(fill.fee for fill in trade.fills),
    )
    value = trade.qty * abs(_worth(trade, trade.arrival_px))
    _put(cost, parts, value)
    if trade.rate is None:
        cost.missing["notional_acct"] = f"no rate of {trade.settle_ccy} in the account's currency"
    else:
        cost.notional_acct = value * trade.rate


def _put(cost: Cost, parts: Split, value: float) -> None:
    for name in _MONEY:
        money = float(parts.total if name == "shortfall" else getattr(parts, name)) + 0.0  # never -0.0
        setattr(cost, f"{name}_settle", money)
        setattr(cost, f"{name}_bps", money / value * BPS)


def _why_no_shortfall(trade: Trade) -> str:
    """The reason there is none, "" when there is one."""
    if trade.decision_px is None:
        return "no price when it was decided"
    if trade.arrival_px is None:
        return "it never reached the market" if not trade.start_ns else "no price when it reached the market"
    if any(fill.guessed for fill in trade.fills):
        return "a fill is known only from a status answer: its price and fee are guesses"
    left = trade.qty - trade.filled_qty
    if trade.end_px is None and abs(left) > 1e-9 * trade.qty:
        return "no price when it ended, and some of it did not fill"
    return ""


def _prices(trade: Trade, cost: Cost, *, own_on_tape: bool) -> None:
    """Average, arrival, interval VWAP, participation, reversion, maker share: of what filled."""
    filled = cost.filled_qty
    own_value = math.fsum(fill.qty * fill.px for fill in trade.fills)
    volume = math.fsum(each.volume_qty for each in trade.intervals)
    turnover = math.fsum(each.turnover for each in trade.intervals)
    if trade.intervals:
        cost.volume_qty = volume
        others, everybody = interval_vwap(volume, turnover, filled, own_value, own_on_tape=own_on_tape)
        cost.vwap_px = others
        if filled:
            cost.participation_ratio = participation(volume, filled, own_on_tape=own_on_tape)
    else:
        others = everybody = None
    if not filled:
        return
    average = _average(trade, filled)
    cost.avg_px = average
    cost.maker_ratio = math.fsum(fill.qty for fill in trade.fills if fill.maker) / filled
    if trade.arrival_px is not None:
        cost.arrival_slippage_bps = slippage_bps(trade.sign, average, trade.arrival_px)
    if others is not None:
        cost.vwap_slippage_bps = slippage_bps(trade.sign, average, others)
    if everybody is not None:
        cost.vwap_slippage_own_bps = slippage_bps(trade.sign, average, everybody)
    if trade.after_px is not None:
        cost.reversion_bps = reversion_bps(trade.sign, average, trade.after_px)


def _average(trade: Trade, filled: float) -> float:
    """Average price; harmonic for inverse contracts, whose cost is additive in 1/p."""
    if trade.inverse:
        return filled / math.fsum(fill.qty / fill.px for fill in trade.fills)
    return math.fsum(fill.qty * fill.px for fill in trade.fills) / filled


def _spreads(trade: Trade, cost: Cost) -> None:
    """Effective, realised and impact, each relative to the mid it began at, weighted by quantity."""
    if not trade.fills:
        return
    px, qty = _array(trade, "px"), _array(trade, "qty")
    mid, later = _array(trade, "mid"), _array(trade, "mid_later")
    parts = spreads(trade.sign, px, mid, later)
    known = np.isfinite(parts.effective)
    cost.spread_known_ratio = float(np.sum(qty[known]) / np.sum(qty))
    cost.effective_spread_bps = weighted(parts.effective / mid * BPS, qty)
    cost.realised_spread_bps = weighted(parts.realised / mid * BPS, qty)
    cost.impact_bps = weighted(parts.impact / mid * BPS, qty)


def _array(trade: Trade, name: str) -> Any:
    return np.array(
        [math.nan if (v := getattr(f, name)) is None else v for f in trade.fills], dtype=np.float64
    )


def _reasons(trade: Trade, cost: Cost) -> None:
    """Why what is still None is None."""
    unfilled = "" if trade.fills else "nothing filled"
    tape = "" if trade.intervals else "no tape between arrival and end"
    quiet = "nobody else traded between arrival and end"
    later = "the record ends before the time was over"
    reasons = {
        "duration_s": "it still works" if not trade.ended_ns else "it never reached the market",
        "avg_px": unfilled,
        "end_px": "no price when it ended",
        "decision_px": "no price when it was decided",
        "arrival_px": "it never reached the market",
        "notional_acct": cost.missing.get("shortfall_bps", ""),
        "arrival_slippage_bps": unfilled or "it never reached the market",
        "vwap_px": tape or quiet,
        "vwap_slippage_bps": unfilled or tape or quiet,
        "vwap_slippage_own_bps": unfilled or tape or quiet,
        "participation_ratio": unfilled or tape or quiet,
        "volume_qty": tape,
        "reversion_bps": unfilled or ("it still works" if not trade.ended_ns else later),
        "maker_ratio": unfilled,
        "effective_spread_bps": unfilled or later,
        "realised_spread_bps": unfilled or later,
        "impact_bps": unfilled or later,
        "spread_known_ratio": unfilled,
        "sigma_bps_per_sqrt_s": "too few seconds of prices before arrival",
    }
    for name, why in reasons.items():
        if getattr(cost, name) is None and why:
            cost.missing.setdefault(name, why)
