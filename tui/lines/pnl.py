"""The day's money: the equity curve against the day's open, and the parts the P&L is made of."""

from __future__ import annotations

from collections.abc import Sequence

from tui import draw, format
from tui.lines.header import sign_style
from tui.scene import Line, Scene, fit

LABEL = 9  # cells of the scale at the left


def panel(scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
    """Title and body lines."""
    parts = _parts(scene, width, height)
    rows = max(0, height - len(parts) - 1)
    return "EQUITY", [*_curve(scene, width, rows), *parts]


def _curve(scene: Scene, width: int, rows: int) -> list[Line]:
    """``rows`` lines of plot and one of times."""
    points = scene.view.curve.points
    if len(points) < 2 or rows < 2:
        return [fit((("  equity curve: waiting for points", "dim"),), width)] + [()] * rows
    values = draw.stretch(points, width - LABEL - 1)
    low, high = min(values), max(values)
    pad = (high - low or abs(high) * 1e-6 or 1.0) * 0.05
    low, high = low - pad, high + pad
    area = draw.plot(values, width - LABEL - 1, rows, low, high)
    lines: list[Line] = []
    for index, text in enumerate(area):
        label = format.money(high) if index == 0 else format.money(low) if index == rows - 1 else ""
        lines.append(((label.rjust(LABEL), "dim"), ("│", "frame"), (text, "plot")))
    start, end = format.clock(points[0][0]), format.clock(points[-1][0])
    span = f"{start}{end.rjust(width - LABEL - 1 - len(start))}"
    lines.append(((" " * (LABEL + 1), "dim"), (span, "dim")))
    return lines


def _parts(scene: Scene, width: int, height: int) -> list[Line]:
    pnl, account = scene.view.pnl, scene.view.account
    source = pnl or account
    if source is None:
        return [(("  no P&L yet", "dim"),)]
    pairs = [
        ("real", source.realized),
        ("unreal", source.unrealized),
        ("fees", -source.fees if source.fees else source.fees),
        ("fund", source.funding),
    ]
    lines = [_pairs(pairs[:2], width), _pairs(pairs[2:], width)] if width < 56 else [_pairs(pairs, width)]
    if height >= 9 and pnl is not None and pnl.by_strategy:
        best = sorted(pnl.by_strategy.items(), key=lambda kv: -abs(kv[1]))
        lines.append(_pairs(best, width))
    lines.append(_last(scene))
    return lines


def _pairs(pairs: Sequence[tuple[str, float | None]], width: int) -> Line:
    """Name and amount, as many as fit whole."""
    out: list[tuple[str, str]] = []
    used = 0
    for name, value in pairs:
        text = format.money(value, sign=True)
        used += len(name) + len(text) + 3
        if used > width:
            break
        out += [(f" {name} ", "dim"), (f"{text} ", sign_style(value))]
    return tuple(out)


def _last(scene: Scene) -> Line:
    """What explains the rest, or that it is not explained."""
    account, pnl = scene.view.account, scene.view.pnl
    drawdown = format.percent(account.drawdown if account else None)
    spans: list[tuple[str, str]] = [(" drawdown ", "dim"), (drawdown, "text")]
    if pnl is not None and pnl.residual is None:
        spans += [("  unexplained ", "dim"), ("?", "old")]
    elif pnl is not None and pnl.residual is not None and abs(pnl.residual) >= 0.01:
        spans += [("  unexplained ", "old"), (f"{format.money(pnl.residual, 2, sign=True)}!", "near")]
    return tuple(spans)
