"""Tables from files: what the columns are called, which one is the date, and that the dates rise strictly."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError

if TYPE_CHECKING:
    import pandas as pd

_DATE_NAMES = ("date", "datetime", "time", "timestamp", "ts", "ts_ns", "day", "")
_BLANK = ("", "nan", "na", "null", "none")


def read_table(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """(columns of values, dates as text or nothing) of a file whose dates rise strictly."""
    frame = _binary(path) if path.suffix in {".parquet", ".pq", ".arrow", ".feather"} else _csv(path)
    if len(set(frame.columns)) != len(frame.columns):
        raise RiskInputError("BAD_FILE", f"{path}: two columns have the same name")
    at = next((n for n in frame.columns if str(n).strip().lower() in _DATE_NAMES), None)
    if at is None and len(frame.columns) > 1 and _alltext_of(frame.iloc[:, 0]):
        at = frame.columns[0]
    if at is None:
        return frame, ()
    return frame.drop(columns=at), _dates(frame[at], path)


def _alltext_of(column: pd.Series[Any]) -> bool:
    return len(column) > 0 and all(number(str(value)) is None for value in column.iloc[:3])


def _dates(column: pd.Series[Any], path: Path) -> tuple[str, ...]:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    stamps = (
        numbers
        if bool(numbers.notna().all())
        else pd.to_datetime(column, errors="coerce", format="mixed", utc=True)
    )
    if bool(stamps.isna().any()):
        row = int(np.flatnonzero(stamps.isna().to_numpy())[0])
        raise RiskInputError(
            "BAD_DATE", f"{path}: data row {row + 1} has no date: {str(column.iloc[row])[:40]!r}"
        )
    steps = np.flatnonzero(~(stamps.to_numpy()[1:] > stamps.to_numpy()[:-1]))
    if len(steps):
        row = int(steps[0]) + 1
        same = stamps.iloc[row] == stamps.iloc[row - 1]
        raise RiskInputError(
            "DUPLICATE_DATES" if same else "UNSORTED_DATES",
            f"{path}: data row {row + 1} ({column.iloc[row]}) is "
            + (
                "dated as the row before it; keep one"
                if same
                else "older than the row before it; sort the file"
            ),
        )
    return tuple(str(value) for value in column)


def _csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    text = text_of(path)
    first = text.partition("\n")[0].split(",")
    bare = all(number(cell) is not None for cell in first)  # no header: columns are called 1, 2, …
    if not bare and len({cell.strip() for cell in first}) < len(first):  # pandas would give one another name
        raise RiskInputError("BAD_FILE", f"{path}: two columns have the same name")
    try:
        frame = pd.read_csv(io.StringIO(text), header=None if bare else 0, index_col=False, low_memory=False)
    except (ValueError, pd.errors.ParserError) as error:
        why = " ".join(str(error).split())
        raise RiskInputError("BAD_FILE", f"{path}: not a table of comma separated values ({why})") from None
    frame.columns = [
        str(i + 1) if bare else str(n).removeprefix("Unnamed: 0") for i, n in enumerate(frame.columns)
    ]
    return frame


def text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except FileNotFoundError:
        raise RiskInputError("NO_FILE", f"no file {path}") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise RiskInputError("BAD_FILE", f"{path} cannot be read: {why}") from None


def _binary(path: Path) -> pd.DataFrame:
    import pandas as pd

    kind = "Parquet" if path.suffix in {".parquet", ".pq"} else "Arrow"
    try:
        frame = pd.read_parquet(path) if kind == "Parquet" else pd.read_feather(path)
    except ImportError:
        raise RiskInputError(
            "BAD_FILE", f"{path}: {kind} needs pyarrow: pip install 'andon[parquet]'"
        ) from None
    except FileNotFoundError:
        raise RiskInputError("NO_FILE", f"no file {path}") from None
    except (OSError, ValueError):  # pyarrow's own errors are ValueErrors
        raise RiskInputError("BAD_FILE", f"{path} is not a readable {kind} file") from None
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def numbers(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """A column as numbers; blank is nan, anything else that is no finite number is refused with its row."""
    import pandas as pd

    raw = frame[name]
    values = pd.to_numeric(raw, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    blank = raw.isna().to_numpy() | raw.astype(str).str.strip().str.lower().isin(list(_BLANK)).to_numpy()
    bad = (np.isnan(values) & ~blank) | np.isinf(values)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise RiskInputError(
            "NOT_FINITE" if np.isinf(values[row]) else "BAD_CELL",
            f"column {name!r}, data row {row + 1}: {str(raw.iloc[row])[:40]!r} is not a finite number",
        )
    return np.asarray(values, dtype=np.float64)


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
