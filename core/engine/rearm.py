"""Leaving a latched state: a named operator, a reason, a confirmed kill, and a condition that no longer holds.

Re-arming leads to READY; starting is another act. No timer comes here. A loss measured from the peak stays true
for ever once the book is flat, so re-arming the drawdown or the emergency switch on a *flat* book starts a new
measurement from the present equity: the loss has been taken, and the journal says who said so. The daily loss has
no such way: it holds for the day.
"""

from __future__ import annotations

import math

from bus.enums import KillPhase, Switch
from core.engine import alarms, announce, repeats
from core.engine import measures as sw
from core.engine.ladder import Kill
from core.engine.state import State


def obstacles(state: State, kill: Kill) -> list[str]:
    """Why this kill may not be re-armed now; empty when it may."""
    if kill.phase is not KillPhase.LATCHED:
        return [f"{kill.key} is still {kill.phase.name}: the venue has not confirmed"]
    holds = _still_holds(state, kill)
    return [holds] if holds else []


def rearm(state: State, switch: str, operator: str, reason: str) -> tuple[list[str], list[str]]:
    """Re-arm every kill of ``switch`` (a name, a switch@scope key, or "all"); returns (done, refused-because)."""
    done: list[str] = []
    refused: list[str] = []
    for kill in list(state.cold.kills.values()):
        if switch not in ("all", kill.switch, kill.key):
            continue
        why = obstacles(state, kill)
        if why:
            refused += why
            continue
        _start_new_measure(state, kill)
        del state.cold.kills[kill.key]
        _set_again(state, kill)
        alarms.clear_alert(state, "KILL", f"switch.{kill.switch}")
        announce.audit(state, operator, f"rearm {kill.switch}", kill.scope, kill.receipt, reason)
        announce.switch_changed(state, kill)
        done.append(kill.key)
    if done:
        state.cold.started = False
        state.cold.awaits_start = True
        state.cold.stop_reason, state.cold.stop_operator = reason, operator
        state.cold.since_ns = state.cold.now_ns
        announce.state_changed(state)
    return done, refused


def _flat(state: State) -> bool:
    return not state.working and not state.positions["qty_lots"].any()


def _starts_new_measure(state: State, kill: Kill) -> bool:
    """The loss from the peak has been taken in full: nothing is held that could still win it back."""
    equity = state.equity
    taken = kill.switch in (Switch.DRAWDOWN, Switch.EMERGENCY) and _flat(state)
    return taken and math.isfinite(equity) and equity > 0.0


def _start_new_measure(state: State, kill: Kill) -> None:
    if _starts_new_measure(state, kill):
        state.account["equity_peak"] = state.equity
        state.account["drawdown"] = 0.0
        state.account["emergency_loss"] = _daily_loss(state)


def _daily_loss(state: State) -> float:
    return max(float(state.account["daily_loss"][0]), 0.0)


def _value(state: State, kill: Kill, column: str) -> float:
    """What the switch measures, as it would be after re-arming."""
    if _starts_new_measure(state, kill):
        return 0.0 if kill.switch == Switch.DRAWDOWN else _daily_loss(state)
    return float(state.account[column][0])


def _still_holds(state: State, kill: Kill) -> str:
    """The condition in words when it still holds, else empty."""
    numeric = sw.BY_NAME.get(Switch(kill.switch))
    if numeric is not None and numeric.column:
        value, limit = _value(state, kill, numeric.column), float(state.switches["limit"][numeric.row])
        if not (value >= limit if numeric.below else value < limit):
            hint = "; flatten first" if not _flat(state) else ""
            return f"{kill.switch} still holds: {value:.4g}, limit {limit:.4g}{hint}"
    if numeric is not None and not numeric.column:
        symbol = kill.scope.removeprefix("symbol:")
        if symbol in state.ids and state.qty(state.ids[symbol]):
            return f"{symbol} is not flat"
    if kill.switch == Switch.STALE_DATA:
        age_s = sw.staleness_s(state, state.ids[kill.scope.removeprefix("symbol:")])
        limit_s = state.config.switches.stale_data_s or math.inf
        return f"{kill.scope}: still no tick for {age_s:.0f} s" if age_s > limit_s else ""
    if kill.switch == Switch.VENUE_DOWN:
        venue = state.cold.venues[state.venue_ids[kill.scope.removeprefix("venue:")]]
        return "" if venue.up else f"{venue.name} is still down"
    if kill.switch == Switch.RECONCILIATION:
        unsure = [v.name for v in state.cold.venues if not v.reconciled]
        return f"not reconciled: {', '.join(unsure)}" if unsure else ""
    if kill.switch == Switch.JOURNAL:
        return "" if state.cold.journal_ok else f"the journal still cannot write: {state.cold.journal_reason}"
    return ""


def _set_again(state: State, kill: Kill) -> None:
    numeric = sw.BY_NAME.get(Switch(kill.switch))
    if numeric is not None and numeric.column:
        state.switches["armed"][numeric.row] = int(
            not math.isnan(float(state.switches["limit"][numeric.row]))
        )
    elif numeric is not None:
        instrument = state.ids[kill.scope.removeprefix("symbol:")]
        state.positions["loss_limit"][instrument] = float(state.switches["limit"][numeric.row])
    if kill.switch == Switch.REJECT_RATE:
        state.cold.verdicts.clear()
    if kill.switch == Switch.ORDER_RATE:
        state.cold.submits_ns.clear()
    if kill.switch == Switch.REPEATED_EXECUTION:
        repeats.forget(state, kill.scope)
