"""Coverage of VaR and ES forecasts as one HTML page that needs nothing else: table of all tests, and three pictures."""

from __future__ import annotations

import html
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.analytics.backtest import REFIT, Backtest
from core.analytics.report import STYLE
from core.analytics.series import Series

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#222222")
_ZONES = {"green": "#009E73", "yellow": "#B58900", "red": "#B00020"}
_REJECT = 0.05  # a p below it says that the forecasts are wrong
_SHOWN = ("historical", "filtered_historical", "ewma")  # lines of the first picture


def write_report(folder: Path, series: Series, found: Sequence[Backtest]) -> Path:
    """Write ``backtest.html`` into ``folder`` (made when missing). Raises ImportError without matplotlib."""
    page = render(series, found)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "backtest.html"
    path.write_text(page, encoding="utf-8")
    return path


def render(series: Series, found: Sequence[Backtest]) -> str:
    """The page as text."""
    first = found[0]
    title = html.escape(f"VaR of {series.name} held against what came")
    span = f", {html.escape(series.dates[0])} to {html.escape(series.dates[-1])}" if series.dates else ""
    window = first.window
    shown = [one for one in found if one.window == window]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
        f"<h1>{title}</h1><p>{len(series.returns):,} returns{span}; tail probability {first.alpha:g}. Each forecast is"
        f" made from the rows before its day and from nothing else. {_REFITTED}</p>"
        f"<h2>Every method and window</h2>{_table(found)}<p class=note>{_NOTE}</p>"
        f"<h2>Forecasts and exceptions, window {window}</h2>{_lines(series, shown)}"
        f"<h2>Exceptions beyond the expected, window {window}</h2>{_excess(series, shown)}"
        f"<h2>Rate of exceptions</h2>{_rates(found)}</html>"
    )


_REFITTED = f"The t is fitted once in {REFIT} rows and held in between."
_NOTE = (
    "Kupiec: is the rate right; Christoffersen: do exceptions come independently; both: conditional coverage. A p below"
    f" {_REJECT:g} (bold) says no. Zone: Basel's traffic light on the whole sample. Z2 (Acerbi, Szekely): 0 expected,"
    " negative when ES was too small; its p is simulated under normal tails."
)


def _table(found: Sequence[Backtest]) -> str:
    head = (
        "<tr><th>method<th>window<th>tests<th>exceptions<th>expected<th>rate<th class=l>zone<th>Kupiec p"
        "<th>independence p<th>both p<th>Z2<th>Z2 p"
    )
    rows = [
        f"<tr><td>{one.method}<td>{one.window}<td>{one.tests:,}<td>{one.exceptions}<td>{one.expected:.1f}"
        f"<td>{one.exceptions / one.tests:.2%}<td class=l style='color:{_ZONES[one.basel.zone]}'>{one.basel.zone}"
        f"{_p(one.kupiec.p)}{_p(one.independence.p)}{_p(one.conditional.p)}<td>{_num(one.z2)}{_p(one.z2_p)}"
        for one in found
    ]
    return f"<table>{head}{''.join(rows)}</table>"


def _p(value: float) -> str:
    text = _num(value, 3)
    return f"<td><b>{text}</b>" if value < _REJECT else f"<td>{text}"


def _num(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "?"


def _lines(series: Series, shown: Sequence[Backtest]) -> str:
    """Returns, the forecasts of a few methods below them, and the days that went beyond."""
    lined = [one for one in shown if one.method in _SHOWN] or list(shown[:3])
    figure, axis = _figure(3.6)
    x, at = _axis(series, shown[0])
    axis.plot(at, x, color="#bbb", lw=0.4, zorder=1)
    for one, colour in zip(lined, _COLOURS, strict=False):
        axis.plot(at, -one.var, color=colour, lw=0.9, label=one.method, zorder=2)
    hits = lined[0].hits
    axis.scatter(
        np.asarray(at)[hits], x[hits], s=9, color="#B00020", zorder=3, label=f"beyond {lined[0].method}"
    )
    axis.set_ylabel("return")
    axis.legend(loc="lower left", fontsize=8, frameon=False, ncols=2)
    return _svg(figure)


def _excess(series: Series, shown: Sequence[Backtest]) -> str:
    """Counted less expected: level is right, a step is a cluster, a slope is a wrong rate."""
    figure, axis = _figure(3.0)
    _, at = _axis(series, shown[0])
    for one, colour in zip(shown, _COLOURS, strict=False):
        steps = np.cumsum(one.hits) - one.alpha * np.arange(1, one.tests + 1)
        axis.plot(at, steps, color=colour, lw=1.0, label=one.method)
    axis.axhline(0.0, color="#222", lw=0.8)
    axis.set_ylabel("exceptions beyond the expected")
    axis.legend(loc="upper left", fontsize=8, frameon=False, ncols=2)
    return _svg(figure)


def _rates(found: Sequence[Backtest]) -> str:
    """Rate by method and window, with what chance allows a right model (two standard errors)."""
    figure, axis = _figure(0.8 + 0.24 * len(found))
    names = [f"{one.method}, {one.window}" for one in found]
    values = [100.0 * one.exceptions / one.tests for one in found]
    axis.barh(range(len(found)), values, color=[_ZONES[one.basel.zone] for one in found])
    alpha, tests = found[0].alpha, min(one.tests for one in found)
    spread = 2.0 * math.sqrt(alpha * (1.0 - alpha) / tests)
    axis.axvspan(100.0 * (alpha - spread), 100.0 * (alpha + spread), color="#0072B2", alpha=0.15)
    axis.axvline(100.0 * alpha, color="#0072B2", lw=1.0)
    axis.set_yticks(range(len(found)), names, fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel("exceptions, % of tests; the band is what chance allows")
    return _svg(figure)


def _axis(series: Series, one: Backtest) -> tuple[Any, Any]:
    """(returns, where to draw them) of the rows that were forecast; dates where the file has them."""
    x = series.returns[-one.tests :]
    if series.dates:
        import pandas as pd

        numbers = pd.to_numeric(pd.Series(series.dates), errors="coerce")
        if bool(numbers.isna().any()):
            stamps = pd.to_datetime(pd.Series(series.dates), format="mixed", utc=True)
            return x, stamps.to_numpy()[-one.tests :]
    return x, np.arange(one.tests)


def _figure(height: float) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(9, height))
    axis.spines[["top", "right"]].set_visible(False)
    return figure, axis


def _svg(figure: Any) -> str:
    from matplotlib import pyplot as plt

    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    svg = out.getvalue()
    return svg[svg.index("<svg") :]
