"""`andon risk performance --by strategy|symbol|day`: from what a core has made, running or by its journal."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from andon import output
from andon.commands.pnl import of_folder
from andon.errors import DONE, CliError
from andon.risk_out import keep
from andon.session import attached

_SHOWN = ("total_return", "volatility", "sharpe", "sortino", "max_drawdown")


def run(args: Namespace) -> int:
    """The account and each strategy or symbol: what it made, what it added to the compounded return, measures."""
    from core.analytics.daily import DAYS_MIN, daily_returns

    days = [] if args.by == "day" else _rows(args, "daily").get("days", [])
    if len(days) < DAYS_MIN:
        return _so_far(args, len(days))
    found = daily_returns(days, args.by)
    series = {"account": found.account, **found.by}
    rows = {
        name: {**_measured(returns, args), "linked": found.linked.get(name, found.total)}
        for name, returns in series.items()
    }
    keep(args, [{"name": name, **row} for name, row in rows.items()])
    if args.json:
        output.json_line({"by": args.by, "days": len(found.account), "total": found.total, "rows": rows})
        return DONE
    output.table(
        (args.by, "days", "linked", *(name.replace("_", " ") for name in _SHOWN)),
        [
            (name, row["n"], output.percent(row["linked"], 4), *(_text(key, row[key]) for key in _SHOWN))
            for name, row in rows.items()
        ],
    )
    output.line("returns on the account's equity at the day's open; linked: Carino, sums to the account's")
    return DONE


def _so_far(args: Namespace, days: int) -> int:
    """What was made since the start: by day, or where too few days have closed for a ratio."""
    from core.analytics.daily import DAYS_MIN, so_far

    pnl = _rows(args, "pnl")
    if not pnl:
        raise CliError(
            "andon risk performance: the core has published no profit yet", "or give --returns FILE"
        )
    rows = so_far(pnl, args.by)
    keep(args, rows)
    note = "" if args.by == "day" else f"{days} of {DAYS_MIN} closed days: no ratio can be made of them yet"
    if args.json:
        total = rows[-1]["return"]
        output.json_line({"by": args.by, "days": days, "total": total, "so_far": rows, "note": note})
        return DONE
    cells = [
        (r["name"], *map(output.number, (r["equity"], r["pnl"])), output.percent(r["return"], 4))
        for r in rows
    ]
    output.table((args.by, "equity at its open", "made", "return"), cells)
    if note:
        output.line(note)
    return DONE


def _rows(args: Namespace, topic: str) -> dict[str, Any]:
    """``daily`` or ``pnl`` of the journal or of the running core; empty when it has said none."""
    if args.journal is not None:
        return of_folder(args.journal, topic)
    with attached(args) as client:
        message = client.snapshot().messages.get(topic)
    return dict(message.data) if message is not None else {}


def _measured(returns: Any, args: Namespace) -> dict[str, Any]:
    from core.analytics.performance import performance

    return performance(
        returns, periods_per_year=args.periods_per_year, risk_free=args.risk_free, mar=args.mar
    ).summary()


def _text(name: str, value: float | None) -> str:
    if value is None or value != value:  # noqa: PLR0124  (nan: not defined for these returns)
        return output.UNKNOWN
    return output.number(value, 3) if name in ("sharpe", "sortino") else output.percent(value)
