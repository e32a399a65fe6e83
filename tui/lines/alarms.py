"""Alarms as rows and in full."""

from __future__ import annotations

from tui import format
from tui.lines.table import Cell, Column, Table, matches
from tui.model.alarms import FLOOD_PER_10_MIN, Entry, entries, rate_10min, unacked
from tui.scene import Scene

GLYPHS = {"high": "‼H", "medium": "!M", "low": "·L"}
STYLES = {"high": "high", "medium": "medium", "low": "text"}


def _by_id(scene: Scene) -> dict[str, Entry]:
    if not scene.alarms:
        scene.alarms = {e.alert.id: e for e in entries(scene.view, scene.moment.core_ns)}
    return scene.alarms


def _keys(scene: Scene, words: str, sort: str) -> list[str]:
    found = _by_id(scene).items()
    return [
        k
        for k, e in found
        if matches(words, e.alert.source, e.alert.message, e.alert.status, e.alert.priority)
    ]


def _cells(scene: Scene, key: str) -> tuple[Cell, ...]:
    entry = _by_id(scene).get(key)
    if entry is None:
        return (("", "dim"),) * 6
    alert = entry.alert
    new = alert.status == "UNACK"
    style = "text" if new else "dim"
    times = f" ×{alert.count}" if alert.count > 1 else ""
    more = f"  +{entry.more} more from this source" if entry.more else ""
    return (
        (GLYPHS.get(alert.priority, "??"), STYLES.get(alert.priority, "high") if new else "dim"),
        (format.clock(alert.raised_ns), style),
        (alert.status, "bold" if new else "dim"),
        (f"{alert.message}{times}{more}", style),
        (alert.source, "dim"),
        (format.age(max(0, scene.moment.core_ns - alert.raised_ns)), "dim"),
    )


def detail(scene: Scene, key: str) -> list[tuple[str, str]]:
    """Cause, consequence, action, time to act: what makes it an alarm and not a log line."""
    entry = _by_id(scene).get(key)
    if entry is None:
        return []
    alert = entry.alert
    rows = [
        ("message", f"{alert.message}   ({alert.source})"),
        ("cause", alert.cause),
        ("else", alert.consequence),
        ("do", f"{alert.action}   within {alert.act_within_s} s of {format.clock(alert.raised_ns)}Z"),
    ]
    if alert.operator:
        until = f" until {format.clock(alert.until_ns)}Z" if alert.until_ns else ""
        rows.append(("by", f"{alert.status.lower()} {alert.operator}{until} {alert.reason}"))
    return rows


def _heading(scene: Scene) -> str:
    rate = rate_10min(scene.view, scene.moment.core_ns)
    shelved = sum(1 for a in scene.view.alerts.values() if a.status == "SHELVED")
    flood = " FLOOD, grouped by first" if rate > FLOOD_PER_10_MIN else ""
    return f"rate {rate}/10min{flood}" + (f"  shelved {shelved}" if shelved else "")


ALARMS = Table(
    name="ALARMS unack",
    page="7",
    columns=(
        Column("P", 2),
        Column("TIME", 8),
        Column("STATE", 7, from_width=60),
        Column("MESSAGE", 16, flex=True),
        Column("SOURCE", 16, from_width=90),
        Column("AGE", 4, right=True, from_width=70),
    ),
    version="alerts",
    keys=_keys,
    cells=_cells,
    total=lambda scene: sum(unacked(scene.view).values()),
    empty="no alarms",
    heading=_heading,
)
