"""`andon risk var` and `andon risk backtest`: value at risk, of a file or a running core, and whether it was right."""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon import output
from andon.errors import DONE, CliError, UsageError
from andon.parser import natural, target
from andon.risk_out import keep

if TYPE_CHECKING:
    from core.analytics.backtest import Backtest
    from core.analytics.series import Series

METHODS = (
    "historical", "normal", "student", "cornish_fisher", "ewma", "filtered_historical", "monte_carlo",
)  # fmt: skip
ROLLING = METHODS[:-1]
ALPHA = 0.01
VAR_EXAMPLES = """\
  andon risk var                                      a running core's book, by every method
  andon risk var --returns btc.csv.gz --prices --alpha 0.01 --method historical
  andon risk var --returns closes.csv --prices --column AAPL --alpha 0.025 --method student --json
  andon risk var --returns closes.csv --prices --weights book.csv --alpha 0.01        with the part of each holding
  weights: rows of name,weight; the names are columns of the returns"""
BACKTEST_EXAMPLES = """\
  andon risk backtest --returns spy.csv.gz --prices --alpha 0.01 --window 500
  andon risk backtest --returns spy.csv.gz --prices --alpha 0.01 --window 500 --method ewma --json
  andon risk backtest --returns spy.csv.gz --prices --window 250 --window 500 --method all --report out/"""


def configure(subparsers: Any) -> None:
    """Add both parsers."""
    var = subparsers.add_parser(
        "var",
        help="value at risk and expected shortfall",
        description="Value at risk and expected shortfall, losses positive, for one period of the series.",
        examples=VAR_EXAMPLES,
    )
    data_options(var, required=False)
    target(var)
    var.add_argument(
        "--weights", type=Path, metavar="CSV", help="name,weight: the portfolio of those columns"
    )
    _alpha_and_method(var, METHODS)
    var.set_defaults(alpha=None, method=None)  # a running core has its own
    var.add_argument("--paths", type=natural, default=100_000, help="of monte_carlo (default 100,000)")
    var.add_argument("--seed", type=natural, default=1, help="of monte_carlo (default 1)")
    var.set_defaults(run=run_var)
    test = subparsers.add_parser(
        "backtest",
        help="VaR forecasts held against what came",
        description="VaR of each window held against the next period: coverage, independence, Basel zone, ES.",
        examples=BACKTEST_EXAMPLES,
    )
    data_options(test)
    _alpha_and_method(test, (*ROLLING, "all"))
    test.add_argument("--window", type=natural, required=True, action="append", metavar="N",
                      help="rows behind each forecast; repeatable")  # fmt: skip
    test.add_argument("--report", type=Path, metavar="DIR", help="write an HTML report with plots there")
    test.set_defaults(run=run_backtest)


def data_options(parser: ArgumentParser, *, required: bool = True) -> None:
    """Which series: shared by every member of the family that reads one."""
    text = "CSV, .csv.gz, Parquet or Arrow" + ("" if required else " (default: a running core's book)")
    parser.add_argument("--returns", type=Path, required=required, metavar="FILE", help=text)
    parser.add_argument(
        "--column", metavar="C", help="which column (default: the only one, or the usual name)"
    )
    parser.add_argument("--prices", action="store_true", help="the columns are prices: take simple returns")
    text = "blank cells: before the first value only (default), none, or leave those rows out"
    parser.add_argument("--missing", choices=("listed", "error", "drop"), default="listed", help=text)


def series(args: Namespace) -> Series:
    """The series that ``data_options`` describe."""
    from core.analytics.series import load

    return load(args.returns, args.column, prices=args.prices, missing=args.missing)


def _alpha_and_method(parser: ArgumentParser, methods: tuple[str, ...]) -> None:
    parser.add_argument("--alpha", type=tail_probability, default=ALPHA, metavar="A",
                        help="probability of the tail (default 0.01, what others call 99 %%)")  # fmt: skip
    parser.add_argument("--method", choices=methods, default="historical", metavar="METHOD",
                        help=f"{', '.join(methods)} (default historical)")  # fmt: skip


def tail_probability(text: str) -> float:
    """An alpha, as an option says it; a confidence is refused with the alpha that it means."""
    try:
        value = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
    if 0.5 <= value < 1.0:
        raise ArgumentTypeError(f"{text} is a confidence; the tail's probability is {1 - value:.4g}")
    if not 0.0 < value < 0.5:
        raise ArgumentTypeError(f"{text!r} is not a tail probability between 0 and 0.5, as 0.01")
    return value


def run_var(args: Namespace) -> int:
    """Print VaR and ES, and with weights each holding's part; without a file those of a running core."""
    if args.returns is None:
        if args.weights is not None:
            raise UsageError(
                "andon risk var: --weights without --returns", "they weigh the columns of a file"
            )
        from andon.risk_live import run_var as of_core

        return of_core(args)
    from core.analytics.var import value_at_risk

    args.alpha, args.method = args.alpha or ALPHA, args.method or METHODS[0]
    parts: list[dict[str, Any]] = []
    if args.weights is not None:
        returns, notes, parts = _portfolio(args)
    else:
        one = series(args)
        returns, notes = one.returns, one.notes
    options = {"paths": args.paths, "seed": args.seed} if args.method == "monte_carlo" else {}
    found = value_at_risk(returns, args.alpha, args.method, **options)
    notes += found.notes
    total = math.fsum(part["es"] for part in parts)
    if parts and abs(total - found.es) > 1e-9 * abs(found.es):
        law = "historical" if args.method == "filtered_historical" else "normal"
        notes += (f"parts are of the {law} ES {_six(total)}: {args.method} does not split by holding",)
    row: dict[str, Any] = {"var": found.var, "es": found.es, "alpha": found.alpha, "n": found.n}
    row["method"] = found.method
    keep(args, [part | {"method": found.method, "alpha": found.alpha} for part in parts] or [row])
    if args.json:
        row |= {
            "fallback": found.fallback,
            "notes": notes,
            "parameters": found.parameters,
            "band": found.band,
        }
        output.json_line(row | ({"components": parts} if parts else {}))
        return DONE
    line = (found.method, f"{found.alpha:g}", _six(found.var), _six(found.es), f"{found.n:,}")
    output.table(("method", "alpha", "VaR", "ES", "rows"), [line])
    if found.band is not None:
        output.line(f"another seed: VaR {_six(found.band[0])} to {_six(found.band[1])} in 95 %")
    if parts:
        rows = [(p["name"], f"{p['weight']:g}", _six(p["es"]), output.percent(p["share"])) for p in parts]
        output.table(("holding", "weight", "part of ES", "share"), rows)
    _say(notes)
    return DONE


def _portfolio(args: Namespace) -> tuple[Any, tuple[str, ...], list[dict[str, Any]]]:
    """(returns of the book, notes, each holding's part of an ES: historical, EWMA or normal)."""
    import numpy as np

    from core.analytics.component import historical_es, normal_es
    from core.analytics.covariance import ewma, sample
    from core.analytics.series import load_panel, load_weights

    if args.column is not None:
        raise UsageError(
            "andon risk var: --column with --weights", "the weights name the columns; leave --column out"
        )
    weights = load_weights(args.weights)
    panel = load_panel(args.returns, tuple(weights), prices=args.prices, missing=args.missing)
    values = np.array(list(weights.values()))
    drift = np.zeros(len(values))
    if args.method in ("historical", "filtered_historical"):
        split = historical_es(values, panel.returns, args.alpha)
    elif args.method == "ewma":
        split = normal_es(values, ewma(panel.returns), args.alpha)
    else:
        split = normal_es(values, sample(panel.returns), args.alpha)
        drift = values * panel.returns.mean(axis=0)
    pieces = split.component - drift
    rows = zip(panel.names, values, pieces, pieces / pieces.sum(), strict=True)
    parts = [{"name": n, "weight": float(w), "es": float(c), "share": float(s)} for n, w, c, s in rows]
    return panel.returns @ values, panel.notes, parts


def run_backtest(args: Namespace) -> int:
    """Print the exceptions and what the tests say of them; one line a method and window when there are several."""
    from core.analytics.backtest import backtest, coverage

    one = series(args)
    if args.method != "all" and len(args.window) == 1:
        found = [backtest(one.returns, args.alpha, args.window[0], args.method)]
    else:
        found = coverage(
            one.returns, args.alpha, args.window, None if args.method == "all" else [args.method]
        )
    rows = [_row(test) | {"notes": one.notes} for test in found]
    written = _report(args, one, found)
    keep(args, rows)
    if args.json:
        for row in rows:
            output.json_line(row | written)
        return DONE
    if len(found) == 1:
        _show_test(found[0])
    else:
        output.table(*_summary(found), left=1)
    _say(one.notes)
    if written:
        output.line(f"report {output.clean(written['report'])}")
    return DONE


def _row(found: Backtest) -> dict[str, Any]:
    row: dict[str, Any] = {"tests": found.tests, "exceptions": found.exceptions, "expected": found.expected}
    row |= {"kupiec_lr": found.kupiec.lr, "kupiec_p": found.kupiec.p}
    row |= {"independence_lr": found.independence.lr, "independence_p": found.independence.p}
    row |= {"conditional_lr": found.conditional.lr, "conditional_p": found.conditional.p}
    row |= {"zone": found.basel.zone, "cumulative": found.basel.cumulative}
    row |= {"plus_factor": found.basel.plus_factor, "es_z2": found.z2, "es_z2_p": found.z2_p}
    return row | {"alpha": found.alpha, "window": found.window, "method": found.method}


def _show_test(found: Backtest) -> None:
    seen = f"{found.exceptions} exceptions in {found.tests:,} tests"
    output.line(f"{seen}, {found.expected:.1f} expected: zone {found.basel.zone}")
    output.table(("test", "statistic", "p"), [
        ("Kupiec, the rate", f"{found.kupiec.lr:.4f}", f"{found.kupiec.p:.4f}"),
        ("Christoffersen, independence", f"{found.independence.lr:.4f}", f"{found.independence.p:.4f}"),
        ("conditional coverage", f"{found.conditional.lr:.4f}", f"{found.conditional.p:.4f}"),
        ("Acerbi-Szekely Z2, ES", f"{found.z2:.4f}", f"{found.z2_p:.4f}"),
    ])  # fmt: skip


def _summary(found: list[Backtest]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    head = (
        "method",
        "window",
        "tests",
        "exceptions",
        "expected",
        "zone",
        "Kupiec p",
        "indep. p",
        "Z2",
        "Z2 p",
    )
    rows: list[tuple[str, ...]] = [
        (
            *(one.method, str(one.window), f"{one.tests:,}", str(one.exceptions), f"{one.expected:.1f}"),
            *(one.basel.zone, f"{one.kupiec.p:.4f}", f"{one.independence.p:.4f}", f"{one.z2:.3f}"),
            f"{one.z2_p:.4f}",
        )
        for one in found
    ]
    return head, rows


def _report(args: Namespace, one: Series, found: list[Backtest]) -> dict[str, str]:
    if args.report is None:
        return {}
    try:
        from core.analytics.report_backtest import write_report

        return {"report": str(write_report(args.report, one, found))}
    except ImportError:
        do = "install Andon with its report extra: pip install 'andon[report]'"
        raise CliError("andon risk backtest: the report needs matplotlib", do) from None


def _say(notes: tuple[str, ...]) -> None:
    for note in notes:
        output.line(output.clean(f"note: {note}"))


def _six(value: float) -> str:
    return f"{value:.6f}" if abs(value) < 1e3 else f"{value:,.2f}"
