"""`andon surveil`: own flow, looked at as a venue's surveillance would."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon import output
from andon.errors import DONE, UsageError
from andon.parser import since
from andon.session import data_dir, settings

if TYPE_CHECKING:
    from core.app.surveil_run import Surveyed

KINDS = ("wash", "close", "layering", "stuffing")
EXAMPLES = {
    "surveil": """\
  andon surveil                               the data folder's journal, whole; beside a running core, too
  andon surveil --since 1d --json             what ended within a day, as one JSON object
  andon surveil --kind wash --kind layering   two of the four detectors
  andon surveil --report out/                 findings as surveillance.json and surveillance.md as well"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon surveil`."""
    parser.add_argument("--journal", type=Path, metavar="FILE", help="default: journal.db of the data folder")
    parser.add_argument("--since", type=since, metavar="WHEN", help="15m, 2h, 7d, or 2026-11-20T14:00 (UTC)")
    parser.add_argument("--kind", action="append", choices=KINDS, help="may be given again (default: all)")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write the findings there as well")


def run(args: Namespace) -> int:
    """Exit 0 when it has looked, whatever it found."""
    from core.app.surveil import thresholds_of
    from core.app.surveil_run import survey

    path = args.journal if args.journal is not None else data_dir(args) / "journal.db"
    if not path.is_file():
        raise UsageError(f"andon surveil: no journal at {path}", "name it with --journal or --data-dir")
    limits = thresholds_of(settings(args).settings.surveillance)
    seen = survey(path, limits, since_ns=args.since or 0, kinds=tuple(args.kind or KINDS))
    rows = _rows(seen)
    if args.report is not None:
        _report(args.report, seen, rows)
    if args.json:
        output.json_line(_summary(seen) | {"findings": rows})
        return DONE
    for row in rows:
        output.line(output.clean(_text(row)))
    output.line(
        f"{len(rows)} findings in {seen.orders:,} orders and {seen.fills:,} executions, {seen.records:,} records"
        f" in {seen.seconds:.2f} s"
    )
    return DONE


def _rows(seen: Surveyed) -> list[dict[str, Any]]:
    from core.analytics.surveillance import as_rows

    return as_rows(seen.findings)


def _summary(seen: Surveyed) -> dict[str, Any]:
    names = ("records", "orders", "fills", "seconds", "head")
    return {name: getattr(seen, name) for name in names}


def _text(row: dict[str, Any]) -> str:
    return (
        f"{_at(row['from_ns'])}  {row['kind']:<9} {row['symbol']:<10} {row['who']:<20} score {row['score']:.2f}"
        f"  {row['why']}"
    )


def _at(ns: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(ns // 10**9))


def _report(folder: Path, seen: Surveyed, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    whole = json.dumps(_summary(seen) | {"findings": rows}, indent=1)
    (folder / "surveillance.json").write_text(whole + "\n", encoding="utf-8")
    lines = [
        "# Surveillance",
        "",
        f"Journal head {seen.head[0]} `{seen.head[1]}`: {seen.orders:,} orders, {seen.fills:,} executions.",
        "",
        "| from | to | kind | symbol | who | score | why | orders |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (_at(row["from_ns"]), _at(row["to_ns"]), row["kind"], row["symbol"], row["who"], row["score"])
        lines.append("| " + " | ".join(map(str, (*cells, row["why"], ", ".join(row["orders"])))) + " |")
    if not rows:
        lines.append("\nNothing found.")
    (folder / "surveillance.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
