"""Distance to limit: how each switch looks from outside."""

from __future__ import annotations

import math

from bus.enums import KillPhase, Switch
from bus.views import SwitchView
from core.engine import measures as sw
from core.engine.ladder import Kill
from core.engine.state import State
from core.kernels.batch import worst_loss

ALL = tuple(Switch)


def switch_view(state: State, name: str) -> SwitchView:
    """One switch, with its most severe kill when it has one."""
    value, limit, unit, below = _measure(state, Switch(name))
    kill = _worst(state, name)
    view = SwitchView(
        name=name,
        phase=kill.phase.name if kill else ("OFF" if limit is None and _needs_limit(name) else "ARMED"),
        value=value,
        limit=limit,
        headroom=headroom(value, limit, below=below),
        unit=unit,
        rate_per_min=None,
        updated_ns=state.cold.now_ns,
        action=_action(state, name),
    )
    if kill is not None:
        _add_kill(view, kill)
    return view


def headroom(value: float | None, limit: float | None, *, below: bool) -> float | None:
    """Fraction of the way to the limit that is left: 1 far, 0 at it, negative beyond."""
    if limit is None or limit <= 0.0:
        return None
    if value is None:
        return 1.0 if below else None
    return (
        (value - limit) / value if below and value > 0 else ((limit - value) / limit if not below else -1.0)
    )


def _measure(state: State, name: Switch) -> tuple[float | None, float | None, str, bool]:
    limits = state.config.switches
    numeric = sw.BY_NAME.get(name)
    if numeric is not None:
        limit = float(state.switches["limit"][numeric.row])
        if name is Switch.POSITION_LOSS:
            value = float(worst_loss(state.positions)[1])
        else:
            value = float(state.account[numeric.column][0])
        return _num(value), _num(limit), numeric.unit, numeric.below
    if name is Switch.STALE_DATA:
        ages = [sw.staleness_s(state, i) for i in sw.watched(state)]
        return _num(max(ages, default=0.0)), limits.stale_data_s, "s", False
    if name is Switch.VENUE_DOWN:
        down = [(state.cold.now_ns - v.since_ns) / 1e9 for v in state.cold.venues if not v.up]
        return max(down, default=0.0), limits.venue_down_s, "s", False
    if name is Switch.ORDER_RATE:
        return (
            sw.order_rate(state),
            state.cold.limits.get("order_rate_per_s", limits.order_rate_per_s),
            "per_s",
            False,
        )
    if name is Switch.REJECT_RATE:
        return sw.reject_rate(state), limits.reject_rate, "fraction", False
    if name is Switch.RECONCILIATION:
        return float(sum(len(v.differs) for v in state.cold.venues)), None, "instruments", False
    return None, None, "", False


def _needs_limit(name: str) -> bool:
    return name not in (
        Switch.RECONCILIATION,
        Switch.JOURNAL,
        Switch.OPERATOR,
        Switch.STARTUP,
        Switch.REPEATED_EXECUTION,
    )


def _action(state: State, name: str) -> str:
    kill = _worst(state, name)
    level = kill.level if kill else sw.action(state, Switch(name))
    return level.name.lower()


def _worst(state: State, name: str) -> Kill | None:
    """The kill to show: one still running before one that is done, then the more severe."""
    own = [kill for kill in state.cold.kills.values() if kill.switch == name]
    return max(own, key=lambda k: (k.phase is not KillPhase.LATCHED, k.level, k.since_ns), default=None)


def _add_kill(view: SwitchView, kill: Kill) -> None:
    view.scope, view.reason, view.operator = kill.scope, kill.reason, kill.operator
    view.tripped_ns, view.tripped_value = kill.since_ns, kill.value
    view.durable, view.alarmed, view.receipt = kill.durable, kill.alarmed, kill.receipt
    view.cancelled, view.cancel_total = kill.cancelled, kill.cancel_total
    view.flat, view.flat_total, view.unconfirmed = kill.flat, kill.flat_total, kill.unconfirmed


def _num(value: float) -> float | None:
    return value if math.isfinite(value) else None
