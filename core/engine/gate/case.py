"""One order before the layers: the wish, what was measured, the limits it meets, what was let through all the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from bus.enums import OrdType
from core.engine.gate import change
from core.engine.gate.tight import FIRM, Tight, tight
from core.engine.gate.waive import covering
from core.engine.gate.wish import Refusal, Wish
from core.engine.state import State
from core.kernels import facts
from core.kernels import tables as t
from core.kernels._jit import direct
from core.kernels.facts import Facts

RESTING = {OrdType.MARKET: 0, OrdType.LIMIT: 1, OrdType.STOP: 2}
_ROW = np.empty(facts.COUNT)  # scratch: written and read within one call


@cache
def _entry() -> Callable[..., None]:
    """The kernel without numba's type dispatch, a third of its cost: the tables of a State have one type for ever."""
    tables = (t.zeros(t.INSTRUMENT, 1), t.zeros(t.MARKET, 1), t.zeros(t.POSITION, 1), t.zeros(t.CURRENCY, 1))
    account, switches = t.zeros(t.ACCOUNT, 1), t.zeros(t.SWITCH, t.SWITCH_ROWS)
    return direct(facts.measure, 0, 1, 1, 1, 1, 1, 1, *tables, account, switches, _ROW)


class Case:
    """What every layer is handed. ``facts`` and ``limits`` exist from the second layer on."""

    __slots__ = ("added_lots", "facts", "let_through", "limits", "reducing", "state", "warming", "wish")

    def __init__(self, state: State, wish: Wish, *, reducing: bool) -> None:
        self.state, self.wish, self.reducing = state, wish, reducing
        self.let_through: list[tuple[str, str]] = []  # (code, override id, or "off" for a veto switched off)
        self.warming: list[str] = []  # vetoes without enough history to judge

    def measure(self) -> None:
        """One pass over the tables, and the limits of this strategy on this instrument."""
        state, wish = self.state, self.wish
        self.added_lots = change.added_lots(state, wish) if wish.amends or wish.list_id else wish.qty_lots
        self.limits: Tight = tight(state, wish.strategy, wish.instrument)
        _entry()(
            wish.instrument,
            wish.side_sign,
            wish.qty_lots,
            self.added_lots,
            wish.price_ticks or wish.stop_ticks,
            RESTING[wish.ord_type],
            state.cold.now_ns,
            state.instruments,
            state.markets,
            state.positions,
            state.currencies,
            state.account,
            state.switches,
            _ROW,
        )
        self.facts = Facts._make(_ROW.tolist())

    def refuse(
        self, code: str, value: float | None, limit: float | None, detail: str, scope: str = FIRM
    ) -> Refusal | None:
        """The refusal, unless an override in force lifts it."""
        if self.state.cold.overrides:
            lifted = covering(self.state, self.wish, code, value, limit)
            if lifted is not None:
                self.let_through.append((code, lifted.id))
                return None
        return code, value, limit, detail if scope == FIRM else f"{detail}; limit of {scope}"
