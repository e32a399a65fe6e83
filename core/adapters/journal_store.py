"""The one connection that writes. Only the journal's thread may touch it.

SQLite before 3.51.3 can corrupt a database when two connections write or checkpoint, so there is exactly one, and it
does the checkpoints itself. ``synchronous=FULL`` is set and read back: some builds come with another default, and with
NORMAL a power cut loses acknowledged commits.

Whatever one group commit holds goes in by as few statements as possible, most often by one that is its own
transaction: every statement gives the interpreter lock away, and getting it back from a busy loop can take a whole
switch interval (20,000 events/s beside a loop that never sleeps: median commit 15 ms so, 103 ms with ten statements).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.adapters.journal_format import (
    ADD_AUDIT,
    APPLICATION_ID,
    GENESIS,
    ROTATED_TO,
    SCHEMA,
    TICKS,
    UNREADABLE,
    VERSION,
    Head,
    JournalError,
    link,
    seal_snapshot,
)

SNAPSHOT = "\0snapshot"  # a queue item that becomes a row of table snapshot; no event has such a kind
CHECKPOINT_BYTES = 8 << 20
WAL_KEEP_BYTES = 32 << 20  # a log that a slow reader let grow is cut back to nothing when idle
SNAPSHOTS_KEPT = 3
_ROWS_MAX = 256  # of one statement; each size is compiled once and kept
_INSERT = [f"INSERT INTO event VALUES {','.join(['(?,?,?,?,?,?,?,?)'] * n)}" for n in range(_ROWS_MAX + 1)]  # noqa: S608
_LOOK_EVERY_S = 0.25


class Item(NamedTuple):
    """One queued append."""

    seq: int
    ts_ns: int
    kind: str
    fx: bytes
    body: bytes
    audit: bytes = b""


class _Plan(NamedTuple):
    rows: list[tuple[Any, ...]]
    ticks: list[tuple[int, bytes]]
    snapshots: list[tuple[int, bytes]]
    head: Head


class Store:
    """Opens or creates ``path`` for ``epoch``. Raises JournalError with what to do."""

    def __init__(self, path: Path, epoch: int, ticks_keep_bytes: int) -> None:
        self.path = path
        self.wal = path.with_name(path.name + "-wal")
        self.epoch = epoch
        self.ticks_keep_bytes = ticks_keep_bytes
        self.trouble = ""  # of a checkpoint: the log grows, nothing is lost
        self._since_checkpoint = 0  # bytes
        self._db = self._open()
        try:
            self._begin()
        except BaseException:
            self._db.close()
            raise

    def _begin(self) -> None:
        self.head = self._read_head()
        self._start_epoch()
        self._look_s = 0.0  # monotonic: when to look whether the file is still ours
        self._inode = os.stat(self.path).st_ino
        self._wal_inode = os.stat(self.wal).st_ino
        self._tick_bytes = int(self._value("SELECT coalesce(sum(length(body)), 0) FROM tick"))

    # -- opening ---------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            os.close(
                os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            )  # before SQLite makes it with the umask
            db = sqlite3.connect(self.path, isolation_level=None, timeout=2.0, cached_statements=512)
            self._prepare(db)
        except (*UNREADABLE, OSError) as error:
            raise JournalError(
                f"cannot open {self.path}: {error}; check the folder's space and owner, or restore it"
            ) from error
        _sync_folder(self.path.parent)
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        version, ours = _one(db, "PRAGMA user_version"), _one(db, "PRAGMA application_id")
        if version > VERSION or (ours not in (0, APPLICATION_ID)):
            raise JournalError(
                f"{self.path} was written by another or newer program; start that one, or move it away"
            )
        for pragma in (
            "mmap_size=0",
            "trusted_schema=OFF",
            "secure_delete=OFF",
            "fullfsync=1",
            "synchronous=FULL",
        ):
            db.execute("PRAGMA " + pragma)
        if _one(db, "PRAGMA journal_mode=WAL") != "wal" or _one(db, "PRAGMA synchronous") != 2:
            raise JournalError(
                f"{self.path}: this SQLite refuses WAL with synchronous=FULL; use a local disk"
            )
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            db.execute(statement)
        if version == 1:
            db.execute(ADD_AUDIT)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={VERSION}")
        db.execute("COMMIT")

    def _read_head(self) -> Head:
        row = self._db.execute("SELECT seq, sha, epoch FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(*row) if row else Head(0, GENESIS, 0)

    def _start_epoch(self) -> None:
        stored = self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        last = max(self.head.epoch, int(stored[0]) if stored else 0)
        if self.epoch <= last:
            raise JournalError(
                f"epoch {self.epoch} was used already (last {last}); start with epoch {last + 1}"
            )
        self._set_meta("epoch", str(self.epoch))

    # -- writing ---------------------------------------------------------------------------------

    def write(self, items: Sequence[Item]) -> None:
        """All or nothing, durable on return. Raises sqlite3.Error or OSError and has then changed nothing."""
        self._check_still_there()
        plan = self._plan(items)
        if not plan.ticks and not plan.snapshots and 0 < len(plan.rows) <= _ROWS_MAX:
            self._insert(plan.rows)  # one statement is its own transaction
        else:
            self._transaction(plan)
        self.head = plan.head
        self._tick_bytes += sum(len(body) for _, body in plan.ticks)
        self._since_checkpoint += sum(len(item.body) + len(item.audit) + 128 for item in items)

    def _plan(self, items: Sequence[Item]) -> _Plan:
        rows: list[tuple[Any, ...]] = []
        ticks: list[tuple[int, bytes]] = []
        snapshots: list[tuple[int, bytes]] = []
        seq, sha, epoch = self.head.seq, self.head.sha, self.epoch
        for item in items:
            if item.kind == SNAPSHOT:
                snapshots.append((item.seq, item.body))
                continue
            seq, ts_ns, body = item.seq, int(item.ts_ns), item.body
            if item.kind == TICKS:
                ticks.append((seq, body))
                body = hashlib.sha256(body).digest()
            sha = link(sha, seq, epoch, ts_ns, item.kind.encode(), item.fx, body, item.audit)
            rows.append((seq, epoch, ts_ns, item.kind, item.fx, sha, body, item.audit))
        return _Plan(rows, ticks, snapshots, Head(seq, sha, epoch if rows else self.head.epoch))

    def _transaction(self, plan: _Plan) -> None:
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            self._insert(plan.rows)
            db.executemany("INSERT INTO tick VALUES (?, ?)", plan.ticks)
            for seq, state in plan.snapshots:
                db.execute(
                    "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?)",
                    (seq, state, seal_snapshot(self._sha_at(seq), state)),
                )
            if plan.snapshots:
                db.execute(
                    "DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT ?)",
                    (SNAPSHOTS_KEPT,),
                )
            db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _insert(self, rows: list[tuple[Any, ...]]) -> None:
        for start in range(0, len(rows), _ROWS_MAX):
            group = rows[start : start + _ROWS_MAX]
            self._db.execute(_INSERT[len(group)], [value for row in group for value in row])

    def _sha_at(self, seq: int) -> bytes:
        if seq == 0:
            return GENESIS
        row = self._db.execute("SELECT sha FROM event WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise sqlite3.DataError(f"snapshot of record {seq}, which is not in the journal")
        return bytes(row[0])

    def _check_still_there(self) -> None:
        """A deleted or replaced file would take our commits into nowhere without an error."""
        now_s = time.monotonic()
        if now_s < self._look_s:
            return
        self._look_s = now_s + _LOOK_EVERY_S
        if os.stat(self.path).st_ino != self._inode or os.stat(self.wal).st_ino != self._wal_inode:
            self._look_s = 0.0
            raise OSError(f"{self.path} was replaced while in use; stop the core and put the right file back")

    # -- housekeeping ----------------------------------------------------------------------------

    def checkpoint_due(self) -> bool:
        return self._since_checkpoint > CHECKPOINT_BYTES

    def tidy(self) -> None:
        """Checkpoint and rotate tick bodies. A failure here loses nothing and is kept in ``trouble``."""
        if not self._since_checkpoint:
            return
        try:
            self._rotate()
            mode = "TRUNCATE" if os.stat(self.wal).st_size > WAL_KEEP_BYTES else "PASSIVE"
            self._db.execute("PRAGMA busy_timeout=0")  # never wait for a reader
            _busy, pages, done = self._db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            self._db.execute("PRAGMA busy_timeout=2000")
            self._since_checkpoint = 0
            self.trouble = "" if pages == done else f"{pages - done} pages wait for a reader of journal.db"
        except (sqlite3.Error, OSError) as error:
            self._roll_back()
            self.trouble = f"journal checkpoint: {error}"

    def _rotate(self) -> None:
        """Delete the oldest tick bodies over the limit, but none that a kept snapshot would need to be replayed."""
        excess = self._tick_bytes - self.ticks_keep_bytes
        oldest = self._value("SELECT min(seq) FROM snapshot") if excess > 0 else None
        if oldest is None:
            return
        freed, upto = 0, 0
        for seq, size in self._db.execute(
            "SELECT seq, length(body) FROM tick WHERE seq <= ? ORDER BY seq", (oldest,)
        ):
            freed, upto = freed + size, seq
            if freed >= excess:
                break
        if not upto:
            return
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM tick WHERE seq <= ?", (upto,))
        self._set_meta(ROTATED_TO, str(upto))
        self._db.execute("COMMIT")
        self._tick_bytes -= freed

    def close(self) -> None:
        """Checkpoints and removes the log when nobody else reads it."""
        self.tidy()
        self._db.close()

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _value(self, sql: str) -> Any:
        return _one(self._db, sql)


def _one(db: sqlite3.Connection, sql: str) -> Any:
    return db.execute(sql).fetchone()[0]


def _sync_folder(folder: Path) -> None:
    """A new file survives a power cut only when its folder was synced too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
