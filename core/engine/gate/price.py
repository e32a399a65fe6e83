"""Layer 5, PRICE: a reference exists and the order is near it, and near where the price has been of late."""

from __future__ import annotations

from math import isnan

from bus.enums import OrdType
from core.engine.gate.case import Case
from core.engine.gate.wish import Refusal, Shown

LIMIT, STOP = OrdType.LIMIT, OrdType.STOP  # looked up once, not once an order


def check(case: Case) -> Refusal | None:
    """No mark refuses entries; the collar holds for every priced order that has a reference."""
    f, wish = case.facts, case.wish
    mark = f.mark
    if not mark > 0.0:
        return None if case.reducing else ("NO_PRICE", None, None, "the instrument has never been marked")
    priced = not case.reducing or (wish.ord_type is LIMIT and not _waits(case))
    if priced and not isnan(f.price):
        collar, scope = case.limits.price_collar
        away = abs(f.price - mark) / mark
        if not away <= collar and not (case.reducing and isnan(collar)):
            refusal = case.refuse("COLLAR", away, collar, "too far from the mark (fraction)", scope)
            if refusal is not None:
                return refusal
    if case.reducing:
        return None
    if wish.ord_type is STOP and not (wish.stop_ticks - _touch(case)) * wish.side_sign > 0.0:
        text = "its trigger lies on the side that the price has passed already (ticks)"
        return "STOP_SIDE", float(wish.stop_ticks), _touch(case), text
    return _range(case)


def _range(case: Case) -> Refusal | None:
    """Not bolder than the recent range by more than its collar: no buying far above it, no selling far below."""
    f, sign = case.facts, case.wish.side_sign
    collar, scope = case.limits.range_collar
    edge = f.high if sign > 0 else f.low
    if isnan(f.price) or isnan(edge):
        return None  # a market order on a tape without quotes, or the first tick: the collar above has judged
    beyond = sign * (f.price - edge) / edge
    if beyond <= collar:
        return None
    return case.refuse("RANGE", beyond, collar, "too far beyond the recent range (fraction)", scope)


def _waits(case: Case) -> bool:
    """An exit for a better price is no slip."""
    return case.reducing and (case.facts.price - case.facts.mark) * case.wish.side_sign < 0.0


def _touch(case: Case) -> float:
    """The price that would trigger, ticks: the side it would take, else the mark."""
    f = case.facts
    touch = f.ask if case.wish.side_sign > 0 else f.bid
    return touch if touch > 0.0 else f.mark / float(case.state.instruments["tick_size"][case.wish.instrument])


def shown(case: Case) -> Shown:
    f = case.facts
    if isnan(f.price) or not f.mark > 0.0:
        return None, case.limits.price_collar[0], "at market"
    away = abs(f.price - f.mark) / f.mark
    if case.reducing and (_waits(case) or case.wish.ord_type is not LIMIT):
        return away, None, "from the mark (fraction); this exit meets no collar"
    return away, case.limits.price_collar[0], "from the mark (fraction)"
