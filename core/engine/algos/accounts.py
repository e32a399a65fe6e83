"""What children have come to: executions counted for their parent, in the parent's lots, whenever they arrive."""

from __future__ import annotations

from core.engine.algos.parent import Child, Parent
from core.engine.records import Filled
from core.engine.state import State

FILLS_MAX = 512  # executions remembered of one parent; beyond it neighbours are joined, sums stay exact


def on_fill(state: State, fill: Filled, touched: dict[str, bool]) -> None:
    """Count one execution for its parent, and for whoever must not take it for the volume of others."""
    order = fill.order
    if state.config.algos.own_in_tape:
        _own_volume(state, order.instrument, fill.lots)
    parent = state.cold.parents.get(order.parent) if order.parent else None
    if parent is None:
        return
    touched.setdefault(parent.id, False)
    child = parent.legs.get(order.cl_ord_id) or Child(order.instrument, 1, 1)
    before = child.in_parent(child.counted_lots)
    child.counted_lots += fill.lots
    lots = child.in_parent(child.counted_lots) - before
    parent.filled_lots += lots
    parent.filled_value += lots * fill.price
    parent.fees += fill.fee
    parent.maker_lots += lots if fill.maker else 0
    now_ns, i = state.cold.now_ns, order.instrument
    parent.fills.append((now_ns, fill.lots, fill.price, fill.fee, fill.maker, state.mark(i), i))
    if len(parent.fills) > FILLS_MAX:
        _join(parent)


def _own_volume(state: State, instrument: int, lots: int) -> None:
    for id_ in state.cold.algos_live:
        parent = state.cold.parents[id_]
        if parent.instrument == instrument and parent.algo == "pov":
            parent.own_lots += lots


def _join(parent: Parent) -> None:
    """The two oldest neighbours of one venue and kind become one, at their mean price."""
    fills = parent.fills
    for n in range(len(fills) - 1):
        (_, lots, price, fee, maker, mark, i), (ts, lots2, price2, fee2, maker2, mark2, i2) = fills[n : n + 2]
        if (maker, i) == (maker2, i2):
            total = lots + lots2
            mean = (lots * price + lots2 * price2) / total
            mark_mean = (lots * mark + lots2 * mark2) / total
            fills[n : n + 2] = [(ts, total, mean, fee + fee2, maker, mark_mean, i)]
            return
