"""Reading a journal and checking it on the way: what comes out is what was written.

A reader opens the database read-only, beside a running core or on a copy, in short transactions, and checks the chain
as it goes. Whatever is wrong with the file comes out as ChainBroken, which names the record; everything yielded
before it is good. The columns are read as they come and their types checked, since a flipped bit can turn a number
into a text.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core.adapters.journal_format import (
    GENESIS,
    ROTATED_TO,
    TICKS,
    UNREADABLE,
    VERSION,
    ChainBroken,
    Head,
    JournalError,
    Record,
    Snapshot,
    link,
    seal_snapshot,
)
from core.adapters.journal_wal import lost_frames

_PAGE = 256  # rows per transaction: a reader must not keep the writer from restarting its log
_SELECT = (
    "SELECT e.seq, e.epoch, e.ts_ns, e.kind, e.fx, e.sha, e.body, {audit}, t.body FROM event e"
    " LEFT JOIN tick t ON t.seq = e.seq WHERE e.seq >= ? ORDER BY e.seq LIMIT ?"
)
_TYPES = (int, int, int, bytes, bytes, bytes, bytes)


class JournalReader:
    """Read-only view of the journal at ``path``. Raises JournalError when it cannot be opened at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise JournalError(f"no journal at {path}; name the data folder's journal.db")
        self._db = self._open()
        version = self._one("PRAGMA user_version")
        if version is not None and version > VERSION:
            self.close()
            raise JournalError(
                f"{path} was written by a newer program (version {version}); read it with that one"
            )
        self._select = _SELECT.format(audit="e.audit" if self._has_audit() else "NULL")

    def _open(self) -> sqlite3.Connection:
        """Normally beside a writer; ``immutable`` for a copy in a folder where no index file can be made."""
        log = self.path.with_name(self.path.name + "-wal")
        whole = not log.exists() or log.stat().st_size == 0
        uri, why = self.path.absolute().as_uri(), ""
        for options in ("mode=ro", "mode=ro&immutable=1") if whole else ("mode=ro",):
            db = sqlite3.connect(f"{uri}?{options}", uri=True, isolation_level=None, timeout=2.0)
            db.text_factory = bytes
            try:
                db.execute("PRAGMA trusted_schema=OFF")
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()
                return db
            except UNREADABLE as error:
                db.close()
                why = why or str(error)
        raise ChainBroken(1, f"{self.path} cannot be read: {why}")

    # -- records ---------------------------------------------------------------------------------

    def records(self, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """Every record in ``from_seq..to_seq``, verified. Raises ChainBroken at the first that does not verify.

        The record before ``from_seq`` is taken as it stands; from 1 the chain is proven from its genesis.
        """
        sha, epoch, seq = self._before(from_seq), 0, from_seq
        rotated_to, more = self._rotated_to(), True
        while more and (to_seq is None or seq <= to_seq):
            rows, more = self._page(seq, _PAGE if to_seq is None else min(_PAGE, to_seq - seq + 1))
            for row in rows:
                record = _check(row, seq, sha, epoch, rotated_to)
                yield record
                sha, epoch, seq = record.sha, record.epoch, seq + 1

    def last(self) -> Head:
        """The last record's head as it stands in the table, unverified; seq 0 when there is none."""
        with _naming(0):
            row = self._db.execute("SELECT seq, sha, epoch FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None:
            return Head(0, GENESIS, 0)
        if not (isinstance(row[0], int) and isinstance(row[1], bytes) and isinstance(row[2], int)):
            raise ChainBroken(0, "the last record's columns are damaged")
        return Head(*row)

    def sha_at(self, seq: int) -> bytes | None:
        """Chain value after record ``seq`` as stored; None when there is no such record."""
        if seq == 0:
            return GENESIS
        with _naming(seq):
            row = self._db.execute("SELECT sha FROM event WHERE seq = ?", (seq,)).fetchone()
        return row[0] if row and isinstance(row[0], bytes) else None

    def bodies_of(self, kind: str, after: int, upto: int) -> list[tuple[int, bytes]]:
        """(epoch, body) of the records of ``kind`` in (after, upto], newest first, unverified."""
        sql = "SELECT epoch, body FROM event WHERE seq > ? AND seq <= ? AND kind = ? ORDER BY seq DESC"
        with _naming(upto):
            rows = self._db.execute(sql, (after, upto, kind)).fetchall()
        return [(epoch, body) for epoch, body in rows if isinstance(epoch, int) and isinstance(body, bytes)]

    def snapshots(self) -> Iterator[Snapshot | ChainBroken]:
        """Newest first; a damaged one comes as the reason why."""
        with _naming(0):
            rows = self._db.execute("SELECT seq, state, sha FROM snapshot ORDER BY seq DESC").fetchall()
        for seq, state, sha in rows:
            at = self.sha_at(seq) if isinstance(seq, int) else None
            if at is None or not isinstance(state, bytes) or sha != seal_snapshot(at, state):
                yield ChainBroken(seq if isinstance(seq, int) else 0, "the snapshot taken here is damaged")
            else:
                yield Snapshot(seq, state)

    def snapshot(self) -> Snapshot | None:
        """The newest good snapshot."""
        return next((each for each in self.snapshots() if isinstance(each, Snapshot)), None)

    def lost_frames(self) -> str:
        """What the write-ahead log holds and SQLite does not read; "" when nothing."""
        self._one("SELECT count(*) FROM meta")  # the index file is built on the first read
        return lost_frames(self.path)

    def stored_epoch(self) -> int:
        """The last epoch a writer has begun, 0 when unknown."""
        return self._meta_number("epoch")

    def quick_check(self) -> str:
        """SQLite's own opinion of the file's structure; "" when it has no complaint."""
        try:
            verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        except UNREADABLE as error:
            return str(error)
        return "" if verdict == b"ok" else verdict.decode(errors="replace")

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    # -- parts -----------------------------------------------------------------------------------

    def _before(self, from_seq: int) -> bytes:
        sha = self.sha_at(from_seq - 1)
        if sha is None:
            raise ChainBroken(from_seq - 1, "the record is missing")
        return sha

    def _page(self, seq: int, limit: int) -> tuple[list[Any], bool]:
        """Rows from ``seq`` on, and whether more may follow. What can be read before a bad place is not lost to it."""
        rows: list[Any] = []
        with _naming(seq):
            try:
                rows.extend(self._db.execute(self._select, (seq, limit)))
            except UNREADABLE:
                if not rows:
                    raise
                return rows, True
        return rows, len(rows) == limit

    def _has_audit(self) -> bool:
        """By the table itself, not by the version number: a flipped bit in that must not hide the lines."""
        try:
            self._db.execute("SELECT audit FROM event LIMIT 0")
        except UNREADABLE:
            return False
        return True

    @property
    def rotated_to(self) -> int:
        """Tick bodies up to this record have been deleted to save room; 0 = none."""
        return self._meta_number(ROTATED_TO)

    def _rotated_to(self) -> int:
        """Up to where tick bodies may be missing: never into what the oldest snapshot needs for a replay."""
        oldest = self._one("SELECT min(seq) FROM snapshot")
        return min(self._meta_number(ROTATED_TO), oldest if isinstance(oldest, int) else 0)

    def _meta_number(self, key: str) -> int:
        value = self._one("SELECT value FROM meta WHERE key = ?", key)
        return int(value) if isinstance(value, bytes) and re.fullmatch(rb"[0-9]{1,15}", value) else 0

    def _one(self, sql: str, *values: object) -> Any:
        with _naming(1):
            row = self._db.execute(sql, values).fetchone()
        return row[0] if row else None


def _check(row: Any, seq: int, prev: bytes, epoch: int, rotated_to: int) -> Record:
    if not all(isinstance(value, kind) for value, kind in zip(row, _TYPES, strict=False)):
        raise ChainBroken(seq, "a column is damaged")
    at, its_epoch, ts_ns, kind, fx, sha, body, audit, block = row
    if not (audit is None or isinstance(audit, bytes)):
        raise ChainBroken(seq, "its audit lines are damaged")
    if at != seq:
        raise ChainBroken(seq, f"the record is missing, the next one is {at}")
    if len(kind) > 64 or len(fx) > 64 or link(prev, at, its_epoch, ts_ns, kind, fx, body, audit) != sha:
        raise ChainBroken(seq, "its contents, or the record before it, are not what was written")
    if its_epoch < epoch:
        raise ChainBroken(seq, f"written by epoch {its_epoch} after epoch {epoch}: two cores wrote here")
    name = kind.decode(errors="replace")
    if name != TICKS:
        return Record(at, its_epoch, ts_ns, name, fx, sha, body, False, audit)
    if block is None and seq <= rotated_to:
        return Record(at, its_epoch, ts_ns, name, fx, sha, b"", True, audit)
    if not isinstance(block, bytes) or hashlib.sha256(block).digest() != body:
        raise ChainBroken(seq, "its block of ticks is missing or damaged", "tick")
    return Record(at, its_epoch, ts_ns, name, fx, sha, block, False, audit)


@contextmanager
def _naming(seq: int) -> Iterator[None]:
    """Whatever SQLite says about the file becomes a break at ``seq``."""
    try:
        yield
    except UNREADABLE as error:
        raise ChainBroken(seq, f"the database cannot be read there: {error}") from error
