"""`andon risk trades`: round trips of a core, from its journal, by strategy or symbol; the core may be running."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from andon import output
from andon.errors import DONE, CliError
from andon.risk_out import keep
from andon.session import data_dir

BY = ("strategy", "symbol")
_EXAMPLES = """\
  andon risk trades                                     every strategy of the data folder's core
  andon risk trades --by symbol --json
  andon risk trades --journal copy.db --out trades.parquet"""
_SHOWN = (
    "n",
    "open",
    "hit_rate",
    "payoff",
    "profit_factor",
    "expectancy",
    "gross",
    "fees",
    "net",
    "holding_s_median",
)
_HEAD = (
    "trades",
    "open",
    "hit rate",
    "payoff",
    "profit factor",
    "a trade",
    "gross",
    "fees",
    "net",
    "median held",
)


def configure(subparsers: Any) -> None:
    """Add the parser of `andon risk trades`."""
    parser = subparsers.add_parser(
        "trades",
        help="round trips from flat to flat, and what they were worth",
        description="Statistics of round trips, from flat to flat, after fees; positions still open are counted apart.",
        examples=_EXAMPLES,
    )
    parser.add_argument("--by", choices=BY, default=BY[0], help="default: strategy")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="default: that of the data folder")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Replay the journal, pair the fills, print a row each and one of all."""
    from core.adapters.journal_format import JournalError
    from core.app.last_state import NoState
    from core.app.trades import fills_of

    path = args.journal or data_dir(args)
    try:
        found = fills_of(path, args.by)
    except (NoState, JournalError) as error:
        raise CliError(f"andon risk trades: {error}") from None
    rows = [row for ccy, fills in sorted(found.by_ccy.items()) for row in _rows(ccy, fills, args.by)]
    notes = [
        f"{count} fills of {name} are left out: inverse" for name, count in sorted(found.left_out.items())
    ]
    keep(args, rows)
    if args.json:
        output.json_line({"by": args.by, "rows": rows, "notes": notes})
        return DONE
    output.table((args.by, "ccy", *_HEAD), [(row["name"], row["ccy"], *_cells(row)) for row in rows])
    for note in notes or ([] if rows else ["nothing has been traded"]):
        output.line(output.clean(f"note: {note}"))
    return DONE


def _rows(ccy: str, fills: list[Any], by: str) -> list[dict[str, Any]]:
    from core.analytics.trades import statistics_by, trade_statistics

    each = statistics_by(fills, lambda fill: getattr(fill, by))
    named = [(str(name), found) for name, found in each.items()] + [("all", trade_statistics(fills))]
    return [{"name": name, "ccy": ccy, **found.summary()} for name, found in named]


def _cells(row: dict[str, Any]) -> list[str]:
    return [_cell(name, row[name]) for name in _SHOWN]


def _cell(name: str, value: float) -> str:
    if value != value:  # noqa: PLR0124  (nan: not defined for these trades)
        return output.UNKNOWN
    if isinstance(value, int):
        return str(value)
    if name == "hit_rate":
        return output.percent(value, 1)
    return f"{value:,.1f} s" if name == "holding_s_median" else output.number(value)
