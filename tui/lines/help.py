"""Help, made from the action registry: what is bound is listed, what is not bound cannot be."""

from __future__ import annotations

from tui.actions import ACTIONS, PAGES, Action, allowed, shown_key
from tui.scene import Line, Scene

MARKS = (
    ("‼ ! ·", "alarm: high, medium, low"),
    ("~", "too old to trust (> 3 s)"),
    ("?  —", "unknown; never shown as 0"),
    ("● ○ ◐ ■", "active, ready, reducing, halted"),
    ("[VIEW]", "may look and stop, nothing else"),
)


def keys(scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
    """Keys that look and move."""
    goto = "  ".join(f"{p} {PAGES[p]}" for p in PAGES)
    lines: list[Line] = [_wrapped(part) for part in _split(goto, width - 2)]
    lines.append(())
    for action in ACTIONS:
        if action.keys and not action.danger and not action.id.startswith("goto:"):
            lines.append(_line(action, ""))
    lines.append(())
    lines += [((f"  {mark:<9}", "key"), (text, "dim")) for mark, text in MARKS]
    return "KEYS", lines


def safety(scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
    """Keys and words that command."""
    lines: list[Line] = []
    for action in ACTIONS:
        if action.danger and action.keys and allowed(action, scene.view_only):
            where = f"[{','.join(sorted(action.pages))}] " if action.pages else ""
            lines.append(_line(action, where))
    lines.append(((" : words", "dim"),))
    for action in ACTIONS:
        if action.command and not action.id.startswith("goto:") and allowed(action, scene.view_only):
            lines.append(((f"  :{action.command} {action.usage}", "text"),))
    return "COMMANDS  stopping works on every page", lines


def _line(action: Action, where: str) -> Line:
    return ((f"  {shown_key(action):<6}", "key"), (where, "dim"), (action.help, "text"))


def _wrapped(text: str) -> Line:
    return ((f"  {text}", "text"),)


def _split(text: str, width: int) -> list[str]:
    rows, row = [], ""
    for word in text.split("  "):
        if row and len(row) + len(word) + 2 > width:
            rows.append(row)
            row = ""
        row = f"{row}  {word}" if row else word
    return [*rows, row]
