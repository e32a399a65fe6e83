"""`andon risk drift`: where a series has changed, shown value by value, in units of the deviation of the whole file."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from andon import output
from andon.commands.risk_var import data_options, series
from andon.errors import DONE
from andon.risk_out import keep

_EXAMPLES = """\
  andon risk drift --returns spy.csv.gz --prices                       when volatility changed
  andon risk drift --returns btc.csv.gz --prices --of returns --method kswin --json"""

_ROWS_MIN = 100  # a window of kswin, three looks of adwin


def configure(subparsers: Any) -> None:
    """Add the parser of `andon risk drift`."""
    parser = subparsers.add_parser(
        "drift",
        help="where a series has changed",
        description="Rows at which a detector, shown one value after the other, sees that they have changed.",
        examples=_EXAMPLES,
    )
    data_options(parser)
    parser.add_argument("--of", choices=("size", "returns"), default="size",
                        help="size (volatility: |return|, the default) or the returns themselves")  # fmt: skip
    parser.add_argument("--method", choices=("adwin", "kswin"), default="adwin", help="default adwin")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """A row for each change."""
    from core.analytics.drift import Adwin, Kswin
    from core.analytics.errors import RiskInputError

    one = series(args)
    if len(one.returns) < _ROWS_MIN:
        raise RiskInputError(
            "TOO_FEW_ROWS", f"{len(one.returns)} rows: at least {_ROWS_MIN} to see a change in"
        )
    detector = Adwin() if args.method == "adwin" else Kswin(alpha=1e-4)
    values = abs(one.returns) if args.of == "size" else one.returns
    scaled = values / values.std()  # detectors of means are of the unit of what they see
    dates = one.dates[-len(values) :]
    rows = [
        {"row": i, "date": dates[i] if dates else None, "value": float(values[i]), "method": args.method}
        for i, x in enumerate(scaled.tolist())
        if detector.update(x)
    ]
    keep(args, rows)
    if args.json:
        output.json_line(
            {"n": len(values), "of": args.of, "method": args.method, "changes": rows, "notes": one.notes}
        )
        return DONE
    output.table(
        ("row", "date", args.of), [(str(r["row"]), r["date"] or "", output.percent(r["value"])) for r in rows]
    )
    output.line(f"{len(rows)} changes in {len(values):,} rows")
    for note in one.notes:
        output.line(output.clean(f"note: {note}"))
    return DONE
