"""Execution algorithms as rows, those at work first. The bar: ``█`` filled, ``▄`` open at a venue, ``·`` to come."""

from __future__ import annotations

from bus.views import AlgoView
from tui import format
from tui.draw import EMPTY, FULL
from tui.lines.table import Cell, Column, Table, matches
from tui.scene import Scene

OPEN = "▄"
BAR = 10
LIVE = ("RUNNING", "PAUSED", "WAITING", "STOPPING")
STYLES = {
    "RUNNING": "text",
    "PAUSED": "near",
    "WAITING": "near",
    "STOPPING": "running",
    "FAILED": "old",
    "STOPPED": "old",
}


def _keys(scene: Scene, words: str, sort: str) -> list[str]:
    rows = [a for a in scene.view.algos.values() if sort == "all" or a.status in LIVE or not a.ended_ns]
    rows.sort(key=lambda a: (bool(a.ended_ns), -(a.ended_ns or a.start_ns), a.id))
    return [a.id for a in rows if matches(words, a.id, a.algo, a.symbol, a.side, a.status, a.strategy)]


def bar(row: AlgoView, width: int = BAR) -> str:
    """Filled and open parts; whole only when all of it is filled, never empty when something is."""
    if not row.qty > 0.0:
        return EMPTY * width
    filled = min(int(row.filled / row.qty * width), width)
    filled = max(filled, 1) if row.filled > 0.0 else filled
    spoken = min(int((row.filled + row.open) / row.qty * width), width)
    spoken = max(spoken, filled + 1) if row.open > 0.0 and filled < width else max(spoken, filled)
    return (FULL * filled + OPEN * (spoken - filled)).ljust(width, EMPTY)


def _share(part: float, whole: float) -> str:
    """Whole percent, rounded down: only what is done is done."""
    return f"{int(part / whole * 100 + 1e-9)}%" if whole > 0.0 else format.UNKNOWN


def _eta(scene: Scene, row: AlgoView) -> str:
    """Time to its planned end; a dash when it has none, empty when it has ended."""
    if row.ended_ns:
        return ""
    return format.age(max(0, row.end_ns - scene.moment.core_ns)) if row.end_ns else format.UNKNOWN


def _bps(row: AlgoView) -> str:
    return format.UNKNOWN if row.slippage_bps is None else f"{row.slippage_bps:+.1f}"


def _cells(scene: Scene, key: str) -> tuple[Cell, ...]:
    row = scene.view.algos[key]
    style = "dim" if row.ended_ns else "text"
    return (
        (row.algo, style),
        (row.side[:1].upper(), style),
        (row.symbol, style),
        (bar(row), style),
        (_share(row.filled, row.qty), style),
        (_share(row.scheduled, row.qty), "dim"),
        (_bps(row), style),
        (str(row.children), style),
        (str(row.denied + row.rejected), "near" if row.denied + row.rejected else "dim"),
        (row.status, STYLES.get(row.status, style)),
        (_eta(scene, row), "dim"),
        (format.quantity(row.qty), style),
        (format.price(row.avg_px), style),
        (row.id, "dim"),
    )


def detail(scene: Scene, key: str) -> list[tuple[str, str]]:
    """Label and text of the row under the cursor."""
    row = scene.view.algos.get(key)
    if row is None:
        return []
    limit = f" limit {format.price(row.price)}" if row.price is not None else ""
    only = " reduce-only" if row.reduce_only else ""
    unknown = f"  unknown {format.quantity(row.unknown)}" if row.unknown else ""
    where = f" on {', '.join(row.venues)}" if row.venues else ""
    prices = f"avg {format.price(row.avg_px)}  arrival {format.price(row.arrival_px)}"
    slices = f"slice {row.slice} of {row.slices}  " if row.slices else ""
    capped = f"  capped {row.caught_up}x" if row.caught_up else ""
    said = "  ".join(part for part in (row.reason, row.note) if part)
    return [
        ("algo", f"{row.id}  {row.algo} {row.side}{only}{limit}{where}  for {row.strategy}"),
        ("filled", f"{format.quantity(row.filled)} of {format.quantity(row.qty)}  {prices}  {_bps(row)} bp"),
        (
            "now",
            f"{slices}due {format.quantity(row.scheduled)}  open {format.quantity(row.open)}{unknown}{capped}",
        ),
        (
            "status",
            f"{row.status}  denied {row.denied}  rejected {row.rejected}{'  ' + said if said else ''}",
        ),
    ]


def _living(scene: Scene) -> int:
    return sum(1 for row in scene.view.algos.values() if not row.ended_ns)


def _heading(scene: Scene) -> str:
    paused = sum(1 for row in scene.view.algos.values() if row.status == "PAUSED")
    return f"paused {paused}" if paused else ""


ALGOS = Table(
    name="ALGOS at work",
    page="5",
    columns=(
        Column("ALGO", 7),
        Column("S", 1),
        Column("SYM", 9),
        Column("PROGRESS", BAR),
        Column("DONE", 4, right=True),
        Column("DUE", 4, right=True),
        Column("BP", 6, right=True),
        Column("CH", 4, right=True, from_width=66),
        Column("DEN", 4, right=True, from_width=66),
        Column("STATE", 9),
        Column("ETA", 4, right=True),
        Column("QTY", 9, right=True, from_width=100),
        Column("AVG", 10, right=True, from_width=100),
        Column("ID", 12, from_width=90),
    ),
    version="algos",
    keys=_keys,
    cells=_cells,
    total=_living,
    sorts=("working", "all"),
    empty="no algorithm at work: andon order … --algo twap --over 10m",
    heading=_heading,
)
