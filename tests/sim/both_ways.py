"""In the worlds every order that the gate's short way lets through is sent down the long way as well."""

from __future__ import annotations

from core.engine import gate
from core.engine.gate import Wish, short
from core.engine.state import State

from .watch import need

counted = {"asked": 0, "clear": 0}
_clear = short.clear


def _both(state: State, wish: Wish) -> bool:
    said = _clear(state, wish)
    counted["asked"] += 1
    if said:
        counted["clear"] += 1
        before = dict(state.cold.gate_counts)
        verdict = gate.judge_long(state, wish)
        need(verdict == gate.ENTRY, "I10", f"the short way lets {wish} through, the long way says {verdict}")
        need(state.cold.gate_counts == before, "I10", "the long way counted what the short way does not")
    return said


def install() -> None:
    """Once is enough; the judgement of no order changes by it."""
    short.clear = _both
