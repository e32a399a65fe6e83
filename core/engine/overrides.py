"""Overrides of a limit: temporary, asked for by one person, granted by another, audited, and gone by themselves.

    request_override   an operator names a refusal's code, a scope, for how long, why, and the limit that should hold
    grant_override     somebody else, an admin, lets it be: from now on, for that long
    revoke_override    anybody who may ask takes it back, granted or not

Which codes may be overridden at all is a table beside the gate (``gate/waive.py``): limits of judgement only. A request
that nobody grants lapses. A grant ends by the engine's clock whether or not its timer has fired, and survives a restart
with its end. Every use is a line of the audit trail that names both persons.
"""

from __future__ import annotations

from typing import Any

from bus.enums import Role
from bus.events import Command
from core.engine import announce, scopes, trading
from core.engine.config import SECOND_NS
from core.engine.desk import Override
from core.engine.gate.waive import OVERRIDABLE
from core.engine.outcomes import accept, finish
from core.engine.refusals import Refused
from core.engine.state import State

MINUTE_NS = 60 * SECOND_NS
WAITS_MIN = 15.0  # a request that nobody grants lapses after this many minutes
STANDING_MAX = 32


def request(state: State, command: Command) -> None:
    """``{code, scope, value?, minutes}``, with a reason."""
    data = command.data
    code = str(data.get("code", "")).rpartition(".")[2].upper()  # SIZE.VALUE_MAX is VALUE_MAX
    if code not in OVERRIDABLE:
        raise Refused(
            "NOT_OVERRIDABLE", f"{code or 'nothing'!r} cannot be lifted; what can: {', '.join(OVERRIDABLE)}"
        )
    scope, longest = str(data.get("scope") or "all"), state.config.gate.override_max_min
    if not scopes.limitable(state, scope):
        raise Refused(
            "BAD_SCOPE", f"no such scope {scope!r}: all, account:ID, venue:NAME, strategy:ID or symbol:SYM"
        )
    minutes = trading.number(data.get("minutes"), "minutes")
    if not 0.0 < minutes <= longest:
        raise Refused(
            "BAD_MINUTES", f"minutes must be above 0 and at most {longest:g} (gate.override_max_min)"
        )
    if not command.reason.strip() or not command.operator.strip():
        raise Refused("NO_REASON", "an override needs a named operator and a reason")
    if len(state.cold.overrides) >= STANDING_MAX:
        raise Refused("TOO_MANY", f"{STANDING_MAX} overrides are standing: revoke one")
    value = None if data.get("value") in (None, "") else trading.number(data["value"], "value")
    accept(state, command)
    _put(state, command, code, scope, value, minutes)


def _put(state: State, command: Command, code: str, scope: str, value: float | None, minutes: float) -> None:
    cold = state.cold
    cold.override_seq += 1
    override = Override(
        id=f"V{cold.epoch}-{cold.override_seq}",
        code=code,
        scope=scope,
        value=value,
        minutes=minutes,
        asked_by=command.operator,
        asked_ns=cold.now_ns,
        reason=command.reason[:200],
        until_ns=cold.now_ns + int(WAITS_MIN * MINUTE_NS),
    )
    cold.overrides[override.id] = override
    state.timer(override.until_ns, "override", override.id)
    _audit(state, command.operator, "asked for", override)
    finish(state, command.id, "done", shown(override))


def grant(state: State, command: Command) -> None:
    """``{id}``: by somebody else than who asked, with role admin."""
    override = _standing(state, command)
    if override.granted_by:
        raise Refused("GRANTED", f"{override.id} was granted by {override.granted_by}")
    if command.role < Role.ADMIN:
        raise Refused(
            "NOT_PERMITTED", f"granting is for admin; {command.operator} is {command.role.name.lower()}"
        )
    if not command.operator.strip() or _same(command.operator, override.asked_by):
        raise Refused("SAME_PERSON", f"{override.asked_by} asked for it: somebody else must grant it")
    accept(state, command)
    override.granted_by, override.granted_ns = command.operator, state.cold.now_ns
    override.until_ns = state.cold.now_ns + int(override.minutes * MINUTE_NS)
    state.timer(override.until_ns, "override", override.id)
    _audit(state, command.operator, "granted", override)
    finish(state, command.id, "done", shown(override))


def revoke(state: State, command: Command) -> None:
    """``{id}``: it ends now."""
    override = _standing(state, command)
    accept(state, command)
    del state.cold.overrides[override.id]
    _audit(state, command.operator, "revoked", override)
    finish(state, command.id, "done", shown(override) | {"status": "revoked"})


def on_timer(state: State, key: str) -> None:
    """The override ``key`` ends, unless it was granted since this timer was set."""
    override = state.cold.overrides.get(key)
    if override is not None and override.until_ns <= state.cold.now_ns:
        del state.cold.overrides[key]
        _audit(state, "core", "expired" if override.granted_by else "lapsed", override)


def on_boot(state: State) -> None:
    """Timers died with the process; what has run out meanwhile ends at once."""
    for override in state.cold.overrides.values():
        state.timer(max(override.until_ns, state.cold.now_ns), "override", override.id)


def shown(override: Override) -> dict[str, Any]:
    """As commands and ``health.gate`` tell it."""
    return {
        "id": override.id,
        "code": f"{OVERRIDABLE[override.code]}.{override.code}",
        "scope": override.scope,
        "value": override.value,
        "status": "in force" if override.granted_by else "waiting",
        "asked_by": override.asked_by,
        "granted_by": override.granted_by,
        "reason": override.reason,
        "minutes": override.minutes,
        "until_ns": override.until_ns,
        "uses": override.uses,
    }


def _standing(state: State, command: Command) -> Override:
    override = state.cold.overrides.get(str(command.data.get("id", "")))
    if override is None or override.until_ns <= state.cold.now_ns:
        standing = ", ".join(state.cold.overrides) or "none"
        raise Refused("UNKNOWN_OVERRIDE", f"no override {command.data.get('id')!r} is standing: {standing}")
    return override


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _audit(state: State, who: str, what: str, override: Override) -> None:
    limit = "without limit" if override.value is None else f"up to {override.value:g}"
    text = f"{override.code} {limit} for {override.minutes:g} min: {override.reason}"
    announce.audit(state, who, f"override {what}", override.scope, override.id, text)
