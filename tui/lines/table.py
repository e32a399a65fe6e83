"""What a grid must know about a table: its columns, its rows' order, and the words of one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.scene import Line, Scene, Span

Cell = tuple[str, str]  # text, style


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` in cells; shown in tables ``from_width`` to ``to_width`` wide; a flexible one takes the rest."""

    name: str
    width: int
    right: bool = False
    from_width: int = 0
    to_width: int = 1000
    flex: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """``keys(scene, filter, sort)`` orders the rows; ``cells(scene, key)`` is asked for visible rows only."""

    name: str
    page: str
    columns: tuple[Column, ...]
    version: str  # the table of View.version that moves the order
    keys: Callable[[Scene, str, str], list[str]]
    cells: Callable[[Scene, str], tuple[Cell, ...]]
    total: Callable[[Scene], int]
    sorts: tuple[str, ...] = ("",)
    empty: str = "nothing"
    heading: Callable[[Scene], str] | None = None
    age_ns: Callable[[Scene], int | None] = lambda scene: scene.age_ns  # of the oldest value shown


def matches(words: str, *texts: str) -> bool:
    """Every word must occur somewhere; ``!word`` must not. Case does not count."""
    haystack = " ".join(texts).lower()
    for word in words.lower().split():
        if word.startswith("!"):
            if len(word) > 1 and word[1:] in haystack:
                return False
        elif word not in haystack:
            return False
    return True


def aged(text: str, style: str, grade: str) -> Cell:
    """A value that is too old to be trusted says so: ``~`` and dim."""
    return (f"~{text}", "doubtful") if grade in ("doubtful", "stale") and text != "—" else (text, style)


def shown(columns: tuple[Column, ...], width: int) -> list[tuple[int, Column, int]]:
    """(index, column, cells) of the columns that fit in ``width``, one blank between them."""
    chosen: list[tuple[int, Column]] = []
    used = 0
    for index, column in enumerate(columns):
        need = column.width + (1 if chosen else 0)
        if column.from_width <= width <= column.to_width and used + need <= width:
            chosen.append((index, column))
            used += need
    spare = width - used
    return [(i, c, c.width + (spare if c.flex else 0)) for i, c in chosen]


def header_line(columns: tuple[Column, ...], width: int) -> Line:
    return join([(c.name, "dim") for c in columns], columns, width)


def join(cells: tuple[Cell, ...] | list[Cell], columns: tuple[Column, ...], width: int) -> Line:
    """Cells laid out in columns; a number too long for its column ends in ``…`` rather than losing digits silently."""
    spans: list[Span] = []
    for index, column, size in shown(columns, width):
        text, style = cells[index]
        if len(text) > size:
            text = text[: size - 1] + "…"
        if spans:
            spans.append((" ", "text"))
        spans.append((text.rjust(size) if column.right else text.ljust(size), style))
    return tuple(spans)
