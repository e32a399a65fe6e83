"""A parent as subscribers and commands see it. Unknown is None, never 0."""

from __future__ import annotations

from typing import Any

from bus.views import AlgoView
from core.engine.algos import counts
from core.engine.algos.parent import Parent
from core.engine.state import State


def algo_view(state: State, parent: Parent) -> AlgoView:
    """One parent with its counts as of now."""
    spec = state.specs[parent.instrument]
    open_lots = counts.open_lots(state, parent)
    return AlgoView(
        id=parent.id,
        algo=parent.algo,
        symbol=spec.symbol,
        side=parent.side.name.lower(),
        status=parent.status,
        strategy=parent.strategy,
        qty=spec.qty_of(parent.qty_lots),
        filled=spec.qty_of(parent.filled_lots),
        open=spec.qty_of(open_lots),
        unknown=spec.qty_of(counts.unknown_lots(state, parent)),
        scheduled=spec.qty_of(_scheduled(parent)),
        price=spec.price_of(parent.limit_ticks) if parent.limit_ticks else None,
        avg_px=parent.avg_px,
        arrival_px=parent.arrival_px or None,
        decision_px=parent.decision_px or None,
        slippage_bps=slippage_bps(parent),
        fees=parent.fees,
        children=parent.sent_children - parent.denied,
        denied=parent.denied,
        rejected=parent.rejected,
        caught_up=parent.caught_up,
        slice=parent.slice + 1,
        slices=int(parent.params.get("slices", 0)),
        reduce_only=parent.reduce_only,
        start_ns=parent.start_ns,
        end_ns=parent.end_ns,
        ended_ns=parent.ended_ns,
        venues=[state.specs[i].venue for i in parent.routes],
        model=parent.model,
        estimate=dict(parent.estimate),
        reason=parent.reason,
        note=parent.note,
    )


def _scheduled(parent: Parent) -> int:
    """What should have traded by the end of the present slice, lots."""
    if parent.schedule:
        return parent.schedule[parent.slice] if parent.slice >= 0 else 0
    return parent.target_lots if parent.algo == "pov" else parent.qty_lots


def slippage_bps(parent: Parent) -> float | None:
    """Average against arrival, basis points, positive = worse than arrival; None before the first fill."""
    if parent.avg_px is None or not parent.arrival_px > 0.0:
        return None
    return parent.side_sign * (parent.avg_px / parent.arrival_px - 1.0) * 1e4


def outcome(state: State, parent: Parent) -> dict[str, Any]:
    """The counts, as commands get them."""
    spec = state.specs[parent.instrument]
    return {
        "parent": parent.id,
        "algo": parent.algo,
        "status": parent.status,
        "filled": spec.qty_of(parent.filled_lots),
        "open": spec.qty_of(counts.open_lots(state, parent)),
        "unknown": spec.qty_of(counts.unknown_lots(state, parent)),
        "qty": spec.qty_of(parent.qty_lots),
        "avg_px": parent.avg_px,
        "arrival_px": parent.arrival_px or None,
        "slippage_bps": slippage_bps(parent),
        "fees": parent.fees,
        "children": parent.sent_children - parent.denied,
        "denied": parent.denied,
        "rejected": parent.rejected,
        "slice": parent.slice + 1,
        "slices": int(parent.params.get("slices", 0)),
        "reason": parent.reason,
        "note": parent.note,
    }
