"""The journal as a table for other tools: JSON lines, CSV or Parquet, verified while it is written.

Two views: what the engine was told (``events``), and what it decided (``audit``, see journal_trail.py).

Events are decoded with their field names; a block of ticks is one row that names its size and hash.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bus.events import Event
from core.adapters import journal_trail
from core.adapters.journal_format import TICKS, JournalError, Record
from core.adapters.journal_reader import JournalReader

FORMATS = ("jsonl", "csv", "parquet")
VIEWS = ("events", "audit")
_COLUMNS = ("seq", "epoch", "ts_ns", "kind", "fx", "sha", "body")
_TYPES: dict[str, type] = {"seq": int, "epoch": int, "ts_ns": int}
_GROUP = 20_000  # rows per Parquet row group
_decode = msgspec.msgpack.Decoder[Event](Event).decode


class _Table(NamedTuple):
    columns: tuple[str, ...]
    types: dict[str, type]  # of the columns that are no text
    rows: Iterator[dict[str, Any]]


def export(path: Path, fmt: str, out: Path, what: str = "events") -> int:
    """Write the journal at ``path`` to ``out``: its events, or its audit trail; returns the number of rows.

    Raises JournalError for an unknown format or an unwritable file, ChainBroken where the journal does not verify:
    what was written until then is good and stays.
    """
    if fmt not in FORMATS or what not in VIEWS:
        raise JournalError(
            f"unknown format {fmt!r} or view {what!r}; use {', '.join(FORMATS)} of {', '.join(VIEWS)}"
        )
    with JournalReader(path) as reader:
        if what == "audit":
            table = _Table(journal_trail.COLUMNS, journal_trail.TYPES, journal_trail.rows(reader.records()))
        else:
            table = _Table(_COLUMNS, _TYPES, (_row(record) for record in reader.records()))
        try:
            return {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}[fmt](table, out)
        except OSError as error:
            raise JournalError(f"cannot write {out}: {error.strerror}; choose another place") from error


def _row(record: Record) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "epoch": record.epoch,
        "ts_ns": record.ts_ns,
        "kind": record.kind,
        "fx": record.fx.hex(),
        "sha": record.sha.hex(),
        "body": _body(record),
    }


def _body(record: Record) -> Any:
    if record.kind == TICKS:
        return {
            "bytes": len(record.body),
            "sha256": None if record.rotated else hashlib.sha256(record.body).hexdigest(),
            "rotated": record.rotated,
        }
    try:
        return msgspec.to_builtins(
            {f: getattr(e, f) for e in (_decode(record.body),) for f in e.__struct_fields__}
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {"hex": record.body.hex()}


def _jsonl(table: _Table, out: Path) -> int:
    count = 0
    with open(out, "w", encoding="utf-8") as file:
        for row in table.rows:
            file.write(json.dumps(row) + "\n")
            count += 1
    return count


def _csv(table: _Table, out: Path) -> int:
    count = 0
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        for row in table.rows:
            flat = journal_trail.plain(row)
            writer.writerow([flat[name] for name in table.columns])
            count += 1
    return count


def _parquet(table: _Table, out: Path) -> int:
    try:
        import pyarrow as pa  # an extra, and heavy
        import pyarrow.parquet as pq
    except ImportError as error:
        raise JournalError("Parquet needs pyarrow; install `andon[parquet]` or use csv") from error
    kinds = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    schema = pa.schema([(name, kinds[table.types.get(name, str)]) for name in table.columns])
    count = 0
    with pq.ParquetWriter(out, schema) as writer:
        while group := [journal_trail.plain(row) for row in islice(table.rows, _GROUP)]:
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count
