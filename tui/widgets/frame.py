"""Frames around panels. The environment decides the edge, staleness decides the title."""

from __future__ import annotations

from tui import format
from tui.model.derive import STALE_NS
from tui.scene import Line, Scene, Span, fit, width_of
from tui.theme import frame_for


def framed(
    title: Line, body: list[Line], width: int, height: int, env: str, edge: str = "frame"
) -> list[Line]:
    """``height`` lines of ``width`` cells, the title set into the upper edge, the body cut or filled.

    ``edge``: style of the frame.
    """
    left_top, across, right_top, side, left_bottom, right_bottom = tuple(frame_for(env))
    room = max(0, width - 5)
    head = fit(title, room) if width_of(title) > room else title
    rest = max(0, width - 5 - width_of(head))
    top: Line = (
        (f"{left_top}{across} ", edge),
        *head,
        (f" {across * rest}{right_top}", edge),
    )
    inner = [((side, edge), *fit(line, width - 2), (side, edge)) for line in body[: height - 2]]
    blank: Line = ((side, edge), (" " * (width - 2), "text"), (side, edge))
    inner += [blank] * max(0, height - 2 - len(inner))
    bottom: Line = ((f"{left_bottom}{across * (width - 2)}{right_bottom}", edge),)
    return [top, *inner, bottom]


def titled(scene: Scene, words: str, age_ns: int | None, page: str = "") -> Line:
    """The panel's name, and before it, when it is so, that it must not be believed."""
    spans: list[Span] = []
    if age_ns is not None and age_ns > STALE_NS:
        spans.append((f" STALE {format.age(age_ns)} ", "stale"))
        spans.append((" ", "text"))
    elif not scene.up and scene.view.snapshots:
        spans.append((" LAST KNOWN ", "stale"))
        spans.append((" ", "text"))
    spans.append((words, "title"))
    if page:
        spans.append((f"  ▸{page}", "dim"))
    return tuple(spans)
