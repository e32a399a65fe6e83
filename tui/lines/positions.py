"""Positions as rows."""

from __future__ import annotations

from bus.views import PositionView
from tui import format
from tui.lines.header import sign_style
from tui.lines.table import Cell, Column, Table, aged, matches
from tui.model import derive
from tui.scene import Scene

SORTS = ("%EQ", "UPNL", "SYM")


def _keys(scene: Scene, words: str, sort: str) -> list[str]:
    rows = [p for p in scene.view.positions.values() if matches(words, p.symbol, p.venue, *p.strategies)]
    rows.sort(key={"%EQ": _by_share, "UPNL": _by_loss, "SYM": _by_symbol}[sort])
    return [p.symbol for p in rows]


def _age_ns(scene: Scene) -> int | None:
    market_ns, core_ns = derive.market_age_ns(scene.view, scene.moment), scene.age_ns
    return max(market_ns, core_ns or 0) if market_ns is not None else core_ns


def _by_share(row: PositionView) -> tuple[float | str | bool, ...]:
    return (-(row.equity_share or 0.0) if row.qty_lots else 1.0, row.symbol)


def _by_loss(row: PositionView) -> tuple[float | str | bool, ...]:
    return (not row.qty_lots, row.unrealized or 0.0, row.symbol)


def _by_symbol(row: PositionView) -> tuple[float | str | bool, ...]:
    return (row.symbol,)


def _cells(scene: Scene, key: str) -> tuple[Cell, ...]:
    row = scene.view.positions[key]
    if not row.qty_lots:
        return _flat_cells(row)
    age_ns = derive.mark_age_ns(row, scene.view, scene.moment)
    grade = derive.age_grade(age_ns)
    return (
        (row.symbol, "text"),
        (row.symbol, "text"),
        (format.quantity(row.qty, sign=True), "text"),
        aged(format.money(row.unrealized, sign=True), sign_style(row.unrealized), grade),
        (_tenths(row.equity_share), "near" if (row.equity_share or 0) >= 0.25 else "text"),
        (format.age(age_ns), {"stale": "stale", "fresh": "dim"}.get(grade, "old")),
        (_used(row.loss_ratio), "near" if (row.loss_ratio or 0) >= 0.8 else "text"),
        (format.price(row.avg_px), "dim"),
        aged(format.price(row.mark), "text", grade),
        (format.money(row.realized, sign=True), sign_style(row.realized)),
        (_working(row), "text"),
        (row.venue, "dim"),
        (",".join(row.strategies) or "—", "dim"),
    )


def _flat_cells(row: PositionView) -> tuple[Cell, ...]:
    """Flat is a fact worth a quiet line: realised money and resting orders remain."""
    realized = (format.money(row.realized, sign=True), sign_style(row.realized))
    working = (_working(row), "text" if row.working_buy or row.working_sell else "dim")
    blank = ("", "dim")
    head = ((row.symbol, "dim"), (row.symbol, "dim"), ("flat", "dim"), blank, blank, blank, blank)
    return (*head, blank, (format.price(row.mark), "dim"), realized, working, (row.venue, "dim"), blank)


def _tenths(fraction: float | None) -> str:
    return format.UNKNOWN if fraction is None else f"{fraction * 100:.1f}"


def _used(fraction: float | None) -> str:
    return format.UNKNOWN if fraction is None else f"{fraction * 100:.0f}%{'!' if fraction >= 0.8 else ' '}"


def _working(row: PositionView) -> str:
    if not row.working_buy and not row.working_sell:
        return "—"
    return f"{row.working_buy:.5g}/{row.working_sell:.5g}"


def detail(scene: Scene, key: str) -> list[tuple[str, str]]:
    """Label and text of the row under the cursor."""
    row = scene.view.positions.get(key)
    if row is None:
        return []
    quote = scene.view.quotes.get(key)
    spread = f"{format.price(quote.bid)} / {format.price(quote.ask)}" if quote else "—"
    money = (
        f"realised {format.money(row.realized, 2, sign=True)}   fees {format.money(row.fees, 2)}"
        f"   funding {format.money(row.funding, 2, sign=True)}"
    )
    strategies = "  ".join(
        f"{name} {format.quantity(qty, sign=True)}" for name, qty in row.strategies.items()
    )
    return [
        (
            "exposure",
            f"{format.money(row.exposure, sign=True)}   share of equity {format.percent(row.equity_share)}",
        ),
        ("bid/ask", f"{spread}   mark of {format.clock(row.mark_ns)}Z"),
        ("money", money),
        ("loss limit", f"{_used(row.loss_ratio).strip()} of position_loss used"),
        ("held by", strategies or "—"),
    ]


POSITIONS = Table(
    name="POSITIONS",
    page="2",
    columns=(
        Column("SYM", 9, to_width=95),
        Column("SYM", 16, from_width=96),
        Column("QTY", 9, right=True),
        Column("UPNL", 8, right=True),
        Column("%EQ", 5, right=True),
        Column("AGE", 4, right=True),
        Column("LIM", 5, right=True, from_width=60),
        Column("AVG", 11, right=True),
        Column("MARK", 12, right=True),
        Column("RPNL", 9, right=True, from_width=96),
        Column("WORKING b/s", 13, right=True, from_width=112),
        Column("VENUE", 8, from_width=112),
        Column("STRATEGIES", 14, from_width=130),
    ),
    version="positions",
    keys=_keys,
    cells=_cells,
    total=lambda scene: len(derive.open_positions(scene.view)),
    sorts=SORTS,
    empty="no positions",
    age_ns=_age_ns,
)
