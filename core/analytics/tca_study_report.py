"""A study as a page: for each market the costs of each algorithm at every start, and what routing saved."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.analytics.tca_compare import Row, Run
from core.analytics.tca_plots import order, routed, starts
from core.analytics.tca_report import STYLE, number, percent

_COLUMNS = (
    ("shortfall", "shortfall"),
    ("even", "buy and sell together"),
    ("over_immediate", "over immediate"),
    ("vwap", "to the others' VWAP"),
)


def write_report(
    folder: Path, rows: Sequence[Row], runs: Sequence[Run], routings: Sequence[Any], stated: Sequence[str]
) -> Path:
    """Write ``study.html`` into ``folder`` (made when missing). Raises ImportError without matplotlib."""
    markets = list(dict.fromkeys(row.market for row in rows))
    parts = "".join(_market(name, rows, runs) for name in markets)
    terms = "".join(f"<li>{html.escape(line)}" for line in stated)
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Algorithms on tapes</title><style>{STYLE}</style>"
        f"<h1>Algorithms on tapes</h1><ul>{terms}</ul>{parts}{''.join(map(_routing, routings))}</html>"
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.html"
    path.write_text(page, encoding="utf-8")
    return path


def _market(name: str, rows: Sequence[Row], runs: Sequence[Run]) -> str:
    own = [row for row in rows if row.market == name]
    here = [run for run in runs if run.market == name]
    head = "<tr><th>algorithm<th>runs<th>filled, %<th>maker, %<th>of volume, %<th>fees" + "".join(
        f"<th>{title}" for _, title in _COLUMNS
    )
    body = "".join(
        f"<tr><td>{html.escape(r.algo)}<td>{r.runs - r.refused}<td>{percent(r.filled_ratio)}"
        f"<td>{percent(r.maker_ratio)}<td>{percent(r.participation_ratio)}<td>{number(r.fees_bps)}"
        + "".join(f"<td>{quartiles(r, key)}" for key, _ in _COLUMNS)
        for r in own
    )
    refused = "".join(f"<p class=note>{r.algo}: {html.escape(r.why)}</p>" for r in own if r.refused)
    return f"<h2>{html.escape(name)}</h2>{starts(here)}<table>{head}{body}</table>{refused}{_examples(here)}"


def _examples(runs: Sequence[Run]) -> str:
    """The first buy of each algorithm, in pictures."""
    first: dict[str, Run] = {}
    for run in runs:
        if run.trade is not None and run.cost is not None and run.cost.shortfall_bps is not None:
            first.setdefault(run.algo, run)
    return "".join(
        f"<h3>{html.escape(name)}, its first {run.side}</h3>{order(run.trade, run.cost)}"
        for name, run in first.items()
        if run.trade is not None and run.cost is not None
    )


def _routing(routing: Any) -> str:
    head = "<tr><th>way<th>filled whole<th>fees<th>all-in<th>where it went"
    body = "".join(
        f"<tr><td>{html.escape(r.way)}<td>{r.full}/{r.runs}<td>{number(r.fees_bps)}<td>{quartiles(r, 'all_in')}<td>"
        + ", ".join(f"{html.escape(venue)} {percent(share)} %" for venue, share in r.shares.items())
        for r in routing.rows
    )
    said = (
        f"Routing saved {quartiles(routing, 'saved')} bps against {html.escape(routing.better)}, the better single"
        f" venue, and {quartiles(routing, 'saved_hindsight')} against the better one of each run, fees in both;"
        f" over {routing.compared} runs."
    )
    name = html.escape(routing.rows[0].market)
    return f"<h2>Routing: {name}</h2>{routed(routing.rows)}<table>{head}{body}</table><p>{said}</p>"


def quartiles(row: Any, key: str) -> str:
    """``median [q1, q3]``, ``?`` when not known."""
    q1, median, q3 = (getattr(row, f"{key}_{part}_bps") for part in ("q1", "median", "q3"))
    return f"{number(median)} [{number(q1)}, {number(q3)}]" if median is not None else "?"
