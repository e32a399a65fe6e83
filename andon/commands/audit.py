"""`andon audit`: the hash chain of the journal, offline: proven, exported, or read."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from andon import output
from andon.errors import DONE, FAILED, UsageError
from andon.parser import since
from andon.session import data_dir

FORMATS = ("jsonl", "csv", "parquet")
VIEWS = ("events", "audit")
EXAMPLES = {
    "audit": """\
  andon audit verify                          every record, its audit lines and ticks, the witness, every page
  andon audit verify --witness /mnt/b/heads   and what was seen elsewhere: [audit] witness, or the output of
                                              `andon watch heartbeat audit --json`
  andon audit show --since 2h --who ann       who did what, and what came of it
  andon audit show --order a7-maker-1-3f2c    one order: request, nine layers, reports, fills
  andon audit export --what audit --out trail.parquet
                                              jsonl (default), csv or parquet, by the name's ending"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon audit`."""
    parser.add_argument("action", choices=("verify", "export", "show"))
    parser.add_argument("--journal", type=Path, metavar="FILE", help="default: journal.db of the data folder")
    parser.add_argument("--witness", type=Path, metavar="FILE", help="verify: heads that were seen elsewhere")
    parser.add_argument("--out", type=Path, metavar="FILE", help="of the export (default: standard output)")
    parser.add_argument("--format", choices=FORMATS, help="of the export")
    parser.add_argument(
        "--what",
        default=None,
        metavar="WHAT",
        help="export: events (default) or audit; show: order, cancel, …",
    )
    parser.add_argument(
        "--since", type=since, metavar="WHEN", help="show: 90s, 15m, 2h, 7d, or 2026-11-20T14:00"
    )
    parser.add_argument("--who", metavar="NAME", help="show: operator, strategy or kill (a part of it)")
    parser.add_argument("--order", metavar="ID", help="show: everything about one order")


def run(args: Namespace) -> int:
    """Exit 0 only when the chain is whole."""
    path = args.journal if args.journal is not None else data_dir(args) / "journal.db"
    if not path.is_file():
        raise UsageError(
            f"andon audit: no journal at {path}", "name it with --journal or its folder with --data-dir"
        )
    if args.action == "show":
        from andon.audit_show import show

        return show(args, path)
    return _verify(args, path) if args.action == "verify" else _export(args, path)


def _verify(args: Namespace, path: Path) -> int:
    from core.adapters.journal import verify
    from core.adapters.witness_outside import marks

    verdict = verify(path, marks=marks(args.witness) if args.witness is not None else ())
    if args.json:
        output.json_line(asdict(verdict))
    elif verdict.ok:
        seq, sha = verdict.head
        output.line(f"whole: {verdict.records:,} records, {verdict.lines:,} audit lines, head {seq} {sha}")
        if args.witness is not None:
            output.line(output.clean(f"{verdict.marks:,} marks of {args.witness} agree"))
        if not verdict.sealed:
            output.line("no page seal: the core runs, or did not close in order; records and log were proven")
    if verdict.ok:
        return DONE
    output.complain(
        f"andon audit: broken at {verdict.place}: {verdict.why}; {verdict.records:,} records verify"
        f" before record {verdict.broken_at}; keep {path} as it is and work on a copy"
    )
    return FAILED


def _export(args: Namespace, path: Path) -> int:
    from core.adapters.journal import export

    what = args.what or "events"
    if what not in VIEWS:
        raise UsageError(f"andon audit: --what {output.clean(what)!r} of an export", "events or audit")
    ending = args.out.suffix.removeprefix(".") if args.out is not None else ""
    if ending and not args.format and ending not in FORMATS:
        raise UsageError(
            f"andon audit: {output.clean(ending)!r} is no format of an export",
            "name it .jsonl, .csv or .parquet, or say --format",
        )
    fmt = args.format or ending or "jsonl"
    if args.out is None and fmt == "parquet":
        raise UsageError("andon audit: Parquet is not for standard output", "add --out FILE")
    count = export(path, fmt, args.out if args.out is not None else Path("/dev/stdout"), what)
    if args.out is not None:
        row = {"records": count, "what": what, "format": fmt, "out": str(args.out)}
        if args.json:
            output.json_line(row)
        else:
            output.line(output.clean(f"{count:,} {what} rows written to {args.out}"))
    return DONE
