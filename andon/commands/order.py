"""`andon order`, `cancel`, `close`: one order through the gate, and what each layer said."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Any

from andon import algo, output
from andon.errors import DONE, UsageError
from andon.parser import decimal, seconds, target
from andon.session import ask, attached, first_denial, refusal

EXAMPLES = {
    "order": """\
  andon order buy BTC/USDT 0.5                              at market
  andon order sell ETH/USDT 3 --price 2600.50 --tif gtc     a limit order that rests
  andon order sell BTC/USDT 0.5 --reduce-only               can only make the position smaller
  andon order sell BTC/USDT 0.5 --stop 58000 --reduce-only  a stop: at market once the price touches it
  andon order buy BTC/USDT 0.5 --take-profit 66000 --stop-loss 58000   with exits for what it fills
  andon order buy BTC/USDT 100 --dry-run                    what would the gate say?
  andon order buy BTC/USDT 5 --algo twap --over 10m --slices 20 --limit 65000   worked over time
  andon order sell ETH/USDT 80 --algo pov --over 1h --participation 0.05 --detach""",
    "cancel": """\
  andon cancel A1-17-3        one order, by its client order id (see andon status --json)
  andon cancel --all          every working order; for the cord that also latches: andon kill""",
    "close": '  andon close BTC/USDT --reason "leaving the weekend out"',
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of the three."""
    if name == "order":
        _configure_order(parser)
    elif name == "cancel":
        parser.add_argument("cl_ord_id", nargs="?", metavar="ORDER", type=word, help="client order id")
        parser.add_argument("--all", action="store_true", help="every working order")
    else:
        parser.add_argument("symbol", metavar="SYMBOL", type=word)
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; goes into the audit trail")
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="default 10 s")
    target(parser)


def _configure_order(parser: ArgumentParser) -> None:
    parser.add_argument("side", choices=("buy", "sell"))
    parser.add_argument("symbol", metavar="SYMBOL", type=word, help="for example BTC/USDT")
    parser.add_argument("qty", metavar="QTY", type=decimal, help="in base units (contracts for inverse ones)")
    parser.add_argument("--price", type=decimal, metavar="P", help="makes it a limit order")
    parser.add_argument("--stop", type=decimal, metavar="P", help="makes it a stop order: the trigger")
    parser.add_argument(
        "--type", choices=("market", "limit", "stop"), help="default: by --price and --stop, else market"
    )
    parser.add_argument("--take-profit", type=decimal, metavar="P", help="limit exit for what it fills")
    parser.add_argument("--stop-loss", type=decimal, metavar="P", help="protective stop for what it fills")
    parser.add_argument("--tif", choices=("gtc", "ioc", "fok"), help="default: gtc for limit, ioc for market")
    parser.add_argument("--reduce-only", action="store_true", help="never larger, never through zero")
    parser.add_argument("--strategy", default="operator", metavar="ID", type=word,
                        help="whose position it belongs to (default operator)")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="ask the gate, send nothing")
    parser.add_argument("--intent", default="", metavar="ID", help="the same intent twice is one order")
    algo.options(parser)


def run(args: Namespace) -> int:
    """Send, wait for the final word, print the gate's decisions."""
    if args.command == "order" and (chosen := algo.given(args)):
        return algo.run(args, _order(args) | chosen, _print)
    return deliver(args, *_request(args))


def deliver(args: Namespace, kind: str, data: dict[str, Any]) -> int:
    """One request about orders and what came of it."""
    with attached(args) as client:
        reply = ask(client, args, kind, data, reason=output.clean(args.reason.strip()))
    if args.json:
        error = getattr(reply, "error", None)
        failure = {"error": {"code": error.code, "message": error.message}} if error else {}
        output.json_line({**_renamed(reply.data), "status": reply.status, **failure})
    else:
        _print(reply.data.get("decisions"))
    if error := refusal(args, reply):
        raise error
    if not args.json:
        output.line(f"{args.command} done{_outcome(reply.data)}{_verdict(reply.data)}")
    return DONE


def _request(args: Namespace) -> tuple[str, dict[str, Any]]:
    if args.command == "order":
        if args.take_profit or args.stop_loss:
            return "submit_list", _order(args) | _exits(args)
        return "submit_order", _order(args)
    if args.command == "close":
        return "close_position", {"symbol": args.symbol}
    if args.all == bool(args.cl_ord_id):
        raise UsageError(
            "andon cancel: give one order id, or --all", "see andon status for the working orders"
        )
    return ("cancel_all", {}) if args.all else ("cancel_order", {"cl_ord_id": args.cl_ord_id})


def _order(args: Namespace) -> dict[str, Any]:
    kind = args.type or ("limit" if args.price else "stop" if args.stop else "market")
    for option, given, owner in (("price", args.price, "limit"), ("stop", args.stop, "stop")):
        if (kind == owner) != bool(given):
            needs = kind == owner
            do = f"add --{option} P" if needs else f"drop --{option}, or --type {owner}"
            text = f"andon order: type {kind} {'needs a' if needs else 'takes no'} {option}"
            raise UsageError(text, do)
    if kind == "market" and args.tif == "gtc":
        raise UsageError("andon order: a market order cannot rest (gtc)", "use --tif ioc, or a --price")
    order = {
        "symbol": args.symbol,
        "side": args.side,
        "qty": args.qty,
        "type": kind,
        "price": args.price or "",
        "tif": args.tif or ("ioc" if kind == "market" else "gtc"),
        "reduce_only": args.reduce_only,
        "strategy": args.strategy,
        "algo": "",
        "intent": args.intent,
    }
    if args.stop:
        order["stop"] = args.stop
    return order | ({"dry_run": True} if args.dry_run else {})


def _exits(args: Namespace) -> dict[str, Any]:
    exits = {"take_profit": args.take_profit, "stop_loss": args.stop_loss}
    return {"kind": "bracket"} | {key: value for key, value in exits.items() if value}


def _renamed(data: dict[str, Any]) -> dict[str, Any]:
    """``status`` is the command's; the order's own becomes ``order_status``."""
    return {("order_status" if key == "status" else key): value for key, value in data.items()}


def _print(decisions: object) -> None:
    """The layers in their order; the first refusal wins, so what stands below it was not asked."""
    if not isinstance(decisions, list) or not decisions:
        return
    rows = []
    for row in (row for row in decisions if isinstance(row, dict)):
        verdict = "pass" if row.get("ok") else "DENY"
        measured = (_cell(row.get(key)) for key in ("code", "value", "limit", "detail"))
        rows.append([row.get("layer", "?"), verdict, *measured])
    output.table(("layer", "", "code", "value", "limit", "detail"), rows, left=3)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _outcome(data: dict[str, Any]) -> str:
    keys = ("list", "cl_ord_id", "order_status", "filled", "avg_px", "done", "state", "dry_run")
    shown = [f"{key} {_cell(value)}" for key in keys if (value := _renamed(data).get(key)) is not None]
    return output.clean(": " + ", ".join(shown)) if shown else ""


def _verdict(data: dict[str, Any]) -> str:
    """Of a dry run: what the gate would say."""
    if not data.get("dry_run"):
        return ""
    denied = first_denial(data)
    if denied is None:
        return ", it would pass"
    return output.clean(f", it would be refused: {denied.get('layer')} {denied.get('code')}")


def word(text: str) -> str:
    """An id or a symbol."""
    if not re.fullmatch(r"[^\s\x00-\x1f]{1,64}", text):
        raise ArgumentTypeError(f"{text[:20]!r} is not a name (1 to 64 characters without spaces)")
    return text
