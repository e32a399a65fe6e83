"""One registry of everything the operator can do; footer, help, keys and the ``:`` line are made from it.

``danger``: "" looks only · stop lowers risk and is open to everyone, at once · typed needs the one-time code
(and control) · state changes something in the core and needs control.
No single letter outside the kill panel (page 0) changes anything in the core without a dialog: letters that
command end in ``…`` and open one, except acknowledging an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PAGES = {
    "1": "dashboard",
    "2": "positions",
    "3": "orders",
    "4": "switches",
    "5": "algos",
    "7": "alarms",
    "0": "kill",
    "?": "help",
}
SHORT = {
    "1": "Dash",
    "2": "Pos",
    "3": "Ord",
    "4": "Switches",
    "5": "Algo",
    "7": "Alarms",
    "0": "Kill",
    "?": "Help",
}
TABLE_PAGES = frozenset({"2", "3", "4", "5", "7", "?"})
RESERVED = frozenset(
    {
        "ctrl+b",
        "ctrl+a",
        "ctrl+s",
        "ctrl+q",
        "ctrl+z",
        "ctrl+h",
        "ctrl+i",
        "ctrl+j",
        "ctrl+m",
        "ctrl+left_square_bracket",
    }
)


@dataclass(frozen=True, slots=True)
class Action:
    """``keys`` are Textual key names; ``pages`` empty = everywhere; ``command`` is the word after ``:``."""

    id: str
    keys: tuple[str, ...]
    label: str  # as the footer says it
    help: str
    pages: frozenset[str] = frozenset()
    danger: str = ""  # "" | stop | typed | state
    command: str = ""
    usage: str = ""
    footer: bool = False
    shown_key: str = ""


def _goto(page: str) -> Action:
    return Action(
        f"goto:{page}", ("question_mark" if page == "?" else page,), SHORT[page], f"go to {PAGES[page]}",
        command=PAGES[page], shown_key=page,
    )  # fmt: skip


def _on(*pages: str) -> frozenset[str]:
    return frozenset(pages)


ACTIONS: tuple[Action, ...] = (
    *(_goto(page) for page in PAGES if page != "0"),
    Action("goto:0", ("0",), "Kill", "go to the kill panel", command="kill-panel"),
    Action("down", ("j", "down"), "down", "next row", TABLE_PAGES, shown_key="j ↓"),
    Action("up", ("k", "up"), "up", "previous row", TABLE_PAGES, shown_key="k ↑"),
    Action("top", ("g", "home"), "top", "first row", TABLE_PAGES),
    Action("bottom", ("G", "end"), "bottom", "last row", TABLE_PAGES),
    Action("page_down", ("pagedown",), "page", "one page down", TABLE_PAGES, shown_key="PgDn"),
    Action("page_up", ("pageup",), "page", "one page up", TABLE_PAGES, shown_key="PgUp"),
    Action("filter", ("slash",), "filter", "filter rows; !word excludes; empty shows all", TABLE_PAGES,
           footer=True, shown_key="/"),
    Action("sort", ("o",), "order", "next order of rows", _on("2", "3", "5"), footer=True),
    Action("copy", ("y",), "copy", "copy the row to the terminal's clipboard", TABLE_PAGES),
    Action("back", ("escape",), "back", "back to the page before; never quits, never un-halts", shown_key="Esc"),
    Action("last", ("minus",), "last", "the page before this one", shown_key="-"),
    Action("ack", ("a",), "ack", "acknowledge the alarm under the cursor", _on("7"), "state", "ack", "ID|all", True),
    Action("ack_all", ("A",), "ack page", "acknowledge every alarm on this page", _on("7"), "state", footer=True),
    Action("shelve", ("z",), "shelve…", "shelve the alarm for at most 60 min, with a reason; never a high one",
           _on("7"), "state", "shelve", "ID MINUTES REASON", True),
    Action("halt_new", ("h",), "halt new", "level reduce: nothing that adds risk; at once", _on("0"), "stop", "reduce",
           "[REASON]", True),
    Action("cancel_all", ("c",), "cancel all", "level halt: block and cancel everything; at once", _on("0"), "stop",
           "halt", "[REASON]", True),
    Action("flatten", ("f",), "flatten…", "level flatten: cancel, then close all at market (typed code)", _on("0"),
           "typed", "flatten", "[REASON]", True),
    Action("rearm", ("R",), "re-arm…", "re-arm the latched switch at the cursor (typed code)", _on("4", "0"), "typed",
           "rearm", "SWITCH|all [REASON]", True),
    Action("start", ("s",), "start…", "start trading after a re-arm (typed code)", _on("4", "0"), "typed", "start",
           "[REASON]", True),
    Action("kill", (), "", "kill with scope and level; flatten and shutdown ask for the code", _on(), "stop", "kill",
           "[LEVEL] [SCOPE] [REASON]"),
    Action("stop", (), "", "stop trading in order; the core stays up", _on(), "stop", "stop", "[REASON]"),
    Action("goto", (), "", "go to a page by name or number", _on(), command="goto", usage="PAGE"),
    Action("command", ("colon",), "cmd", "type a command", footer=True, shown_key=":"),
    Action("quit", ("q", "ctrl+c"), "quit", "leave this console; the core keeps running", command="quit"),
    Action("kill_panel", ("ctrl+backslash",), "KILL", "kill panel; twice within 2 s = CANCEL ALL, from anywhere",
           danger="stop", shown_key="^\\"),
)  # fmt: skip


def allowed(action: Action, view_only: bool) -> bool:
    """A read-only console keeps what looks and what stops."""
    return not view_only or action.danger in ("", "stop")


def find(page: str, key: str, view_only: bool = False) -> Action | None:
    """What a key does on a page; None = nothing."""
    for action in ACTIONS:
        if key in action.keys and (not action.pages or page in action.pages) and allowed(action, view_only):
            return action
    return None


def command(word: str, view_only: bool = False) -> Action | None:
    """What a word after ``:`` does; page names may be shortened as long as they stay unique."""
    exact = [a for a in ACTIONS if a.command == word and allowed(a, view_only)]
    if exact:
        return exact[0]
    pages = [a for a in ACTIONS if a.id.startswith("goto:") and len(word) >= 3 and a.command.startswith(word)]
    return pages[0] if len(pages) == 1 else None


def shown_key(action: Action) -> str:
    return action.shown_key or action.keys[0]


def for_page(page: str, view_only: bool = False) -> Iterable[Action]:
    """Actions with a key that work on a page, in registry order."""
    return (a for a in ACTIONS if a.keys and (not a.pages or page in a.pages) and allowed(a, view_only))


def footer(page: str, view_only: bool = False) -> list[tuple[str, str]]:
    """At most nine (key, label), the cord last and always in the same corner."""
    special = [(shown_key(a), a.label) for a in for_page(page, view_only) if a.footer]
    goto = [(p, SHORT[p]) for p in PAGES] if page == "1" else [("1-7", "pages"), ("?", "help")]
    if page == "0":
        goto = [("Esc", "back")]
    if page in "01":  # the footer is full; ``?`` has the word
        special = [pair for pair in special if pair[0] != ":"]
    return [*goto, *special, ("^\\", "KILL")]
