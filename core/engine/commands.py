"""Commands: what an operator, a trader or an outside program may ask for. One handler a type, looked up by name.

The bus has checked identity, role, version and expiry. Here the request is judged against the state: ``accepted`` or
``rejected`` goes out first, then progress, then exactly one ending, which is remembered so that the same id again
returns it and does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bus.effects import Reply
from bus.enums import LEVEL_STATES, Switch, TradingState
from bus.events import Command
from core.engine import (
    alarms,
    announce,
    byhand,
    kill,
    ladder,
    lists,
    oms,
    overrides,
    rearm,
    riskresults,
    scopes,
    thresholds,
    trading,
    waits,
)
from core.engine.algos import desk, run
from core.engine.config import SECOND_NS
from core.engine.outcomes import accept, finish
from core.engine.refusals import Refused
from core.engine.state import State

SHELVE_S_MAX = 3600.0


def on_command(state: State, command: Command) -> None:
    """Answer from memory, or judge and carry out."""
    known = state.cold.commands.get(command.id)
    if known is not None:
        state.emit(Reply(command.id, known.status, known.data, known.error_code, known.error_message))
        return
    if command.id in state.cold.running:
        state.emit(Reply(command.id, "accepted", {"repeated": True}))
        return
    handler = HANDLERS.get(command.type)
    if handler is None:
        reject(state, command, "UNSUPPORTED", f"{command.type} is not served by this build")
        return
    try:
        handler(state, command)
    except Refused as refused:
        reject(state, command, refused.code, str(refused), refused.data)


def reject(
    state: State, command: Command, code: str, message: str, data: dict[str, Any] | None = None
) -> None:
    """First and last answer: nothing was done."""
    announce.audit(state, command.operator, command.type, _target(command), f"rejected {code}", message)
    finish(state, command.id, "rejected", data or {}, code, message)


# --- stopping and leaving it ---------------------------------------------------------------------------------------


def _kill(state: State, command: Command) -> None:
    scope, level = str(command.data.get("scope", "all")), str(command.data.get("level", "halt"))
    if level not in LEVEL_STATES:
        raise Refused("BAD_LEVEL", f"level is one of {', '.join(LEVEL_STATES)}, not {level!r}")
    if not scopes.valid(state, scope):
        raise Refused("BAD_SCOPE", f"no such scope {scope!r}: all, strategy:ID, venue:NAME or symbol:SYM")
    accept(state, command, {"scope": scope, "level": level})
    reason = command.reason or "no reason given"
    kill.pull(
        state,
        Switch.OPERATOR,
        scope,
        LEVEL_STATES[level],
        reason=reason,
        operator=command.operator,
        command=command.id,
    )


def _rearm(state: State, command: Command) -> None:
    if not command.reason.strip():
        raise Refused("NO_REASON", "re-arming needs a reason")
    if not command.operator.strip():
        raise Refused("NO_OPERATOR", "re-arming needs a named operator")
    switch = str(command.data.get("switch", ""))
    if not any(switch in ("all", held.switch, held.key) for held in state.cold.kills.values()):
        if switch != "all" and switch.partition("@")[0] not in set(Switch):
            raise Refused("BAD_SWITCH", f"no switch {switch!r}: {', '.join(Switch)}")
        raise Refused("NOT_LATCHED", f"{switch or 'no switch'} is not latched")
    done, refused = rearm.rearm(state, switch, command.operator, command.reason)
    if not done:
        raise Refused("STILL_HOLDS", "; ".join(refused))
    accept(state, command)
    word = ladder.state_word(state.cold.kills, started=state.cold.started)
    finish(state, command.id, "done", {"rearmed": done, "refused": refused, "state": word})


def _start(state: State, command: Command) -> None:
    level = ladder.level_of(state.cold.kills, ())
    if level is not TradingState.ACTIVE:
        held = ", ".join(sorted(k.key for k in state.cold.kills.values() if k.scope == ladder.FIRM))
        raise Refused("LATCHED", f"{level.name}: re-arm first ({held})")
    unready = [venue.name for venue in state.cold.venues if not venue.reconciled]
    if unready:
        raise Refused("NOT_RECONCILED", f"not reconciled with {', '.join(unready)} yet")
    accept(state, command)
    state.cold.awaits_start = False
    set_started(state, started=True, operator=command.operator, reason=command.reason)
    finish(state, command.id, "done", {"state": ladder.state_word(state.cold.kills, started=True)})


def _stop(state: State, command: Command) -> None:
    """An orderly stop: no entries, working orders cancelled, positions kept; start leads back."""
    accept(state, command)
    set_started(state, started=False, operator=command.operator, reason=command.reason)
    _cancel_and_wait(state, command, list(state.working))
    if command.data.get("keep_algos") is True and state.config.algos.on_restart == "resume":
        run.suspend_all(state, "stopped: waits for the books and for a start")
    else:
        desk.end_where(state, lambda _: True, "the core was stopped")


def set_started(state: State, *, started: bool, operator: str, reason: str) -> None:
    """READY <-> ACTIVE."""
    cold = state.cold
    cold.started, cold.stop_reason, cold.stop_operator, cold.since_ns = started, reason, operator, cold.now_ns
    announce.audit(state, operator, "start" if started else "stop", "core", "ok", reason)
    announce.state_changed(state)


# --- orders --------------------------------------------------------------------------------------------------------


def _submit_order(state: State, command: Command) -> None:
    if command.data.get("algo"):
        desk.submit(state, command)
        return
    wish = trading.wish_of(state, command)
    decisions = trading.decisions(state, wish)
    if command.data.get("dry_run") is True:
        accept(state, command, {"decisions": decisions})
        finish(state, command.id, "done", {"decisions": decisions, "dry_run": True})
        return
    order = trading.send(state, command, wish, decisions)
    accept(state, command, {"cl_ord_id": order.cl_ord_id, "decisions": decisions})
    waits.begin(state, command.id, [order.cl_ord_id], heard=True)


def _close_position(state: State, command: Command) -> None:
    """Out of one position, in every state: its working orders are cancelled first, for they could fill as well."""
    wish = trading.closing_wish(state, command)
    accept(state, command, {})
    announce.audit(state, command.operator, command.type, _target(command), "accepted", command.reason)
    waits.begin_close(state, command.id, wish.instrument)
    desk.end_where(state, lambda p: p.instrument == wish.instrument, "the position was closed by hand")


def _cancel_order(state: State, command: Command) -> None:
    cl_ord_id = str(command.data.get("cl_ord_id", ""))
    order = state.cold.orders.get(cl_ord_id)
    if order is None:
        raise Refused("UNKNOWN_ORDER", f"no order {cl_ord_id!r}")
    accept(state, command)
    lists.cancelled_by_hand(state, order)
    _cancel_and_wait(state, command, [cl_ord_id])


def _cancel_all(state: State, command: Command) -> None:
    accept(state, command)
    _cancel_and_wait(state, command, list(state.working))
    desk.end_where(state, lambda _: True, "everything was cancelled")


def _cancel_and_wait(state: State, command: Command, ids: list[str], strategy: str = "") -> None:
    """Cancel and end when all have ended; of everything (of ``strategy``), but for one order by hand."""
    counted = command.type == "cancel_order"  # a stop must not trip the order rate
    if not counted:
        ids = lists.to_cancel(state, ids, strategy)
    for key in ids:
        oms.cancel(state, state.cold.orders[key], counted=counted)
    waits.begin(state, command.id, ids)


# --- limits, alarms, strategies ------------------------------------------------------------------------------------


def _acknowledge(state: State, command: Command) -> None:
    key = str(command.data.get("id", ""))
    ids = list(state.cold.alerts) if key == "all" else [key]
    if any(i not in state.cold.alerts for i in ids):
        raise Refused("UNKNOWN_ALERT", f"no alarm {key!r}")
    accept(state, command)
    for i in ids:
        alert = state.cold.alerts[i]
        if alert.status in ("UNACK", "CLEARED"):
            alert.status, alert.operator, alert.updated_ns = "ACK", command.operator, state.cold.now_ns
            alarms.publish(state, alert)
    announce.audit(state, command.operator, "acknowledge", key, "ok", command.reason)
    finish(state, command.id, "done", {"acknowledged": len(ids)})


def _shelve(state: State, command: Command) -> None:
    alert = state.cold.alerts.get(str(command.data.get("id", "")))
    if alert is None:
        raise Refused("UNKNOWN_ALERT", "no such alarm")
    for_s = trading.number(command.data.get("for_s", SHELVE_S_MAX), "for_s")
    if not command.reason.strip() or not 0 < for_s <= SHELVE_S_MAX:
        raise Refused("BAD_SHELVE", f"shelving needs a reason and at most {SHELVE_S_MAX:.0f} s")
    if alert.priority == "high":
        raise Refused("HIGH", "high alarms cannot be shelved")
    accept(state, command)
    alert.status, alert.operator, alert.reason = "SHELVED", command.operator, command.reason
    alert.until_ns = state.cold.now_ns + int(for_s * SECOND_NS)
    state.timer(alert.until_ns, "unshelve", alert.id)
    alarms.publish(state, alert)
    announce.audit(state, command.operator, "shelve", alert.id, f"{for_s:.0f} s", command.reason)
    finish(state, command.id, "done", {})


def on_unshelve(state: State, key: str) -> None:
    """The shelf time is over: it counts again."""
    alert = state.cold.alerts.get(key)
    if alert is not None and alert.status == "SHELVED" and alert.until_ns <= state.cold.now_ns:
        alert.status = "UNACK"
        alarms.publish(state, alert)


def _set_strategy(state: State, command: Command) -> None:
    id_ = str(command.data.get("strategy", command.data.get("id", "")))
    host = state.cold.hosts.get(id_)
    if host is None:
        raise Refused(
            "UNKNOWN_STRATEGY", f"no strategy {id_!r}: {', '.join(state.cold.hosts) or 'none configured'}"
        )
    accept(state, command)
    host.enabled = command.type == "start_strategy"
    announce.audit(state, command.operator, command.type, id_, "ok", command.reason)
    if host.enabled:
        waits.begin(state, command.id, [])
        return
    ids = [o.cl_ord_id for o in state.working.values() if o.strategy == id_]
    _cancel_and_wait(state, command, ids, id_)
    desk.end_where(state, lambda p: p.strategy == id_, "its strategy was stopped")


def _target(command: Command) -> str:
    data = command.data
    return str(
        data.get("scope") or data.get("switch") or data.get("symbol") or data.get("cl_ord_id") or "core"
    )[:80]


HANDLERS: dict[str, Callable[[State, Command], None]] = {
    "kill": _kill,
    "rearm": _rearm,
    "start": _start,
    "stop": _stop,
    "submit_order": _submit_order,
    "submit_list": byhand.submit_list,
    "amend_order": byhand.amend_order,
    "cancel_order": _cancel_order,
    "cancel_all": _cancel_all,
    "close_position": _close_position,
    "set_limit": thresholds.set_limit,
    "request_override": overrides.request,
    "grant_override": overrides.grant,
    "revoke_override": overrides.revoke,
    "acknowledge_alert": _acknowledge,
    "shelve_alert": _shelve,
    "start_strategy": _set_strategy,
    "stop_strategy": _set_strategy,
    "what_if": riskresults.what_if,
    "cancel_algo": desk.cancel,
    "pause_algo": desk.pause,
    "resume_algo": desk.resume,
}
