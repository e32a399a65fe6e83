"""What the engine says by itself, at once: the state word, switches, audit lines. Tables are the publisher's."""

from __future__ import annotations

import math

from bus.effects import Publish, WriteLatch
from bus.enums import LEVEL_STATES, KillPhase
from bus.views import AuditView, DeniedView, StateView
from core.engine import ladder
from core.engine.gate import Denial, Wish
from core.engine.ladder import Kill
from core.engine.state import State
from core.engine.switchview import switch_view

LEVEL_WORDS = {level: word for word, level in LEVEL_STATES.items()}


def state_view(state: State) -> StateView:
    """The one state word and why."""
    cold = state.cold
    worst = max(cold.kills.values(), key=lambda kill: kill.level, default=None)
    return StateView(
        state=ladder.state_word(cold.kills, started=cold.started),
        level=int(ladder.level_of(cold.kills, ())),
        started=cold.started,
        scopes=ladder.by_scope(cold.kills),
        latched=sorted(cold.kills),
        reason=worst.reason if worst else cold.stop_reason,
        operator=worst.operator if worst else cold.stop_operator,
        since_ns=worst.since_ns if worst else cold.since_ns,
    )


def state_changed(state: State) -> None:
    """Publish the state word and put the stop record on its way to disk."""
    state.emit(Publish("state", "state", state_view(state)))
    store_latches(state)


def store_latches(state: State) -> None:
    """The stop record: small, whole, and never waited for."""
    cold = state.cold
    cold.latch_seq += 1
    for kill in cold.kills.values():
        if not kill.durable:
            kill.latch_seq = kill.latch_seq or cold.latch_seq
    record = {
        "state": ladder.state_word(cold.kills, started=cold.started),
        "started": cold.started,
        "epoch": cold.epoch,
        "latches": [_latch(kill) for kill in cold.kills.values()],
    }
    state.emit(WriteLatch(cold.latch_seq, record))


def _latch(kill: Kill) -> dict[str, object]:
    return {
        "key": kill.key,
        "level": kill.level.name,
        "phase": kill.phase.name,
        "reason": kill.reason,
        "operator": kill.operator,
        "since_ns": kill.since_ns,
        "receipt": kill.receipt,
    }


def switch_changed(state: State, kill: Kill) -> None:
    """Publish the switch a kill belongs to, with its phase and counts."""
    state.emit(Publish(f"switch.{kill.switch}", "switch", switch_view(state, kill.switch)))


def audit(state: State, who: str, what: str, target: str, result: str, detail: str = "") -> None:
    """One line of the audit trail (the journal row that caused it is the record; this is its public face)."""
    state.emit(
        Publish("audit", "audit", AuditView(who=who, what=what, target=target, result=result, detail=detail))
    )


def denied(state: State, wish: Wish, denial: Denial) -> None:
    """OrderDenied, published."""
    known = 0 <= wish.instrument < len(state.specs)
    spec = state.specs[wish.instrument] if known else None
    view = DeniedView(
        layer=denial.layer.name,
        code=denial.code,
        value=_finite(denial.value),
        limit=_finite(denial.limit),
        symbol=spec.symbol if spec else "?",
        strategy=wish.strategy,
        side=wish.side.name.lower(),
        qty=spec.qty_of(wish.qty_lots) if spec else float(wish.qty_lots),
        detail=denial.detail,
    )
    state.emit(Publish("audit", "denied", view))


def kill_counts(kill: Kill) -> dict[str, object]:
    """The counts of a kill, as commands and screens get them."""
    return {
        "switch": str(kill.switch),
        "scope": kill.scope,
        "level": LEVEL_WORDS[kill.level],
        "phase": kill.phase.name,
        "cancelled": kill.cancelled,
        "cancel_total": kill.cancel_total,
        "flat": kill.flat,
        "flat_total": kill.flat_total,
        "unconfirmed": kill.unconfirmed,
        "alarmed": kill.alarmed,
        "latched": kill.phase is KillPhase.LATCHED,
        "durable": kill.durable,
        "receipt": kill.receipt,
    }


def _finite(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return value
