"""What a start may trust. A table: what happened to the folder, and what is said about it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bus.events import LatchStored
from core.adapters.journal import LATCH_STORED, SHUTDOWN, JournalReader, verify
from core.adapters.journal_format import GENESIS, Head
from core.adapters.latch_store import Damaged, LatchStore
from core.adapters.lock import DataDirLock
from core.adapters.recovery import inspect, quarantine
from core.adapters.witness import Witness

from .kit import JOURNAL, Told, append, opened, wrong

RUNNING = {"state": 0, "latches": []}


def session(folder: Path, *, count: int = 20, stop: bool = True, snapshot_at: int = 0) -> int:
    """One session of a core as it should be; returns its epoch. ``stop=False`` leaves the clean-shutdown mark out."""
    with DataDirLock(folder) as lock:
        epoch = inspect(folder).next_epoch
        told = Told()
        journal = opened(folder, epoch, told)
        lock.set_epoch(epoch)
        latches = LatchStore(folder, epoch)
        latches.write(epoch * 10, RUNNING, lambda *_: None)
        for _ in range(count):
            append(journal, 1)
            if snapshot_at and journal.last_seq == snapshot_at:
                journal.snapshot(snapshot_at, b"state")
        stored = LatchStored(ts_ns=5, seq=epoch * 10, ok=True)
        journal.append(LATCH_STORED, 5, msgspec.msgpack.encode(stored), b"")
        if stop:
            journal.append(SHUTDOWN, 6, b"", b"")
        assert latches.close()
        assert journal.close()
    return epoch


def test_a_new_folder_is_fresh_and_clean(tmp_path: Path) -> None:
    for folder in (tmp_path / "nothing", tmp_path):
        found = inspect(folder)
        assert (found.fresh, found.clean, found.damaged, found.why_not) == (True, True, False, ())
        assert (found.next_epoch, found.head.sha, list(found.tail())) == (1, GENESIS, [])
    with DataDirLock(tmp_path):
        assert inspect(tmp_path).fresh, "the lock that is held while looking does not count"


def test_an_orderly_stop_is_clean(tmp_path: Path) -> None:
    assert [session(tmp_path), session(tmp_path)] == [1, 2]
    for full in (False, True):
        found = inspect(tmp_path, full=full)
        assert (found.fresh, found.clean, found.damaged, found.why_not) == (False, True, False, ()), found
        assert (found.last_epoch, found.next_epoch, found.head.seq) == (2, 3, 44)
        assert found.note == ""
        records = list(found.tail())
        assert [r.seq for r in records] == list(range(1, 45))
        assert wrong(records[:20]) == []


def test_the_tail_begins_after_the_newest_snapshot(tmp_path: Path) -> None:
    session(tmp_path, snapshot_at=15)
    found = inspect(tmp_path)
    assert (found.snapshot.seq, found.snapshot.state) == (15, b"state")
    assert [r.seq for r in found.tail()] == list(range(16, 23))
    assert found.clean


def edit(folder: Path, statement: str) -> None:
    db = sqlite3.connect(folder / JOURNAL)
    db.execute(statement)
    db.commit()
    db.close()


def restore_old_latch(folder: Path) -> None:
    """Two sessions, then the stop record of the first comes back from a backup."""
    shutil.copyfile(folder / "latch.json", folder.parent / "old-latch.json")
    session(folder)
    shutil.copyfile(folder.parent / "old-latch.json", folder / "latch.json")


def restore_old_latch_behind_a_snapshot(folder: Path) -> None:
    restore_old_latch(folder)
    shutil.copyfile(folder / "latch.json", folder.parent / "old-latch.json")
    session(folder, snapshot_at=60)
    with DataDirLock(folder):
        journal = opened(folder, 4)
        journal.snapshot(journal.last_seq, b"state")
        journal.append(SHUTDOWN, 6, b"", b"")
        assert journal.close()
    shutil.copyfile(folder.parent / "old-latch.json", folder / "latch.json")


def restore_old_journal(folder: Path) -> None:
    shutil.copyfile(folder / JOURNAL, folder.parent / "old.db")
    session(folder)
    shutil.copyfile(folder.parent / "old.db", folder / JOURNAL)


def witness_lags(folder: Path) -> None:
    """The power went after the mark was committed and before the end was witnessed."""
    with JournalReader(folder / JOURNAL) as reader:
        record = next(reader.records(5))
    Witness(folder).seal(Head(record.seq, record.sha, record.epoch))


def break_snapshot(folder: Path) -> None:
    session(folder, snapshot_at=30)
    edit(folder, "UPDATE snapshot SET state = x'ff'")


def cut_in_half(folder: Path) -> None:
    raw = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(raw[: len(raw) // 2])


CASES: list[tuple[str, Callable[[Path], object], str, bool]] = [
    # what happened, how, what is said, whether the journal must be moved aside
    ("killed", lambda f: session(f, stop=False), "without a clean shutdown", False),
    ("a session that wrote nothing", lambda f: session(f, count=0, stop=False), "without a clean shutdown", False),
    ("HALT file", lambda f: (f / "HALT").touch(), "named HALT", False),
    ("stop record gone", lambda f: (f / "latch.json").unlink(), "stop record (latch.json) is missing", False),
    ("stop record empty", lambda f: (f / "latch.json").write_bytes(b""), "cannot be trusted: not a record", False),
    ("stop record of an older day", restore_old_latch, "the stop record is an old one: 1.10", False),
    ("the same behind a snapshot", restore_old_latch_behind_a_snapshot, "the stop record is an old one", False),
    ("witness gone", lambda f: (f / "witness.json").unlink(), "witness.json is missing", False),
    ("witness lags", witness_lags, "the clean shutdown at record 22 has no witness", False),
    ("witness garbled", lambda f: (f / "witness.json").write_text("{"), "witness.json cannot be trusted", False),
    ("journal gone", lambda f: (f / JOURNAL).unlink(), "no journal at", False),
    ("everything but the lock gone", lambda f: [(f / n).unlink() for n in (JOURNAL, "latch.json", "witness.json")],
     "no journal at", False),
    ("journal of an older day", restore_old_journal, "ends at record 22, but record 44 was written", True),
    ("journal emptied", lambda f: (f / JOURNAL).write_bytes(b""), "cannot be read", True),
    ("journal garbled", lambda f: (f / JOURNAL).write_bytes(b"garbage" * 999), "cannot be read", True),
    ("journal cut in half", cut_in_half, "broken at record", True),
    ("a record gone", lambda f: edit(f, "DELETE FROM event WHERE seq = 9"), "broken at record 9", True),
    ("a record changed", lambda f: edit(f, "UPDATE event SET ts_ns = 0 WHERE seq = 9"), "broken at record 9", True),
    ("the mark cut off", lambda f: edit(f, "DELETE FROM event WHERE kind = 'shutdown'"), "records are gone", True),
    ("snapshot damaged", break_snapshot, "snapshot taken here is damaged", True),
    ("journal from the future", lambda f: edit(f, "PRAGMA user_version = 9"), "newer program", False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "happens", "said", "damaged"), CASES, ids=[case[0] for case in CASES])
def test_anything_else_is_not_clean_and_says_why(
    tmp_path: Path, what: str, happens: Callable[[Path], object], said: str, damaged: bool
) -> None:
    folder = tmp_path / "data"
    session(folder)
    happens(folder)
    found = inspect(folder)
    assert not found.clean
    assert not found.fresh
    assert said in found.note, found.why_not
    assert "\n" not in found.note
    assert found.damaged is damaged, found.why_not
    assert found.next_epoch >= 2
    records = list(found.tail())
    first = found.snapshot.seq + 1 if found.snapshot else 1
    assert [r.seq for r in records] == list(range(first, found.head.seq + 1))
    assert wrong([r for r in records if r.seq <= 20]) == []


def test_a_damaged_journal_is_moved_aside_and_a_new_one_begins(tmp_path: Path) -> None:
    session(tmp_path)
    session(tmp_path)
    edit(tmp_path, "UPDATE event SET ts_ns = 0 WHERE seq = 9")
    found = inspect(tmp_path)
    assert (found.damaged, found.head.seq) == (True, 8)
    before = (tmp_path / JOURNAL).read_bytes()
    moved = quarantine(tmp_path, now_ns=123)
    assert moved == tmp_path / "journal.damaged-123.db"
    assert moved.read_bytes() == before
    assert not (tmp_path / JOURNAL).exists()
    again = inspect(tmp_path)
    assert (again.clean, again.fresh, again.damaged) == (False, False, False)
    assert again.next_epoch == 3, "the epoch outlives the journal"
    assert session(tmp_path) == 3
    assert verify(tmp_path / JOURNAL).ok
    assert inspect(tmp_path).clean


def test_quarantine_takes_the_log_along(tmp_path: Path) -> None:
    told = Told()
    journal = opened(tmp_path, 1, told)
    append(journal, 20)
    told.wait_durable(20)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (JOURNAL, JOURNAL + "-wal"):
        shutil.copyfile(tmp_path / name, copy / name)
    assert journal.close()
    moved = quarantine(copy)
    assert moved is not None
    with JournalReader(moved) as reader:
        assert wrong(list(reader.records())) == []
    assert quarantine(copy) is None


def test_inspect_changes_nothing(tmp_path: Path) -> None:
    """The evidence stays as it was found; only SQLite's index of the log may come and go."""
    told = Told()
    journal = opened(tmp_path, 1, told)
    append(journal, 20)
    told.wait_durable(20)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (JOURNAL, JOURNAL + "-wal", "witness.json"):
        shutil.copyfile(tmp_path / name, copy / name)
    assert journal.close()
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    found = inspect(copy, full=True)
    assert (found.head.seq, found.damaged) == (20, False)
    after = {path.name: path.read_bytes() for path in copy.iterdir() if not path.name.endswith("-shm")}
    assert after == before


def test_the_witness_is_written_at_the_first_commit_and_sealed_at_the_end(tmp_path: Path) -> None:
    told = Told()
    journal = opened(tmp_path, 6, told)
    append(journal, 1)
    told.wait_durable(1)
    seen = json.loads((tmp_path / "witness.json").read_text())
    assert (seen["epoch"], seen["seq"], seen["clean"]) == (6, 1, False)
    append(journal, 10)
    assert journal.close()
    seen = json.loads((tmp_path / "witness.json").read_text())
    assert (seen["epoch"], seen["seq"], seen["clean"]) == (6, 11, True)
    assert (seen["seq"], seen["sha"]) == journal.head()


def test_a_witness_that_cannot_be_written_is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "witness.json").mkdir()
    told = Told()
    journal = opened(tmp_path, 1, told)
    append(journal, 3)
    told.wait_durable(3)
    assert "witness.json" in journal.trouble
    assert journal.close()
    found = inspect(tmp_path)
    assert "witness.json cannot be trusted" in found.note
    assert isinstance(found.latch, Damaged) is False


def test_a_journal_moved_away_under_the_core_is_a_failure_not_a_success(tmp_path: Path) -> None:
    told = Told()
    journal = opened(tmp_path, 1, told)
    append(journal, 3)
    told.wait_durable(3)
    (tmp_path / JOURNAL).rename(tmp_path / "elsewhere.db")
    while not told.failed:  # it looks four times a second
        append(journal, 1)
        told.wait(lambda t: t.failed or t.durable[-1] >= journal.last_seq)
    stuck = journal.last_seq
    (tmp_path / "elsewhere.db").rename(tmp_path / JOURNAL)
    told.wait(lambda t: t.recovered)
    told.wait_durable(stuck)
    assert journal.close()
    assert "No such file" in told.failed[0]
    with JournalReader(tmp_path / JOURNAL) as reader:
        assert wrong(list(reader.records())) == []
