"""`andon status`: one screen, or the same as one JSON object, from one snapshot of the bus."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from andon import output
from andon.errors import DONE
from andon.output import clean, number, percent, quantity
from andon.parser import seconds, target
from andon.picture import picture
from andon.session import attached

EXAMPLES = {
    "status": """\
  andon status
  andon status --json | jq '.switches.drawdown.headroom'"""
}
_ROWS_MAX = 12  # a screen is 24 lines; --json has them all


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon status`."""
    parser.add_argument("--timeout", type=seconds, default=5.0, metavar="S", help="default 5 s")
    target(parser)


def run(args: Namespace) -> int:
    """One snapshot, printed."""
    with attached(args) as client:
        seen = picture(client.snapshot())
    if args.json:
        output.json_line(seen)
    else:
        show(seen)
    return DONE


def show(seen: dict[str, Any]) -> None:
    """The picture as one screen of text."""
    _head(seen)
    output.line()
    output.table(
        ("switch", "phase", "value", "limit", "headroom", "age"),
        [_switch_row(name, switch) for name, switch in seen["switches"].items()],
        left=2,
    )
    _positions(seen["positions"])
    _alerts(seen["alerts"])
    _health(seen["health"])


def _head(seen: dict[str, Any]) -> None:
    why = f"  ({clean(seen['reason'])})" if seen["reason"] else ""
    latched = f"  latched: {', '.join(map(clean, seen['latched']))}" if seen["latched"] else ""
    output.line(f"{clean(seen['env'])} {clean(seen['account'])}  state {clean(seen['state'])}{why}{latched}")
    output.line(
        f"equity {number(seen['equity'])} {clean(seen['ccy'])}  unrealized {number(seen['unrealized'])}"
        f"  drawdown {percent(seen['drawdown'])}  leverage {number(seen['leverage'])}x"
        f"  working orders {seen['working_orders']}  epoch {seen['epoch']}"
    )


def _switch_row(name: str, switch: dict[str, Any]) -> list[str]:
    unit = switch["unit"]
    return [
        name,
        switch["phase"],
        _measure(switch["value"], unit),
        _measure(switch["limit"], unit),
        percent(switch["headroom"], 0),
        _age(switch["age_ms"]),
    ]


def _measure(value: float | None, unit: str) -> str:
    return percent(value) if unit == "fraction" else number(value)


def _age(age_ms: float | None) -> str:
    return output.UNKNOWN if age_ms is None else f"{age_ms / 1e3:.1f} s"


def _positions(positions: list[dict[str, Any]]) -> None:
    held = [row for row in positions if row["qty"]]
    output.line()
    if not held:
        output.line("no open positions")
        return
    output.table(
        ("position", "qty", "avg px", "mark", "unrealized"),
        [
            [
                row["symbol"],
                quantity(row["qty"]),
                *(number(row[key]) for key in ("avg_px", "mark", "unrealized")),
            ]
            for row in held[:_ROWS_MAX]
        ],
    )
    if len(held) > _ROWS_MAX:
        output.line(f"and {len(held) - _ROWS_MAX} more: andon status --json")


def _alerts(alerts: list[dict[str, Any]]) -> None:
    for alert in alerts[:_ROWS_MAX]:
        priority, message, action = (clean(alert.get(key, "?")) for key in ("priority", "message", "action"))
        output.line(f"ALARM {priority}: {message}; {action}")


def _health(health: dict[str, dict[str, Any]]) -> None:
    bad = [
        f"{name} {row.get('status', '?')} ({row.get('detail', '')})"
        for name, row in health.items()
        if row.get("status") != "ok"
    ]
    output.line()
    output.line(clean("health: " + ("; ".join(bad) or f"{len(health)} components, all ok")))
