"""`andon risk performance --by strategy|symbol`: from the days a core has closed, running or by its journal."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from andon import output
from andon.commands.pnl import of_folder
from andon.errors import DONE, CliError
from andon.session import attached

_SHOWN = ("total_return", "volatility", "sharpe", "sortino", "max_drawdown")


def run(args: Namespace) -> int:
    """The account and each strategy or symbol: what it made, what it added to the compounded return, measures."""
    from core.analytics.daily import daily_returns

    found = daily_returns(_days(args), args.by)
    series = {"account": found.account, **found.by}
    rows = {
        name: {**_measured(returns, args), "linked": found.linked.get(name, found.total)}
        for name, returns in series.items()
    }
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


def _days(args: Namespace) -> list[dict[str, Any]]:
    if args.journal is not None:
        return of_folder(args.journal, "daily")["days"]  # type: ignore[no-any-return]
    with attached(args) as client:
        message = client.snapshot().messages.get("daily")
    if message is None:
        raise CliError("andon risk performance: the core has not closed a day yet", "or give --returns FILE")
    return list(message.data["days"])


def _measured(returns: Any, args: Namespace) -> dict[str, Any]:
    from core.analytics.performance import performance

    return performance(
        returns, periods_per_year=args.periods_per_year, risk_free=args.risk_free, mar=args.mar
    ).summary()


def _text(name: str, value: float | None) -> str:
    if value is None or value != value:  # noqa: PLR0124  (nan: not defined for these returns)
        return output.UNKNOWN
    return output.number(value, 3) if name in ("sharpe", "sortino") else output.percent(value)
