"""Kill switches: the distance of each to its limit, nearest first."""

from __future__ import annotations

from bus.views import SwitchView
from tui import draw, format
from tui.lines.table import Cell, Column, Table, matches
from tui.model import derive
from tui.scene import Scene

NEAR = 0.8
BAR, BAR_SHORT = 12, 6
NARROW = 50  # cells; below it the short bar stands in


def _keys(scene: Scene, words: str, sort: str) -> list[str]:
    rows = derive.switches_by_distance(scene.view)
    return [s.name for s in rows if matches(words, s.name, s.phase, s.action, s.scope)]


def row_style(switch: SwitchView) -> str:
    """One look per row: a kill, near its limit, calm, or off."""
    if switch.phase == "LATCHED":
        return "halted"
    if switch.phase in derive.KILL_PHASES:
        return "running"
    if switch.phase == "OFF":
        return "dim"
    used = derive.use(switch)
    return "near" if used is not None and used >= NEAR else "text"


def _cells(scene: Scene, key: str) -> tuple[Cell, ...]:
    switch = scene.view.switches[key]
    used = derive.use(switch)
    style = row_style(switch)
    plain = style if style in ("near", "dim") else "text"
    grade = derive.age_grade(scene.age_ns)
    mark = "~" if grade in ("doubtful", "stale") else ""
    return (
        (switch.name, style if style != "running" else "text"),
        (switch.name, style if style != "running" else "text"),
        (f"{mark}{format.in_unit(switch.value, switch.unit)}", plain if not mark else "doubtful"),
        (format.in_unit(switch.limit, switch.unit), "dim"),
        _bar(switch, used, BAR_SHORT, style),
        _bar(switch, used, BAR, style),
        (_used(used, switch), plain),
        (_approach(switch), plain),
        (switch.phase, style if style != "near" else "text"),
        (switch.action, "dim"),
        (format.age(scene.age_ns), "dim" if grade == "fresh" else "old"),
        (_rate(switch), "dim"),
        (switch.scope or "all", "dim"),
    )


def _bar(switch: SwitchView, used: float | None, width: int, style: str) -> Cell:
    """How full; a switch that has tripped says so in words instead."""
    if switch.phase in derive.KILL_PHASES:
        words = {"LATCHED": "LATCH", "CANCELLING": "CANCEL", "FLATTENING": "FLAT…"}
        return (f" {switch.phase} ".ljust(width)[:width] if width >= BAR else words[switch.phase], style)
    return (draw.bar(used, width) if switch.limit is not None else "", style)


def _used(used: float | None, switch: SwitchView) -> str:
    if switch.phase in derive.KILL_PHASES:
        return ""
    if used is None:
        return "—" if switch.limit is None else "?"
    return f"{used * 100:.0f}%" if used < NEAR else f"{used * 100:.0f}!"


def _approach(switch: SwitchView) -> str:
    """Time until the limit at the present rate, when there is one worth a word."""
    minutes = derive.minutes_to_limit(switch)
    used = derive.use(switch)
    if switch.phase in derive.KILL_PHASES or minutes is None or minutes > 240 or used is None or used < 0.05:
        return ""
    return f"→{minutes * 60:.0f}s" if minutes < 1.5 else f"→{minutes:.0f}m"


def _rate(switch: SwitchView) -> str:
    if switch.rate_per_min is None:
        return "—"
    sign = "+" if switch.rate_per_min > 0 else ""
    return f"{sign}{format.in_unit(switch.rate_per_min, switch.unit)}/m"


def detail(scene: Scene, key: str) -> list[tuple[str, str]]:
    """Label and text of the row under the cursor."""
    switch = scene.view.switches.get(key)
    if switch is None:
        return []
    changed = format.clock(switch.updated_ns)
    rows = [
        (
            "does",
            f"{switch.action}{' in ' + switch.scope if switch.scope else ''}   last evaluated {changed}Z",
        ),
        ("approach", f"{_rate(switch)}   {_approach(switch) or 'not approaching'}"),
    ]
    if switch.phase in derive.KILL_PHASES:
        at = format.in_unit(switch.tripped_value, switch.unit)
        who = f" by {switch.operator}" if switch.operator else ""
        rows += [
            ("tripped", f"{format.clock(switch.tripped_ns)}Z at {at}{who}  {switch.reason}"),
            ("kill", f"{derive.kill_counts(switch)}{'  ‼ OVERDUE, see alarms' if switch.alarmed else ''}"),
            ("latch", durable_text(switch)),
        ]
    return rows


def durable_text(switch: SwitchView) -> str:
    """Whether the stop outlives this core."""
    kept = "on disk: survives a restart" if switch.durable else "NOT YET ON DISK"
    return f"{kept}{'   receipt ' + switch.receipt if switch.receipt else ''}"


SWITCHES = Table(
    name="DISTANCE TO LIMIT",
    page="4",
    columns=(
        Column("SWITCH", 13, to_width=NARROW),
        Column("SWITCH", 15, from_width=NARROW + 1),
        Column("VALUE", 7, right=True),
        Column("LIMIT", 6, right=True),
        Column("USE", BAR_SHORT, to_width=NARROW),
        Column("USE", BAR, from_width=NARROW + 1),
        Column("", 4, right=True),
        Column("REACH", 5, right=True, from_width=54),
        Column("PHASE", 10, from_width=64),
        Column("DOES", 10, from_width=72),
        Column("AGE", 3, right=True, from_width=76),
        Column("RATE", 12, right=True, from_width=96),
        Column("SCOPE", 10, from_width=108),
    ),
    version="switches",
    keys=_keys,
    cells=_cells,
    total=lambda scene: len(scene.view.switches),
    empty="no switches known",
)
