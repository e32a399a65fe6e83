"""What commands print: one JSON object a line, or plain text that is safe on any terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(0x80, 0xA0))}
UNKNOWN = "?"  # never 0 for what is not known


def prepare_streams() -> None:
    """A terminal that cannot show a character gets an escape, not an exception."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)


def clean(text: object) -> str:
    """``text`` on one line without control characters: what comes over a bus must not drive the terminal."""
    return str(text).replace("\n", " ").translate(_CONTROLS)


def json_line(value: Any) -> None:
    """One JSON value on one line. NaN and infinity become null, as JSON has neither."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(value, enc_hook=_plain).decode() + "\n")
    sys.stdout.flush()


def line(text: str = "") -> None:
    """One line of text on stdout, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """One line on stderr."""
    try:
        sys.stderr.write(clean(text) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # stderr is closed: there is nobody to tell, and the exit code still says it


def drop_stdout() -> None:
    """The reader of our pipe went away: let further output vanish quietly, the interpreter's last flush included."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, left: int = 1) -> None:
    """Columns as wide as needed, the first ``left`` aligned left, numbers right."""
    body = [[clean(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *body]) for i in range(len(header))]
    for row in [list(header), *body]:
        cells = (
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        line("  ".join(cells).rstrip())


def number(value: float | None, digits: int = 2) -> str:
    """Thousands separated, ``?`` when not known."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction as per cent, ``?`` when not known."""
    return UNKNOWN if value is None else f"{value * 100:.{digits}f} %"


def quantity(value: float | None) -> str:
    """A position or order size without trailing zeros."""
    return UNKNOWN if value is None else f"{value:,.10f}".rstrip("0").rstrip(".")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person may be looking; closed and missing streams are not."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def may_ask() -> bool:
    """Whether a person is there to look and answer: a terminal both ways, and no BOT_BYPASS_INTERACTIVE."""
    bypass = os.environ.get("BOT_BYPASS_INTERACTIVE", "").strip().lower() in {"1", "true", "yes", "on"}
    return not bypass and is_terminal(sys.stdin) and is_terminal(sys.stdout)


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)  # numpy scalars
    return item() if callable(item) else str(value)
