"""``python -m tests.house.order_diagram``: write docs/orders.md from the order table. A test holds the two equal."""

from __future__ import annotations

from pathlib import Path

from bus.enums import OPEN_STATUSES, OrdStatus, ReportKind
from core.engine.orders import TRANSITIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "orders.md"

HEAD = """\
# Orders: the one table

Written from `TRANSITIONS` in `core/engine/orders.py` by `python -m tests.house.order_diagram`; a test keeps the two equal.

A report that has no entry for an order's status is an anomaly: it is told, and changes nothing. Executions (TRADE) are
booked whatever the status. When nothing is left of an order it is FILLED, whatever the row says; an order that is worked
shows PENDING_REPLACE while an amendment is unanswered, else PARTIALLY_FILLED or NEW by what has filled.
"""
DIAGRAM = "## Where reports lead\n\nReports that leave the status as it is are left out here and stand in the matrix.\n"
MATRIX = """\
## Every status against every report

`·` is an anomaly, `=` stays. Above the line the order is open and counts in every limit; below it is terminal.
"""


def text() -> str:
    """The page."""
    return "\n".join([HEAD, DIAGRAM, *_mermaid(), "", MATRIX, *_matrix(), ""])


def _mermaid() -> list[str]:
    edges: dict[tuple[OrdStatus, OrdStatus], list[str]] = {}
    for (status, kind), target in TRANSITIONS.items():
        if target is not status:
            edges.setdefault((status, target), []).append(kind.name)
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> PENDING_NEW: sent"]
    lines += ["    NEW --> PENDING_CANCEL: cancel asked", "    NEW --> PENDING_REPLACE: amendment asked"]
    lines += ["    PARTIALLY_FILLED --> PENDING_CANCEL: cancel asked"]
    lines += ["    PARTIALLY_FILLED --> PENDING_REPLACE: amendment asked"]
    lines += ["    PARTIALLY_FILLED --> FILLED: TRADE, nothing left"]
    lines += [f"    {a.name} --> {b.name}: {', '.join(kinds)}" for (a, b), kinds in edges.items()]
    return [*lines, "```"]


def _matrix() -> list[str]:
    kinds = list(ReportKind)
    lines = ["| | " + " | ".join(kind.name for kind in kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    ordered = sorted(OrdStatus, key=lambda status: (status not in OPEN_STATUSES, status))
    for status in ordered:
        if status is next(s for s in ordered if s not in OPEN_STATUSES):
            lines.append("| *terminal* " + "| " * len(kinds) + "|")
        cells = [_cell(status, kind) for kind in kinds]
        lines.append(f"| **{status.name}** | " + " | ".join(cells) + " |")
    return lines


def _cell(status: OrdStatus, kind: ReportKind) -> str:
    target = TRANSITIONS.get((status, kind))
    if target is None:
        return "·"
    return "=" if target is status else target.name


def main() -> None:
    PAGE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
