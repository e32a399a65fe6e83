"""Kill switches: the distance of each to its limit, nearest first."""

from __future__ import annotations

from bus.views import SwitchView
from tui import draw, format
from tui.lines.table import Cell, Column, Table, matches
from tui.model import derive
from tui.scene import Scene

NEAR = 0.8
BAR = 12


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
        (f"{mark}{format.in_unit(switch.value, switch.unit)}", plain if not mark else "doubtful"),
        (format.in_unit(switch.limit, switch.unit), "dim"),
        (draw.bar(used, BAR) if switch.limit is not None else " " * BAR, plain),
        (_used(used, switch), plain),
        (switch.phase, style if style != "near" else "text"),
        (_approach(switch), plain),
        (switch.action, "dim"),
        (format.age(scene.age_ns), "dim" if grade == "fresh" else "old"),
        (_rate(switch), "dim"),
        (switch.scope or "all", "dim"),
    )


def _used(used: float | None, switch: SwitchView) -> str:
    if used is None:
        return "—" if switch.limit is None else "?"
    return f"{used * 100:.0f}%{'!' if used >= NEAR else ' '}"


def _approach(switch: SwitchView) -> str:
    """Time until the limit at the present rate, when there is one worth a word."""
    minutes = derive.minutes_to_limit(switch)
    if switch.phase in derive.KILL_PHASES or minutes is None or minutes > 24 * 60:
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
        Column("SWITCH", 15),
        Column("VALUE", 8, right=True),
        Column("LIMIT", 8, right=True),
        Column("USE", BAR),
        Column("", 5, right=True),
        Column("PHASE", 10, from_width=58),
        Column("REACH", 6, right=True, from_width=66),
        Column("DOES", 8, from_width=74),
        Column("AGE", 4, right=True, from_width=78),
        Column("RATE", 12, right=True, from_width=96),
        Column("SCOPE", 10, from_width=108),
    ),
    version="switches",
    keys=_keys,
    cells=_cells,
    total=lambda scene: len(scene.view.switches),
    empty="no switches known",
)
