"""The gate as ``health.gate`` shows it: what it refused and why, what the vetoes said, what is lifted or changed."""

from __future__ import annotations

from bus.views import HealthView
from core.engine import overrides
from core.engine.state import State


def gate_view(state: State) -> HealthView:
    """``warn`` while a veto is switched off or an override is in force: both are states nobody should forget."""
    gate, cold = state.config.gate, state.cold
    off = [
        name
        for name, on in (("microstructure", gate.microstructure_veto), ("momentum", gate.momentum_veto))
        if not on
    ]
    standing = [overrides.shown(override) for override in cold.overrides.values()]
    told = [f"{name} veto is off" for name in off]
    told += [
        f"{row['code']} lifted in {row['scope']} by {row['id']}" for row in standing if row["granted_by"]
    ]
    counts = sorted(cold.gate_counts.items())
    return HealthView(
        component="gate",
        status="warn" if told else "ok",
        detail="; ".join(told)[:300],
        values={
            "denied": {name: count for name, count in counts if name.split(".")[0].isupper()},
            "vetoes": {name: count for name, count in counts if not name.split(".")[0].isupper()},
            "vetoes_off": off,
            "overrides": standing,
            "limits_changed": dict(sorted(cold.limits.items())),
            "owners": {scope: limits.owner for scope, limits in sorted(state.config.limits.items())},
        },
    )
