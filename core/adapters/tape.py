"""Tapes: recorded trades or bars, as one array of TICK rows in time order.

    tape = open_tape("trades.csv.gz", symbol="BTC/USDT")

CSV, CSV.gz and Parquet. A malformed row ends the reading with its line number, or is counted with ``skip_bad``.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np

from bus.instruments import InstrumentSpec
from core.adapters.tape_check import Columns, columns_of, say
from core.adapters.tape_read import NotGood, Raw, TapeError, is_parquet, read_fast, read_lines, read_parquet
from core.adapters.tape_ticks import bar_rows, spec_for, trade_rows
from core.kernels.tables import Table

__all__ = ["Tape", "TapeError", "open_tape"]

_NO_NAMES = {"trades", "bars", "tape", "spot", "usdm", "cm", "perp", "daily", "data", "ticks"}


class Tape(msgspec.Struct, frozen=True, kw_only=True):
    """An opened tape. ``rows`` is one TICK array in time order; instrument ids index ``specs``."""

    path: str
    kind: str  # trades | bars
    specs: tuple[InstrumentSpec, ...]
    rows: Table
    bad: int  # rows left out (only with skip_bad)


def open_tape(
    path: str | Path,
    symbol: str | None = None,
    skip_bad: bool = False,
    *,
    settle: str = "",
) -> Tape:
    """Read a tape whole. Raises TapeError, in one line, on anything that is not one.

    ``symbol`` names a tape without a symbol column (else its file's name does) and picks one from a tape that has
    several. ``settle`` overrides the settlement currency, which is otherwise the quote currency.
    """
    path = Path(path)
    raw, columns = _load(path, symbol or symbol_from(path.name))
    good = columns.fault == 0
    bad = int((~good).sum()) + len(raw.broken)
    if bad and not skip_bad:
        raise _first_bad(path, raw, columns)
    if symbol and symbol not in columns.symbols:
        raise TapeError(path, 0, f"has no symbol {symbol!r}; it has {', '.join(columns.symbols[:8])}")
    specs: list[InstrumentSpec] = []
    parts: list[Table] = []
    bars = columns.kind == "bars"
    price, size = ("close", "volume") if bars else ("price", "qty")
    for code, name in enumerate(columns.symbols):
        here = np.flatnonzero(good & (columns.symbol == code))
        if len(here) == 0 or (symbol and name != symbol):
            continue
        prices = np.concatenate(
            [columns.numbers[p][here] for p in (("open", "high", "low", "close") if bars else (price,))]
        )
        spec = spec_for(name, prices, columns.numbers[size][here], settle, bars=bars)
        parts.append((bar_rows if bars else trade_rows)(columns, here, len(specs), spec))
        specs.append(spec)
    if not specs:
        raise TapeError(path, 0, f"has no usable rows ({bad} bad)" if bad else "has no rows")
    return Tape(path=str(path), kind=columns.kind, specs=tuple(specs), rows=_merge(parts), bad=bad)


def _load(path: Path, symbol: str) -> tuple[Raw, Columns]:
    """The fast way where it will do, else with exact lines."""
    try:
        if is_parquet(path):
            raw = read_parquet(path)
            return raw, columns_of(raw, symbol)
        try:
            raw = read_fast(path)
            columns = columns_of(raw, symbol)
            if not columns.fault.any():
                return raw, columns
        except NotGood:
            pass
        raw = read_lines(path)
        return raw, columns_of(raw, symbol)
    except ValueError as error:
        raise TapeError(path, 0, str(error)) from None


def _first_bad(path: Path, raw: Raw, columns: Columns) -> TapeError:
    """The first malformed line, of whichever sort."""
    places = [(line, why) for line, why in raw.broken[:1]]
    rows = np.flatnonzero(columns.fault)
    if len(rows):
        places.append((int(raw.lines[rows[0]]), say(columns, int(rows[0]))))
    return TapeError(path, *min(places))


def _merge(parts: list[Table]) -> Table:
    """All symbols' rows in time order; equal times keep the order of symbols and of the file."""
    rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if len(parts) > 1:
        rows = rows[np.argsort(rows["ts_ns"], kind="stable")]
    return rows


def symbol_from(name: str) -> str:
    """A symbol from a file's name: "trades_spot_btcusdt_2024.csv.gz" -> "BTC/USDT", "spy_daily.csv" -> "SPY"."""
    words = re.split(r"[^a-z0-9]+", name.lower().split(".")[0])
    for word in words:
        if pair := re.fullmatch(r"([a-z0-9]{2,6})(usdt|usdc|usd|eur)", word):
            return f"{pair[1]}/{pair[2]}".upper()
    plain = [word for word in words if word.isalpha() and word not in _NO_NAMES]
    return (plain or words or ["tape"])[0].upper() or "TAPE"
