"""Two venues against one: the same order at once at each venue alone, and routed over both.

All-in is what a unit came to with its fee, against one and the same mid for all of them (that of the first instrument
as the order was decided), so that runs on different tapes can be subtracted. The better single venue is named twice:
the one that would have been better on the median of all runs, which one could have chosen, and the better one of each
run, which only hindsight knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from config.settings import Settings
from core.analytics.tca import BPS
from core.analytics.tca_compare import IMMEDIATE, Run
from core.analytics.tca_groups import quartiles
from core.app.tca_ask import Ask
from core.app.tca_market import Market, starts_of
from core.app.tca_study import SETTLE_S, WARM_S, run_one, study_config

ROUTED = "sor"
FULL = 0.999999  # filled less than this has left something


class RouteRow(msgspec.Struct, kw_only=True):
    """One way of trading it. All-in bps of the reference mid, fees in them, cost positive."""

    market: str
    way: str  # a venue's name, or routed
    runs: int
    full: int  # runs that filled whole; of the others the rest is charged
    refused: str
    fees_bps: float | None
    all_in_q1_bps: float | None
    all_in_median_bps: float | None
    all_in_q3_bps: float | None
    shares: dict[str, float] = {}  # venue -> share of the filled quantity


class Routing(msgspec.Struct, kw_only=True):
    """The comparison. Savings positive = routing was cheaper; over runs that are known every way."""

    rows: list[RouteRow]
    better: str  # single venue, by median
    compared: int
    saved_q1_bps: float | None = None  # against ``better``
    saved_median_bps: float | None = None
    saved_q3_bps: float | None = None
    saved_hindsight_q1_bps: float | None = None  # against the better one of each run
    saved_hindsight_median_bps: float | None = None
    saved_hindsight_q3_bps: float | None = None
    won_ratio: float | None = None  # runs in which routing was no dearer than ``better``
    runs: list[Run] = []


def compare(
    market: Market,
    settings: Settings,
    ask: Ask,
    *,
    starts: int,
    sides: Sequence[str] = ("buy", "sell"),
    progress: Callable[[], None] | None = None,
) -> Routing:
    """Run all ways at every start on every side. Raises ValueError where the tapes share too little time."""
    config = study_config(market, settings, ask.qty)
    times = starts_of(market, over_s=ask.over_s, count=starts, warm_s=WARM_S, settle_s=SETTLE_S)
    ways = [(spec.venue, IMMEDIATE, i) for i, spec in enumerate(market.specs)] + [("routed", ROUTED, 0)]
    found: dict[str, list[Run]] = {name: [] for name, _, _ in ways}
    for start_ns in times:
        for side in sides:
            for name, algo, instrument in ways:
                found[name].append(run_one(market, config, ask, algo, side, start_ns, instrument=instrument))
                if progress is not None:
                    progress()
    reference = [_mid(runs) for runs in zip(*found.values(), strict=True)]
    all_in = {
        name: [_all_in_bps(run, mid) for run, mid in zip(runs, reference, strict=True)]
        for name, runs in found.items()
    }
    return _routing(market, found, all_in)


def _routing(market: Market, found: dict[str, list[Run]], all_in: dict[str, list[float | None]]) -> Routing:
    singles = [name for name in found if name != "routed" and any(cost is not None for cost in all_in[name])]
    if not singles:
        raise ValueError(f"{market.name}: no venue took the order: {next(iter(found.values()))[0].refused}")
    all_in = {name: all_in[name] for name in (*singles, "routed")}
    medians = {name: quartiles(all_in[name])[1] for name in singles}
    better = min(singles, key=lambda name: math.inf if (m := medians[name]) is None else m)
    whole = [
        {name: cost for name, cost in zip(all_in, costs, strict=True) if cost is not None}
        for costs in zip(*all_in.values(), strict=True)
        if all(cost is not None for cost in costs)
    ]
    saved = [row[better] - row["routed"] for row in whole]
    hindsight = [min(row[name] for name in singles) - row["routed"] for row in whole]
    q, h = quartiles(saved), quartiles(hindsight)
    return Routing(
        rows=[_row(market, name, runs, all_in.get(name, [])) for name, runs in found.items()],
        better=better,
        compared=len(whole),
        saved_q1_bps=q[0],
        saved_median_bps=q[1],
        saved_q3_bps=q[2],
        saved_hindsight_q1_bps=h[0],
        saved_hindsight_median_bps=h[1],
        saved_hindsight_q3_bps=h[2],
        won_ratio=sum(value >= 0.0 for value in saved) / len(saved) if saved else None,
        runs=[run for runs in found.values() for run in runs],
    )


def _mid(runs: Sequence[Run]) -> float | None:
    """The first instrument's mid as the order was decided."""
    return next((run.cost.decision_px for run in runs if run.cost is not None), None)


def _all_in_bps(run: Run, mid: float | None) -> float | None:
    """(s sum q (p - mid) + fees) / (X mid), bps, with what it left taken at its end price and for a taker's fee.

    A limit order that the price ran away from must not look cheap for what it did not get.
    """
    if run.trade is None or run.cost is None or mid is None:
        return None
    trade, left = run.trade, run.trade.qty - run.cost.filled_qty
    paid = math.fsum(trade.sign * fill.qty * (fill.px - mid) + fill.fee for fill in trade.fills)
    if run.cost.filled_ratio < FULL:
        if trade.end_px is None:
            return None
        paid += trade.sign * left * (trade.end_px - mid) + run.rest_bps / BPS * trade.qty * mid
    return paid / (trade.qty * mid) * BPS


def _row(market: Market, name: str, runs: Sequence[Run], all_in: Sequence[float | None]) -> RouteRow:
    q1, median, q3 = quartiles(all_in)
    filled: dict[str, float] = {}
    for run in runs:
        for fill in run.trade.fills if run.trade is not None else ():
            filled[fill.venue] = filled.get(fill.venue, 0.0) + fill.qty
    fees = [run.cost.fees_bps for run in runs if run.cost is not None and run.cost.fees_bps is not None]
    total = sum(filled.values())
    return RouteRow(
        market=market.name,
        way=name,
        runs=len(runs),
        full=sum(run.cost is not None and run.cost.filled_ratio >= FULL for run in runs),
        refused=next((run.refused for run in runs if run.refused), ""),
        fees_bps=sum(fees) / len(fees) if fees else None,
        all_in_q1_bps=q1,
        all_in_median_bps=median,
        all_in_q3_bps=q3,
        shares={venue: filled[venue] / total for venue in sorted(filled)},
    )
