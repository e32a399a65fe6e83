"""Executions of a journal as ``core.analytics.trades`` takes them. Reads only; the core may run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bus.enums import Side
from core.adapters.journal_reader import JournalReader
from core.adapters.recovery import JOURNAL
from core.analytics.trades import Fill
from core.app.last_state import NoState
from core.app.rebuild import oldest_start, rebuild
from core.engine.records import Filled
from core.engine.state import State


class Fills:
    """Collects executions, told of every step of a replay.

    By symbol, an execution is a fill. By strategy it is what each holder's share changed by: an exit ordered by a
    kill, an operator or a list closes the shares of those who held, as the books of the core have it. A share that
    changed without an execution (the venue's word, a cross-out) is taken at the mark.
    """

    def __init__(self, by: str) -> None:
        self.by_ccy: dict[str, list[Fill]] = {}  # settlement currency: money of two is never added up
        self.left_out: dict[str, int] = {}  # inverse contracts: their profit is no difference of prices
        self._shares: dict[tuple[str, int], int] | None = {} if by == "strategy" else None

    def begin(self, state: State) -> None:
        """What was held before the first step; trades opened before it are not seen from their start."""
        if self._shares is not None:
            self._shares = {(h.strategy, h.instrument): h.qty_lots for h in state.cold.holdings.values()}

    def on_step(self, state: State, _event: Any, _effects: Any) -> None:
        """One step, after it."""
        if self._shares is None:
            for filled in state.filled:
                self._take(state, "", filled.order.instrument, _signed(filled), filled.price, filled.fee)
            return
        if not (state.filled or state.touched):
            return
        moved: dict[int, list[tuple[str, int]]] = {}
        for holding in state.cold.holdings.values():
            key = (holding.strategy, holding.instrument)
            if change := holding.qty_lots - self._shares.get(key, 0):
                moved.setdefault(holding.instrument, []).append((holding.strategy, change))
                self._shares[key] = holding.qty_lots
        for instrument, changes in moved.items():
            self._shared(state, instrument, changes)

    def _shared(self, state: State, instrument: int, changes: list[tuple[str, int]]) -> None:
        """The step's changes of one instrument at its average price; fees go with the lots that the fills moved."""
        fills = [filled for filled in state.filled if filled.order.instrument == instrument]
        net, fee = sum(map(_signed, fills)), sum(filled.fee for filled in fills)
        lots = sum(filled.lots for filled in fills)
        price = sum(f.lots * f.price for f in fills) / lots if lots else state.mark(instrument)
        along = sum(abs(change) for _, change in changes if change * net > 0)
        for strategy, change in changes:
            part = fee * abs(change) / along if along and change * net > 0 else 0.0
            self._take(state, strategy, instrument, change, price, part)

    def _take(
        self, state: State, strategy: str, instrument: int, lots: int, price: float, fee: float
    ) -> None:
        spec = state.specs[instrument]
        if spec.inverse:
            self.left_out[spec.symbol] = self.left_out.get(spec.symbol, 0) + 1
            return
        fill = Fill(state.cold.now_ns, spec.symbol, lots, price, spec.lot_size, fee, strategy)
        self.by_ccy.setdefault(spec.settle, []).append(fill)


def fills_of(path: Path, by: str) -> Fills:
    """Of a data folder or its journal, ``by`` "strategy" or "symbol". Raises NoState, JournalError, ChainBroken."""
    db = path / JOURNAL if path.is_dir() else path
    if not db.is_file():
        raise NoState(f"no journal at {path}: name the data folder or its {JOURNAL}")
    found = Fills(by)
    with JournalReader(db) as reader:
        start = oldest_start(reader)
        first = start.seq + 1 if start is not None else 1
        if start is not None:
            from core.engine import snapshot

            found.begin(snapshot.load(start.state))
        head = reader.last().seq
        result = rebuild(reader.records(first, head), start.state if start else None, None, found.on_step)
    if result.state is None or result.trouble:
        raise NoState(f"{path}: {result.trouble or 'the journal is empty'}; see andon replay --verify")
    return found


def _signed(filled: Filled) -> int:
    return filled.lots if filled.order.side is Side.BUY else -filled.lots
