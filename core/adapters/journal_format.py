"""What a journal is made of: records, the chain that ties them, and the tables they stand in.

Every record carries ``sha = sha256(sha of the record before || its own fields)``, from a fixed genesis. A flipped bit,
a missing, added or reordered row breaks the chain at a seq that can be named. What a chain cannot notice is that its
*end* is gone (SQLite stops reading a write-ahead log at the first bad frame and calls the rest intact), so the head is
witnessed outside the database: see ``witness.py``.

Lengths are part of what is hashed: otherwise a byte could move from one field to its neighbour unnoticed.

Since version 2 a record also holds the audit lines of what its event decided (``bus.trail``). They are hashed with it,
under a mark that no record of version 1 can carry, so that lines can be neither taken away nor given to an old record.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from typing import NamedTuple

VERSION = 2
APPLICATION_ID = 0x414E444F  # "ANDO", so that `file` and we can tell a journal from any other database
GENESIS = hashlib.sha256(b"andon journal 1").digest()
TICKS = "ticks"  # body of the event row is the sha256 of the block; the block itself stands in table tick
SHUTDOWN = "shutdown"  # the clean-shutdown mark, tag of bus.events.Shutdown
LATCH_STORED = "latch_stored"  # tag of bus.events.LatchStored
ROTATED_TO = "ticks_rotated_to"  # meta key: tick bodies up to this seq were deleted to keep the folder small

_EVENT_COLUMNS = (
    "seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, ts_ns INTEGER NOT NULL, kind TEXT NOT NULL,"
    " fx BLOB NOT NULL, sha BLOB NOT NULL, body BLOB NOT NULL, audit BLOB"  # NULL: written by version 1
)
ADD_AUDIT = "ALTER TABLE event ADD COLUMN audit BLOB"  # writes no row
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    f"CREATE TABLE IF NOT EXISTS event ({_EVENT_COLUMNS}) STRICT",
    "CREATE TABLE IF NOT EXISTS tick (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS snapshot (seq INTEGER PRIMARY KEY, state BLOB NOT NULL, sha BLOB NOT NULL) STRICT",
)

# What reading a damaged database raises: SQLite's own errors, its messages that quote the damage and are then no text,
# and sizes that it believed.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError)

_FIXED = struct.Struct("<qqqHH")  # seq, epoch, ts_ns, len(kind), len(fx)
_FIXED_AUDIT = struct.Struct("<qqqHHI")  # the same and len(audit); len(kind) carries the mark
_AUDIT_MARK = 0x8000


class JournalError(Exception):
    """One line for the operator: what, why, what to do."""


class TicksRefused(JournalError):
    """The queue is full and the disk does not take it: market data waits; orders and commands are still taken."""


class ChainBroken(JournalError):
    """The journal does not verify at ``seq``; everything before it does. ``place``: table or file, where known."""

    def __init__(self, seq: int, why: str, place: str = "event") -> None:
        super().__init__(f"journal broken at record {seq}: {why}")
        self.seq = seq
        self.why = why
        self.place = place


class Record(NamedTuple):
    """One journal record as it was appended. ``rotated``: a tick block whose rows were deleted to save room."""

    seq: int
    epoch: int
    ts_ns: int
    kind: str
    fx: bytes  # fingerprint of the effects that the event had
    sha: bytes  # chain value up to and including this record
    body: bytes  # encoded event, or raw TICK rows when kind is "ticks"
    rotated: bool = False
    audit: bytes | None = b""  # encoded audit lines; None in a record of version 1, which had none


class Head(NamedTuple):
    """The last record's place in the chain; seq 0 with GENESIS when there is none."""

    seq: int
    sha: bytes
    epoch: int = 0


class Snapshot(NamedTuple):
    """Engine state after record ``seq`` (0: before the first)."""

    seq: int
    state: bytes


def link(
    prev: bytes, seq: int, epoch: int, ts_ns: int, kind: bytes, fx: bytes, body: bytes, audit: bytes | None
) -> bytes:
    """The record's chain value, 32 bytes; ``prev`` is that of the record before, GENESIS for the first."""
    if audit is None:
        fixed = _FIXED.pack(seq, epoch, ts_ns, len(kind), len(fx))
        return hashlib.sha256(b"".join((prev, fixed, kind, fx, body))).digest()
    fixed = _FIXED_AUDIT.pack(seq, epoch, ts_ns, len(kind) | _AUDIT_MARK, len(fx), len(audit))
    return hashlib.sha256(b"".join((prev, fixed, kind, fx, audit, body))).digest()


def seal_snapshot(event_sha: bytes, state: bytes) -> bytes:
    """Ties a snapshot to the chain: it is good only for the journal, and the record, that it was taken at."""
    return hashlib.sha256(event_sha + state).digest()
