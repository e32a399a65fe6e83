"""Layer 8, EXPOSURE: what the book would be if everything that can fill does."""

from __future__ import annotations

from core.engine.gate.case import Case
from core.engine.gate.wish import Refusal, Shown

FILLED = "with every working order filled"


def check(case: Case) -> Refusal | None:
    """Concentration by asset, caps by scope, gross and net leverage, margin; what cannot be computed refuses."""
    if case.reducing:
        return None
    f, limits = case.facts, case.limits
    equity = f.equity
    if not equity > 0.0:
        return "NO_EQUITY", None, None, "equity is unknown or gone"
    share, (share_max, scope) = f.asset / equity, limits.concentration_max
    if not share <= share_max:
        refusal = case.refuse("CONCENTRATION", share, share_max, f"of equity in one asset, {FILLED}", scope)
        if refusal is not None:
            return refusal
    if limits.exposures and (refusal := _caps(case)) is not None:
        return refusal
    if not f.gross <= equity * limits.gross_leverage_max:
        return "GROSS_LEVERAGE", f.gross / equity, limits.gross_leverage_max, FILLED
    if not f.net <= equity * limits.net_leverage_max:
        return "NET_LEVERAGE", f.net / equity, limits.net_leverage_max, FILLED
    if f.margin != 0.0 and not equity / f.margin >= limits.margin_ratio_min:
        return "MARGIN", equity / f.margin, limits.margin_ratio_min, f"equity / margin required, {FILLED}"
    return None


def _caps(case: Case) -> Refusal | None:
    """Gross exposure of each scope that caps it."""
    for cap, scope in case.limits.exposures:
        value = _of_scope(case, scope)
        if not value <= cap:
            text = f"gross exposure (account currency), {FILLED}"
            refusal = case.refuse("EXPOSURE_MAX", value, cap, text, scope)
            if refusal is not None:
                return refusal
    return None


def _of_scope(case: Case, scope: str) -> float:
    kind = scope.partition(":")[0]
    if kind == "venue":
        return case.facts.venue
    if kind == "symbol":
        return case.facts.own
    return _of_strategy(case) if kind == "strategy" else case.facts.gross


def _of_strategy(case: Case) -> float:
    """The strategy's own holdings and orders, instrument by instrument, the worse side of each."""
    state, wish = case.state, case.wish
    held = {h.instrument: h.qty_lots for h in state.cold.holdings.values() if h.strategy == wish.strategy}
    sides: dict[int, list[int]] = {i: [lots, lots] for i, lots in held.items() if lots}
    for (strategy, i), orders in state.desk.pairs.items():
        if strategy == wish.strategy:
            span = sides.setdefault(i, [held.get(i, 0)] * 2)
            for order in orders.values():
                _extend(span, int(order.side), order.working_lots)
    _extend(
        sides.setdefault(wish.instrument, [held.get(wish.instrument, 0)] * 2), int(wish.side), case.added_lots
    )
    values = (
        state.lots_value(i, max(abs(low), abs(high)), state.mark(i)) for i, (low, high) in sides.items()
    )
    return float(sum(values))


def _extend(span: list[int], side: int, lots: int) -> None:
    if side == 1:
        span[1] += lots
    else:
        span[0] -= lots


def shown(case: Case) -> Shown:
    f = case.facts
    value = f.asset / f.equity if f.equity > 0.0 else None
    return value, case.limits.concentration_max[0], "of equity in one asset (fraction)"
