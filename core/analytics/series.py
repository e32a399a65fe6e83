"""Return series: from arrays and files, checked before anything is computed from them.

Nothing is guessed and nothing is dropped in silence. Prices become simple returns only when ``prices=True`` says so.
What to do about blank cells is one of three words:

    error    any blank is refused (the default of this module)
    listed   blanks before a column's first value are "not listed yet" and left out, and a note says how many;
             a blank after it is refused (the default of the command line)
    drop     every row with a blank is left out, before prices become returns, and a note says how many

Dates, where the file has them, must rise strictly: a file in another order would make returns of the wrong pairs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.analytics.series_read import number, numbers, read_table, text_of

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
MISSING = ("error", "listed", "drop")
_PRICE_NAMES = ("adj close", "adj_close", "c", "close", "price")
_RETURN_NAMES = ("ret", "return", "returns", "r", "pnl")


@dataclass(frozen=True)
class Panel:
    """Returns (n rows, m columns), oldest first; ``dates`` are the file's own words, one a row, or none."""

    returns: Floats
    names: tuple[str, ...]
    dates: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """One column of returns, oldest first: fractions of value, or money if the file has money."""

    returns: Floats
    name: str
    dates: tuple[str, ...]
    notes: tuple[str, ...] = ()


def finite(values: npt.ArrayLike, *, rows_min: int = 2, varies: bool = True) -> Floats:
    """``values`` as a contiguous float64 vector of at least ``rows_min`` finite numbers that are not all equal."""
    x = _floats(values)
    if x.ndim != 1:
        raise RiskInputError(
            "BAD_SHAPE", f"one series is needed, got an array of shape {x.shape}; choose a column"
        )
    return _checked(x, rows_min, varies)


def finite_panel(values: npt.ArrayLike, *, rows_min: int = 2) -> Floats:
    """``values`` as a contiguous float64 matrix (rows are periods) of at least ``rows_min`` finite rows."""
    x = _floats(values)
    if x.ndim != 2 or x.shape[1] == 0:
        raise RiskInputError("BAD_SHAPE", f"rows x columns are needed, got an array of shape {x.shape}")
    return _checked(x, rows_min, varies=False)


def tail_probability(alpha: float) -> float:
    """``alpha`` if it is a tail probability: above 0 and below 0.5 (0.01 for 99 %)."""
    if not (isinstance(alpha, (int, float, np.floating)) and 0.0 < alpha < 0.5):
        hint = f"; a confidence of {alpha} is alpha {1 - alpha:.4g}" if _is_confidence(alpha) else ""
        raise RiskInputError(
            "BAD_ALPHA", f"alpha {alpha} is not a tail probability between 0 and 0.5, as 0.01{hint}"
        )
    return float(alpha)


def _is_confidence(alpha: float) -> bool:
    return isinstance(alpha, (int, float)) and 0.5 <= alpha < 1.0


def simple_returns(prices: npt.ArrayLike) -> Floats:
    """``p[t] / p[t-1] - 1`` along the first axis; every price finite and above 0, no column constant."""
    p = _floats(prices)
    if p.ndim not in (1, 2) or len(p) < 3:
        raise RiskInputError("TOO_FEW_ROWS", f"{len(p)} prices; at least 3 are needed")
    _checked(p, 3, varies=False)
    if bool((p <= 0.0).any()):
        row = int(np.argwhere(p <= 0.0)[0][0])
        raise RiskInputError(
            "NOT_POSITIVE", f"price number {row + 1} is not above 0; correct or leave it out"
        )
    if bool((np.ptp(p, axis=0) == 0.0).any()):
        raise RiskInputError(
            "CONSTANT_PRICES", "every price is the same; a feed that stands still has no risk to measure"
        )
    return np.ascontiguousarray(p[1:] / p[:-1] - 1.0)


def _floats(values: npt.ArrayLike) -> Floats:
    try:
        raw = np.asarray(values)
        x = np.ascontiguousarray(raw, dtype=np.float64) if raw.dtype.kind not in "cmM" else None
    except (TypeError, ValueError):
        x = None
    if x is None:  # words, complex numbers, dates, rows of different lengths
        raise RiskInputError("BAD_CELL", "the values are not all numbers")
    return x


def _checked(x: Floats, rows_min: int, varies: bool) -> Floats:
    if len(x) < rows_min:
        raise RiskInputError("TOO_FEW_ROWS", f"{len(x)} rows; at least {rows_min} are needed")
    good = np.isfinite(x)
    if not good.all():
        row = int(np.argwhere(~good)[0][0])
        raise RiskInputError(
            "NOT_FINITE",
            f"{int((~good).sum())} values are missing or infinite, the first in row {row + 1}; drop them on purpose",
        )
    if varies and float(x.max()) == float(x.min()):
        raise RiskInputError(
            "ZERO_VARIANCE", f"all {len(x)} values are {x[0]:g}; there is no risk to measure"
        )
    return x


def load(
    path: str | Path, column: str | None = None, *, prices: bool = False, missing: str = "error"
) -> Series:
    """One column of a CSV (also .gz) or Parquet file, as returns.

    Without ``column``: the only numeric one, else the one with a usual name (``c``, ``close``; ``ret``, ``return``).
    """
    frame, dates = read_table(Path(path))
    name = column if column is not None else _usual(frame, prices)
    panel = _panel(frame, dates, (name,), prices, missing)
    values = finite(panel.returns[:, 0])
    return Series(values, name, panel.dates, panel.notes + _looks(values, prices))


def load_panel(
    path: str | Path, columns: Sequence[str] | None = None, *, prices: bool = False, missing: str = "error"
) -> Panel:
    """Several columns (default all) of one file as returns of the same periods."""
    frame, dates = read_table(Path(path))
    names = tuple(columns) if columns is not None else tuple(str(name) for name in frame.columns)
    return _panel(frame, dates, names, prices, missing)


def load_weights(path: str | Path) -> dict[str, float]:
    """``name,weight`` rows of a CSV file: fraction of value, or money, each name once."""
    weights: dict[str, float] = {}
    for line, row in enumerate(csv.reader(io.StringIO(text_of(Path(path)))), 1):
        if not row or (line == 1 and len(row) > 1 and number(row[1]) is None):
            continue
        value = number(row[1]) if len(row) == 2 else None
        if value is None or not np.isfinite(value):
            raise RiskInputError("BAD_CELL", f"{path}: line {line} is not name,weight")
        if row[0].strip() in weights:
            raise RiskInputError("BAD_CELL", f"{path}: line {line} names {row[0].strip()} a second time")
        weights[row[0].strip()] = value
    if not weights:
        raise RiskInputError("TOO_FEW_ROWS", f"{path}: no weights; give rows of name,weight")
    return weights


def _looks(values: Floats, prices: bool) -> tuple[str, ...]:
    if prices or float(np.median(np.abs(values))) <= 1.0:
        return ()
    return ("most values are beyond 100 %: taken as they stand; if they are prices, say --prices",)


def _panel(
    frame: pd.DataFrame, dates: tuple[str, ...], names: tuple[str, ...], prices: bool, missing: str
) -> Panel:
    if missing not in MISSING:
        raise RiskInputError("BAD_OPTION", f"missing must be one of {', '.join(MISSING)}, not {missing!r}")
    for name in names:
        if name not in frame.columns:
            known = ", ".join(map(str, frame.columns[:24]))
            raise RiskInputError("NO_COLUMN", f"no column {name!r}; there are: {known}")
    return made(
        np.column_stack([numbers(frame, name) for name in names]),
        dates,
        names,
        prices=prices,
        missing=missing,
    )


def made(
    table: Floats, dates: tuple[str, ...], names: tuple[str, ...], *, prices: bool, missing: str
) -> Panel:
    """Returns from a table (n, m) whose blanks are nan, after what ``missing`` says about them."""
    if missing not in MISSING:
        raise RiskInputError("BAD_OPTION", f"missing must be one of {', '.join(MISSING)}, not {missing!r}")
    kept, notes = _kept(np.isnan(table), missing)
    table, dates = table[kept], tuple(dates[i] for i in kept) if dates else ()
    if not prices:
        return Panel(_checked(table, 2, varies=False), names, dates, notes)
    return Panel(simple_returns(table), names, dates[1:], notes)


def _kept(blank: npt.NDArray[np.bool_], missing: str) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    """Rows to keep, and what to say about the others."""
    empty: npt.NDArray[np.bool_] = np.logical_or.reduce(blank, axis=1)
    full = np.flatnonzero(~empty)
    if not empty.any():
        return full, ()
    if missing == "drop":
        return full, (f"{int(empty.sum())} rows with blanks left out",)
    first = int(full[0]) if len(full) else len(empty)
    if missing == "error" or empty[first:].any():
        row = int(np.flatnonzero(empty if missing == "error" else empty & (np.arange(len(empty)) > first))[0])
        count = int(empty[row:].sum())
        raise RiskInputError(
            "MISSING_VALUES",
            f"{count} rows have blanks, the first is data row {row + 1}; drop them on purpose",
        )
    return full, (f"{first} rows before the first value left out",)


def _usual(frame: pd.DataFrame, prices: bool) -> str:
    names = [str(name) for name in frame.columns]
    if len(names) == 1:
        return names[0]
    for usual in _PRICE_NAMES if prices else _RETURN_NAMES:
        found = [name for name in names if name.strip().lower() == usual]
        if len(found) == 1:
            return found[0]
    listed = ", ".join(names[:24]) or "none"
    raise RiskInputError("NO_COLUMN", f"which column? name it with --column; there are: {listed}")
