"""From the engine to the batch kernel by the shortest way.

numba's dispatcher looks at the type of every argument of every call: 0.7 of the microsecond that one tick costs. The
tables of a State have one type for ever; only the rows differ, by being writable (a feed's) or not (a journal's). So
there is a bare entry for each of the two, and anything laid out otherwise goes through the dispatcher, which is slow
and right.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from core.engine.state import State
from core.kernels import tables as t
from core.kernels._jit import direct
from core.kernels.batch import UNPRICEABLE, run_block
from core.kernels.tables import Table

_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400  # numpy's flag bits
_LAYOUT = _CONTIGUOUS | _ALIGNED | _WRITEABLE


@cache
def _entries() -> dict[int, Callable[..., Any]]:
    """The bare entries by layout of the rows; compiled, or loaded from the kernel cache, when first asked for."""
    book = [t.zeros(t.INSTRUMENT, 1), t.zeros(t.MARKET, 1), t.zeros(t.POSITION, 1), t.zeros(t.CURRENCY, 1)]
    book += [t.zeros(t.ACCOUNT, 1), t.zeros(t.SWITCH, t.SWITCH_ROWS)]
    fed, read = t.zeros(t.TICK, 1), t.zeros(t.TICK, 1)
    read.flags.writeable = False
    return {rows.flags.num & _LAYOUT: direct(run_block, rows, 0, *book) for rows in (fed, read)}


def run(state: State, rows: Table) -> int:
    """Apply rows up to and with the first that needs a decision; returns how many were taken."""
    entry = _entries().get(rows.flags.num & _LAYOUT, run_block)
    return int(entry(rows, 0, *state.book))


def tripped(state: State) -> bool:
    """Whether the last row taken tripped a switch."""
    return 1 in state.tripped.tolist()


def unpriceable(state: State) -> bool:
    """Whether equity was not a number after the last row taken."""
    return bool(state.trip_instrument.item(0) == UNPRICEABLE)
