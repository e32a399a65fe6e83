"""Closes of the recent past, sampled from marks: what VaR of a running core is computed from.

One row a bar of ``bar_ns``, one column an instrument, a bounded ring. A return exists only between two bars that are
neighbours in time and both have a price: a gap (the core was down) makes no return, and certainly not one that counts
as a bar's. A file of closes can stand in for it: ``Closes``.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.analytics.book import Floats
from core.analytics.errors import RiskInputError

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class History:
    """Returns (n, m), oldest first, one column an instrument; nan where there is none."""

    returns: Floats
    period_s: float  # of one row
    need: int  # rows without which nothing is computed
    source: str

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.returns)

    def enough(self) -> bool:
        """Whether anything may be computed."""
        return self.rows >= self.need

    def note(self) -> str:
        """How much there is, in words."""
        return f"n={self.rows}" + ("" if self.enough() else f" of {self.need} needed")


class Bars:
    """The ring. Belongs to one thread."""

    def __init__(self, symbols: tuple[str, ...], bar_s: float, rows_max: int) -> None:
        self.symbols, self.bar_ns = symbols, int(bar_s * SECOND_NS)
        self._at: npt.NDArray[np.int64] = np.zeros(rows_max + 2, dtype=np.int64)  # bar numbers
        self._closes: Floats = np.full((rows_max + 2, len(symbols)), np.nan)
        self._count = 0  # bars ever begun

    def take(self, ts_ns: int, marks: npt.ArrayLike) -> None:
        """Marks (m,) at an instant; 0 = none. The last one of a bar is its close; time that runs back is ignored."""
        number, size = ts_ns // self.bar_ns, len(self._at)
        last = (self._count - 1) % size
        if self._count and number < self._at[last]:
            return
        if not self._count or number > self._at[last]:
            self._count += 1
            last = (self._count - 1) % size
            self._at[last] = number
        prices = np.asarray(marks, dtype=np.float64)
        self._closes[last] = np.where(prices > 0.0, prices, np.nan)

    def returns(self) -> Floats:
        """(n, m) simple returns between neighbouring whole bars, oldest first; the bar under way is not one."""
        at, closes = self._ordered()
        at, closes = at[:-1], closes[:-1]
        if len(at) < 2:
            return np.empty((0, len(self.symbols)))
        next_to = np.diff(at) == 1
        return np.ascontiguousarray((closes[1:] / closes[:-1] - 1.0)[next_to])

    def _ordered(self) -> tuple[npt.NDArray[np.int64], Floats]:
        size = len(self._at)
        rows = np.arange(max(0, self._count - size), self._count) % size
        return self._at[rows], self._closes[rows]

    # -- over a restart

    def save(self, path: Path) -> None:
        """Write whole and then rename, so that a torn file never takes the place of a good one. Raises OSError."""
        at, closes = self._ordered()
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as out:
            np.savez(out, at=at, closes=closes, symbols=np.array(self.symbols), bar_ns=np.int64(self.bar_ns))
        os.replace(fresh, path)

    def load(self, path: Path) -> bool:
        """Take up what was saved; False when there is nothing, or not of these instruments and bars."""
        try:
            with np.load(path, allow_pickle=False) as saved:
                same = (
                    tuple(saved["symbols"].tolist()) == self.symbols and int(saved["bar_ns"]) == self.bar_ns
                )
                at, closes = saved["at"].astype(np.int64), saved["closes"].astype(np.float64)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return False
        if not same or closes.shape != (len(at), len(self.symbols)) or bool((np.diff(at) <= 0).any()):
            return False
        kept = min(len(at), len(self._at))
        self._at[:kept], self._closes[:kept], self._count = (
            at[len(at) - kept :],
            closes[len(at) - kept :],
            kept,
        )
        return True


def from_closes(path: Path, symbols: tuple[str, ...], need: int, window: int) -> History:
    """Returns of a file of closes (CSV, Parquet, Arrow) with dates, a column a symbol; symbols without one are nan.

    The period of a row is the median step of its dates. Raises RiskInputError.
    """
    from core.analytics.series import load_panel
    from core.analytics.series_read import read_table

    frame, dates = read_table(path)
    names = [str(name) for name in frame.columns if str(name) in symbols]
    if not names or not dates:
        what = (
            "no date column"
            if not dates
            else f"no column is a symbol of this core ({', '.join(symbols[:6])}, …)"
        )
        raise RiskInputError("NO_COLUMN", f"{path}: {what}")
    panel = load_panel(path, names, prices=True, missing="listed")
    out = np.full((len(panel.returns), len(symbols)), np.nan)
    for column, name in enumerate(names):
        out[:, symbols.index(name)] = panel.returns[:, column]
    return History(out[-window:], _step_s(dates), need, path.name)


def _step_s(dates: tuple[str, ...]) -> float:
    """Median step, seconds; numbers are ns, words are dates."""
    import pandas as pd

    numbers = pd.to_numeric(pd.Series(dates), errors="coerce")
    if bool(numbers.notna().all()):
        return float(np.median(np.diff(numbers.to_numpy(dtype=np.float64)))) / SECOND_NS
    stamps = pd.to_datetime(pd.Series(dates), format="mixed", utc=True)
    return float(stamps.diff().dt.total_seconds().median())
