"""Orders as rows: those that may still fill first, the unknown ones before all."""

from __future__ import annotations

from bus.views import OrderView
from tui import format
from tui.lines.table import Cell, Column, Table, matches
from tui.model import derive
from tui.scene import Scene

SHORT = {
    "PENDING_NEW": "SENT",
    "NEW": "OPEN",
    "PARTIALLY_FILLED": "PART",
    "PENDING_CANCEL": "CANCEL→",
    "PENDING_UNKNOWN": "UNKNOWN?",
    "PENDING_REPLACE": "AMEND→",
    "SUSPENDED": "ASIDE",
    "CANCELED": "CANCELED",
}
TYPES = {"market": "MKT", "limit": "LMT", "stop": "STP"}


def _keys(scene: Scene, words: str, sort: str) -> list[str]:
    open_rows = derive.open_orders(scene.view)
    done = sorted(
        (o for o in scene.view.orders.values() if o.status not in derive.OPEN), key=lambda o: -o.updated_ns
    )
    rows = open_rows if sort == "working" else [*open_rows, *done]
    return [o.cl_ord_id for o in rows if _match(words, o)]


def _match(words: str, row: OrderView) -> bool:
    texts = (row.cl_ord_id, row.symbol, row.venue, row.side, row.status, row.strategy, row.purpose, row.type)
    return matches(words, *texts)


def _cells(scene: Scene, key: str) -> tuple[Cell, ...]:
    row = scene.view.orders[key]
    alive = row.status in derive.OPEN
    style = "text" if alive else "dim"
    age_ns = max(0, scene.moment.core_ns - (row.created_ns if alive else row.updated_ns))
    return (
        (format.clock(row.created_ns), "dim"),
        (row.side[:1].upper(), style),
        (row.symbol, style),
        (SHORT.get(row.status, row.status), _status_style(row)),
        (format.quantity(row.qty), style),
        (format.quantity(row.filled), style),
        (format.price(row.price) if row.price is not None else TYPES.get(row.type, row.type), style),
        (format.age(age_ns), "dim"),
        (row.purpose if row.purpose != "STRATEGY" else row.strategy, style),
        (row.venue, "dim"),
        (row.cl_ord_id, "dim"),
    )


def _status_style(row: OrderView) -> str:
    if row.status == "PENDING_UNKNOWN":
        return "near"
    if row.status == "REJECTED":
        return "old"
    return "text" if row.status in derive.OPEN else "dim"


def detail(scene: Scene, key: str) -> list[tuple[str, str]]:
    """Label and text of the row under the cursor."""
    row = scene.view.orders.get(key)
    if row is None:
        return []
    kind = f"{row.side} {row.type} {row.tif}{' reduce-only' if row.reduce_only else ''}"
    if row.stop is not None:
        kind += f" at {format.price(row.stop)}{' protective' if row.protects else ''}"
    times = f"created {format.clock(row.created_ns)}Z  last word {format.clock(row.updated_ns)}Z"
    unknown = row.status == "PENDING_UNKNOWN"
    said = (
        "outcome unknown: counted as working and as filled until the venue answers" if unknown else row.status
    )
    return [
        ("order", f"{row.cl_ord_id}  {kind}  for {row.strategy or '—'} ({row.purpose})"),
        (
            "filled",
            f"{format.quantity(row.filled)} of {format.quantity(row.qty)} at {format.price(row.avg_px)}",
        ),
        ("times", times),
        ("status", f"{said}{'  ' + row.reason if row.reason else ''}"),
    ]


def _heading(scene: Scene) -> str:
    unknown = sum(1 for o in scene.view.orders.values() if o.status == "PENDING_UNKNOWN")
    return f"unknown {unknown}?" if unknown else ""


ORDERS = Table(
    name="ORDERS working",
    page="3",
    columns=(
        Column("TIME", 8, from_width=66),
        Column("S", 1),
        Column("SYM", 9),
        Column("STATUS", 8),
        Column("QTY", 9, right=True),
        Column("FILLED", 9, right=True),
        Column("PRICE", 10, right=True),
        Column("AGE", 4, right=True),
        Column("FOR", 14, from_width=66),
        Column("VENUE", 8, from_width=90),
        Column("ID", 18, from_width=100),
    ),
    version="orders",
    keys=_keys,
    cells=_cells,
    total=lambda scene: len(derive.open_orders(scene.view)),
    sorts=("working", "all"),
    empty="no working orders",
    heading=_heading,
)
