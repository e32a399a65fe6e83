"""From columns as read to columns that can be trusted, or the first line that cannot.

Two kinds of tape: ``trades`` (time, price, qty, side, perhaps symbol) and ``bars`` (time, open, high, low, close,
volume, perhaps symbol). Names are taken as the world writes them; other columns are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from core.adapters.tape_read import Raw

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NAMES = {
    "time": ("ts_ns", "ts", "timestamp", "time", "datetime", "date"),
    "price": ("price", "px"),
    "qty": ("qty", "quantity", "size", "amount"),
    "side": ("side",),
    "open": ("o", "open"),
    "high": ("h", "high"),
    "low": ("l", "low"),
    "close": ("c", "close"),
    "volume": ("v", "volume"),
    "symbol": ("symbol", "ticker"),
}
KINDS = {
    "trades": ("time", "price", "qty", "side"),
    "bars": ("time", "open", "high", "low", "close", "volume"),
}
EXPECTED = "expected trades (ts_ns,price,qty,side[,symbol]) or bars (ts,o,h,l,c,v[,symbol])"
SIDES = {"buy": 1, "b": 1, "sell": 2, "s": 2}
NO_TIME = np.iinfo(np.int64).min
UNITS_NS = ((10**17, 1), (10**14, 10**3), (10**11, 10**6), (10**8, 10**9))  # at least this, times that


class Columns(msgspec.Struct, frozen=True):
    """A tape's rows in file order. ``fault`` names what is wrong with a row, "" = nothing."""

    kind: str
    ts_ns: Ints
    numbers: dict[str, Floats]  # price and qty, or open .. volume
    side: Ints  # 1 buy, 2 sell; all 0 for bars
    symbol: Ints  # index into symbols
    symbols: list[str]
    fault: npt.NDArray[np.int64]  # index into FAULTS


FAULTS = (
    "",
    "the time cannot be read",
    "{0} is not a positive number",
    "high, low, open and close contradict each other",
    "the volume is not a number at or above zero",
    "the side is neither BUY nor SELL",
    "there is no symbol",
    "the clock goes back",
)
_TIME, _POSITIVE, _BAR, _VOLUME, _SIDE, _SYMBOL, _BACK = range(1, 8)


def kind_of(columns: list[str]) -> tuple[str, dict[str, str]]:
    """The tape's kind and which column plays each part. Raises ValueError with what is missing."""
    parts = {part: next((name for name in names if name in columns), "") for part, names in NAMES.items()}
    for kind, needed in KINDS.items():
        if all(parts[part] for part in needed):
            return kind, {part: parts[part] for part in (*needed, "symbol")}
    found = [part for part in parts if parts[part]]
    if found == ["time"] and len(columns) > 2:
        raise ValueError(f"looks like a table with a price column for each symbol; {EXPECTED}")
    if not found:
        raise ValueError(f"has no known columns in its first line; {EXPECTED}")
    nearest = max(KINDS, key=lambda kind: sum(part in found for part in KINDS[kind]))
    missing = [NAMES[part][0] if part != "time" else "ts" for part in KINDS[nearest] if not parts[part]]
    raise ValueError(f"lacks the column {', '.join(missing)}; {EXPECTED}")


def _epoch_ns(numbers: Ints, exact_ns: bool) -> Ints:
    """Whole numbers as ns UTC: as they are, or by their size as s, ms, us, ns, or as a date 20240131."""
    usual = int(np.median(numbers)) if len(numbers) else 0
    if exact_ns:
        return np.where(numbers >= 0, numbers, NO_TIME)
    if 19000101 <= usual <= 21001231:
        return _calendar_ns([str(n) for n in numbers])
    unit = next((unit for least, unit in UNITS_NS if usual >= least), 0)
    if unit == 0:
        return np.full(len(numbers), NO_TIME)
    fits = (numbers >= 0) & (numbers < 2**62 // unit)
    return np.where(fits, np.where(fits, numbers, 0) * unit, NO_TIME)


def _calendar_ns(texts: list[str] | pd.Series[str]) -> Ints:
    """ISO 8601 dates and times as ns UTC; no zone means UTC."""
    import pandas as pd

    when = pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    ns: Ints = when.to_numpy().astype("datetime64[ns]").astype(np.int64)
    return ns


def times_ns(column: pd.Series[int], name: str) -> Ints:
    """A time column of any sort as ns UTC; NO_TIME where it cannot be read."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return _calendar_ns(column.astype(str))
    if pd.api.types.is_integer_dtype(column):
        return _epoch_ns(column.to_numpy(dtype=np.int64, na_value=NO_TIME), name == "ts_ns")
    texts = column.astype(str).str.strip()
    whole = texts.str.fullmatch(r"\d{1,18}|[1-8]\d{18}").to_numpy(dtype=bool)
    out = np.full(len(column), NO_TIME)
    if whole.sum() * 2 > len(column) or name == "ts_ns":
        out[whole] = _epoch_ns(texts[whole].astype(np.int64).to_numpy(), name == "ts_ns")
        return out
    return _calendar_ns(texts)


def _numbers(column: pd.Series[float]) -> Floats:
    import pandas as pd

    numbers: Floats = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def _codes(column: pd.Series[str]) -> tuple[Ints, list[str]]:
    """Distinct trimmed texts in order of first appearance; -1 for none."""
    import pandas as pd

    codes, distinct = pd.factorize(column)
    names = ["" if pd.isna(value) else str(value).strip() for value in distinct]
    kept = list(dict.fromkeys(name for name in names if name))
    places = np.array([kept.index(name) if name else -1 for name in names] + [-1], dtype=np.int64)
    return places[codes], kept


def _sides(column: pd.Series[str]) -> Ints:
    codes, names = _codes(column)
    known = np.array([SIDES.get(name.lower(), 0) for name in names] + [0], dtype=np.int64)
    return known[codes]


def columns_of(raw: Raw, symbol: str) -> Columns:
    """Convert and judge every row. ``symbol`` names rows without a symbol column. Raises ValueError on columns."""
    kind, parts = kind_of(list(raw.frame.columns))
    frame, n = raw.frame, len(raw.frame)
    ts_ns = times_ns(frame[parts["time"]], parts["time"])
    values = {part: _numbers(frame[parts[part]]) for part in KINDS[kind] if part not in ("time", "side")}
    side = _sides(frame[parts["side"]]) if kind == "trades" else np.zeros(n, dtype=np.int64)
    codes, symbols = _codes(frame[parts["symbol"]]) if parts["symbol"] else (np.zeros(n, np.int64), [symbol])
    fault = np.zeros(n, dtype=np.int64)
    _mark(fault, ts_ns == NO_TIME, _TIME)
    for part, column in values.items():
        if part != "volume":
            _mark(fault, ~(np.isfinite(column) & (column > 0)), _POSITIVE)
    if kind == "bars":
        high, low = values["high"], values["low"]
        top, bottom = np.maximum(values["open"], values["close"]), np.minimum(values["open"], values["close"])
        _mark(fault, ~(np.isfinite(values["volume"]) & (values["volume"] >= 0)), _VOLUME)
        _mark(fault, (high < top) | (low > bottom), _BAR)
    else:
        _mark(fault, side == 0, _SIDE)
    _mark(fault, codes < 0, _SYMBOL)
    _mark(fault, _goes_back(ts_ns, fault, codes if kind == "bars" else np.zeros(n, dtype=np.int64)), _BACK)
    return Columns(kind, ts_ns, values, side, codes, symbols, fault)


def _mark(fault: Ints, where: Mask, code: int) -> None:
    fault[where & (fault == 0)] = code


def _goes_back(ts_ns: Ints, fault: Ints, group: Ints) -> Mask:
    """Rows before a good row's time that stands earlier in the file; bars may stand symbol by symbol."""
    import pandas as pd

    clock = np.where(fault == 0, ts_ns, NO_TIME)
    if not group.any():
        return clock < np.maximum.accumulate(clock) if len(clock) else clock > 0
    back: Mask = clock < pd.Series(clock).groupby(group).cummax().to_numpy()
    return back


def say(columns: Columns, row: int) -> str:
    """What is wrong with one row."""
    fault = int(columns.fault[row])
    if fault != _POSITIVE:
        return FAULTS[fault]
    part = next(
        p for p, v in columns.numbers.items() if p != "volume" and not (np.isfinite(v[row]) and v[row] > 0)
    )
    return FAULTS[fault].format(f"{part} ({columns.numbers[part][row]:g})")
