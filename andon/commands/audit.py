"""`andon audit`: the hash chain of the journal, offline."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from andon import output
from andon.errors import DONE, FAILED, UsageError
from andon.session import data_dir

FORMATS = ("jsonl", "csv", "parquet")
EXAMPLES = {
    "audit": """\
  andon audit verify                          every record of the data folder's journal against its chain
  andon audit verify --journal copy.db        a copy
  andon audit export --out audit.csv          jsonl (default), csv or parquet, by the name's ending"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon audit`."""
    parser.add_argument("action", choices=("verify", "export"))
    parser.add_argument("--journal", type=Path, metavar="FILE", help="default: journal.db of the data folder")
    parser.add_argument("--out", type=Path, metavar="FILE", help="of the export (default: standard output)")
    parser.add_argument("--format", choices=FORMATS, help="of the export")


def run(args: Namespace) -> int:
    """Exit 0 only when the chain is whole."""
    path = args.journal if args.journal is not None else data_dir(args) / "journal.db"
    if not path.is_file():
        raise UsageError(
            f"andon audit: no journal at {path}", "name it with --journal or its folder with --data-dir"
        )
    return _verify(args, path) if args.action == "verify" else _export(args, path)


def _verify(args: Namespace, path: Path) -> int:
    from core.adapters.journal import verify

    verdict = verify(path)
    if args.json:
        output.json_line(asdict(verdict))
    elif verdict.ok:
        seq, sha = verdict.head
        output.line(f"whole: {verdict.records:,} records, head {seq} {sha}")
    if verdict.ok:
        return DONE
    output.complain(
        f"andon audit: broken at record {verdict.broken_at}: {verdict.why}; the {verdict.records:,} records before it"
        f" are good; keep {path} as it is and work on a copy"
    )
    return FAILED


def _export(args: Namespace, path: Path) -> int:
    from core.adapters.journal import export

    ending = args.out.suffix.removeprefix(".") if args.out is not None else ""
    fmt = args.format or (ending if ending in FORMATS else "jsonl")
    if args.out is None and fmt == "parquet":
        raise UsageError("andon audit: Parquet is not for standard output", "add --out FILE")
    count = export(path, fmt, args.out if args.out is not None else Path("/dev/stdout"))
    if args.out is not None:
        row = {"records": count, "format": fmt, "out": str(args.out)}
        if args.json:
            output.json_line(row)
        else:
            output.line(output.clean(f"{count:,} records written to {args.out}"))
    return DONE
