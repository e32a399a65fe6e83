"""Overrides as the gate sees them: which refusals one may lift at all, and which one is in force for an order.

Only limits of judgement can be lifted, for a time: a size, a collar, a count, a veto. What says that a number is wrong
or missing (form, stale or crossed data, no price, no VaR), what belongs to stopping (state, leverage, margin, loss
budgets, repeated execution, message rates) and what the law forbids (restricted, self-match, duplicates) cannot.
"""

from __future__ import annotations

from math import isnan

from bus.effects import Publish
from bus.views import AuditView
from core.engine.desk import Override
from core.engine.gate.wish import Wish
from core.engine.state import State

OVERRIDABLE: dict[str, str] = {  # code -> its layer
    "SPREAD": "DATA",
    "SPREAD_USUAL": "DATA",
    "THIN": "DATA",
    "IMBALANCE": "DATA",
    "MOMENTUM": "DATA",
    "COLLAR": "PRICE",
    "RANGE": "PRICE",
    "LOTS_MAX": "SIZE",
    "VALUE_MAX": "SIZE",
    "PARTICIPATION": "SIZE",
    "KELLY": "SIZE",
    "OPEN_ORDERS": "FLOW",
    "TRADE_INTERVAL": "FLOW",
    "CONCENTRATION": "EXPOSURE",
    "EXPOSURE_MAX": "EXPOSURE",
    "VAR_MAX": "LOSS",
    "ES_MAX": "LOSS",
}


def covering(
    state: State, wish: Wish, code: str, value: float | None, limit: float | None
) -> Override | None:
    """The override in force that lifts this refusal; a limit that is nan or missing is never lifted."""
    if code not in OVERRIDABLE or value is None or limit is None or isnan(value) or isnan(limit):
        return None
    spec = state.specs[wish.instrument]
    scopes = (
        "all",
        f"account:{state.config.account}",
        f"venue:{spec.venue}",
        f"strategy:{wish.strategy}",
        f"symbol:{spec.symbol}",
    )
    for override in state.cold.overrides.values():
        if override.code == code and override.scope in scopes and in_force(state, override):
            if override.value is None or value <= override.value:
                return override
    return None


def in_force(state: State, override: Override) -> bool:
    """Granted, and its time not over: the clock decides, whether or not its timer has fired."""
    return bool(override.granted_by) and state.cold.now_ns < override.until_ns


def used(state: State, wish: Wish, code: str, id_: str) -> None:
    """An order leaves that would have been refused: counted and audited, each time."""
    override = state.cold.overrides[id_]
    override.uses += 1
    view = AuditView(
        who=override.granted_by,
        what=f"override {code}",
        target=wish.cl_ord_id,
        result="used",
        detail=f"{id_}, asked for by {override.asked_by}: {override.reason}"[:300],
    )
    state.emit(Publish("audit", "audit", view))
