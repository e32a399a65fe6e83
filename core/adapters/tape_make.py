"""Tapes made to measure: a market that falls by exactly what a test or bench asks for."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

PEAK = 100.00  # price before the fall
ENTRY_ROWS = 60  # rows at the peak, in which a book can be built


def crash_prices(drawdown: float, gap: float | None, rows: int) -> list[float]:
    """A price path that ends, and bottoms, ``drawdown`` (fraction) below its peak; with ``gap``, in a single step.

    The fall wavers (every third step takes back half of one) but never rises above what came two steps before, so
    peak to trough is exactly ``drawdown`` to the cent.
    """
    bottom = round(PEAK * (1.0 - (drawdown if gap is None else gap)), 2)
    if gap is not None:
        return [PEAK] * (rows // 2) + [bottom] * (rows - rows // 2)
    fall_rows = rows - 2 * ENTRY_ROWS
    step = (PEAK - bottom) / fall_rows
    fall = [PEAK - step * (k - (1.5 if k % 3 == 2 else 0.0)) for k in range(fall_rows)]
    return [PEAK] * ENTRY_ROWS + [round(min(PEAK, p), 2) for p in fall] + [bottom] * ENTRY_ROWS


def write_crash_tape(
    path: str | Path,
    drawdown: float = 0.4021,
    gap: float | None = None,
    *,
    rows: int = 3600,
    symbols: Sequence[str] = ("BTC/USDT",),
    qty: float = 1000.001,
    start_ns: int = 1_700_000_000_000_000_000,
    step_ns: int = 1_000_000_000,
) -> Path:
    """Write a trades tape (CSV, .gz by its name) whose every symbol falls by ``drawdown``, or by ``gap`` at once.

    ``rows`` prices ``step_ns`` apart for each symbol, sides alternating, ``qty`` base units each. The first and
    last ENTRY_ROWS prices (with a gap: each half) stand still, so a book bought there loses exactly the fraction.
    """
    path = Path(path)
    if rows < 4 * ENTRY_ROWS:
        raise ValueError(f"a crash tape needs at least {4 * ENTRY_ROWS} rows, not {rows}")
    prices = crash_prices(drawdown, gap, rows)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("ts_ns", "price", "qty", "side", "symbol"))
        for k, price in enumerate(prices):
            side = "BUY" if k % 2 == 0 else "SELL"
            for n, symbol in enumerate(symbols):
                out.writerow((start_ns + k * step_ns + n, f"{price:.2f}", qty, side, symbol))
    return path
