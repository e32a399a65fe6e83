"""What the switches measure: tables of the numeric ones, and the counts and ages behind the others. Reads only."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import NamedTuple

from bus.enums import LEVEL_STATES, Switch, TradingState
from core.engine.config import SECOND_NS
from core.engine.state import State
from core.kernels import tables as t

R, H, F, X = TradingState.REDUCING, TradingState.HALTED, TradingState.FLATTENING, TradingState.SHUTDOWN


class Numeric(NamedTuple):
    """A switch the kernel tests: its row, its column in ACCOUNT, its level, its unit."""

    name: Switch
    row: int
    column: str
    level: TradingState
    unit: str
    below: bool = False  # trips below its limit rather than at or above


NUMERIC = (
    Numeric(Switch.DRAWDOWN, t.SW_DRAWDOWN, "drawdown", H, "fraction"),
    Numeric(Switch.POSITION_LOSS, t.SW_POSITION_LOSS, "", F, "fraction"),
    Numeric(Switch.DAILY_LOSS, t.SW_DAILY_LOSS, "daily_loss", H, "fraction"),
    Numeric(Switch.EMERGENCY, t.SW_EMERGENCY, "emergency_loss", X, "fraction"),
    Numeric(Switch.LEVERAGE, t.SW_LEVERAGE, "leverage", R, "ratio"),
    Numeric(Switch.MARGIN, t.SW_MARGIN, "margin_ratio", R, "ratio", below=True),
)
BY_NAME = {numeric.name: numeric for numeric in NUMERIC}


def action(state: State, name: Switch) -> TradingState:
    """What the switch does, as configured."""
    limits = state.config.switches
    if name is Switch.DRAWDOWN:
        return LEVEL_STATES[limits.drawdown_level]
    if name is Switch.DAILY_LOSS:
        return LEVEL_STATES[limits.daily_loss_level]
    if name is Switch.STALE_DATA:
        return LEVEL_STATES[limits.stale_data_level]
    return ACTIONS[name]


ACTIONS: dict[Switch, TradingState] = {n.name: n.level for n in NUMERIC} | {
    Switch.STALE_DATA: R,
    Switch.VENUE_DOWN: H,
    Switch.ORDER_RATE: H,
    Switch.REJECT_RATE: H,
    Switch.RECONCILIATION: H,
    Switch.JOURNAL: H,
    Switch.OPERATOR: H,
    Switch.STARTUP: H,
    Switch.REPEATED_EXECUTION: R,
}


def order_rate(state: State) -> float:
    """Submits and cancels a second over the window, kill orders not counted."""
    times, window_s = state.cold.submits_ns, state.config.switches.order_rate_window_s
    since = state.cold.now_ns - int(window_s * SECOND_NS)
    return (len(times) - bisect_left(times, since)) / window_s


def reject_rate(state: State) -> float | None:
    """Share of the last orders the venue rejected; None with too few to say."""
    verdicts = state.cold.verdicts
    if len(verdicts) < state.config.switches.reject_min:
        return None
    return sum(verdicts) / len(verdicts)


def staleness_s(state: State, instrument: int) -> float:
    """Seconds since the instrument's last tick; inf when there never was one."""
    ts_ns = int(state.markets["ts_ns"][instrument])
    return (state.cold.now_ns - ts_ns) / SECOND_NS if ts_ns else math.inf


def watched(state: State) -> list[int]:
    """Instruments whose data must be fresh: held, or with working orders."""
    rows = state.positions
    mask = (rows["qty_lots"] != 0) | (rows["work_buy_lots"] != 0) | (rows["work_sell_lots"] != 0)
    return [int(i) for i in mask.nonzero()[0]]
