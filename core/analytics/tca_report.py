"""Cost analysis as a page that needs nothing else: tables, and plots as inline SVG by matplotlib (extra ``report``).

``sections`` is the body, which the replay report takes over; ``write_report`` is the page by itself.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.analytics import tca_plots as plots
from core.analytics.tca_cost import Cost
from core.analytics.tca_groups import GroupCost, VenueCost
from core.analytics.tca_trade import Trade

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}.note{color:#666;font-size:.9em}"
)
SHOWN_MAX = 12  # orders with pictures: the largest
ROWS_MAX = 200  # orders in the table: the latest

_PARTS = ("shortfall", "delay", "trading", "opportunity", "fees")
_GROUP = [
    ("parents", "orders", 0),
    ("shortfall_bps", "shortfall", 2),
    ("shortfall_q1_bps", "q1", 2),
    ("shortfall_median_bps", "median", 2),
    ("shortfall_q3_bps", "q3", 2),
    ("delay_bps", "delay", 2),
    ("trading_bps", "trading", 2),
    ("opportunity_bps", "opportunity", 2),
    ("fees_bps", "fees", 2),
    ("vwap_slippage_bps", "to VWAP", 2),
    ("effective_spread_bps", "effective", 2),
    ("reversion_bps", "reversion", 2),
]
_VENUE = [
    ("orders", "orders", 0),
    ("fills", "fills", 0),
    ("filled_settle", "value", 0),
    ("fee_bps", "fee, bps", 2),
    ("maker_fee_bps", "maker tier", 2),
    ("taker_fee_bps", "taker tier", 2),
    ("ack_p50_ms", "ack p50, ms", 1),
    ("ack_p99_ms", "p99, ms", 1),
    ("effective_spread_bps", "effective, bps", 2),
]
_RATIOS = [
    ("maker_ratio", "maker"),
    ("reject_ratio", "rejected"),
    ("cancel_ratio", "ended short"),
    ("unknown_ratio", "unknown"),
]


def write_report(
    folder: Path,
    *,
    title: str,
    trades: Sequence[Trade],
    costs: Sequence[Cost],
    algos: Sequence[GroupCost],
    venues: Sequence[VenueCost],
    trouble: str = "",
) -> Path:
    """Write ``tca.html`` into ``folder`` (made when missing). Raises ImportError without matplotlib."""
    name = html.escape(title)
    note = f"<p class=note>{html.escape(trouble)}</p>" if trouble else ""
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title><style>{STYLE}</style>"
        f"<h1>{name}</h1>{note}{sections(trades, costs, algos, venues)}</html>"
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tca.html"
    path.write_text(page, encoding="utf-8")
    return path


def sections(
    trades: Sequence[Trade], costs: Sequence[Cost], algos: Sequence[GroupCost], venues: Sequence[VenueCost]
) -> str:
    """Everything below the title."""
    if not costs:
        return "<p>No orders.</p>"
    return (
        f"<p class=note>{_SAID}</p><h2>By algorithm</h2>{plots.quartile_bars(algos)}{_groups(algos)}"
        f"<h2>By venue</h2>{_venues(venues)}<h2>Orders</h2>{_orders(costs)}{_pictures(trades, costs)}"
    )


_SAID = (
    "Costs are positive, basis points of the arrival value, after fees unless said otherwise; quartiles are over"
    " orders, means by value. “To VWAP” is against what the others traded at from arrival to end. An order's shortfall"
    " contains the market's own move while it worked, which a single order cannot be told apart from."
)


def _groups(groups: Sequence[GroupCost]) -> str:
    head = "<tr><th>algorithm" + "".join(f"<th>{title}" for _, title, _ in _GROUP)
    rows = "".join(
        f"<tr><td>{html.escape(g.name)}" + "".join(f"<td>{number(getattr(g, k), d)}" for k, _, d in _GROUP)
        for g in groups
    )
    without = sum(g.without for g in groups)
    left = f"<p class=note>{without} orders without a known shortfall are in no mean.</p>" if without else ""
    return f"<table>{head}{rows}</table>{left}"


def _venues(venues: Sequence[VenueCost]) -> str:
    titles = [t for _, t, _ in _VENUE] + [f"{t}, %" for _, t in _RATIOS]
    head = "<tr><th>venue" + "".join(f"<th>{title}" for title in titles)
    rows = "".join(
        f"<tr><td>{html.escape(v.venue)}"
        + "".join(f"<td>{number(getattr(v, k), d)}" for k, _, d in _VENUE)
        + "".join(f"<td>{percent(getattr(v, k))}" for k, _ in _RATIOS)
        for v in venues
    )
    return f"<table>{head}{rows}</table>"


def _orders(costs: Sequence[Cost]) -> str:
    head = "<tr><th>order<th>algorithm<th>symbol<th>side<th>quantity<th>filled, %" + "".join(
        f"<th>{part}" for part in _PARTS
    )
    rows = "".join(
        f"<tr><td>{html.escape(c.id)}<td>{html.escape(c.algo)}<td>{html.escape(c.symbol)}<td>{c.side}"
        f"<td>{c.qty:,.8g}<td>{percent(c.filled_ratio)}" + "".join(_cell(c, f"{part}_bps") for part in _PARTS)
        for c in costs[-ROWS_MAX:]
    )
    more = f"<p class=note>The latest {ROWS_MAX} of {len(costs)}.</p>" if len(costs) > ROWS_MAX else ""
    return f"<table>{head}{rows}</table>{more}"


def _cell(cost: Cost, key: str) -> str:
    """A number, or ``?`` with the reason under the pointer."""
    why = html.escape(cost.missing.get(key, ""), quote=True)
    return f"<td title='{why}'>?" if why else f"<td>{number(getattr(cost, key), 2)}"


def _pictures(trades: Sequence[Trade], costs: Sequence[Cost]) -> str:
    """The largest parents, their schedule, prices and parts."""
    both = [(t, c) for t, c in zip(trades, costs, strict=True) if c.shortfall_bps is not None and t.fills]
    both.sort(key=lambda each: (len(each[0].children) < 2, -(each[1].notional_acct or 0.0)))
    return "".join(
        f"<h3>{html.escape(c.algo)} {c.side} {c.qty:,.8g} {html.escape(c.symbol)}</h3>"
        f"<p class=note>{html.escape(c.id)}</p>{plots.order(t, c)}"
        for t, c in both[:SHOWN_MAX]
    )


def number(value: Any, digits: int = 2) -> str:
    """Thousands separated, ``?`` for what is not known."""
    return "?" if value is None else f"{value:,.{digits}f}"


def percent(ratio: float | None) -> str:
    """Per cent without the sign, ``?`` for what is not known."""
    return "?" if ratio is None else f"{100 * ratio:.1f}"
