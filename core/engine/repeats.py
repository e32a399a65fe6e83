"""Repeated execution: a strategy that executes again and again on one side, and never the other way, is stopped.

What is counted is orders, not prints: the first execution of each order a strategy has sent by itself. An execution on
the other side of the same instrument starts the count afresh, for then the position was reduced. When the count reaches
``gate.repeat_max`` within ``gate.repeat_window_s`` the switch ``repeated_execution`` is pulled in the strategy's scope
at REDUCING. No timer takes it back: only ``rearm``, by a named person, with a reason.
"""

from __future__ import annotations

from bus.enums import Purpose, Side, Switch, TradingState
from core.engine import kill
from core.engine.config import SECOND_NS
from core.engine.gate.tight import repeat_key
from core.engine.records import Filled
from core.engine.state import State


def after(state: State) -> None:
    """Count what this step has booked; pull where it is too much."""
    limit = state.config.gate.repeat_max
    for filled in state.filled:
        if filled.order.purpose is Purpose.STRATEGY and filled.order.filled_lots == filled.lots and limit:
            _count(state, filled, limit)


def _count(state: State, filled: Filled, limit: int) -> None:
    order, now_ns = filled.order, state.cold.now_ns
    symbol = state.specs[order.instrument].symbol
    other = Side.SELL if order.side is Side.BUY else Side.BUY
    state.cold.repeats.pop(repeat_key(order.strategy, symbol, other.name), None)
    times = state.cold.repeats.setdefault(repeat_key(order.strategy, symbol, order.side.name), [])
    if len(times) >= limit:
        return  # latched: more of it changes nothing, and time takes nothing away
    times.append(now_ns)
    since_ns = now_ns - int(state.config.gate.repeat_window_s * SECOND_NS)
    while times[0] < since_ns:
        del times[0]
    if len(times) >= limit:
        text = f"{order.strategy}: {limit} orders executed to {order.side.name.lower()} {symbol}, none back"
        kill.pull(
            state,
            Switch.REPEATED_EXECUTION,
            f"strategy:{order.strategy}",
            TradingState.REDUCING,
            reason=text,
            value=float(limit),
            limit=float(limit),
        )


def forget(state: State, scope: str) -> None:
    """A named person has re-armed it: the strategy counts from nothing."""
    strategy = scope.removeprefix("strategy:")
    for key in [key for key in state.cold.repeats if key.startswith(f"{strategy}|")]:
        del state.cold.repeats[key]
