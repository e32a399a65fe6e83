"""Reading tape files: fast when the file is good, line by line when it is not.

A good file goes through pandas in one pass. When anything is odd, the file is read again as physical lines, so
that an error can name the line a user sees in an editor. A tape never needs a line break inside quotes, so a
line is a row; blank lines are passed over.
"""

from __future__ import annotations

import csv
import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd


class TapeError(Exception):
    """A tape that cannot be used: which file, which line (0 = no line), why. One line of text."""

    def __init__(self, path: str | Path, line_number: int, why: str) -> None:
        self.path, self.line_number, self.why = str(path), line_number, why
        place = f"line {line_number}: " if line_number else ""
        hint = "; correct the line or pass --skip-bad" if line_number else ""
        super().__init__(f"{path}: {place}{why}{hint}")


class Raw(msgspec.Struct, frozen=True):
    """A file as read: columns by lower-case name, and the line each row came from."""

    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]  # of each row of frame
    broken: list[tuple[int, str]]  # (line, why) of lines that are no rows at all
    exact: bool  # lines are exact; False = read the fast way


class NotGood(Exception):
    """The fast way does not suit this file."""


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the operating system and the decompressor say into one line."""
    try:
        yield
    except FileNotFoundError:
        raise TapeError(path, 0, "no such file") from None
    except IsADirectoryError:
        raise TapeError(path, 0, "is a folder, not a tape") from None
    except EOFError:
        raise TapeError(path, 0, "the compressed file is cut short; fetch it again") from None
    except (zlib.error, gzip.BadGzipFile):
        raise TapeError(path, 0, "is not a valid .gz file") from None
    except OSError as error:
        raise TapeError(path, 0, f"cannot be read ({error.strerror or error})") from None


def is_parquet(path: Path) -> bool:
    return path.suffix in {".parquet", ".pq"}


def read_parquet(path: Path) -> Raw:
    """A Parquet file; its "lines" are row numbers from 1."""
    import pandas as pd

    try:
        with _told(path):
            frame = pd.read_parquet(path)
    except ImportError:
        raise TapeError(path, 0, "Parquet needs pyarrow: pip install 'andon[parquet]'") from None
    except ValueError:  # pyarrow's own errors are ValueErrors
        raise TapeError(path, 0, "is not a valid Parquet file") from None
    frame.columns = [str(name).strip().lower() for name in frame.columns]
    return Raw(frame, np.arange(1, len(frame) + 1), [], exact=True)


def read_fast(path: Path) -> Raw:
    """A CSV file in one pass; raises NotGood when pandas finds anything odd about its shape."""
    import pandas as pd

    with _told(path), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            frame = pd.read_csv(path, index_col=False, low_memory=False, encoding="utf-8-sig")
        except (ValueError, Warning) as error:  # parser errors, bad bytes: look again line by line
            raise NotGood(str(error)) from None
    frame.columns = [str(name).strip().lower() for name in frame.columns]
    if len(frame) and bool(frame.iloc[:, -1].isna().any()):  # a row may be too short
        raise NotGood("short rows")
    return Raw(frame, np.arange(2, len(frame) + 2), [], exact=False)


def _fields(text: str) -> list[str]:
    """One line's fields; quotes are honoured where they make sense."""
    try:
        return next(csv.reader([text])) if '"' in text else text.split(",")
    except csv.Error:  # bytes that are no text, or a field of megabytes
        return text.split(",")


def read_lines(path: Path) -> Raw:
    """A CSV file as physical lines; every value is text."""
    import pandas as pd

    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    broken: list[tuple[int, str]] = []
    opener = gzip.open if path.suffix == ".gz" else open
    with _told(path), opener(path, "rt", encoding="utf-8-sig", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, 1):
            text = line.rstrip("\r\n")
            if not text.strip():
                continue
            fields = _fields(text)
            if not header:
                header = [field.strip().lower() for field in fields]
            elif len(fields) != len(header):
                broken.append((number, f"{len(fields)} columns where the header has {len(header)}"))
            else:
                rows.append(fields)
                lines.append(number)
    if not header:
        raise TapeError(path, 0, "is empty")
    return Raw(
        pd.DataFrame(rows, columns=header, dtype=str), np.array(lines, dtype=np.int64), broken, exact=True
    )
