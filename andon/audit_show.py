"""The audit trail for reading: lines that match, or the life of one order."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from andon import output
from andon.errors import DONE, CliError

Row = dict[str, Any]


def show(args: Namespace, path: Path) -> int:
    """Print; the chain is checked on the way, and a break ends it with its place."""
    from core.adapters.journal import JournalReader
    from core.adapters.journal_trail import order_trail, rows

    with JournalReader(path) as reader:
        if args.order:
            _print_order(args, order_trail(reader.records(), args.order))
            return DONE
        none = True
        for row in _matching(args, rows(reader.records())):
            none = False
            output.json_line(row) if args.json else output.line(output.clean(_text(row)))
        if none and not args.json:
            output.line("no line of the trail matches")
    return DONE


def _matching(args: Namespace, found: Iterator[Row]) -> Iterator[Row]:
    for row in found:
        if args.since is not None and row["ts_ns"] < args.since:
            continue
        if args.who is not None and args.who not in row["who"]:
            continue
        if args.what is not None and row["what"].split(" ")[0] != args.what.split(" ")[0]:
            continue
        yield row


def _text(row: Row) -> str:
    order = f" {row['order']}" if row["order"] else ""
    goods = f" {_goods(row)}" if row["symbol"] and row["qty"] is not None else ""
    refused = f" by {row['layer']}: {_pair(row)}" if row["layer"] else ""
    role = f" ({row['role']})" if row["role"] else ""
    detail = f"  {row['detail']}" if row["detail"] else ""
    return (
        f"{_at(row)} #{row['seq']} {row['who']}{role}: {row['what']} {row['target']} -> {row['result']}"
        f"{refused}{goods}{order}{detail}"
    )


def _pair(row: Row) -> str:
    shown = [output.number(row.get(key), 6) for key in ("value", "limit")]
    return f"value {shown[0]}, limit {shown[1]}" + (f" ({row['scope']})" if row.get("scope") else "")


def _goods(row: Row) -> str:
    price = row.get("price")
    at = f" @ {output.quantity(price)}" if price is not None else ""
    return f"{row.get('side', '')} {output.quantity(row['qty'])} {row.get('symbol', '')}{at}".strip()


def _at(row: Row) -> str:
    seconds, ns = divmod(row["ts_ns"], 10**9)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + f".{ns // 1000:06d}Z"


# --- one order -----------------------------------------------------------------------------------------------------


def _print_order(args: Namespace, steps: list[Row]) -> None:
    if not steps:
        raise CliError(
            f"andon audit: the journal knows no order {args.order!r}", "see andon audit show --what order"
        )
    traded = _traded(steps)
    if args.json:
        output.json_line({"order": args.order, **traded, "steps": steps})
        return
    for row in steps:
        output.line(output.clean(f"{_at(row)} #{row['seq']:<8} {row['step']:<8} {_step_text(row)}"))
        for layer in row.get("layers", ()):
            output.line(f"{'':>36} {'passed' if layer['passed'] else 'not asked':<10} {layer['layer']}")
    average = output.quantity(traded["avg_px"]) if traded["avg_px"] is not None else output.UNKNOWN
    output.line(
        f"filled {output.quantity(traded['filled'])} at {average} in {traded['executions']} executions"
    )


def _traded(steps: list[Row]) -> Row:
    """Executions told, each once; None for an average that cannot be computed."""
    fills = {row["exec_id"]: row for row in steps if row.get("kind") == "TRADE"}
    known = [(row["qty"], row["price"]) for row in fills.values() if row["qty"] and row["price"] is not None]
    total = sum(qty for qty, _ in known)
    average = sum(qty * price for qty, price in known) / total if total else None
    return {"executions": len(fills), "filled": round(total, 12), "avg_px": average}


def _step_text(row: Row) -> str:
    match row["step"]:
        case "request":
            return f"{row['who']} ({row['role']}): {row['what']} {row['data']} {row['reason']}"
        case "gate" | "replace":
            goods = f"{row['who']}: {_goods(row)} {row.get('detail', '')} -> {row['target']} once durable"
            return f"{goods}; configuration {row['config'][:12]}, build {row['build'][:12]}"
        case "denied":
            return f"{row['who']}: {row['result']} by {row.get('layer', '')}: {_pair(row)}"
        case "report":
            goods = (
                f" {output.quantity(row['qty'])} @ {output.quantity(row['price'])}"
                if "exec_id" in row
                else ""
            )
            extra = (
                f" fee {row['fee']:.8g} {'maker' if row['maker'] else 'taker'}" if "exec_id" in row else ""
            )
            return f"{row['kind']}{goods}{extra} {row['reason']}".rstrip()
        case _:
            return f"{row['who']}: {row['what']} -> {row['result']} {row.get('detail', '')}".rstrip()
