"""The page about orders is the table."""

from __future__ import annotations

from core.engine.orders import TRANSITIONS

from .order_diagram import PAGE, text


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "python -m tests.house.order_diagram"


def test_the_page_shows_every_row() -> None:
    cells = [row.split("|")[2:-1] for row in text().splitlines() if row.startswith("| **")]
    assert len(cells) == 12
    assert sum(cell.strip() != "·" for row in cells for cell in row) == len(TRANSITIONS)
