"""The pictures of cost analysis: schedule and fills, prices with benchmarks, a waterfall of the parts, quartiles."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.analytics.tca_compare import Run
from core.analytics.tca_cost import Cost
from core.analytics.tca_groups import GroupCost
from core.analytics.tca_trade import Trade

_OWN, _MARKET, _LOSS, _GAIN, _PLAN = "#0072B2", "#999999", "#D55E00", "#009E73", "#CC79A7"
_PARTS = ("delay", "trading", "opportunity", "fees", "shortfall")


def order(trade: Trade, cost: Cost) -> str:
    """One order: filled against due, price with fills and benchmarks, and what the shortfall is made of."""
    plt = _pyplot()
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 3.6), width_ratios=(1, 1.4, 0.9))
    _filled(left, trade)
    _prices(middle, trade, cost)
    _waterfall(right, cost)
    return _svg(figure)


def quartile_bars(groups: Sequence[GroupCost]) -> str:
    """Median and quartiles of the shortfall of each group; nothing for nothing."""
    known = [g for g in groups if g.shortfall_median_bps is not None]
    if not known:
        return ""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(9, 0.9 + 0.36 * len(known)))
    for row, g in enumerate(known):
        q1, median, q3 = g.shortfall_q1_bps, g.shortfall_median_bps, g.shortfall_q3_bps
        axis.plot([q1, q3], [row, row], color=_OWN, lw=6, alpha=0.35, solid_capstyle="butt")
        axis.plot([median], [row], "o", color=_OWN)
    axis.set_yticks(range(len(known)), [f"{_safe(g.name)} ({g.parents})" for g in known])
    axis.invert_yaxis()
    axis.axvline(0.0, color="#222", lw=0.8)
    axis.set_xlabel("shortfall, bps: median and quartiles over orders")
    _plain(axis)
    return _svg(figure)


def starts(runs: Sequence[Run]) -> str:
    """Every run of one market, a column an algorithm: shortfall, and slippage to the others' VWAP."""
    algos = list(dict.fromkeys(run.algo for run in runs))
    plt = _pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(13, 3.8))
    for axis, key, label in zip(
        axes, ("shortfall_bps", "vwap_slippage_bps"), ("shortfall", "to VWAP"), strict=True
    ):
        for column, algo in enumerate(algos):
            for side, colour, shift in (("buy", _OWN, -0.15), ("sell", _LOSS, 0.15)):
                seen = [r.cost for r in runs if r.algo == algo and r.side == side and r.cost is not None]
                values = [v for c in seen if (v := getattr(c, key)) is not None]
                axis.plot([column + shift] * len(values), values, "o", color=colour, ms=4, alpha=0.6)
        axis.plot([], [], "o", color=_OWN, label="buys")
        axis.plot([], [], "o", color=_LOSS, label="sells")
        axis.set_xticks(range(len(algos)), [_safe(algo) for algo in algos], rotation=25, fontsize=8)
        axis.set_ylabel(f"{label}, bps")
        axis.axhline(0.0, color="#222", lw=0.8)
        axis.legend(fontsize=8)
        _plain(axis)
    return _svg(figure)


def routed(rows: Sequence[Any]) -> str:
    """All-in cost of each way: median and quartiles. ``rows`` have ``way`` and ``all_in_*_bps``."""
    known = [row for row in rows if row.all_in_median_bps is not None]
    if not known:
        return ""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(9, 0.9 + 0.4 * len(known)))
    for at, row in enumerate(known):
        axis.plot([row.all_in_q1_bps, row.all_in_q3_bps], [at, at], color=_OWN, lw=6, alpha=0.35)
        axis.plot([row.all_in_median_bps], [at], "o", color=_OWN)
    axis.set_yticks(range(len(known)), [_safe(row.way) for row in known])
    axis.invert_yaxis()
    axis.set_xlabel("all-in cost against one mid, bps: median and quartiles over runs")
    _plain(axis)
    return _svg(figure)


def _filled(axis: Any, trade: Trade) -> None:
    start_ns = trade.start_ns or trade.created_ns
    if trade.due:
        steps = [(start_ns, 0.0), *trade.due]
        axis.step(
            [_at(ns) for ns, _ in steps],
            [q for _, q in steps],
            where="pre",
            color=_PLAN,
            lw=1.2,
            ls="--",
            zorder=3,
            label="due",
        )
    done, points = 0.0, [(start_ns, 0.0)]
    for fill in trade.fills:
        done += fill.qty
        points.append((fill.ts_ns, done))
    if trade.ended_ns:
        points.append((trade.ended_ns, done))
    axis.step(
        [_at(ns) for ns, _ in points],
        [q for _, q in points],
        where="post",
        color=_OWN,
        lw=1.6,
        label="filled",
    )
    axis.axhline(trade.qty, color="#222", lw=0.8, ls=":")
    axis.set_ylabel("base units")
    axis.legend(fontsize=8, loc="lower right")
    axis.tick_params(axis="x", labelrotation=30, labelsize=7)
    _plain(axis)


def _prices(axis: Any, trade: Trade, cost: Cost) -> None:
    if trade.path:
        axis.plot(
            [_at(ns) for ns, _ in trade.path],
            [px for _, px in trade.path],
            color=_MARKET,
            lw=0.9,
            label="mid",
        )
    axis.scatter(
        [_at(f.ts_ns) for f in trade.fills], [f.px for f in trade.fills], s=12, color=_OWN, label="fills"
    )
    lines = (
        ("arrival", cost.arrival_px, "-"),
        ("own average", cost.avg_px, "--"),
        ("VWAP", cost.vwap_px, ":"),
    )
    for (name, px, style), colour in zip(lines, ("#222222", _OWN, _LOSS), strict=True):
        if px is not None:
            axis.axhline(px, color=colour, lw=0.9, ls=style, label=name)
    axis.ticklabel_format(axis="y", useOffset=False, style="plain")
    axis.tick_params(axis="x", labelrotation=30, labelsize=7)
    axis.legend(fontsize=7)
    _plain(axis)


def _waterfall(axis: Any, cost: Cost) -> None:
    base = 0.0
    for row, name in enumerate(_PARTS):
        value = getattr(cost, f"{name}_bps")
        start = 0.0 if name == "shortfall" else base
        axis.bar(row, value, bottom=start, color=_LOSS if value > 0.0 else _GAIN, alpha=0.85)
        axis.annotate(
            f"{round(value, 2) + 0.0:.2f}",
            (row, start + max(value, 0.0)),
            ha="center",
            va="bottom",
            fontsize=8,
        )
        base = start + value
    axis.set_xticks(range(len(_PARTS)), _PARTS, fontsize=8, rotation=20)
    axis.set_ylabel("bps of arrival")
    axis.axhline(0.0, color="#222", lw=0.8)
    axis.margins(y=0.15)
    _plain(axis)


def _at(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / 1e9, tz=UTC)


def _safe(text: str) -> str:
    return text.replace("$", r"\$")


def _plain(axis: Any) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(visible=True, alpha=0.25)


def _pyplot() -> Any:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    return plt


def _svg(figure: Any) -> str:
    from matplotlib import pyplot as plt

    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    svg = out.getvalue()
    return svg[svg.index("<svg") :]
