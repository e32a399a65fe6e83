"""What own orders say a venue costs, in the form of the settings that the router reads.

The running core learns fee, slippage and latency by itself from each execution; this is the same from a whole journal
at once, to begin the next run with. The impact coefficient stands as a comment with its interval and the number of
orders behind it: it is for whoever chooses sizes, and it is left out, with the reason, where there are too few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from core.analytics.tca import BPS
from core.analytics.tca_groups import VenueCost
from core.analytics.tca_impact import Impact
from core.analytics.tca_trade import Trade

FILLS_MIN = 30  # taker fills and answers; fewer say nothing about a venue


class VenueRefit(msgspec.Struct, kw_only=True):
    """One venue's parameters; None with the reason in ``missing``."""

    venue: str
    taker_fills: int
    answers: int
    fee_bps: float | None = None  # what a taker paid
    slip_bps: float | None = None  # beyond the price displayed when it was sent
    latency_ms: float | None = None  # from sent to the first word, median
    impact: Impact | None = None
    missing: dict[str, str] = {}


def venues(
    trades: Sequence[Trade],
    costs: Sequence[VenueCost],
    impacts: Mapping[str, Impact | str],
    *,
    fills_min: int = FILLS_MIN,
) -> list[VenueRefit]:
    """One row a venue, in the order of ``costs``."""
    slips: dict[str, list[tuple[float, float]]] = {}
    answers: dict[str, int] = {}
    for trade in trades:
        touch = {child.cl_ord_id: child.touch for child in trade.children}
        for child in trade.children:
            answers[child.venue] = answers.get(child.venue, 0) + (child.ack_ns > 0)
        for fill in trade.fills:
            best = touch.get(fill.cl_ord_id)
            if not fill.maker and not fill.guessed and best:
                away = trade.sign * (fill.px - best) / best
                slips.setdefault(fill.venue, []).append((away * BPS, fill.qty * fill.px))
    return [
        _venue(
            cost,
            slips.get(cost.venue, []),
            answers.get(cost.venue, 0),
            impacts.get(cost.venue, ""),
            fills_min,
        )
        for cost in costs
    ]


def _venue(
    cost: VenueCost, slips: list[tuple[float, float]], answers: int, impact: Impact | str, fills_min: int
) -> VenueRefit:
    row = VenueRefit(venue=cost.venue, taker_fills=len(slips), answers=answers)
    if len(slips) < fills_min:
        why = f"{len(slips)} taker fills, {fills_min} are needed"
        row.missing |= {"fee_bps": why, "slip_bps": why}
    else:
        row.fee_bps = cost.taker_fee_bps
        row.slip_bps = sum(s * w for s, w in slips) / sum(w for _, w in slips)
    if answers < fills_min:
        row.missing["latency_ms"] = f"{answers} answers, {fills_min} are needed"
    else:
        row.latency_ms = cost.ack_p50_ms
    if isinstance(impact, Impact):
        row.impact = impact
    else:
        row.missing["impact"] = impact or "no orders with a known cost"
    return row


def toml(rows: Sequence[VenueRefit], source: str) -> str:
    """A settings file. What is missing is said in a comment and not set."""
    lines = [
        f"# What trading cost, from {source}. Keys that own orders say too little about are left out.",
        "[router]",
    ]
    for key, digits in (("fee_bps", 4), ("slip_bps", 4), ("latency_ms", 2)):
        known = {row.venue: value for row in rows if (value := getattr(row, key)) is not None}
        if known:
            inner = ", ".join(f'"{venue}" = {round(value, digits)}' for venue, value in known.items())
            lines.append(f"{key} = {{ {inner} }}")
    for row in rows:
        lines.append(f"# {row.venue}: {row.taker_fills} taker fills, {row.answers} answers")
        lines += [f"#   {name} not set: {why}" for name, why in row.missing.items()]
        if row.impact is not None:
            lines.append(f"#   {say(row.impact)}")
    return "\n".join(lines) + "\n"


def say(fit: Impact) -> str:
    """An impact fit in one line."""
    return (
        f"impact = {fit.fixed_bps:.3f} bps [{fit.fixed_low_bps:.3f}, {fit.fixed_high_bps:.3f}]"
        f" + Y sigma sqrt(Q/V), Y = {fit.y:.3f} [{fit.y_low:.3f}, {fit.y_high:.3f}] at 95 %,"
        f" {fit.parents} orders, one order varies by {fit.residual_bps:.2f} bps around it"
    )
