"""The replay report's attribution: a waterfall from nothing to what was made, and each cut as a table."""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING, Any

from bus.views import PnlView

if TYPE_CHECKING:
    from core.app.replay_result import ReplayResult

CUTS = ("part", "factor", "strategy", "symbol", "session", "day", "hour")
ROWS_MAX = 60  # of a table; the JSON has them all
_GAIN, _LOSS, _TOTAL = "#009E73", "#D55E00", "#0072B2"


def attribution_of(pnl: PnlView) -> dict[str, Any]:
    """What ``andon replay --json`` prints under ``attribution``; figures in account currency."""
    cuts = {f"by_{name}": getattr(pnl, f"by_{name}") for name in CUTS}
    return {
        "total": pnl.total,
        "equity_change": None if pnl.equity is None else pnl.equity - pnl.equity_start,
        "residual": pnl.residual,
        "residual_bound": pnl.residual_bound,
        "unit": pnl.unit,
        "parts": pnl.parts,
        **cuts,
        "strategy_parts": pnl.strategy_parts,
        "symbol_parts": pnl.symbol_parts,
    }


def section(result: ReplayResult) -> str:
    """HTML of the whole section; empty for results that carry none."""
    found = result.attribution
    if not found:
        return ""
    shown = {name: found[f"by_{name}"] for name in CUTS if name not in ("part", "factor")}
    tables = "".join(_table(name, rows, result.ccy) for name, rows in shown.items() if rows)
    return f"<h2>Where it came from</h2>{_identity(found, result.ccy)}{_waterfall(found, result.ccy)}{tables}"


def _identity(found: dict[str, Any], ccy: str) -> str:
    residual = "unknown" if found["residual"] is None else f"{found['residual']:.2g}"
    return (
        f"<p>Made {found['total']:,.2f} {html.escape(ccy)}. Each cut sums to it in units of {found['unit']:g};"
        f" against the account's equity {residual} is left (rounding; bound {found['residual_bound']:.2g}).</p>"
    )


def steps(found: dict[str, Any]) -> list[tuple[str, float]]:
    """The bars: the price part by factor, then every other part; what is nothing is left out."""
    return [(name.removeprefix("factor."), value) for name, value in found["by_factor"].items() if value]


def _waterfall(found: dict[str, Any], ccy: str) -> str:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    bars = steps(found)
    if not bars:
        return "<p>Nothing was made or lost.</p>"
    figure, axis = plt.subplots(figsize=(10, 3.6))
    level = 0.0
    for k, (_, value) in enumerate(bars):
        axis.bar(k, value, bottom=level, color=_GAIN if value > 0 else _LOSS, width=0.7)
        axis.plot((k - 0.35, k + 1.35), (level + value,) * 2, color="#999", lw=0.8)
        axis.annotate(f"{value:,.2f}", (k, max(level, level + value)), ha="center", va="bottom", fontsize=8)
        level += value
    axis.bar(len(bars), found["total"], color=_TOTAL, width=0.7)
    axis.annotate(
        f"{found['total']:,.2f}", (len(bars), max(found["total"], 0.0)), ha="center", va="bottom", fontsize=8
    )
    axis.set_xticks(range(len(bars) + 1), [*(name for name, _ in bars), "total"])
    axis.axhline(0.0, color="#222", lw=0.8)
    axis.set_ylabel(ccy)
    axis.margins(y=0.15)
    axis.grid(visible=True, axis="y", alpha=0.3)
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg")
    plt.close(figure)
    svg = out.getvalue()
    return svg[svg.index("<svg") :]


def _table(name: str, rows: dict[str, float], ccy: str) -> str:
    ordered = list(rows.items())[-ROWS_MAX:] if name in ("hour", "day") else _largest(rows)
    body = "".join(f"<tr><td>{html.escape(key)}<td>{value:,.2f}" for key, value in ordered)
    left = len(rows) - len(ordered)
    more = f"<p>and {left} more: andon replay --json</p>" if left else ""
    return f"<h3>By {name}</h3><table><tr><th>{name}<th>{html.escape(ccy)}{body}</table>{more}"


def _largest(rows: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(rows.items(), key=lambda row: -abs(row[1]))[:ROWS_MAX]
