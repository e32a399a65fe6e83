"""The alarm list: the core's alarms and this console's own, in the order an operator must see them.

Priorities are the core's. In a flood (more than ten in ten minutes) everything below high is folded into one line
per source, first one first, so that the high ones stay readable; high is never folded.
"""

from __future__ import annotations

from dataclasses import dataclass

from bus.views import AlertView
from tui.model.view import View

FLOOD_PER_10_MIN = 10
TEN_MIN_NS = 600_000_000_000
PRIORITIES = ("high", "medium", "low")
RANK = {"UNACK": 0, "ACK": 1, "SHELVED": 2, "CLEARED": 3}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the alarm list; ``more`` alarms of the same source are folded under it."""

    alert: AlertView
    local: bool = False
    more: int = 0


def unacked(view: View) -> dict[str, int]:
    """Alarms nobody has acknowledged, per priority."""
    counts = dict.fromkeys(PRIORITIES, 0)
    for alert in (*view.alerts.values(), *view.local.values()):
        if alert.status == "UNACK":
            counts[alert.priority] = counts.get(alert.priority, 0) + 1
    return counts


def rate_10min(view: View, core_ns: int) -> int:
    """Alarms raised within the last ten minutes of the core's clock; the shelved ones trouble nobody."""
    alerts = (*view.alerts.values(), *view.local.values())
    return sum(1 for a in alerts if core_ns - a.raised_ns < TEN_MIN_NS and a.status != "SHELVED")


def entries(view: View, core_ns: int) -> list[Entry]:
    """Unacknowledged first, then by priority, newest first; folded when flooded."""
    rows = [Entry(a) for a in view.alerts.values()] + [Entry(a, local=True) for a in view.local.values()]
    rows.sort(key=_order)
    return _fold(rows) if rate_10min(view, core_ns) > FLOOD_PER_10_MIN else rows


def _order(entry: Entry) -> tuple[int, int, int]:
    alert = entry.alert
    priority = PRIORITIES.index(alert.priority) if alert.priority in PRIORITIES else 0
    return (RANK.get(alert.status, 0), priority, -alert.raised_ns)


def _fold(rows: list[Entry]) -> list[Entry]:
    kept: list[Entry] = []
    first: dict[tuple[str, str, str], int] = {}
    for row in rows:
        alert = row.alert
        group = (alert.source, alert.priority, alert.status)
        if alert.priority == "high" or group not in first:
            first[group] = len(kept)
            kept.append(row)
            continue
        lead = kept[first[group]]
        earlier = row.alert if alert.raised_ns < lead.alert.raised_ns else lead.alert  # first-out leads
        kept[first[group]] = Entry(earlier, row.local, lead.more + 1)
    return kept


def raise_silence(view: View, core_ns: int, mono_ns: int, instead: str) -> None:
    """A command nobody acknowledged within a second is a high alarm that names the way round this console."""
    for command in view.commands.overdue(mono_ns):
        raise_unheard(view, command.id, command.label, core_ns, instead)


def raise_unheard(view: View, command_id: str, label: str, core_ns: int, instead: str) -> None:
    """One command, by whatever way it went out, has had no answer."""
    key = f"console:{command_id}"
    if key not in view.local:
        view.local[key] = _silence_alert(key, label, core_ns, instead)
        view.version["alerts"] += 1


def _silence_alert(key: str, label: str, core_ns: int, instead: str) -> AlertView:
    return AlertView(
        id=key,
        priority="high",
        status="UNACK",
        source="console",
        message=f"no answer to {label} in 1 s; run: {instead}",
        cause="the core has not acknowledged a command of this console",
        consequence="the command may not have arrived",
        action=instead,
        act_within_s=5,
        raised_ns=core_ns,
        updated_ns=core_ns,
    )


def settle_silence(view: View, command_id: str) -> None:
    """The core answered after all: the local alarm is cleared, by the answer, not by us."""
    alert = view.local.get(f"console:{command_id}")
    if alert is not None and alert.status != "CLEARED":
        alert.status = "CLEARED"
        view.version["alerts"] += 1
