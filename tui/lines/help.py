"""Help as a table, made from the action registry: what is bound is listed, what is not bound cannot be."""

from __future__ import annotations

from tui.actions import ACTIONS, PAGES, Action, allowed, shown_key
from tui.lines.table import Cell, Column, Table, matches
from tui.scene import Scene

DANGERS = {
    "": "looks only",
    "stop": "lowers risk: at once, for everyone, also in [VIEW]",
    "typed": "asks for the one-time code",
    "state": "changes something in the core",
}
MARKS = "‼ ! · alarm high, medium, low   ~ too old (> 3 s)   ? — unknown, never 0"
STATES = "● active  ○ ready  ◐ reducing  ■ halted, shut down  ▼ flattening"


def _by_id(scene: Scene) -> dict[str, Action]:
    safety_first = sorted(ACTIONS, key=lambda a: (a.danger != "stop", not a.danger))
    return {a.id: a for a in safety_first if allowed(a, scene.view_only)}


def _keys(scene: Scene, words: str, sort: str) -> list[str]:
    return [k for k, a in _by_id(scene).items() if matches(words, a.label, a.help, a.command, *a.keys)]


def _cells(scene: Scene, key: str) -> tuple[Cell, ...]:
    action = _by_id(scene)[key]
    where = "".join(p for p in PAGES if p in action.pages) if action.pages else "all"
    return (
        (shown_key(action) if action.keys else "", "key"),
        (where, "dim"),
        (action.help, "text"),
        (f":{action.command} {action.usage}" if action.command else "", "dim"),
    )


def detail(scene: Scene, key: str) -> list[tuple[str, str]]:
    """The word form, what kind of act it is, and what the marks on the screen mean."""
    action = _by_id(scene).get(key)
    if action is None:
        return []
    word = f":{action.command} {action.usage}" if action.command else "no word, only the key"
    return [
        ("does", action.help),
        ("word", word),
        ("safety", DANGERS[action.danger]),
        ("marks", MARKS),
        ("states", STATES),
    ]


HELP = Table(
    name="HELP",
    page="?",
    columns=(
        Column("KEY", 5),
        Column("PAGES", 6),
        Column("WHAT", 30, flex=True),
        Column("COMMAND", 30, from_width=100),
    ),
    version="help",
    keys=_keys,
    cells=_cells,
    total=lambda scene: len(_by_id(scene)),
)
