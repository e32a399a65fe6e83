"""The ledger as tables for the kernels: derived, rebuilt from the entries whenever it is missing.

Entries hold exact numbers of any size, kernels want columns; so each entry has a row here, written again by whoever
has changed it. Nothing here is part of the state: a snapshot has the entries, and the rows come back from them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bus.instruments import InstrumentSpec
from core.engine.ledger import PARTS, Entry, Ledger, cash_name, unit_of
from core.kernels import tables as t

ROWS_FIRST = 64


class LedgerRows:
    """Rows of one ledger. ``table`` LEDGER[rows], ``parts`` i8[rows, PARTS], ``pend`` i8[rows, 2]; ``used`` of them."""

    def __init__(self, ledger: Ledger, specs: Sequence[InstrumentSpec], currencies: dict[str, int]) -> None:
        self.source = ledger
        self.currencies = currencies
        self.units = 10.0**ledger.digits
        self.lots = [unit_of(spec) for spec in specs]
        self.names = [spec.symbol for spec in specs] + [cash_name(name) for name in currencies]
        self.used = 0
        self.index: dict[str, int] = {}
        self.holders: dict[str, int] = {}
        self.table = t.zeros(t.LEDGER, ROWS_FIRST)
        self.parts = np.zeros((ROWS_FIRST, PARTS), dtype=np.int64)
        self.pend = np.zeros((ROWS_FIRST, 2), dtype=np.int64)
        self.by_symbol = np.zeros((len(specs) + len(currencies), PARTS), dtype=np.int64)
        self.baskets: t.Table | None = None  # f8[factors, instruments], made once from the configuration
        self.betas: tuple[int, t.Table] | None = None  # (ticks seen at the last sample, f8[n, k])
        for key, entry in ledger.entries.items():
            self.put(key, entry)

    def put(self, key: str, entry: Entry) -> None:
        """Write an entry's row again; a new one gets a row."""
        k = self.index.get(key)
        if k is None:
            k = self.index[key] = self.used
            self.used += 1
            if self.used > len(self.table):
                self._grow()
        holder = self.holders.setdefault(entry.holder, len(self.holders))
        self.table[k] = (
            entry.instrument,
            self.currencies[entry.ccy],
            holder,
            0,
            entry.lots,
            float(entry.whole),
            entry.atto / 1e18,
            entry.rate,
            entry.worth,
        )
        self.parts[k] = entry.parts

    def _grow(self) -> None:
        rows = 2 * len(self.table)
        table, parts = t.zeros(t.LEDGER, rows), np.zeros((rows, PARTS), dtype=np.int64)
        table[: len(self.table)], parts[: len(self.parts)] = self.table, self.parts
        self.table, self.parts, self.pend = table, parts, np.zeros((rows, 2), dtype=np.int64)
