"""`andon algo`: the parents at work: list, show, cancel, pause, resume. A new one is an order: `andon order --algo`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from andon import output
from andon.algo import line_of
from andon.errors import DONE, CliError, UsageError
from andon.output import clean, number, quantity
from andon.parser import seconds, target
from andon.session import ask, attached, refusal

EXAMPLES = {
    "algo": """\
  andon order buy BTC/USDT 5 --algo twap --over 10m --slices 20     start one
  andon algo list                                                   what is at work, and what has ended
  andon algo show p7-3f2a91c0
  andon algo pause p7-3f2a91c0 --reason "news at 14:30"             calls open children back, keeps its place
  andon algo cancel p7-3f2a91c0                                     done when the venue has ended every child"""
}
VERBS = ("list", "show", "cancel", "pause", "resume")


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon algo`."""
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("id", nargs="?", default="", metavar="ID", help="as andon algo list shows it")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; goes into the audit trail")
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="default 10 s")
    target(parser)


def run(args: Namespace) -> int:
    """Look from the snapshot, or ask the core."""
    if bool(args.id) == (args.verb == "list"):
        do = "andon algo list" if args.verb != "list" else "andon algo show ID"
        raise UsageError(f"andon algo {args.verb}: {'takes no' if args.id else 'needs an'} id", do)
    return _look(args) if args.verb in ("list", "show") else _ask(args)


def _ask(args: Namespace) -> int:
    with attached(args) as client:
        reply = ask(client, args, f"{args.verb}_algo", {"id": args.id}, reason=clean(args.reason.strip()))
    told = {("algo_status" if key == "status" else key): value for key, value in reply.data.items()}
    if args.json:
        error = getattr(reply, "error", None)
        failure = {"error": {"code": error.code, "message": error.message}} if error else {}
        output.json_line({**told, "status": reply.status, **failure})
    if failed := refusal(args, reply):
        raise failed
    if not args.json:
        output.line(f"{args.verb} done: {line_of(told)}")
    return DONE


def _look(args: Namespace) -> int:
    with attached(args) as client:
        messages = client.snapshot().messages
    rows = [message.data for topic, message in messages.items() if topic.startswith("algo.")]
    rows.sort(key=lambda row: (bool(row["ended_ns"]), -row["start_ns"]))
    if args.verb == "show":
        rows = [row for row in rows if row["id"] == args.id]
        if not rows:
            raise CliError(f"andon algo show: no algorithm {args.id!r}", "see andon algo list")
    if args.json:
        for row in rows:
            output.json_line(row)
    elif args.verb == "show":
        _show(rows[0])
    else:
        _list(rows)
    return DONE


def _list(rows: list[dict[str, Any]]) -> None:
    if not rows:
        output.line("no algorithm is at work; start one with andon order … --algo twap --over 10m")
        return
    output.table(
        ("id", "algo", "symbol", "side", "status", "filled", "of", "open", "avg", "bp", "children", "denied"),
        [_row(row) for row in rows],
        left=5,
    )


def _row(row: dict[str, Any]) -> list[str]:
    slippage = row["slippage_bps"]
    return [
        row["id"],
        row["algo"],
        row["symbol"],
        row["side"],
        row["status"],
        quantity(row["filled"]),
        quantity(row["qty"]),
        quantity(row["open"]),
        number(row["avg_px"], 4),
        output.UNKNOWN if slippage is None else f"{slippage:+.1f}",
        str(row["children"]),
        str(row["denied"]),
    ]


def _show(row: dict[str, Any]) -> None:
    """Every field, one a line; what is empty is left out."""
    width = max(map(len, row))
    for key, value in row.items():
        if value not in (None, "", [], {}):
            output.line(f"{key:<{width}}  {clean(value)}")
