"""Limits changed by command: in any scope, by an admin, audited, kept over a restart.

A change stands before the configured number of the same scope, in both directions; of all scopes the tightest counts.
"""

from __future__ import annotations

from bus.events import Command
from core.engine import announce, scopes, trading
from core.engine.gate.tight import ACCOUNT_WIDE, FIRM, SCOPED, limit_in, limit_key
from core.engine.outcomes import accept, finish
from core.engine.refusals import Refused
from core.engine.state import State

FIRM_ONLY = ("order_rate_per_s",)  # the limit of a switch


def set_limit(state: State, command: Command) -> None:
    """``{name, scope, value}``."""
    data = command.data
    name, scope = str(data.get("name", "")), str(data.get("scope") or FIRM)
    value = trading.number(data.get("value"), "value")
    if name not in (*SCOPED, *ACCOUNT_WIDE, *FIRM_ONLY):
        names = ", ".join((*SCOPED, *ACCOUNT_WIDE, *FIRM_ONLY))
        raise Refused("BAD_LIMIT", f"no limit {name!r}: {names}")
    if not scopes.limitable(state, scope):
        raise Refused(
            "BAD_SCOPE", f"no such scope {scope!r}: all, account:ID, venue:NAME, strategy:ID or symbol:SYM"
        )
    wide = scope == FIRM or (scope.startswith("account:") and name in ACCOUNT_WIDE)
    if name not in SCOPED and not wide:
        raise Refused("BAD_LIMIT", f"{name} is a limit of the whole account: scope all")
    if value < 0.0:
        raise Refused("BAD_VALUE", f"{name} cannot be negative: {value:g}")
    accept(state, command)
    before = _before(state, name, scope)
    state.cold.limits[limit_key(name, scope)] = value
    state.desk.forget_limits()
    changed = f"{before} -> {value}"
    announce.audit(state, command.operator, f"set_limit {name}", scope, changed, command.reason)
    finish(state, command.id, "done", {"name": name, "scope": scope, "value": value, "before": before})


def _before(state: State, name: str, scope: str) -> float | None:
    """What this scope has set until now; None = nothing."""
    if name in FIRM_ONLY:
        return state.cold.limits.get(name, state.config.switches.order_rate_per_s)
    return limit_in(state, name, scope)
