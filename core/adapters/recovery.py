"""Before anything is opened for writing: what the data folder holds, and whether a core may trust it.

``inspect`` reads only. It calls a folder *clean* when the last record is the clean-shutdown mark, the witness saw that
very record, the stop record is readable and no older than the journal knows, and nobody asked for a halt. Anything
else is a reason, in words, and the core comes up halted. ``damaged`` is worse: what is there is not what was written.
Then the journal is moved aside (``quarantine``, nothing is deleted) and a new one begins; the verified part can still
be replayed out of it, and the venue has the last word on positions anyway.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bus.events import LatchStored
from core.adapters import journal_seal, lock, witness
from core.adapters.journal_format import (
    GENESIS,
    LATCH_STORED,
    SHUTDOWN,
    ChainBroken,
    Head,
    JournalError,
    Record,
    Snapshot,
)
from core.adapters.journal_reader import JournalReader
from core.adapters.latch_store import Damaged, LatchRecord, Missing, halt_requested, read_latch
from core.adapters.witness import Seen

JOURNAL = "journal.db"
_LOOK_BACK = 200_000  # records: some hundredths of a second to scan
_HALT = "a file named HALT asks for it; remove it before starting again"
_decode_stored = msgspec.msgpack.Decoder(LatchStored).decode


@dataclass(frozen=True, slots=True)
class Found:
    """What ``inspect`` found. ``head`` is the last record that verifies; ``tail`` replays from the snapshot to it."""

    path: Path  # the journal
    fresh: bool  # a new folder: nothing was ever here
    clean: bool
    damaged: bool  # quarantine before a journal is opened for writing
    why_not: tuple[str, ...]  # why not clean, each a line for the screen
    head: Head
    last_epoch: int
    snapshot: Snapshot | None
    latch: LatchRecord | Missing | Damaged
    halt_file: bool

    @property
    def next_epoch(self) -> int:
        return self.last_epoch + 1

    @property
    def note(self) -> str:
        """The reasons on one line, for Boot.note."""
        return "; ".join(self.why_not)

    def tail(self) -> Iterator[Record]:
        """Records after the snapshot (from the first without one), verified. Read them before quarantine moves them."""
        start = self.snapshot.seq + 1 if self.snapshot else 1
        if self.head.seq < start:
            return
        with JournalReader(self.path) as reader:
            yield from reader.records(start, self.head.seq)


@dataclass(slots=True)
class _Journal:
    """What the database itself says."""

    head: Head
    epoch: int = 0
    snapshot: Snapshot | None = None
    last_kind: str = ""
    stored: tuple[int, int] = (0, 0)  # (epoch, seq) of the newest stop record that the journal saw stored
    refused: str = ""
    faults: tuple[str, ...] = ()


def inspect(data_dir: Path, *, full: bool = False) -> Found:
    """Look into ``data_dir``; never raises on what it finds there.

    Verifies from the newest good snapshot, with ``full`` from the genesis. Hold the folder's lock meanwhile.
    """
    path = data_dir / JOURNAL
    latch, seen, halt = read_latch(data_dir), witness.read(data_dir), halt_requested(data_dir)
    locked_epoch = lock.last_epoch(data_dir)
    if not path.exists() and isinstance(latch, Missing) and isinstance(seen, Missing) and not locked_epoch:
        reasons: tuple[str, ...] = (_HALT,) if halt else ()
        return Found(path, True, not halt, False, reasons, Head(0, GENESIS), 0, None, latch, halt)
    journal = _look(path, seen, full)
    reasons = (*journal.faults, *_unclean(journal, seen), *_latch_faults(journal, latch))
    if halt:
        reasons = (*reasons, _HALT)
    epochs = [journal.epoch, journal.head.epoch, locked_epoch]
    epochs += [each.epoch for each in (latch, seen) if isinstance(each, LatchRecord | Seen)]
    return Found(
        path,
        False,
        not reasons,
        bool(journal.faults) and path.exists(),
        reasons,
        journal.head,
        max(epochs),
        journal.snapshot,
        latch,
        halt,
    )


def quarantine(data_dir: Path, now_ns: int | None = None) -> Path | None:
    """Move a damaged journal aside as ``journal.damaged-<ns>.db*``; returns its new path, None when there is none.

    The witness goes with it: the next journal begins its own chain. Raises JournalError when it cannot be moved.
    """
    stamp = time.time_ns() if now_ns is None else now_ns
    base = data_dir / f"journal.damaged-{stamp}.db"
    try:
        for suffix in ("-wal", "-shm", "-journal", ""):  # the database last: until then there still is one
            if (source := data_dir / (JOURNAL + suffix)).exists():
                os.rename(source, base.with_name(base.name + suffix))
        if (source := data_dir / witness.NAME).exists():
            os.rename(source, base.with_name(base.name + ".witness.json"))
        journal_seal.sync_folder(data_dir)
    except OSError as error:
        raise JournalError(
            f"cannot move the damaged journal in {data_dir}: {error.strerror}; move it yourself"
        ) from error
    return base if base.exists() else None


def _look(path: Path, seen: Seen | Missing | Damaged, full: bool) -> _Journal:
    found = _Journal(Head(0, GENESIS))
    try:
        with JournalReader(path) as reader:
            found.epoch = reader.stored_epoch()
            _read(reader, found, full)
            found.stored = _newest_stored(reader, found.head)
            faults = [reader.lost_frames()]
            if isinstance(seen, Seen):  # without one it is unclean, but no reason to move the journal
                faults += witness.compare(found.head, reader.sha_at, seen)
    except ChainBroken as broken:
        faults = [str(broken)]
    except JournalError as error:  # not ours to read, or not there: no reason to move it
        found.refused = str(error)
        faults = []
    found.faults = (*found.faults, *(fault for fault in faults if fault))
    return found


def _read(reader: JournalReader, found: _Journal, full: bool) -> None:
    """Newest good snapshot, then every record from there (with ``full``: from the first) as far as they verify."""
    for each in reader.snapshots():
        if isinstance(each, Snapshot):
            found.snapshot = each
            break
        found.faults = (*found.faults, str(each))
    start = found.snapshot.seq if found.snapshot and not full else 1
    for record in reader.records(max(start, 1)):
        if record.rotated and record.seq > (found.snapshot.seq if found.snapshot else 0):
            raise ChainBroken(
                record.seq, "its ticks were rotated away, and no good snapshot stands behind them"
            )
        found.head = Head(record.seq, record.sha, record.epoch)
        found.last_kind = record.kind


def _newest_stored(reader: JournalReader, head: Head) -> tuple[int, int]:
    """(epoch, seq) of the last stop record that was acknowledged to the engine, (0, 0) when that is long ago."""
    for epoch, body in reader.bodies_of(LATCH_STORED, head.seq - _LOOK_BACK, head.seq):
        try:
            event = _decode_stored(body)
        except (msgspec.MsgspecError, ValueError):
            continue
        if event.ok:
            return (epoch, event.seq)
    return (0, 0)


def _unclean(journal: _Journal, seen: Seen | Missing | Damaged) -> list[str]:
    if journal.faults:
        return []
    if journal.refused:
        return [journal.refused]
    reasons = []
    if journal.last_kind != SHUTDOWN:
        reasons.append("the last session ended without a clean shutdown")
    elif isinstance(seen, Seen) and seen.seq != journal.head.seq:
        reasons.append(f"the clean shutdown at record {journal.head.seq} has no witness")
    if not isinstance(seen, Seen):
        reasons += witness.compare(journal.head, lambda _seq: None, seen)
    return reasons


def _latch_faults(journal: _Journal, latch: LatchRecord | Missing | Damaged) -> list[str]:
    if isinstance(latch, Missing):
        return ["the stop record (latch.json) is missing"]
    if isinstance(latch, Damaged):
        return [f"the stop record (latch.json) cannot be trusted: {latch.reason}"]
    if (latch.epoch, latch.seq) < journal.stored:
        return [f"the stop record is an old one: {latch.epoch}.{latch.seq}, but {journal.stored} was stored"]
    return []
