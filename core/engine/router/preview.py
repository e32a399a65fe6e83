"""A route in words: for the audit trail when legs leave, and for whoever asks first what would be done."""

from __future__ import annotations

from typing import Any

from bus.enums import Side
from core.engine import announce
from core.engine.router.route import Route, RouteNote, plan
from core.engine.state import State


def decide(
    state: State,
    target: str,
    instrument: int,
    side: Side,
    qty_lots: int,
    limit_ticks: int = 0,
    allowed: tuple[int, ...] = (),
    *,
    reduce_only: bool = False,
) -> Route:
    """``plan``, and when something is sent, why each venue was used or left out goes into the audit trail."""
    found = plan(state, instrument, side, qty_lots, limit_ticks, allowed, reduce_only=reduce_only)
    if found.legs:
        left = f", {found.left_lots} lots left over" if found.left_lots else ""
        announce.audit(state, "router", "route", target, f"{qty_lots} lots{left}", text_of(found))
    return found


def text_of(found: Route) -> str:
    """One line: each venue with what it gets and its all-in price, or why it gets nothing."""
    return "; ".join(_note_text(note) for note in found.notes)


def _note_text(note: RouteNote) -> str:
    if note.used:
        return f"{note.venue} {note.lots} lots from {note.best_px:.10g}, all in {note.all_in_px:.10g}"
    return f"{note.venue} out: {note.reason}"


def preview(
    state: State,
    instrument: int,
    side: Side,
    qty_lots: int,
    limit_ticks: int = 0,
    allowed: tuple[int, ...] = (),
    *,
    reduce_only: bool = False,
) -> dict[str, Any]:
    """What would be sent now and why, for a dry run: quantities in base units, prices in quote, fees in bps."""
    found = plan(state, instrument, side, qty_lots, limit_ticks, allowed, reduce_only=reduce_only)
    spec = state.specs[instrument]
    legs = [
        {
            "symbol": state.specs[leg.instrument].symbol,
            "venue": state.specs[leg.instrument].venue,
            "qty": state.specs[leg.instrument].qty_of(leg.qty_lots),
            "price": state.specs[leg.instrument].price_of(leg.price_ticks),
            "expected_px": leg.expect_px,
        }
        for leg in found.legs
    ]
    venues = [_row(state, instrument, note) for note in found.notes]
    return {"legs": legs, "venues": venues, "left": spec.qty_of(found.left_lots)}


def _row(state: State, instrument: int, note: RouteNote) -> dict[str, Any]:
    cost = state.cold.costs.get(note.instrument)
    seen = note.best_px > 0.0
    return {
        "venue": note.venue,
        "symbol": state.specs[note.instrument].symbol,
        "used": note.used,
        "reason": note.reason,
        "qty": state.specs[instrument].qty_of(note.lots),
        "best_px": note.best_px if seen else None,
        "all_in_px": note.all_in_px if seen else None,
        "fee_bps": note.fee * 1e4 if seen else None,
        "drift_bps": note.drift * 1e4 if seen else None,
        "age_ms": note.age_ns / 1e6 if seen else None,
        "observations": cost.takes if cost is not None else 0,
    }
