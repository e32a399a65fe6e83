"""The journal as a table for other tools: JSON lines, CSV or Parquet, verified while it is written.

Events are decoded with their field names; a block of ticks is one row that names its size and hash.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from bus.events import Event
from core.adapters.journal_format import TICKS, JournalError, Record
from core.adapters.journal_reader import JournalReader

FORMATS = ("jsonl", "csv", "parquet")
_COLUMNS = ("seq", "epoch", "ts_ns", "kind", "fx", "sha", "body")
_GROUP = 20_000  # rows per Parquet row group
_decode = msgspec.msgpack.Decoder[Event](Event).decode


def export(path: Path, fmt: str, out: Path) -> int:
    """Write the journal at ``path`` to ``out``; returns the number of records.

    Raises JournalError for an unknown format or an unwritable file, ChainBroken where the journal does not verify:
    what was written until then is good and stays.
    """
    if fmt not in FORMATS:
        raise JournalError(f"unknown format {fmt!r}; use one of {', '.join(FORMATS)}")
    with JournalReader(path) as reader:
        rows = (_row(record) for record in reader.records())
        try:
            return {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}[fmt](rows, out)
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


def _jsonl(rows: Iterator[dict[str, Any]], out: Path) -> int:
    count = 0
    with open(out, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
            count += 1
    return count


def _csv(rows: Iterator[dict[str, Any]], out: Path) -> int:
    count = 0
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for row in rows:
            writer.writerow([*(row[name] for name in _COLUMNS[:-1]), json.dumps(row["body"])])
            count += 1
    return count


def _parquet(rows: Iterator[dict[str, Any]], out: Path) -> int:
    try:
        import pyarrow as pa  # an extra, and heavy
        import pyarrow.parquet as pq
    except ImportError as error:
        raise JournalError("Parquet needs pyarrow; install `andon[parquet]` or use csv") from error
    whole, text = pa.int64(), pa.string()
    types = (whole, whole, whole, text, text, text, text)
    schema = pa.schema(list(zip(_COLUMNS, types, strict=True)))
    count = 0
    with pq.ParquetWriter(out, schema) as writer:
        while group := list(islice(rows, _GROUP)):
            lines = [{**row, "body": json.dumps(row["body"])} for row in group]
            writer.write_table(pa.Table.from_pylist(lines, schema=schema))
            count += len(group)
    return count
