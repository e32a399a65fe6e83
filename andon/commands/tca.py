"""`andon tca`: what each order cost, from the journal; `andon tca study`: what algorithms cost on tapes."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon import output
from andon.commands import tca_study
from andon.errors import DONE, CliError, UsageError
from andon.output import clean, number, percent
from andon.parser import common, natural, positive
from andon.progress import Progress
from andon.session import data_dir

if TYPE_CHECKING:
    from core.app.tca import Analysis

BY = ("parent", "algo", "venue")
SHOWN = 40  # orders in the table on the screen
EXAMPLES = {
    "tca": """\
  andon tca                                     every order in the journal of the data folder
  andon tca --journal copy.db --report out/     with plots
  andon tca --parent p-7                        one parent, or the order with that client order id
  andon tca --by venue --json                   fees, rejects, acknowledgements of each venue
  andon tca --refit venues.toml                 what the router should expect, from own orders
  andon tca study --help                        algorithms on tapes"""
}
_COLUMNS = ("shortfall_bps", "delay_bps", "trading_bps", "opportunity_bps", "fees_bps", "vwap_slippage_bps")


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon tca`, and of its study."""
    parser.add_argument("--journal", type=Path, metavar="FILE", help="default: journal.db of the data folder")
    parser.add_argument("--parent", metavar="ID", help="one parent or client order id")
    parser.add_argument(
        "--by", choices=BY, default="parent", help="what --json prints a line of (default parent)"
    )
    parser.add_argument("--tau", type=positive, default=5.0, metavar="S",
                        help="seconds after a fill and after the end for realised spread and reversion")  # fmt: skip
    parser.add_argument("--own-on-tape", choices=("yes", "no"),
                        help="whether the tape shows our fills (default: yes for live journals, else no)")  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="DIR", help="write tca.html with plots there")
    parser.add_argument("--refit", type=Path, metavar="OUT.toml", help="write what the router reads there")
    parser.add_argument("--min-parents", type=natural, default=30, metavar="N",
                        help="fewer orders give no impact coefficient (default 30)")  # fmt: skip
    sub = parser.add_subparsers(dest="what", metavar="[study]", prog="andon tca")
    study = sub.add_parser(
        "study", help="algorithms on tapes", description=tca_study.DESCRIPTION, examples=tca_study.EXAMPLES
    )
    tca_study.configure(study)
    study.argument_default = SUPPRESS
    common(study)
    study.argument_default = None


def run(args: Namespace) -> int:
    """Exit 0 when there was something to look at."""
    return tca_study.run(args) if args.what == "study" else _journal(args)


def _journal(args: Namespace) -> int:
    path = args.journal if args.journal is not None else data_dir(args)
    if not (path.is_file() or (path / "journal.db").is_file()):
        raise UsageError(
            f"andon tca: no journal at {path}", "name it with --journal or its folder with --data-dir"
        )
    from core.app.tca import analyse_journal

    own = None if args.own_on_tape is None else args.own_on_tape == "yes"
    with Progress("tca", "records") as bar:
        found = analyse_journal(path, tau_s=args.tau, own_on_tape=own, progress=bar.update)
    if found.trouble:
        output.complain(f"andon tca: {found.trouble}")
    whole = found
    if args.parent is not None:
        found = found.only(args.parent)
        if not found.costs:
            near = ", ".join(cost.id for cost in whole.costs[-5:]) or "none"
            raise CliError(
                f"andon tca: no order {clean(args.parent)!r} in this journal", f"the latest are {near}"
            )
    _print(args, found)
    if args.refit is not None:
        _refit(args, whole)
    if args.report is not None:
        _report(args, found)
    return DONE


def _print(args: Namespace, found: Analysis) -> None:
    if args.json:
        rows: Sequence[Any] = found.costs
        if args.by != "parent":
            rows = found.by_algo() if args.by == "algo" else found.by_venue()
        for row in rows:
            output.json_line(row)
        return
    if not found.costs:
        output.line("no orders in this journal")
        return
    _orders(found)
    if len(found.costs) > 1:
        _groups(found)
    _venues(found)


def _orders(found: Analysis) -> None:
    output.line(f"bps of arrival value, cost positive; money in {found.ccy or '?'}")
    head = (
        "order",
        "algo",
        "symbol",
        "side",
        "qty",
        "filled",
        "shortfall",
        "delay",
        "trading",
        "missed",
        "fees",
        "vwap",
    )
    rows = [
        (
            cost.id, cost.algo, cost.symbol, cost.side, output.quantity(cost.qty), percent(cost.filled_ratio, 1),
            *(number(getattr(cost, key)) for key in _COLUMNS),
        )
        for cost in found.costs[-SHOWN:]
    ]  # fmt: skip
    output.table(head, rows, left=4)
    if len(found.costs) > SHOWN:
        output.line(f"the latest {SHOWN} of {len(found.costs):,}; all with --json or --report DIR")
    reasons = {
        f"{key}: {why}"
        for cost in found.costs[-SHOWN:]
        for key, why in cost.missing.items()
        if key in _COLUMNS
    }
    for reason in sorted(reasons):
        output.line(clean(f"? {reason}"))


def _groups(found: Analysis) -> None:
    output.line()
    head = (
        "algo",
        "orders",
        "value",
        "shortfall",
        "q1",
        "median",
        "q3",
        "fees",
        "vwap",
        "effective",
        "reversion",
    )
    keys: tuple[str, ...] = (
        "shortfall_bps",
        "shortfall_q1_bps",
        "shortfall_median_bps",
        "shortfall_q3_bps",
        "fees_bps",
    )
    keys += ("vwap_slippage_bps", "effective_spread_bps", "reversion_bps")
    rows = [
        (g.name, g.parents, number(g.notional_acct, 0), *(number(getattr(g, key)) for key in keys))
        for g in found.by_algo()
    ]
    output.table(head, rows)


def _venues(found: Analysis) -> None:
    output.line()
    head = (
        "venue",
        "orders",
        "fills",
        "maker",
        "fee bps",
        "rejected",
        "short",
        "unknown",
        "ack p50 ms",
        "p99 ms",
    )
    rows = [
        (
            v.venue, v.orders, v.fills, percent(v.maker_ratio, 1), number(v.fee_bps), percent(v.reject_ratio, 1),
            percent(v.cancel_ratio, 1), percent(v.unknown_ratio, 1), number(v.ack_p50_ms, 1), number(v.ack_p99_ms, 1),
        )
        for v in found.by_venue()
    ]  # fmt: skip
    output.table(head, rows)


def _refit(args: Namespace, found: Analysis) -> None:
    from core.analytics.tca_refit import toml

    rows = found.refit(parents_min=args.min_parents)
    if not any(row.fee_bps is not None or row.latency_ms is not None for row in rows):
        why = "; ".join(f"{row.venue}: {', '.join(dict.fromkeys(row.missing.values()))}" for row in rows)
        raise CliError(
            f"andon tca: nothing to refit from ({why or 'no orders'})", "trade more, or lower --min-parents"
        )
    args.refit.write_text(toml(rows, found.source), encoding="utf-8")
    output.complain(f"written to {args.refit}; use it with --config, or copy [router] into your own file")


def _report(args: Namespace, found: Analysis) -> None:
    from core.analytics.tca_report import write_report

    path = write_report(
        args.report,
        title=f"Cost of the orders of {found.source}",
        trades=found.trades,
        costs=found.costs,
        algos=found.by_algo(),
        venues=found.by_venue(),
        trouble=found.trouble,
    )
    if not args.json:
        output.line(clean(f"report {path}"))
