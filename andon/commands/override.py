"""`andon override`: a limit set aside for a time, by two persons: one asks, another grants."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Any

from andon import output
from andon.errors import DONE, UsageError
from andon.parser import decimal, positive, seconds, target
from andon.session import ask, attached, refusal

EXAMPLES = {
    "override": """\
  andon override request VALUE_MAX --value 400000 --minutes 15 --scope symbol:BTC/USDT --reason "month-end roll"
  andon override list
  andon override grant V3-1 --key head-of-risk      somebody else than who asked, with role admin
  andon override revoke V3-1
  which refusals can be lifted: limits of judgement (sizes, collars, counts, vetoes), never states, data or losses"""
}
ACTIONS = ("request", "grant", "list", "revoke")
COLUMNS = ("id", "code", "scope", "value", "status", "asked_by", "granted_by", "minutes", "uses", "reason")


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of the four."""
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("what", nargs="?", metavar="CODE|ID", type=_word,
                        help="request: the code of the refusal; grant, revoke: the override's id")  # fmt: skip
    parser.add_argument("--scope", metavar="SCOPE", type=_word,
                        help="all | account:ID | venue:NAME | strategy:ID | symbol:SYM (default all)")  # fmt: skip
    parser.add_argument(
        "--value", type=decimal, metavar="X", help="the limit that holds instead (default none)"
    )
    parser.add_argument("--minutes", type=positive, metavar="M", help="how long, from the grant on")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; goes into the audit trail")
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="default 10 s")
    target(parser)


def run(args: Namespace) -> int:
    """Ask, grant, list, take back."""
    if args.action == "list":
        return _list(args)
    data, reason = _data(args), output.clean(args.reason.strip())
    with attached(args) as client:
        reply = ask(client, args, f"{args.action}_override", data, reason=reason)
    if error := refusal(args, reply):
        raise error
    if args.json:
        output.json_line({**reply.data, "done": args.action})
    else:
        row = reply.data
        how = f"{row.get('code')} in {row.get('scope')}, {row.get('minutes')} min, {row.get('status')}"
        output.line(output.clean(f"override {args.action} done: {row.get('id')}: {how}"))
    return DONE


def _data(args: Namespace) -> dict[str, Any]:
    if not args.what:
        raise UsageError(f"andon override {args.action}: what is missing", "see andon override --help")
    asked = (args.scope, args.value, args.minutes)
    if args.action != "request":
        if any(value is not None for value in asked):
            raise UsageError(
                f"andon override {args.action}: takes the id alone", f"andon override {args.action} ID"
            )
        return {"id": args.what}
    if args.minutes is None or not args.reason.strip():
        raise UsageError("andon override request: needs --minutes and --reason", "see andon override --help")
    data = {"code": args.what, "scope": args.scope or "all", "minutes": str(args.minutes)}
    return data | ({"value": args.value} if args.value is not None else {})


def _list(args: Namespace) -> int:
    if args.what or args.scope or args.value or args.minutes:
        raise UsageError("andon override list: takes nothing", "andon override list")
    with attached(args) as client:
        message = client.snapshot().messages.get("health.gate")
    rows = message.data.get("values", {}).get("overrides", []) if message is not None else []
    if args.json:
        for row in rows:
            output.json_line(row)
    elif rows:
        output.table(COLUMNS, [[_cell(row.get(key)) for key in COLUMNS] for row in rows], left=5)
    else:
        output.line("no overrides: every limit holds")
    return DONE


def _cell(value: object) -> str:
    return "-" if value in (None, "") else output.clean(str(value))


def _word(text: str) -> str:
    if not re.fullmatch(r"[^\s\x00-\x1f]{1,80}", text):
        raise ArgumentTypeError(f"{text[:20]!r} is not a name (1 to 80 characters without spaces)")
    return text
