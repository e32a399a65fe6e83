"""Books from files: TOML and JSON (the whole account), CSV (positions; the account comes beside it).

TOML and JSON have one shape:

    ccy = "USDT"
    cash = { USDT = 100000.0 }
    rates = { EUR = 1.08 }
    [[positions]]
    symbol = "BTC/USDT"
    qty = 1.5
    mark = 60000.0

with the fields of ``Holding`` in a position, ``equity_peak``, ``equity_day_open``, and a table ``limits``. A
CSV has one position a row with the same names in its head; an empty cell is "not known". An unknown name is
an error that says so.
"""

from __future__ import annotations

import csv
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec

from core.analytics.book import Assumptions, Book, Holding, Limits, make
from core.analytics.errors import RiskInputError


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    ccy: str = "USDT"
    cash: dict[str, float]
    rates: dict[str, float] = {}
    equity_peak: float | None = None
    equity_day_open: float | None = None
    limits: dict[str, Any] = {}
    positions: list[dict[str, Any]] = []


def read(
    path: Path,
    *,
    limits: Limits | None = None,
    assumptions: Assumptions | None = None,
    cash: dict[str, float] | None = None,
    ccy: str = "USDT",
) -> Book:
    """The book in a .toml, .json or .csv file. ``limits`` are defaults; ``cash`` and ``ccy`` are for CSV alone.

    Raises RiskInputError (NO_FILE, BAD_FILE, UNKNOWN_FIELD, …).
    """
    suffix = path.suffix.lower()
    if suffix not in {".toml", ".json", ".csv"}:
        raise RiskInputError("BAD_FILE", f"{path}: a book is a .toml, .json or .csv file")
    raw = _bytes(path)
    if suffix == ".csv":
        if not cash:
            raise RiskInputError(
                "NO_CASH", f"{path}: a CSV holds positions only: give the account's cash as well"
            )
        parsed = _File(ccy=ccy, cash=cash, positions=_csv(path, raw))
    else:
        parsed = _decode(path, raw, suffix)
    return make(
        [_holding(path, i, row) for i, row in enumerate(parsed.positions, 1)],
        cash=parsed.cash,
        ccy=parsed.ccy,
        rates=parsed.rates,
        equity_peak=parsed.equity_peak,
        equity_day_open=parsed.equity_day_open,
        limits=_limits(path, parsed.limits, limits or Limits()),
        assumptions=assumptions,
        source=str(path),
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RiskInputError("NO_FILE", f"{path}: {error.strerror or error}") from None


def _decode(path: Path, raw: bytes, suffix: str) -> _File:
    decode = msgspec.toml.decode if suffix == ".toml" else msgspec.json.decode
    try:
        return decode(raw, type=_File)
    except (msgspec.MsgspecError, ValueError) as error:
        raise RiskInputError("BAD_FILE", f"{path}: {error}") from None


def _csv(path: Path, raw: bytes) -> list[dict[str, Any]]:
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise RiskInputError("BAD_FILE", f"{path}: not UTF-8 text") from None
    rows = list(csv.DictReader(lines))
    if not rows:
        raise RiskInputError("BAD_FILE", f"{path}: no positions; the head is symbol,qty,mark[,avg_px,…]")
    for number, row in enumerate(rows, 2):
        if None in row:
            raise RiskInputError("BAD_FILE", f"{path}: line {number} has more cells than the head")
    return [{k: v for k, v in row.items() if v not in ("", None)} for row in rows]


def _holding(path: Path, number: int, row: dict[str, Any]) -> Holding:
    """One row as a Holding; CSV text and TOML values go the same strict way."""
    known = [f.name for f in fields(Holding)]
    for name in row:
        if name not in known:
            raise RiskInputError(
                "UNKNOWN_FIELD", f"{path}: position {number}: no field {name!r}; known: {', '.join(known)}"
            )
    try:
        return msgspec.convert(row, Holding, strict=False)
    except msgspec.ValidationError as error:
        raise RiskInputError("BAD_FILE", f"{path}: position {number}: {error}") from None


def _limits(path: Path, given: dict[str, Any], base: Limits) -> Limits:
    known = {f.name for f in fields(Limits)}
    for name in given:
        if name not in known:
            raise RiskInputError(
                "UNKNOWN_FIELD", f"{path}: limits: no limit {name!r}; known: {', '.join(sorted(known))}"
            )
    values = {name: (None if value is False else value) for name, value in given.items()}
    try:
        return msgspec.convert({**_as_dict(base), **values}, Limits)
    except msgspec.ValidationError as error:
        raise RiskInputError("BAD_FILE", f"{path}: limits: {error}") from None


def _as_dict(limits: Limits) -> dict[str, Any]:
    return {f.name: getattr(replace(limits), f.name) for f in fields(Limits)}
