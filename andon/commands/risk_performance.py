"""`andon risk performance`: what a series of returns was worth, every measure with its unit."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon import output
from andon.errors import DONE
from andon.parser import natural, target
from andon.risk_out import keep

if TYPE_CHECKING:
    from core.analytics.performance import Performance

_EXAMPLES = """\
  andon risk performance --returns daily.csv --periods-per-year 365
  andon risk performance --returns closes.csv --prices --column BTC --periods-per-year 365 --json
  andon risk performance --by strategy --periods-per-year 365                the running core's closed days
  andon risk performance --by day --periods-per-year 365                     each day, and since the start
  andon risk performance --by symbol --journal DIR --periods-per-year 365    of a core that is not running"""
_COUNTS = ("n", "longest_drawdown")
_RATIOS = (
    "periods_per_year skew excess_kurtosis autocorrelation tail_ratio sharpe sharpe_lo adjusted_sharpe sortino omega"
    " calmar martin pain_ratio recovery_factor profit_factor gain_to_pain payoff"
).split()


def configure(subparsers: Any) -> None:
    """Adds the parser of `andon risk performance`."""
    parser = subparsers.add_parser(
        "performance",
        help="what a series of returns was worth",
        description="Growth, spread, drawdowns and their ratios of one column of returns.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--returns", type=Path, metavar="FILE", help="CSV (also .gz) or Parquet (default: a core's days)"
    )
    parser.add_argument(
        "--by", choices=("strategy", "symbol", "day"), default="strategy", help="of a core's days"
    )
    parser.add_argument("--journal", type=Path, metavar="DIR", help="a core's days, from its journal")
    target(parser)
    parser.add_argument("--column", metavar="C", help="which column, when there are several")
    parser.add_argument(
        "--prices", action="store_true", help="the column holds prices: returns are made of them"
    )
    parser.add_argument(
        "--missing", choices=("error", "listed", "drop"), default="listed", help="blank cells (default: listed,"
        " blanks before the first value are left out)")  # fmt: skip
    parser.add_argument(
        "--periods-per-year", type=_number, required=True, metavar="N", help="365 for days of a market that never"
        " closes, 252 for exchange days, 12 for months")  # fmt: skip
    parser.add_argument(
        "--risk-free", type=_number, default=0.0, metavar="R", help="per period, as 0.0001 (default 0)"
    )
    parser.add_argument(
        "--mar", type=_number, default=0.0, metavar="R", help="least acceptable return per period (default 0)"
    )
    parser.add_argument(
        "--trials",
        type=natural,
        default=1,
        metavar="N",
        help="how many strategies were tried, for dsr (default 1)",
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Load, measure, print."""
    if args.returns is None:
        from andon.commands.risk_daily import run as run_daily

        return run_daily(args)
    from core.analytics.performance import performance
    from core.analytics.series import load

    series = load(args.returns, args.column, prices=args.prices, missing=args.missing)
    found = performance(
        series.returns,
        periods_per_year=args.periods_per_year,
        risk_free=args.risk_free,
        mar=args.mar,
        trials=args.trials,
    )
    keep(args, [{"column": series.name, **found.summary()}])
    if args.json:
        output.json_line({"column": series.name, **found.summary(), "notes": list(series.notes)})
        return DONE
    for note in series.notes:
        output.line(output.clean(f"note: {note}"))
    output.table(("measure", "value"), _rows(found))
    return DONE


def _rows(found: Performance) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _text(name, value)) for name, value in found.summary().items()]


def _text(name: str, value: float) -> str:
    if value != value:  # noqa: PLR0124  (nan: not defined for these returns)
        return output.UNKNOWN
    if name in _COUNTS:
        return str(value)
    return output.number(value, 4) if name in _RATIOS else output.percent(value, 4)


def _number(text: str) -> float:
    """A number; whether it can be one of its kind is said by the measures."""
    from argparse import ArgumentTypeError

    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
