"""Layer 4, DATA: what we believe about the market is fit to enter on, and the market does not ask us not to.

First what must hold, always: the instrument has ticked, lately, not in the future, its book is not crossed and has the
side that a market order takes. Then the two vetoes (vetoes.py), which can be switched off. Exits pass all of it.
"""

from __future__ import annotations

from math import isnan

from core.engine.gate import vetoes
from core.engine.gate.case import Case
from core.engine.gate.wish import Refusal, Shown


def check(case: Case) -> Refusal | None:
    """Freshness, clock, book; then the vetoes."""
    if case.reducing:
        return None
    f, limits = case.facts, case.limits
    age_s = f.age_s
    if isnan(age_s):
        return "NO_DATA", None, None, "the instrument has never ticked"
    age_max_s, scope = limits.data_age_max_s
    if not age_s <= age_max_s:
        return case.refuse("STALE", age_s, age_max_s, "the last tick is too old (s)", scope)
    skew_max_s = case.state.config.gate.clock_skew_max_s
    if not -age_s <= skew_max_s:
        return "FUTURE", -age_s, skew_max_s, "the last tick is stamped in the future (s)"
    bid, ask = f.bid, f.ask
    if bid >= ask > 0.0:
        return "CROSSED", bid, ask, "the book is locked or crossed (ticks)"
    if f.takes and (ask if case.wish.side_sign > 0 else bid) <= 0.0 < bid + ask:
        return "ONE_SIDED", None, None, "the side of the book it would take is empty"
    return vetoes.microstructure(case) or vetoes.momentum(case)


def shown(case: Case) -> Shown:
    told = [f"{code} veto is off: counted only" for code, by in case.let_through if by == vetoes.OFF]
    told += [f"{name} is warming up: abstains" for name in case.warming]
    return case.facts.age_s, case.limits.data_age_max_s[0], "; ".join(["age of the last tick (s)", *told])
