"""Execution algorithms on the command line: their options, and their progress while they run."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from andon import output, routes
from andon.errors import DONE, CliError, NotConfirmed, UsageError
from andon.parser import decimal, natural, positive
from andon.session import attached, refusal

if TYPE_CHECKING:
    from bus.client import Client
    from bus.wire import Reply

ALGOS = ("twap", "vwap", "pov", "is", "iceberg", "sor")
STYLES = ("ioc", "market", "limit")
FOREVER_S = 7 * 86_400.0
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_NUMBERS = {  # option -> parameter on the wire
    "over": "over_s",
    "start_in": "start_in_s",
    "slices": "slices",
    "participation": "participation",
    "display": "display_qty",
    "catch_up": "catch_up_max",
    "jitter": "jitter",
    "risk_aversion": "risk_aversion",
    "daily_volume": "daily_volume",
}


def duration(text: str) -> float:
    """``90``, ``30s``, ``10m``, ``2h``: seconds."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd]?)", text.strip().lower())
    value = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0.0 < value <= FOREVER_S:
        raise ArgumentTypeError(f"{text[:20]!r} is not a time (30s, 10m, 2h, at most 7d)")
    return value


def options(parser: ArgumentParser) -> None:
    """What `andon order` takes for an algorithm."""
    group = parser.add_argument_group("execution algorithms")
    add = group.add_argument
    add("--algo", choices=ALGOS, help="work the order over time, or over venues (sor)")
    add(
        "--over",
        type=duration,
        metavar="TIME",
        help="how long it may take: 30s, 10m, 2h (twap, vwap, pov, is)",
    )
    add("--start-in", type=duration, metavar="TIME", help="begin later")
    add("--slices", type=natural, metavar="N", help="parts in time (default 20; pov: one a 5 s, at least 10)")
    add("--limit", type=decimal, metavar="P", help="the price that no child passes; the same as --price")
    add("--participation", type=positive, metavar="F", help="pov: fraction of all volume, ours included")
    add("--display", type=decimal, metavar="QTY", help="iceberg: the part that is shown")
    add(
        "--style",
        choices=STYLES,
        help="children: ioc at the far touch (default), market, or limit at the near touch",
    )
    add("--venues", metavar="LIST", help="route children: all, or names with commas (sor: all)")
    add(
        "--route-preview",
        action="store_true",
        help="where a routed order would go now, and why; sends nothing",
    )
    add(
        "--catch-up",
        type=_share,
        metavar="F",
        help="of a slice, how much more than its part one may send (default 1)",
    )
    add("--jitter", type=_share, metavar="F", help="fraction of a slice by which its begin may be late")
    add("--risk-aversion", type=_share, metavar="L", help="is: 1 per quote currency; 0 = evenly")
    add(
        "--daily-volume",
        type=decimal,
        metavar="QTY",
        help="is: the market's, base units (default: as the tape shows)",
    )
    add("--detach", action="store_true", help="return once it is accepted; see andon algo list")


def given(args: Namespace) -> dict[str, Any]:
    """``algo`` and ``algo_params`` of the request; UsageError when options and algorithm do not go together."""
    if args.limit and args.price:
        raise UsageError("andon order: --limit and --price are the same", "give one of them")
    args.price = args.price or args.limit
    if args.route_preview:
        args.algo, args.dry_run = args.algo or "sor", True
    params: dict[str, Any] = {
        wire: value for name, wire in _NUMBERS.items() if (value := getattr(args, name)) is not None
    }
    if args.style:
        params["style"] = args.style
    if args.venues:
        params["venues"] = "all" if args.venues == "all" else args.venues.split(",")
    if not args.algo:
        if params or args.detach or args.limit:
            name = next(iter(params), "detach" if args.detach else "limit")
            raise UsageError(f"andon order: {name} is for algorithms", f"add --algo {'|'.join(ALGOS)}")
        return {}
    if args.algo in ("twap", "vwap", "pov", "is") and args.over is None:
        raise UsageError(f"andon order: --algo {args.algo} needs --over TIME", "for example --over 10m")
    if args.stop or args.take_profit or args.stop_loss:
        raise UsageError(
            "andon order: an algorithm's children have no stops", "protect the position: andon oco"
        )
    return {"algo": args.algo, "algo_params": params}


def run(args: Namespace, data: dict[str, Any], decisions: Callable[[object], None]) -> int:
    """Send, show the gate's word on the first child, then the counts until it has ended (or not, with --detach)."""
    wait_s = args.timeout + (args.start_in or 0.0) + (args.over or FOREVER_S)
    told: dict[str, Any] = {}
    reply: Reply | None = None
    with attached(args) as client:
        try:
            for reply in _replies(client, args, data, told, args.timeout if args.detach else wait_s):
                _show(args, reply, told, decisions)
        except KeyboardInterrupt:
            output.complain(
                f"andon order: {_named(told)} goes on; andon algo cancel {told.get('parent', 'ID')}"
            )
            raise
    if reply is None:
        raise NotConfirmed("andon order: no answer", "see andon algo list")
    if reply.status not in ("accepted", "progress") and (error := refusal(args, reply)):
        raise error
    if not args.json:
        output.line(f"order {'accepted' if args.detach else 'done'}: {line_of(told)}")
    if reply.status == "done" and told.get("filled") == 0 and not told.get("dry_run"):
        raise CliError(f"andon order: {_named(told)} has ended and nothing of it has filled", "see andon tca")
    return DONE


def _replies(
    client: Client, args: Namespace, data: dict[str, Any], told: dict[str, Any], wait_s: float
) -> Iterator[Reply]:
    """Every word of the core; ``told`` gathers what they say. With --detach the acceptance is the last."""
    from bus.client import NotReachable, Unconfirmed

    try:
        for reply in client.request(
            "submit_order", data, reason=output.clean(args.reason.strip()), timeout_s=wait_s
        ):
            told |= {("algo_status" if key == "status" else key): value for key, value in reply.data.items()}
            yield reply
            if args.detach and reply.status == "accepted":
                return
    except (Unconfirmed, NotReachable) as error:
        do = f"andon algo show {told['parent']}" if "parent" in told else "see andon algo list"
        raise NotConfirmed(f"andon order: {_named(told)}: {error}", do) from None


def _show(args: Namespace, reply: Reply, told: dict[str, Any], decisions: Callable[[object], None]) -> None:
    if args.json:
        error = getattr(reply, "error", None)
        failure = {"error": {"code": error.code, "message": error.message}} if error else {}
        output.json_line({**told, "status": reply.status, **failure})
    elif reply.status == "progress":
        output.line(line_of(told))
    elif reply.status in ("accepted", "rejected"):
        decisions(reply.data.get("decisions"))
        routes.print_route(reply.data.get("route"))
        if "schedule" in reply.data:
            print_plan(reply.data)
        elif "parent" in told:
            output.line(f"{output.clean(told['parent'])} {output.clean(told.get('algo', ''))} begins")


def print_plan(plan: dict[str, Any]) -> None:
    """What a dry run would have sent, and what the model thinks of it."""
    if not (parts := plan.get("schedule")):
        return  # it goes at once, or as others take it
    shown = ", ".join(f"{part:g}" for part in parts[:12])
    output.line(
        f"plan: {len(parts)} slices of {plan.get('slice_s', 0):g} s; done by the end of each: {shown}"
    )
    for name, value in (plan.get("estimate") or {}).items():
        output.line(f"  {output.clean(name)} {value:,.6g}  ({output.clean(plan.get('model', ''))})")


def line_of(row: dict[str, Any]) -> str:
    """The counts in one line."""
    if row.get("dry_run"):
        return "dry run, nothing was sent"
    parts = [
        _named(row),
        str(row.get("algo_status") or row.get("status") or ""),
        f"{row.get('filled', 0):g}/{row.get('qty', 0):g}" if "qty" in row else "",
        f"open {row['open']:g}" if row.get("open") else "",
        f"unknown {row['unknown']:g}" if row.get("unknown") else "",
        f"avg {row['avg_px']:,.6g}" if row.get("avg_px") else "",
        f"{row['slippage_bps']:+.1f} bp" if row.get("slippage_bps") is not None else "",
        f"children {row.get('children', 0)}" if "children" in row else "",
        f"denied {row['denied']}" if row.get("denied") else "",
        str(row.get("reason") or row.get("note") or ""),
    ]
    return output.clean("  ".join(part for part in parts if part))


def _named(row: dict[str, Any]) -> str:
    return str(row.get("parent") or row.get("id") or "the order")


def _share(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,12})?", text):
        raise ArgumentTypeError(f"{text[:20]!r} is not a number from 0")
    return text
