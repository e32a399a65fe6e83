"""The risk report: one HTML page that needs nothing else; plots are inline SVG by matplotlib (the ``report`` extra)."""

from __future__ import annotations

import html
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.analytics.advice import Recommendation
from core.analytics.book import Book
from core.analytics.profile import WEIGHTS, Level, Profile
from core.analytics.stress import Outcome, Stress

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child,td.l,th.l{text-align:left}svg{max-width:100%;height:auto}"
    ".score{font-size:2.4rem;font-weight:700}.note{color:#666;font-size:.9em}"
)
_LOSS, _GAIN, _USE = "#D55E00", "#009E73", "#0072B2"  # told apart with any colour vision
_COLOURS = {Level.LOW: "#009E73", Level.MEDIUM: "#B58900", Level.HIGH: "#D55E00", Level.CRITICAL: "#B00020"}
_BARS_MAX = 15


def write_report(
    folder: Path, book: Book, stress: Stress, profile: Profile, advice: Sequence[Recommendation]
) -> Path:
    """Write ``risk.html`` into ``folder`` (made when missing). Raises ImportError without matplotlib."""
    page = render(book, stress, profile, advice)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "risk.html"
    path.write_text(page, encoding="utf-8")
    return path


def render(book: Book, stress: Stress, profile: Profile, advice: Sequence[Recommendation]) -> str:
    """The page as text."""
    title = html.escape(f"Risk of {book.source}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
        f"<h1>{title}</h1>"
        f"{_head(book, profile, stress)}<h2>What drives it</h2>{_drivers(profile)}"
        f"<h2>What would help</h2>{_advice(advice)}<h2>Stress</h2>{_stress_plot(book, stress.outcomes)}"
        f"{_stress_table(book, stress)}{_worst(book, stress.worst)}<h2>Assumed</h2>{_assumed(book, stress)}</html>"
    )


def _head(book: Book, profile: Profile, stress: Stress) -> str:
    seen, colour = profile.measures, _COLOURS.get(profile.level, "#666")
    worst = stress.worst
    nearest = html.escape(profile.nearest or "none")
    lines = [
        f"<p class=score style='color:{colour}'>{_num(profile.score, 0)} / 100 {profile.level.name}</p>",
        f"<p>Equity {_num(seen.equity)} {html.escape(book.ccy)}, leverage {_num(seen.leverage)}×,",
        f" margin ratio {_margin(seen.margin_ratio)}, drawdown {_pct(seen.drawdown)},",
        f" daily loss {_pct(seen.daily_loss)}.",
        f"<br>Nearest limit: <b>{nearest}</b>, {_pct(profile.headroom, 0)} of the way left.",
    ]
    if worst is not None:
        lines.append(
            f"<br>Worst scenario: <b>{html.escape(worst.name)}</b>, {_num(worst.pnl)} {html.escape(book.ccy)}"
            f" ({_pct(worst.pnl_fraction, 1)} of equity)."
        )
    return "".join(lines) + "</p>"


def _drivers(profile: Profile) -> str:
    rows = [
        f"<tr><td>{d.name}<td class=l>{html.escape(WEIGHTS[d.name][1])}<td>{_num(d.value, 4)}<td>{_num(d.reference, 4)}"
        f"<td>{_pct(d.use, 0)}<td>{d.weight:.2f}<td>{_pct(d.share, 0)}"
        for d in profile.drivers
    ]
    head = "<tr><th>component<th class=l>measure<th>value<th>limit<th>use<th>weight<th>share of score"
    named = [(d.name, 100 * d.use) for d in profile.drivers if math.isfinite(d.use)]
    return _bars(named, "use of the limit, %", lambda _: _USE) + f"<table>{head}{''.join(rows)}</table>"


def _advice(advice: Sequence[Recommendation]) -> str:
    if not advice:
        return "<p>Nothing to recommend.</p>"
    return "<ol>" + "".join(f"<li>{html.escape(r.text)}" for r in advice) + "</ol>"


def _stress_plot(book: Book, outcomes: Sequence[Outcome]) -> str:
    named = [(o.name, o.pnl) for o in outcomes[:_BARS_MAX] if math.isfinite(o.pnl)]
    return _bars(named, f"P&L, {book.ccy}", _sign_colour)


def _stress_table(book: Book, stress: Stress) -> str:
    head = "<tr><th>scenario<th>P&amp;L<th>of equity<th>equity after<th>leverage<th>margin<th>drawdown<th class=l>trips"
    rows = [
        f"<tr><td title='{html.escape(o.text, quote=True)}'>{html.escape(_name(o))}<td>{_num(o.pnl)}"
        f"<td>{_pct(o.pnl_fraction, 1)}<td>{_num(o.after.equity)}<td>{_num(o.after.leverage)}"
        f"<td>{_margin(o.after.margin_ratio)}<td>{_pct(o.after.drawdown, 1)}"
        f"<td class=l>{', '.join(o.after.trips) or 'none'}"
        for o in stress.outcomes
    ]
    return f"<table>{head}{''.join(rows)}</table><p class=note>Money in {html.escape(book.ccy)}.</p>"


def _worst(book: Book, worst: Outcome | None) -> str:
    if worst is None:
        return ""
    parts = list(worst.by_symbol.items())[:_BARS_MAX]
    plot = _bars([(n, v) for n, v in parts if math.isfinite(v)], f"P&L, {book.ccy}", _sign_colour)
    sold = "".join(f"<tr><td>{html.escape(s)}<td>{q:+,.8g}" for s, q in worst.sells.items())
    table = f"<h3>What the switches would trade</h3><table>{sold}</table>" if sold else ""
    return f"<h3>{html.escape(_name(worst))} by position</h3><p>{html.escape(worst.text)}</p>{plot}{table}"


def _assumed(book: Book, stress: Stress) -> str:
    lines = [*book.assumed] + ([f"{stress.floored} price shocks held at -99 %"] if stress.floored else [])
    return (
        "<ul>" + "".join(f"<li>{html.escape(line)}" for line in lines) + "</ul>"
        if lines
        else "<p>Nothing.</p>"
    )


def _bars(named: Sequence[tuple[str, float]], label: str, colour: Any) -> str:
    """Horizontal bars, the first on top, as an inline SVG; nothing for nothing."""
    if not named:
        return ""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    names, values = [n for n, _ in named], [v for _, v in named]
    figure, axis = plt.subplots(figsize=(9, 0.6 + 0.32 * len(names)))
    bars = axis.barh(range(len(names)), values, color=[colour(v) for v in values])
    axis.set_yticks(range(len(names)), [name.replace("$", r"\$") for name in names])
    axis.bar_label(bars, [f"{v:,.0f}" for v in values], padding=3, fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel(label)
    axis.margins(x=0.15)
    axis.axvline(0.0, color="#222", lw=0.8)
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    svg = out.getvalue()
    return svg[svg.index("<svg") :]


def _sign_colour(value: float) -> str:
    return _LOSS if value < 0.0 else _GAIN


def _name(outcome: Outcome) -> str:
    return f"{outcome.name} ({outcome.label})" if outcome.label else outcome.name


def _num(value: float, digits: int = 2) -> str:
    return f"{value:,.{digits}f}" if math.isfinite(value) else "∞" if value == math.inf else "?"


def _pct(value: float, digits: int = 2) -> str:
    return f"{100 * value:.{digits}f} %" if math.isfinite(value) else "?"


def _margin(ratio: float) -> str:
    return "none required" if ratio == math.inf else _num(ratio)
