"""Commands about parents: start one, look at what it would do, pause, go on, end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bus.enums import GateLayer
from bus.events import Command
from core.engine import announce, router, trading
from core.engine.algos import children, life, reach, request, run
from core.engine.algos.parent import CANCELLED, PAUSED, RUNNING, Parent
from core.engine.algos.view import outcome
from core.engine.outcomes import accept, finish
from core.engine.refusals import Refused
from core.engine.state import State

LIVE_MAX = 256  # parents at a time
HOPELESS = (
    GateLayer.FORM.name,
    GateLayer.AUTHORITY.name,
    GateLayer.STATE.name,
)  # time alone does not cure these


def submit(state: State, command: Command) -> None:
    """``submit_order`` with an ``algo``: a parent, whose children pass the gate one by one."""
    parent, profile = request.parent_of(state, command)
    if parent.id in state.cold.parents:
        raise Refused("DUPLICATE", f"{parent.id} was asked for before")
    if len(state.cold.algos_live) >= LIVE_MAX:
        raise Refused("TOO_MANY", f"{LIVE_MAX} algorithms are at work")
    request.planned(state, parent, profile)
    decisions = trading.decisions(state, children.first_wish(state, parent))
    if command.data.get("dry_run") is True:
        data = {"decisions": decisions, "dry_run": True, **plan_of(state, parent)}
        accept(state, command, data)
        finish(state, command.id, "done", data)
        return
    _refuse_hopeless(state, parent, decisions)
    accept(state, command, {"parent": parent.id, "algo": parent.algo, "decisions": decisions})
    text = f"{parent.algo} {parent.side.name.lower()} {parent.qty_lots} lots"
    announce.audit(state, command.operator, command.type, parent.id, text, command.reason)
    run.start(state, parent)


def _refuse_hopeless(state: State, parent: Parent, decisions: list[dict[str, Any]]) -> None:
    kill = reach.covering(state, parent)
    if kill is not None:
        raise Refused(kill.level.name, f"{kill.switch} in {kill.scope}", {"decisions": decisions})
    for row in decisions:
        if not row["ok"] and row["layer"] in HOPELESS:
            raise Refused(row["code"], f"{row['layer']}: {row['detail']}", {"decisions": decisions})


def plan_of(state: State, parent: Parent) -> dict[str, Any]:
    """What it would do: the schedule in base units, times, the model's estimate."""
    spec = state.specs[parent.instrument]
    return {
        "algo": parent.algo,
        "qty": spec.qty_of(parent.qty_lots),
        "slices": len(parent.schedule),
        "slice_s": parent.slice_ns / 1e9,
        "schedule": [spec.qty_of(lots) for lots in parent.schedule],
        "model": parent.model,
        "estimate": parent.estimate,
        **({"route": _route(state, parent)} if parent.routes else {}),
    }


def _route(state: State, parent: Parent) -> dict[str, Any]:
    """Where all of it would go now, and why."""
    return router.preview(
        state,
        parent.instrument,
        parent.side,
        parent.qty_lots,
        parent.limit_ticks,
        tuple(parent.routes),
        reduce_only=parent.reduce_only,
    )


def _named(state: State, command: Command) -> Parent:
    key = str(command.data.get("id", ""))
    parent = state.cold.parents.get(key)
    if parent is None:
        live = ", ".join(list(state.cold.algos_live)[:8]) or "none is at work"
        raise Refused("UNKNOWN_ALGO", f"no algorithm {key[:40]!r}: {live}")
    if parent.ended_ns or not parent.alive:
        raise Refused("ENDED", f"{key} is {parent.status}")
    return parent


def cancel(state: State, command: Command) -> None:
    """End it; done when every child is terminal by the venue's word."""
    parent = _named(state, command)
    accept(state, command, outcome(state, parent))
    parent.waiters.append(command.id)
    life.end(state, parent, CANCELLED, command.reason or f"cancelled by {command.operator}")


def pause(state: State, command: Command) -> None:
    """Send nothing more for now; what is open is called back."""
    parent = _named(state, command)
    if parent.status != RUNNING:
        raise Refused("NOT_RUNNING", f"{parent.id} is {parent.status}")
    accept(state, command)
    life.pause(state, parent, command.reason or f"paused by {command.operator}", alarm=False)
    _done(state, command, parent)


def resume(state: State, command: Command) -> None:
    """Go on."""
    parent = _named(state, command)
    if parent.status != PAUSED:
        raise Refused("NOT_PAUSED", f"{parent.id} is {parent.status}")
    accept(state, command)
    life.resume(state, parent)
    _done(state, command, parent)


def _done(state: State, command: Command, parent: Parent) -> None:
    announce.audit(state, command.operator, command.type, parent.id, parent.status, command.reason)
    finish(state, command.id, "done", outcome(state, parent))


def end_where(state: State, covers: Callable[[Parent], bool], reason: str) -> None:
    """End every living parent that ``covers`` names: after a stop, a cancel-all, a strategy switched off, a close."""
    for id_ in list(state.cold.algos_live):
        if covers(parent := state.cold.parents[id_]):
            life.end(state, parent, CANCELLED, reason)
