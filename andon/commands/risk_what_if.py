"""`andon risk what-if`: the profile before and after orders or a scenario, with nothing sent."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon import output
from andon.errors import DONE, UsageError
from andon.parser import seconds, target
from andon.risk_out import keep
from andon.session import ask, attached, refusal, settings

if TYPE_CHECKING:
    from core.analytics.book import Book

_EXAMPLES = """\
  andon risk what-if --order "buy BTC/USDT 0.5"                       a running core's book; nothing is sent
  andon risk what-if --order "sell ETH/USDT 3 @ 2600" --scenario market_crash
  andon risk what-if --scenario market=-0.3,spread=5 --json           a scenario of your own; see scenarios.toml
  andon risk what-if --book book.toml --order "buy BTC/USDT 0.5\""""
_ORDER = re.compile(
    r"\s*(buy|sell)\s+(\S{1,64})\s+([0-9][0-9.]{0,30})(?:\s*@\s*([0-9][0-9.]{0,30}))?\s*", re.IGNORECASE
)
_ROWS = (
    ("score", "score", 1),
    ("leverage", "leverage", 2),
    ("margin_ratio", "margin ratio", 2),
    ("equity", "equity", 2),
    ("gross", "gross exposure", 2),
    ("net", "net exposure", 2),
    ("value_at_risk", "value at risk (1 day, 99 %, normal)", 2),
    ("exit_cost", "cost of exit", 2),
)


def configure(subparsers: Any) -> None:
    """Add ``what-if``."""
    parser = subparsers.add_parser(
        "what-if",
        help="the risk profile after orders or a scenario, with nothing sent",
        description="The risk profile before and after, computed off the loop; nothing is sent.",
        examples=_EXAMPLES,
    )
    parser.add_argument("--order", type=_order, action="append", default=[], metavar='"SIDE SYMBOL QTY"',
                        help="@ PRICE may follow (default: the far side of the spread); repeatable")  # fmt: skip
    parser.add_argument("--scenario", type=_scenario, default={}, metavar="NAME|FIELD=N,…",
                        help="then this happens: one of the core's scenarios, or fields of your own")  # fmt: skip
    parser.add_argument(
        "--book", type=Path, metavar="FILE", help="TOML, JSON or CSV (default: a running core)"
    )
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="default 10 s")
    target(parser)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Ask the core, or compute from the file."""
    if not args.order and not args.scenario:
        raise UsageError(
            "andon risk what-if: nothing is asked", 'give --order "buy BTC/USDT 0.5" or --scenario'
        )
    found = _from_file(args) if args.book is not None else _from_core(args)
    keep(args, [{"when": when, **found[when]["measures"], **found[when]} for when in ("before", "after")])
    if args.json:
        output.json_line(found)
    else:
        _show(found)
    return DONE


def _order(text: str) -> dict[str, str]:
    match = _ORDER.fullmatch(text)
    if match is None:
        raise ArgumentTypeError(f'{text[:60]!r} is not "buy SYMBOL QTY" or "sell SYMBOL QTY @ PRICE"')
    side, symbol, qty, price = match.groups()
    return {"side": side.lower(), "symbol": symbol, "qty": qty} | ({"price": price} if price else {})


def _scenario(text: str) -> dict[str, Any]:
    if "=" not in text:
        return {"name": text}
    fields: dict[str, Any] = {"name": "what if"}
    for part in text.split(","):
        key, _, value = part.partition("=")
        try:
            fields[key.strip()] = value.strip() if key.strip() == "direction" else float(value)
        except ValueError:
            raise ArgumentTypeError(f"{part!r} is not FIELD=NUMBER, as market=-0.3") from None
    return fields


def _from_core(args: Namespace) -> dict[str, Any]:
    named = set(args.scenario) == {"name"}
    data = {"orders": args.order, "scenario": args.scenario["name"] if named else args.scenario}
    with attached(args) as client:
        reply = ask(client, args, "what_if", data)
    if error := refusal(args, reply):
        raise error
    return dict(reply.data)


def _from_file(args: Namespace) -> dict[str, Any]:
    from andon.commands.risk_book import limits_of
    from core.analytics import book_read, live, scenarios

    chosen = scenarios.load()
    limits = limits_of(settings(args).settings)
    before = book_read.read(args.book, limits=limits, assumptions=chosen.assumptions)
    after, told = _after(args, before)
    return live.compared(before, after, chosen, args.scenario) | {"orders": told}


def _after(args: Namespace, book: Book) -> tuple[Book, list[dict[str, Any]]]:
    from core.analytics import live

    told = []
    for order in args.order:
        if order["symbol"] not in book.symbols:
            do = f"add a row with qty = 0 and a mark; it has {', '.join(book.symbols[:8])}"
            raise UsageError(f"andon risk what-if: {order['symbol']} is not in {args.book}", do)
        qty = float(order["qty"]) * (1.0 if order["side"] == "buy" else -1.0)
        book, line = live.filled(book, book.symbols.index(order["symbol"]), qty, float(order.get("price", 0)))
        told.append(line)
    return book, told


def _show(found: dict[str, Any]) -> None:
    before, after = found["before"], found["after"]
    for order in found.get("orders", []):
        side = "buy" if order["qty"] > 0 else "sell"
        output.line(
            output.clean(f"{side} {abs(order['qty']):,.10g} {order['symbol']} at {order['price']:,.10g}")
        )
    output.line(f"{before['level']} → {after['level']}")
    rows = [
        (name, _cell(_value(before, key), digits), _cell(_value(after, key), digits))
        for key, name, digits in _ROWS
    ]
    output.table(("", "before", "after"), rows)
    tripped = ", ".join(found["new_trips"])
    output.line(f"new trips: {tripped or 'none'}")
    if scenario := found.get("scenario"):
        output.line()
        output.table(("scenario", "P&L", "of equity", "trips"), [
            (f"{scenario[when]['name']}, {when}", _cell(scenario[when]["pnl"], 2),
             output.percent(scenario[when]["pnl_fraction"]), ", ".join(scenario[when]["trips"]) or "none")
            for when in ("before", "after")
        ])  # fmt: skip


def _value(side: dict[str, Any], key: str) -> float | None:
    value: float | None = side[key] if key in side else side["measures"].get(key)
    return value


def _cell(value: float | None, digits: int) -> str:
    return output.number(value, digits)
