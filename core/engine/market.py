"""Market data as the engine takes it: a block of rows, one event however many ticks it holds."""

from __future__ import annotations

from core.kernels.tables import TICK, Table


class Ticks:
    """A block of TICK rows in time order. ``step`` may consume only its head: see ``State.consumed``."""

    __slots__ = ("rows",)

    def __init__(self, rows: Table) -> None:
        assert rows.dtype == TICK, rows.dtype
        self.rows = rows

    @property
    def ts_ns(self) -> int:
        """Time of the first row, ns UTC."""
        return int(self.rows["ts_ns"][0])
