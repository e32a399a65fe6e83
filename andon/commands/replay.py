"""`andon replay`: the engine over a tape, or the proof that a journal replays to the same bytes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from andon import output
from andon.errors import DONE, FAILED, UsageError
from andon.output import clean, number, percent
from andon.parser import natural, positive
from andon.progress import Progress
from andon.session import data_dir, settings

STRATEGIES = ("hold", "momentum", "mean_reversion", "maker")
EXAMPLES = {
    "replay": """\
  andon replay trades_btc.csv.gz --strategy momentum
  andon replay crash.csv --strategy hold --notional 100000 --report out/    with equity and drawdown plots
  andon replay crash.csv --strategy hold --no-switches                      what it would have cost
  andon replay --verify                                                     the journal of the data folder
  tapes: CSV, .csv.gz or Parquet; trades ts_ns,price,qty,side[,symbol] or bars ts,o,h,l,c,v[,symbol]"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon replay`."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="the tape; with --verify the journal"
    )
    parser.add_argument("--verify", action="store_true", help="replay a journal and compare every effect")
    parser.add_argument("--strategy", action="append", choices=STRATEGIES, metavar="NAME",
                        help=f"repeatable: {', '.join(STRATEGIES)} (default momentum)")  # fmt: skip
    parser.add_argument("--notional", type=positive, default=10_000.0, metavar="X",
                        help="per symbol, account currency (default 10,000)")  # fmt: skip
    parser.add_argument("--symbol", metavar="SYM", help="names a tape without a symbol column")
    parser.add_argument("--report", type=Path, metavar="DIR",
                        help="write an HTML report with plots there, what each order cost included")  # fmt: skip
    parser.add_argument("--skip-bad", action="store_true", help="count malformed rows instead of stopping")
    parser.add_argument(
        "--no-switches", action="store_true", help="without kill switches, to see what they are worth"
    )
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="of the simulated venue")


def run(args: Namespace) -> int:
    """Exit 0 when the tape ran to its end, or the journal replays equal."""
    return _verify(args) if args.verify else _replay(args)


def _replay(args: Namespace) -> int:
    if args.file is None:
        raise UsageError(
            "andon replay: which tape?", "andon replay FILE, or andon replay --verify for the journal"
        )
    if not args.file.is_file():
        raise UsageError(f"andon replay: no tape at {args.file}", "give a CSV, .csv.gz or Parquet file")
    loaded = settings(args)
    from core.app.replay import replay

    with Progress("replay", "events") as bar:
        result = replay(
            args.file,
            settings=loaded.settings,
            strategies=tuple(args.strategy or ("momentum",)),
            notional=args.notional,
            symbol=args.symbol,
            skip_bad=args.skip_bad,
            seed=args.seed,
            progress=bar.update,
            switches_on=not args.no_switches,
            tca=args.report is not None,
        )
    summary = result.summary()
    if args.report is not None:
        summary["report"] = str(result.write_report(args.report))
    if args.json:
        output.json_line(summary)
    else:
        _show(summary)
    return DONE


def _show(summary: dict[str, Any]) -> None:
    output.line(
        f"{summary['events']:,} events in {summary['seconds']:.2f} s ({summary['events_per_s']:,.0f}/s),"
        f" {summary['fills']:,} fills"
    )
    output.line(
        f"equity {number(summary['equity_start'])} -> {number(summary['equity_end'])}"
        f"  realized {number(summary['realized'])}  unrealized {number(summary['unrealized'])}"
        f"  fees {number(summary['fees'])}  max drawdown {percent(summary['max_drawdown'])}"
    )
    if summary.get("bad_rows"):
        output.line(f"{summary['bad_rows']:,} malformed rows skipped")
    if not summary["switches"]:
        output.line("no switch tripped")
    for trip in summary["switches"]:
        value, limit = number(trip["value"], 4), number(trip["limit"], 4)
        where = "" if trip["scope"] == "all" else f" in {trip['scope']}"
        when = datetime.fromtimestamp(trip["ts"] / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        output.line(clean(f"TRIPPED {trip['name']}{where} at {when}Z: value {value}, limit {limit}"))
    if summary.get("state"):
        output.line(clean(f"state at the end {summary['state']}"))
    output.line(f"digest {summary['digest']}")
    if "report" in summary:
        output.line(f"report {clean(summary['report'])}")


def _verify(args: Namespace) -> int:
    path = args.file if args.file is not None else data_dir(args)
    if not (path.is_file() or (path / "journal.db").is_file()):
        raise UsageError(f"andon replay: no journal at {path}", "name the data folder or its journal.db")
    from core.app.replay import verify_journal

    with Progress("verify", "records") as bar:
        found = verify_journal(path, bar.update)
    if args.json:
        output.json_line(found)
    elif found["ok"]:
        output.line(f"equal: {found['records']:,} records replay to the same effects, byte for byte")
    if found["ok"]:
        return DONE
    output.complain(
        f"andon replay: the journal does not replay equal: first difference {found.get('first_difference')}; keep"
        f" {path} as it is, it is evidence, and compare the build with the one that wrote it"
    )
    return FAILED
