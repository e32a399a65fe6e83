"""The two vetoes: reasons not to enter just now. Each can be switched off, and is then still evaluated and counted.

*Microstructure*: the spread is too wide, in basis points or in multiples of the instrument's usual one; what stands at
the best is thin beside an order that would take it; the book leans against the order. *Momentum*: the price has moved
against the entry by more than so many standard deviations of its own volatility over the window: a falling knife.

What cannot be judged yet (no quotes on a tape of trades, no history after a start) makes a veto *abstain*, counted
as warming: a veto is advice about the moment, and everything that protects the account stands behind it and does fail
closed.
"""

from __future__ import annotations

from math import inf, isnan

from core.engine.gate.case import Case
from core.engine.gate.tight import FIRM
from core.engine.gate.wish import Refusal

OFF = "off"
CODES = ("SPREAD", "SPREAD_USUAL", "THIN", "IMBALANCE", "MOMENTUM")
SAMPLES_MIN = 20  # returns before the volatility is worth something, spreads before the usual one is


def microstructure(case: Case) -> Refusal | None:
    """SPREAD, SPREAD_USUAL, THIN, IMBALANCE."""
    f, gate = case.facts, case.state.config.gate
    on = gate.microstructure_veto
    spread_max, scope = case.limits.spread_bps_max
    if isnan(f.spread):
        if spread_max < inf or gate.spread_ewma_max or gate.imbalance_max:
            case.warming.append("MICROSTRUCTURE")
        return _thin(case, on=on)
    spread_bps = f.spread * 1e4
    found = None
    if not spread_bps <= spread_max:
        found = _veto(
            case, "SPREAD", spread_bps, spread_max, "the spread is wide (basis points)", scope, on=on
        )
    if found is None and gate.spread_ewma_max:
        found = _unusual(case, gate.spread_ewma_max, on=on)
    if found is None:
        found = _thin(case, on=on)
    if found is None and gate.imbalance_max and f.against > gate.imbalance_max:
        text = "the book leans against it (fraction)"
        found = _veto(case, "IMBALANCE", f.against, gate.imbalance_max, text, on=on)
    return found


def _unusual(case: Case, limit: float, *, on: bool) -> Refusal | None:
    f = case.facts
    if f.spreads < SAMPLES_MIN:
        case.warming.append("SPREAD_USUAL")
    elif not f.spread <= limit * f.spread_mean:
        text = "the spread is many times its usual"
        return _veto(case, "SPREAD_USUAL", f.spread / f.spread_mean, limit, text, on=on)
    return None


def _thin(case: Case, *, on: bool) -> Refusal | None:
    """Only for what would take: a resting order waits for others to come."""
    f, limit = case.facts, case.state.config.gate.thin_max
    if not limit or not f.takes or isnan(f.opposite_lots):
        return None
    times = case.wish.qty_lots / f.opposite_lots if f.opposite_lots > 0.0 else inf
    if times <= limit:
        return None
    return _veto(case, "THIN", times, limit, "many times what stands at the best", on=on)


def momentum(case: Case) -> Refusal | None:
    """MOMENTUM: an entry against a move that its volatility does not explain."""
    f, gate = case.facts, case.state.config.gate
    if not gate.momentum_max:
        return None
    if f.samples < SAMPLES_MIN or isnan(f.sigmas):
        case.warming.append("MOMENTUM")
        return None
    if -f.sigmas <= gate.momentum_max:
        return None
    text = "the price has moved against it (standard deviations)"
    return _veto(case, "MOMENTUM", -f.sigmas, gate.momentum_max, text, on=gate.momentum_veto)


def _veto(
    case: Case, code: str, value: float, limit: float, text: str, scope: str = FIRM, *, on: bool
) -> Refusal | None:
    if on:
        return case.refuse(code, value, limit, text, scope)
    case.let_through.append((code, OFF))
    return None
