"""The replay report: one HTML page, two curves, the numbers, what tripped. Self-contained: the plot is inline SVG."""

from __future__ import annotations

import html
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.app import report_pnl

if TYPE_CHECKING:
    from core.app.replay_result import ReplayResult

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}"
)


def write_report(result: ReplayResult, folder: Path) -> Path:
    """Write ``report.html`` into ``folder`` (made when missing); returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    title = html.escape(f"Replay of {result.tape}")
    page = (
        f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
        f"{_plot(result)}<h2>Numbers</h2>{_numbers(result)}<h2>Switches that tripped</h2>{_trips(result)}"
        f"{report_pnl.section(result)}"
        f"{_costs(result)}"
    )
    path.write_text(page, encoding="utf-8")
    return path


def _costs(result: ReplayResult) -> str:
    """What the orders cost, when it was recorded."""
    if result.tca is None:
        return ""
    from core.analytics.tca_report import sections

    tca = result.tca
    return f"<h1>What the orders cost</h1>{sections(tca.trades, tca.costs, tca.by_algo(), tca.by_venue())}"


def _plot(result: ReplayResult) -> str:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    from core.app.replay_result import drawdown_of

    times = [datetime.fromtimestamp(ns / 1e9, tz=UTC) for ns in result.curve_ns]
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(10, 6), height_ratios=(2, 1))
    top.plot(times, result.curve_equity, color="#0072B2", lw=1)
    top.set_ylabel(f"equity, {result.ccy}")
    top.ticklabel_format(axis="y", useOffset=False, style="plain")
    falls = [-100 * d for d in drawdown_of(result.curve_equity)]
    bottom.fill_between(times, falls, color="#D55E00", alpha=0.5, lw=0)
    bottom.set_ylabel("drawdown, %")
    for trip in result.switches:
        when = datetime.fromtimestamp(trip.ts / 1e9, tz=UTC)
        for axis in (top, bottom):
            axis.axvline(when, color="#999", lw=0.8, ls="--")
        top.annotate(
            trip.name, (when, 1.0), xycoords=("data", "axes fraction"), fontsize=8, rotation=90, va="top"
        )
    for axis in (top, bottom):
        axis.grid(visible=True, alpha=0.3)
    figure.autofmt_xdate()
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg")
    plt.close(figure)
    svg = out.getvalue()
    return svg[svg.index("<svg") :]


def _numbers(result: ReplayResult) -> str:
    money = result.ccy
    rows = [
        ("events", f"{result.events:,}"),
        ("run time", f"{result.seconds:.2f} s ({result.events / max(result.seconds, 1e-9):,.0f} events/s)"),
        ("fills", f"{result.fills:,}"),
        ("equity", f"{result.equity_start:,.2f} → {result.equity_end:,.2f} {money}"),
        ("realised", f"{result.realized:,.2f} {money}"),
        ("unrealised", f"{result.unrealized:,.2f} {money}"),
        ("fees", f"{result.fees:,.2f} {money}"),
        ("funding", f"{result.funding:,.2f} {money}"),
        ("maximum drawdown", f"{result.max_drawdown:.2%}"),
        ("state at the end", result.state),
        ("positions left", ", ".join(f"{s} {q:g}" for s, q in result.positions.items()) or "flat"),
        ("digest of all effects", f"<code>{result.digest}</code>"),
    ]
    rows += [(f"P&amp;L of {html.escape(k)}", f"{v:,.2f} {money}") for k, v in result.by_strategy.items()]
    return "<table>" + "".join(f"<tr><td>{k}<td>{v}" for k, v in rows) + "</table>"


def _trips(result: ReplayResult) -> str:
    if not result.switches:
        return "<p>None.</p>"
    head = "<table><tr><th>switch<th>time (UTC)<th>value<th>limit<th>does"
    return (
        head
        + "".join(
            _trip_row(_named(t.name, t.scope), t.ts, t.value, t.limit, t.state) for t in result.switches
        )
        + "</table>"
    )


def _named(name: str, scope: str) -> str:
    return name if scope == "all" else f"{name} ({scope})"


def _trip_row(name: str, ts_ns: int, value: float | None, limit: float | None, does: str) -> str:
    when = datetime.fromtimestamp(ts_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    shown = ["–" if x is None else f"{x:.6g}" for x in (value, limit)]
    return f"<tr><td>{html.escape(name)}<td>{when}<td>{shown[0]}<td>{shown[1]}<td>{html.escape(does)}"
