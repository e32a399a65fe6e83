"""`andon amend`, `oco`: change an order that works, and exits that stand in for each other."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from andon.commands.order import deliver, word
from andon.errors import UsageError
from andon.parser import decimal, seconds, target

EXAMPLES = {
    "amend": """\
  andon amend A1-17-3 --price 2610            a new price; the order keeps its id
  andon amend A1-17-3 --qty 0.4               a new whole quantity, what has filled included
  andon amend A1-17-3 --stop 58500 --dry-run  a stop's trigger: what would the gate say?""",
    "oco": """\
  andon oco sell BTC/USDT 0.5 --price 66000 --stop 58000   for a long position of 0.5
  andon oco buy ETH/USDT 3 --price 2400 --stop 2750        for a short one""",
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of the two."""
    if name == "amend":
        parser.add_argument("cl_ord_id", metavar="ORDER", type=word, help="client order id (andon status)")
        parser.add_argument("--qty", type=decimal, metavar="QTY", help="new whole quantity, base units")
        parser.add_argument("--price", type=decimal, metavar="P", help="new limit price")
        parser.add_argument("--stop", type=decimal, metavar="P", help="new trigger of a stop order")
    else:
        parser.add_argument("side", choices=("buy", "sell"), help="the side that closes what is held")
        parser.add_argument("symbol", metavar="SYMBOL", type=word, help="for example BTC/USDT")
        parser.add_argument("qty", metavar="QTY", type=decimal, help="in base units, at most what is held")
        parser.add_argument("--price", type=decimal, metavar="P", required=True, help="of the take-profit")
        parser.add_argument("--stop", type=decimal, metavar="P", required=True, help="trigger of the stop")
        parser.add_argument("--strategy", default="operator", metavar="ID", type=word,
                            help="whose position it belongs to (default operator)")  # fmt: skip
        parser.add_argument("--intent", default="", metavar="ID", help="the same intent twice is one list")
    parser.add_argument("--dry-run", action="store_true", help="ask the gate, send nothing")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; goes into the audit trail")
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="default 10 s")
    target(parser)


def run(args: Namespace) -> int:
    """Send, wait for the final word, print the gate's decisions."""
    kind, data = _amendment(args) if args.command == "amend" else _oco(args)
    return deliver(args, kind, data | ({"dry_run": True} if args.dry_run else {}))


def _amendment(args: Namespace) -> tuple[str, dict[str, Any]]:
    wanted = {"qty": args.qty, "price": args.price, "stop": args.stop}
    given = {key: value for key, value in wanted.items() if value}
    if not given:
        raise UsageError("andon amend: nothing to change", "give --qty, --price or --stop")
    return "amend_order", {"cl_ord_id": args.cl_ord_id} | given


def _oco(args: Namespace) -> tuple[str, dict[str, Any]]:
    return "submit_list", {
        "kind": "oco",
        "symbol": args.symbol,
        "side": args.side,
        "qty": args.qty,
        "take_profit": args.price,
        "stop_loss": args.stop,
        "strategy": args.strategy,
        "intent": args.intent,
    }
