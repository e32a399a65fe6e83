"""The journal for other tools."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from pathlib import Path

import msgspec
import pytest

from bus.enums import ReportKind
from bus.events import Report, Shutdown
from core.adapters.journal import SHUTDOWN, TICKS, ChainBroken, JournalError, export

from .kit import JOURNAL, opened

REPORT = Report(
    ts_ns=7, venue=0, cl_ord_id="e1-1", kind=ReportKind.TRADE, exec_id="x", last_lots=3, px_ticks=10.5
)
BLOCK = bytes(range(56)) * 3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = opened(tmp_path)
    journal.append("report", 7, msgspec.msgpack.encode(REPORT), b"\x01\x02")
    journal.append(TICKS, 8, BLOCK, b"")
    journal.append("strange", 9, b"\xc1", b"")
    journal.append(SHUTDOWN, 10, msgspec.msgpack.encode(Shutdown(10, "ann", "done")), b"")
    assert journal.close()
    return tmp_path / JOURNAL


def bodies(rows: list[dict]) -> list[dict]:
    return [row["body"] if isinstance(row["body"], dict) else json.loads(row["body"]) for row in rows]


def check(rows: list[dict]) -> None:
    assert [int(row["seq"]) for row in rows] == [1, 2, 3, 4]
    assert [row["kind"] for row in rows] == ["report", "ticks", "strange", "shutdown"]
    assert rows[0]["fx"] == "0102"
    report, ticks, strange, shutdown = bodies(rows)
    assert (report["cl_ord_id"], report["last_lots"], report["px_ticks"]) == ("e1-1", 3, 10.5)
    assert ticks == {"bytes": 168, "sha256": hashlib.sha256(BLOCK).hexdigest(), "rotated": False}
    assert strange == {"hex": "c1"}
    assert shutdown == {"ts_ns": 10, "operator": "ann", "reason": "done"}


def test_json_lines(path: Path, tmp_path: Path) -> None:
    assert export(path, "jsonl", tmp_path / "out") == 4
    check([json.loads(line) for line in (tmp_path / "out").read_text().splitlines()])


def test_csv(path: Path, tmp_path: Path) -> None:
    assert export(path, "csv", tmp_path / "out") == 4
    with open(tmp_path / "out", newline="") as file:
        check(list(csv.DictReader(file)))


def test_parquet(path: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    assert export(path, "parquet", tmp_path / "out") == 4
    check(parquet.read_table(tmp_path / "out").to_pylist())


def test_it_stops_at_a_break_and_keeps_what_was_good(path: Path, tmp_path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("UPDATE event SET ts_ns = 0 WHERE seq = 3")
    db.commit()
    db.close()
    with pytest.raises(ChainBroken) as caught:
        export(path, "jsonl", tmp_path / "out")
    assert caught.value.seq == 3
    assert len((tmp_path / "out").read_text().splitlines()) == 2


def test_bad_requests_are_one_line(path: Path, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="unknown format 'xml'"):
        export(path, "xml", tmp_path / "out")
    with pytest.raises(JournalError, match="cannot write"):
        export(path, "csv", tmp_path / "no" / "out")
    with pytest.raises(JournalError, match="no journal at"):
        export(tmp_path / "none.db", "csv", tmp_path / "out")
