"""What the journal's tests share: records that can be told from their seq alone, and a listener to wait on."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from bus import trail
from core.adapters.journal import Journal, Record
from core.adapters.journal_format import TICKS
from core.adapters.witness import Witness

JOURNAL = "journal.db"
WAIT_S = 20.0
ROOT = Path(__file__).parents[2]


def kind_of(seq: int) -> str:
    return TICKS if seq % 5 == 3 else ("report", "command", "timer")[seq % 3]


def body_of(seq: int) -> bytes:
    """Ticks are whole rows of 56 bytes; others differ in length, the empty one included."""
    pattern = hashlib.sha256(str(seq).encode()).digest()
    return pattern[:28] * 2 * (1 + seq % 4) if kind_of(seq) == TICKS else pattern * (seq % 6)


def fx_of(seq: int) -> bytes:
    return hashlib.blake2b(str(seq).encode(), digest_size=8).digest()


def audit_of(seq: int) -> bytes:
    """None, one or two lines; also with ticks, for a tick may trip a switch."""
    return trail.encode([trail.Line("act", f"who {seq}", "target", "ok", "x" * (seq % 7))] * (seq % 3))


def append(journal: Journal, count: int) -> None:
    for _ in range(count):
        seq = journal.last_seq + 1
        assert journal.append(kind_of(seq), 1_000 + seq, body_of(seq), fx_of(seq), audit_of(seq)) == seq


def wrong(records: list[Record], first: int = 1) -> list[int]:
    """Seqs whose record is not what ``append`` wrote for it."""
    return [
        seq
        for seq, r in enumerate(records, first)
        if (r.seq, r.ts_ns, r.kind, r.body, r.fx, r.audit)
        != (seq, 1_000 + seq, kind_of(seq), body_of(seq), fx_of(seq), audit_of(seq))
        and not (r.rotated and r.seq == seq)
    ]


class Told:
    """Collects what the journal says, and lets a test wait until it has said it."""

    def __init__(self) -> None:
        self.durable: list[int] = []
        self.failed: list[str] = []
        self.recovered = 0
        self._change = threading.Condition()

    def on_durable(self, seq: int) -> None:
        with self._change:
            self.durable.append(seq)
            self._change.notify_all()

    def on_failed(self, reason: str) -> None:
        with self._change:
            self.failed.append(reason)
            self._change.notify_all()

    def on_recovered(self) -> None:
        with self._change:
            self.recovered += 1
            self._change.notify_all()

    def wait(self, until: Callable[[Told], object]) -> None:
        with self._change:
            assert self._change.wait_for(lambda: until(self), WAIT_S), "the journal said nothing"

    def wait_durable(self, seq: int) -> None:
        self.wait(lambda told: told.durable and told.durable[-1] >= seq)


def opened(folder: Path, epoch: int = 1, told: Told | None = None, **options: int) -> Journal:
    told = told or Told()
    return Journal(
        folder / JOURNAL,
        epoch,
        on_durable=told.on_durable,
        on_failed=told.on_failed,
        on_recovered=told.on_recovered,
        witness=Witness(folder),
        **options,
    )


def written(folder: Path, count: int, snapshots: tuple[int, ...] = (), epoch: int = 1) -> Path:
    """A closed journal of ``count`` more records, with a snapshot after each seq of ``snapshots``."""
    journal = opened(folder, epoch)
    for _ in range(count):
        append(journal, 1)
        if journal.last_seq in snapshots:
            journal.snapshot(journal.last_seq, b"state %d" % journal.last_seq)
    assert journal.close()
    return folder / JOURNAL


def left_open(folder: Path, source: Path, groups: int, each: int) -> Path:
    """A journal as kill -9 leaves it: everything in the write-ahead log, ``groups`` commits, witnessed to the end."""
    source.mkdir(exist_ok=True)
    told = Told()
    journal = opened(source, 1, told)
    for _ in range(groups):
        append(journal, each)
        told.wait_durable(journal.last_seq)
    folder.mkdir(exist_ok=True)
    for name in (JOURNAL, JOURNAL + "-wal"):
        shutil.copyfile(source / name, folder / name)
    Witness(folder).seal(journal.durable)
    assert journal.close()
    return folder / JOURNAL
