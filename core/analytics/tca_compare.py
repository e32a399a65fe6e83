"""Runs of a study side by side: medians and quartiles over starts, and what of them is only the market's move.

The market moves by far more in a minute than an algorithm saves. So each time is run as a buy *and* as a sell, and
``even_bps`` is the mean of the two, in which a move that neither has caused cancels; and each algorithm is compared
with ``immediate`` at the same time and side. In both, what did not fill is charged a taker's fee besides the market's
move: an algorithm must not look cheap for what it has left undone. Windows overlap when there are many: quartiles are
then of fewer independent minutes than there are starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from core.analytics.tca_cost import Cost
from core.analytics.tca_groups import quartiles
from core.analytics.tca_trade import Trade

IMMEDIATE = "immediate"  # one market order: what everything is compared with


class Run(msgspec.Struct, kw_only=True):
    """One order of the study. ``refused`` says why there is no cost."""

    market: str
    algo: str
    side: str
    start_ns: int
    cost: Cost | None = None
    trade: Trade | None = None
    refused: str = ""
    rest_bps: float = 0.0  # a taker's fee on what did not fill: it would still have to be bought

    @property
    def complete_bps(self) -> float | None:
        """The shortfall with what did not fill taken at the end price, for that fee."""
        known = self.cost.shortfall_bps if self.cost is not None else None
        return None if known is None else known + self.rest_bps


class Row(msgspec.Struct, kw_only=True):
    """One algorithm on one market, over starts and sides. bps of arrival value."""

    market: str
    algo: str
    runs: int
    refused: int
    why: str
    filled_ratio: float | None
    maker_ratio: float | None
    participation_ratio: float | None
    children: float | None  # a run
    fees_bps: float | None
    shortfall_q1_bps: float | None
    shortfall_median_bps: float | None
    shortfall_q3_bps: float | None
    even_q1_bps: float | None  # of buy and sell together
    even_median_bps: float | None
    even_q3_bps: float | None
    over_immediate_median_bps: float | None
    over_immediate_q1_bps: float | None
    over_immediate_q3_bps: float | None
    vwap_q1_bps: float | None  # against the others' VWAP, before fees
    vwap_median_bps: float | None
    vwap_q3_bps: float | None
    vwap_own_median_bps: float | None


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """One row for each market and algorithm, in order of first appearance."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.market, run.algo), []).append(run)
    return [
        _row(market, algo, own, groups.get((market, IMMEDIATE), [])) for (market, algo), own in groups.items()
    ]


def _row(market: str, algo: str, runs: Sequence[Run], immediate: Sequence[Run]) -> Row:
    costs = [run.cost for run in runs if run.cost is not None]
    base = {(r.start_ns, r.side): r.complete_bps for r in immediate}
    over = [_less(r.complete_bps, base.get((r.start_ns, r.side))) for r in runs]
    shortfall = quartiles(c.shortfall_bps for c in costs)
    even, worse = quartiles(_even(runs)), quartiles(over)
    vwap = quartiles(c.vwap_slippage_bps for c in costs)
    refused = [run.refused for run in runs if run.refused]
    return Row(
        market=market,
        algo=algo,
        runs=len(runs),
        refused=len(refused),
        why=refused[0] if refused else "",
        filled_ratio=_mean(c.filled_ratio for c in costs),
        maker_ratio=_mean(c.maker_ratio for c in costs),
        participation_ratio=_mean(c.participation_ratio for c in costs),
        children=_mean(c.children for c in costs),
        fees_bps=_mean(c.fees_bps for c in costs),
        shortfall_q1_bps=shortfall[0],
        shortfall_median_bps=shortfall[1],
        shortfall_q3_bps=shortfall[2],
        even_q1_bps=even[0],
        even_median_bps=even[1],
        even_q3_bps=even[2],
        over_immediate_q1_bps=worse[0],
        over_immediate_median_bps=worse[1],
        over_immediate_q3_bps=worse[2],
        vwap_q1_bps=vwap[0],
        vwap_median_bps=vwap[1],
        vwap_q3_bps=vwap[2],
        vwap_own_median_bps=quartiles(c.vwap_slippage_own_bps for c in costs)[1],
    )


def _even(runs: Sequence[Run]) -> list[float | None]:
    """Mean of the buy and the sell of each start that has both."""
    sides: dict[int, dict[str, float]] = {}
    for run in runs:
        if (paid := run.complete_bps) is not None:
            sides.setdefault(run.start_ns, {})[run.side] = paid
    return [sum(each.values()) / 2.0 for each in sides.values() if len(each) == 2]


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _mean(values: Any) -> float | None:
    known = [float(v) for v in values if v is not None]
    return sum(known) / len(known) if known else None
