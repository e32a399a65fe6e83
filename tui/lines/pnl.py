"""The day's money: the equity curve against the day's open, and the parts the P&L is made of."""

from __future__ import annotations

from collections.abc import Sequence

from tui import draw, format
from tui.lines.header import sign_style
from tui.scene import Line, Scene, fit

LABEL = 9  # cells of the scale at the left


def panel(scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
    """Title and body lines."""
    parts = _parts(scene, width)
    rows = max(0, height - len(parts) - 1)
    return "EQUITY", [*_curve(scene, width, rows), *parts]


def _curve(scene: Scene, width: int, rows: int) -> list[Line]:
    """``rows`` lines of plot and one of times."""
    points = scene.view.curve.points
    account = scene.view.account
    if len(points) < 2 or rows < 2:
        return [fit((("  equity curve: waiting for points", "dim"),), width)] + [()] * rows
    values = draw.stretch(points, width - LABEL - 1)
    base = account.equity_day_open if account is not None else None
    low, high = min(values), max(values)
    pad = (high - low or abs(high) * 1e-6 or 1.0) * 0.05
    low, high = low - pad, high + pad
    area = draw.plot(values, width - LABEL - 1, rows, low, high)
    lines: list[Line] = []
    style = "text" if base is None else sign_style(values[-1] - base)
    for index, text in enumerate(area):
        label = format.money(high) if index == 0 else format.money(low) if index == rows - 1 else ""
        lines.append(((label.rjust(LABEL), "dim"), ("│", "frame"), (text, style)))
    start, end = format.clock(points[0][0]), format.clock(points[-1][0])
    span = f"{start}{end.rjust(width - LABEL - 1 - len(start))}"
    lines.append(((" " * (LABEL + 1), "dim"), (span, "dim")))
    return lines


def _parts(scene: Scene, width: int) -> list[Line]:
    pnl, account = scene.view.pnl, scene.view.account
    source = pnl or account
    if source is None:
        return [(("  no P&L yet", "dim"),)]
    pairs = [
        ("real", source.realized),
        ("unreal", source.unrealized),
        ("fees", -source.fees if source.fees else source.fees),
        ("funding", source.funding),
    ]
    lines = [_pairs(pairs[:2], width), _pairs(pairs[2:], width)] if width < 56 else [_pairs(pairs, width)]
    if pnl is not None and pnl.by_strategy:
        best = sorted(pnl.by_strategy.items(), key=lambda kv: -abs(kv[1]))
        lines.append(_pairs(best[: max(1, width // 24)], width))
    lines.append(_last(scene))
    return lines


def _pairs(pairs: Sequence[tuple[str, float | None]], width: int) -> Line:
    cell = width // max(1, len(pairs))
    out: list[tuple[str, str]] = []
    for name, value in pairs:
        text = format.money(value, sign=True)
        label = f" {name[: max(3, cell - len(text) - 3)]} "
        out += [(label, "dim"), (text.ljust(max(0, cell - len(label))), sign_style(value))]
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
