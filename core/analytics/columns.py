"""Columns of other libraries in, rows out: pandas, pyarrow (and what looks like a numpy array) without importing them.

A caller that has pandas hands over a Series or a DataFrame, one that has pyarrow an Array, a ChunkedArray or a Table;
neither is imported here to find out. What counts as missing there (None, NA, NaT, null) is nan here and is treated by
the same three words as blanks of a file (``core.analytics.series``). A DatetimeIndex becomes the dates and must rise
strictly, as in a file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, Panel, Series, finite, made

_ENDINGS = (".csv", ".parquet", ".pq", ".arrow", ".feather")


def series(values: Any, *, name: str = "", prices: bool = False, missing: str = "error") -> Series:
    """Returns from one column: a list, a numpy array, a pandas Series, a pyarrow Array or ChunkedArray."""
    label = name or str(getattr(values, "name", None) or "returns")
    made_ = made(column(values)[:, None], _dates(values), (label,), prices=prices, missing=missing)
    return Series(finite(made_.returns[:, 0]), label, made_.dates, made_.notes)


def panel(frame: Any, *, prices: bool = False, missing: str = "error") -> Panel:
    """Returns from many: a pandas DataFrame, a pyarrow Table or RecordBatch, or a dictionary of columns."""
    names = _names(frame)
    if not names:
        raise RiskInputError("BAD_SHAPE", "no columns: give a DataFrame, a Table or a dictionary of columns")
    columns = [column(_named(frame, name)) for name in names]
    if len({len(values) for values in columns}) > 1:
        raise RiskInputError("BAD_SHAPE", "the columns are not of the same length")
    labels = tuple(str(name) for name in names)
    return made(np.column_stack(columns), _dates(frame), labels, prices=prices, missing=missing)


def column(values: Any) -> Floats:
    """One column as float64 (n,), what is missing as nan. Raises RiskInputError("BAD_CELL" | "BAD_SHAPE")."""
    try:
        if _of(values, "pandas") and values.dtype.kind in "fiuO":
            raw = values.to_numpy(dtype=np.float64, na_value=np.nan)
        elif _of(values, "pyarrow"):
            raw = np.array([np.nan if v is None else float(v) for v in values.to_pylist()], dtype=np.float64)
        else:
            given = np.asarray(values)
            raw = given.astype(np.float64 if given.dtype.kind in "fiuO" else "no number")  # raises TypeError
    except (TypeError, ValueError):
        raise RiskInputError("BAD_CELL", "the values are not all numbers") from None
    if raw.ndim != 1:
        raise RiskInputError("BAD_SHAPE", f"one column is needed, got an array of shape {raw.shape}")
    return np.ascontiguousarray(raw)


def _of(values: Any, library: str) -> bool:
    return type(values).__module__.partition(".")[0] == library


def _names(frame: Any) -> list[Any]:
    if isinstance(frame, Mapping):
        return list(frame)
    return list(getattr(frame, "column_names", None) or getattr(frame, "columns", []))


def _named(frame: Any, name: Any) -> Any:
    return frame.column(name) if _of(frame, "pyarrow") else frame[name]


def _dates(values: Any) -> tuple[str, ...]:
    """Of a pandas DatetimeIndex, which must rise strictly; any other index is no date."""
    index = getattr(values, "index", None)
    if not _of(values, "pandas") or type(index).__name__ != "DatetimeIndex":
        return ()
    assert index is not None
    stamps = index.asi8
    steps = np.flatnonzero(~(stamps[1:] > stamps[:-1]))
    if len(steps):
        row = int(steps[0]) + 1
        same = stamps[row] == stamps[row - 1]
        code = "DUPLICATE_DATES" if same else "UNSORTED_DATES"
        raise RiskInputError(code, f"row {row + 1} of the index is not later than the row before it: sort it")
    return tuple(str(stamp) for stamp in index)


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows as CSV, Parquet or Arrow by the file's ending; nested values as JSON text. Raises OSError, ImportError.

    RiskInputError("BAD_FILE") for another ending.
    """
    suffix = path.suffix.lower()
    if suffix not in _ENDINGS:
        raise RiskInputError("BAD_FILE", f"{path}: the ending says what is written: {', '.join(_ENDINGS)}")
    flat = [{key: _cell(value) for key, value in row.items()} for row in rows]
    if suffix == ".csv":
        names = list(dict.fromkeys(key for row in flat for key in row))
        with path.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, names)
            writer.writeheader()
            writer.writerows(flat)
        return
    table = arrow(flat)
    if suffix in {".parquet", ".pq"}:
        import pyarrow.parquet as pq

        pq.write_table(table, path)
    else:
        from pyarrow import feather

        feather.write_feather(table, str(path), compression="uncompressed")


def arrow(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a pyarrow Table. Raises ImportError."""
    import pyarrow as pa

    names = list(dict.fromkeys(key for row in rows for key in row))
    return pa.table({name: [_cell(row.get(name)) for row in rows] for name in names})


def frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a pandas DataFrame. Raises ImportError."""
    import pandas as pd

    return pd.DataFrame([{key: _cell(value) for key, value in row.items()} for row in rows])


def _cell(value: Any) -> Any:
    """Scalars as they are; what is nested as JSON text; nan and infinity as nothing, as `--json` has it."""
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, str | int) or value is None:
        return value
    plain = getattr(value, "item", None)
    return _cell(plain()) if callable(plain) else json.dumps(value, default=str)
