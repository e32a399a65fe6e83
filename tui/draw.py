"""Bars, sparklines and the equity plot out of block glyphs of width one."""

from __future__ import annotations

from collections.abc import Sequence

FULL, EMPTY = "█", "·"
LEVELS = "▁▂▃▄▅▆▇█"


def bar(fraction: float | None, width: int) -> str:
    """``██████····``; anything above nothing shows at least one block, and only the limit itself fills it."""
    if fraction is None:
        return "?" * width
    filled = int(fraction * width)
    if fraction > 0:
        filled = max(1, filled)
    if fraction < 1:
        filled = min(width - 1, filled)
    return FULL * min(width, filled) + EMPTY * max(0, width - filled)


def thin(values: Sequence[float], width: int) -> list[float]:
    """At most ``width`` values that span the whole series, the last one always kept."""
    if len(values) <= width:
        return list(values)
    step = (len(values) - 1) / (width - 1) if width > 1 else 0
    return [values[round(i * step)] for i in range(width)]


def spark(values: Sequence[float], width: int) -> str:
    """One line of block levels."""
    points = thin(values, width)
    low, high = min(points, default=0.0), max(points, default=0.0)
    span = (high - low) or 1.0
    return "".join(LEVELS[min(7, int((v - low) / span * 7.999))] for v in points)


def plot(values: Sequence[float], width: int, height: int, low: float, high: float) -> list[str]:
    """An area plot, ``height`` rows from the top down; one column a value, eight levels a row."""
    points = thin(values, width)
    span = (high - low) or 1.0
    eighths = [max(1, round((v - low) / span * height * 8)) for v in points]
    rows = []
    for row in range(height - 1, -1, -1):
        cells = (min(8, max(0, level - row * 8)) for level in eighths)
        rows.append("".join(" " if c == 0 else LEVELS[c - 1] for c in cells).ljust(width))
    return rows


def stretch(points: Sequence[tuple[int, float]], width: int) -> list[float]:
    """Values at ``width`` equal steps of time, each the last known one; fewer points are not invented."""
    if len(points) < 2:
        return [v for _, v in points]
    start, end = points[0][0], points[-1][0]
    out, index = [], 0
    for column in range(width):
        at = start + (end - start) * column // max(1, width - 1)
        while index + 1 < len(points) and points[index + 1][0] <= at:
            index += 1
        out.append(points[index][1])
    return out
