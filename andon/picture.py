"""From a snapshot of the bus to the plain dictionary that `andon status --json` promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bus.linking import Snapshot

Data = dict[str, Any]


def picture(snapshot: Snapshot) -> Data:
    """Contract keys: state, epoch, equity, switches, positions, working_orders, alerts, health; and more.

    What the core has not said is None, never 0. Ages are by the core's clock: its newest message is now.
    """
    rows = _by_stream(snapshot)
    account, state = _only(rows, "account"), _only(rows, "state")
    beat = _only(rows, "heartbeat")
    now_ns = max((message.ts for message in snapshot.messages.values()), default=0)
    kept = ("equity", "ccy", "env", "account", "unrealized", "realized", "fees", "drawdown", "leverage")
    return {
        "state": state.get("state", beat.get("state")),
        "reason": state.get("reason", ""),
        "latched": state.get("latched", []),
        "epoch": snapshot.epoch,
        **{key: account.get(key) for key in kept},
        "working_orders": account.get("working_orders"),
        "switches": {name: _switch(row, now_ns) for name, row in sorted(rows.get("switch", {}).items())},
        "positions": [_position(name, row) for name, row in sorted(rows.get("position", {}).items())],
        "orders": [row for _, row in sorted(rows.get("order", {}).items())],
        "alerts": _alerts(rows.get("alert", {})),
        "health": dict(sorted(rows.get("health", {}).items())),
        "heartbeat": beat,
        "ts_ns": now_ns,
    }


def _by_stream(snapshot: Snapshot) -> dict[str, dict[str, Data]]:
    rows: dict[str, dict[str, Data]] = {}
    for topic, message in snapshot.messages.items():
        stream, _, name = topic.partition(".")
        rows.setdefault(stream, {})[name] = message.data
    return rows


def _only(rows: dict[str, dict[str, Data]], stream: str) -> Data:
    return next(iter(rows.get(stream, {}).values()), {})


def _alerts(rows: dict[str, Data]) -> list[Data]:
    """Alarms that stand: the last message of a topic carries the others (``standing``). Most urgent first."""
    last = (row for _, row in sorted(rows.items()))
    all_of_them = [alert for row in last for alert in (row, *row.get("standing", ()))]
    standing = ({k: v for k, v in alert.items() if k != "standing"} for alert in all_of_them)
    rank = {"high": 0, "medium": 1, "low": 2}
    open_ones = [alert for alert in standing if alert.get("status") != "CLEARED"]
    return sorted(open_ones, key=lambda alert: rank.get(str(alert.get("priority")), 3))


def _switch(row: Data, now_ns: int) -> Data:
    updated_ns = row.get("updated_ns") or 0
    age_ms = max(0, now_ns - updated_ns) / 1e6 if updated_ns else None
    kept = ("phase", "value", "limit", "headroom", "unit", "action", "reason", "unconfirmed")
    return {**{key: row.get(key) for key in kept}, "age_ms": age_ms}


def _position(symbol: str, row: Data) -> Data:
    kept = ("qty", "avg_px", "mark", "unrealized", "realized", "exposure")
    return {"symbol": symbol, **{key: row.get(key) for key in kept}}
