"""Layer 9, LOSS: what the order could lose fits into what is left to lose.

Each loss switch leaves a budget: the distance from here to its limit, in account currency. What is pending (this order
and every working one that would make the book larger) may lose ``stress_move`` of its value; if that does not fit into
the smallest budget, the entry is refused before the switch has to trip. A position that has used up most of its own
loss limit is not added to. Where a VaR or ES limit is set, the last result off the loop, plus what the pending
exposure adds at most, must stay below it; no result, an old one, or one that does not know the symbol, refuses.
"""

from __future__ import annotations

from math import inf, isnan

from core.engine.config import SECOND_NS
from core.engine.gate.case import Case
from core.engine.gate.wish import Refusal, Shown
from core.kernels.facts import left_of
from core.kernels.tables import SW_DAILY_LOSS, SW_DRAWDOWN, SW_EMERGENCY

BUDGETS = (
    ("DRAWDOWN_BUDGET", SW_DRAWDOWN),
    ("DAILY_BUDGET", SW_DAILY_LOSS),
    ("EMERGENCY_BUDGET", SW_EMERGENCY),
)


def check(case: Case) -> Refusal | None:
    """Budgets of drawdown, day, emergency and position; then VaR and ES after the trade."""
    if case.reducing:
        return None
    f, move = case.facts, case.state.config.gate.stress_move
    if move:
        pending = _pending(case) * move
        if not pending <= f.room:
            text = "pending orders could lose more than is left of it (account currency)"
            return _smallest(case), pending, f.room, text
    refusal = _position(case, move) if f.held else None
    if refusal is None and (case.limits.var_max != 0.0 or case.limits.es_max != 0.0):
        refusal = _tails(case)
    return refusal


def _pending(case: Case) -> float:
    """Account currency by which the book would be larger if everything filled; nan when it cannot be told."""
    growth = case.facts.gross - case.facts.gross_now
    return growth if not growth < 0.0 else 0.0


def _smallest(case: Case) -> str:
    """Which budget has the least room, or cannot be told."""
    account, switches = case.state.account[0], case.state.switches
    rooms = [(name, float(left_of(account, switches, which))) for name, which in BUDGETS]
    return min(rooms, key=lambda row: -inf if isnan(row[1]) else row[1])[0]


def _position(case: Case, move: float) -> Refusal | None:
    """A position near its own loss limit is not added to. Against equity its budget is money like the others."""
    f, config = case.facts, case.state.config
    limit = config.switches.position_loss
    if limit is None or f.held * case.wish.side_sign <= 0.0 or f.loss_limit == inf:
        return None
    if config.switches.position_loss_basis == "equity" and move:
        loss, left = max(f.own - f.own_now, 0.0) * move, (limit - f.loss_ratio) * f.equity
        if not loss <= left:
            return "POSITION_BUDGET", loss, left, "it could lose more than is left (account currency)"
    most = limit * (1.0 - config.gate.position_room_min)
    if not f.loss_ratio <= most:
        return "POSITION_ROOM", f.loss_ratio, most, "the position has used up its loss limit (fraction)"
    return None


# --- VaR and ES ----------------------------------------------------------------------------------------------------


def _tails(case: Case) -> Refusal | None:
    state, limits = case.state, case.limits
    result = state.risk.get("var")
    if result is None:
        return "NO_VAR", None, None, "a limit on VaR or ES is set and nothing has been computed"
    age_s = (state.cold.now_ns - result.as_of_ns) / SECOND_NS
    age_max_s = state.config.gate.risk_age_max_s
    if not age_s <= age_max_s:
        return "STALE_VAR", age_s, age_max_s, "the last VaR is too old (s)"
    unit = result.data.get("unit", {})
    symbol = state.specs[case.wish.instrument].symbol
    if symbol not in unit:
        return "NO_VAR", None, None, f"the last VaR knows no history of {symbol}"
    growth = _pending(case)
    own = min(max(case.facts.own - case.facts.own_now, 0.0), growth)
    added = own * unit[symbol] + (growth - own) * max(unit.values())
    return _tail(case, "VAR_MAX", result.data.get("var"), added, limits.var_max) or _tail(
        case, "ES_MAX", result.data.get("es"), added, limits.es_max
    )


def _tail(case: Case, code: str, now: float | None, added: float, limit: float) -> Refusal | None:
    if limit == 0.0:
        return None
    if now is None:
        return "NO_VAR", None, limit, "too little history for a number"
    after = (now + added) / case.facts.equity
    if after <= limit:
        return None
    return case.refuse(code, after, limit, "of equity after the trade, the careful estimate (fraction)")


def shown(case: Case) -> Shown:
    room, move = case.facts.room, case.state.config.gate.stress_move
    text = "pending loss against what is left of the loss limits (account currency)"
    return _pending(case) * move, None if room == inf else room, text
