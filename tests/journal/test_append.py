"""What goes in comes out: order, grouping, snapshots, rotation, and who may open what."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.journal import TICKS, Journal, JournalError, JournalReader, verify
from core.adapters.journal_store import Item, Store
from core.adapters.recovery import inspect

from .kit import JOURNAL, Told, append, body_of, kind_of, opened, written, wrong


def read(path: Path) -> list:
    with JournalReader(path) as reader:
        return list(reader.records())


ENTRY = st.tuples(
    st.sampled_from(["report", "command", TICKS, "x" * 64]),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=300),
    st.binary(max_size=16),
)


@settings(max_examples=60)
@given(
    sessions=st.lists(st.lists(st.one_of(ENTRY, st.binary(max_size=50)), max_size=12), min_size=1, max_size=4)
)
def test_a_reader_sees_exactly_what_was_acknowledged(sessions: list) -> None:
    """Over any number of sessions; a plain ``bytes`` stands for a snapshot at that place."""
    expected, snapshots = [], []
    with TemporaryDirectory() as folder:
        path = Path(folder) / JOURNAL
        for epoch, entries in enumerate(sessions, 3):
            told = Told()
            journal = opened(Path(folder), epoch, told)
            for entry in entries:
                if isinstance(entry, bytes):
                    journal.snapshot(journal.last_seq, entry)
                    snapshots.append((journal.last_seq, entry))
                else:
                    kind, ts_ns, body, fx = entry
                    seq = journal.append(kind, ts_ns, body, fx)
                    expected.append((seq, epoch, ts_ns, kind, fx, body))
            assert journal.close()
            assert told.durable == sorted(told.durable)
            assert not told.failed
        found = read(path)
        assert [(r.seq, r.epoch, r.ts_ns, r.kind, r.fx, r.body) for r in found] == expected
        verdict = verify(path)
        assert (verdict.ok, verdict.records) == (True, len(expected)), verdict
        with JournalReader(path) as reader:
            assert [tuple(each) for each in reader.snapshots()] == sorted(
                dict(snapshots).items(), reverse=True
            )[:3]


def test_seq_goes_on_where_the_last_session_ended(tmp_path: Path) -> None:
    written(tmp_path, 7)
    path = written(tmp_path, 5, epoch=2)
    records = read(path)
    assert wrong(records) == []
    assert [r.epoch for r in records] == [1] * 7 + [2] * 5


def test_the_head_is_the_readers_head(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    append(journal, 40)
    assert journal.close()
    verdict = verify(tmp_path / JOURNAL)
    assert verdict.head == journal.head()
    assert journal.durable_seq == journal.last_seq == 40


def test_what_queues_up_during_a_commit_goes_in_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go, sizes = threading.Event(), threading.Semaphore(0), []
    real = Store.write

    def held(self: Store, items: list[Item]) -> None:
        sizes.append(len(items))
        inside.set()
        assert go.acquire(timeout=20)
        real(self, items)

    monkeypatch.setattr(Store, "write", held)
    told = Told()
    journal = opened(tmp_path, told=told)
    append(journal, 1)
    assert inside.wait(20)
    append(journal, 500)
    assert (journal.durable_seq, journal.pending) == (0, 501)
    go.release()
    told.wait_durable(1)
    assert (journal.durable_seq, journal.pending) == (1, 500)
    go.release()
    told.wait_durable(501)
    assert journal.close()
    assert sizes[:2] == [1, 500]
    assert told.durable == [1, 501]
    assert wrong(read(tmp_path / JOURNAL)) == []


def test_durable_is_said_after_the_commit_and_only_goes_up(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def on_durable(seq: int) -> None:
        with JournalReader(tmp_path / JOURNAL) as reader:
            seen.append((seq, reader.last().seq))

    journal = Journal(tmp_path / JOURNAL, 1, on_durable=on_durable)
    append(journal, 300)
    assert journal.close()
    assert seen == sorted(seen)
    assert seen[-1][0] == 300
    assert all(readable >= said for said, readable in seen)


def test_a_closed_loop_does_not_stop_the_writing(tmp_path: Path) -> None:
    def gone(*_: object) -> None:
        raise RuntimeError("Event loop is closed")

    journal = Journal(tmp_path / JOURNAL, 1, on_durable=gone)
    append(journal, 30)
    assert journal.close()
    assert wrong(read(tmp_path / JOURNAL)) == []


def test_a_reader_beside_a_writer(tmp_path: Path) -> None:
    told = Told()
    journal = opened(tmp_path, told=told)
    with JournalReader(tmp_path / JOURNAL) as reader:
        for upto in (10, 700, 1500):
            append(journal, upto - journal.last_seq)
            told.wait_durable(upto)
            assert wrong(list(reader.records())) == []
            assert reader.last().seq == upto
            assert verify(tmp_path / JOURNAL).ok
    assert journal.close()


def test_a_copy_in_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = written(tmp_path, 12)
    (tmp_path / (JOURNAL + "-wal")).unlink(missing_ok=True)
    (tmp_path / (JOURNAL + "-shm")).unlink(missing_ok=True)
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert wrong(read(path)) == []
    finally:
        tmp_path.chmod(0o700)


def test_reading_from_the_middle(tmp_path: Path) -> None:
    path = written(tmp_path, 600)
    with JournalReader(path) as reader:
        assert wrong(list(reader.records(300)), 300) == []
        assert [r.seq for r in reader.records(10, 12)] == [10, 11, 12]
        assert list(reader.records(601)) == []


def test_an_epoch_is_used_once(tmp_path: Path) -> None:
    written(tmp_path, 3, epoch=4)
    for epoch in (1, 3, 4):
        with pytest.raises(JournalError, match="start with epoch 5"):
            opened(tmp_path, epoch)
    opened(tmp_path, 5).close()
    with pytest.raises(JournalError, match="start with epoch 6"):  # even when it wrote nothing
        opened(tmp_path, 5)


def test_snapshots_keep_the_last_three(tmp_path: Path) -> None:
    path = written(tmp_path, 30, snapshots=(5, 9, 13, 21, 30))
    with JournalReader(path) as reader:
        assert [each.seq for each in reader.snapshots()] == [30, 21, 13]
        assert reader.snapshot().state == b"state 30"


def test_a_snapshot_of_the_future_is_a_programmers_error(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.snapshot(0, b"carried over")
    append(journal, 2)
    for seq in (3, -1):
        with pytest.raises(ValueError, match="snapshot of record"):
            journal.snapshot(seq, b"")
    assert journal.close()
    with JournalReader(tmp_path / JOURNAL) as reader:
        assert reader.snapshot() == (0, b"carried over")


def test_rotation_takes_old_tick_bodies_and_nothing_else(tmp_path: Path) -> None:
    """Limit nought: whatever may go goes, which is everything that no kept snapshot would need."""
    journal = opened(tmp_path, ticks_keep_mb=0)
    for seq in range(1, 101):
        append(journal, 1)
        if seq in (20, 40, 60, 80):
            journal.snapshot(seq, b"s")
    assert journal.close()
    records = read(tmp_path / JOURNAL)
    ticks = [r for r in records if r.kind == TICKS]
    assert {r.seq for r in ticks if r.rotated} == {r.seq for r in ticks if r.seq <= 40}
    assert wrong(records) == []
    verdict = verify(tmp_path / JOURNAL)
    assert verdict.ok
    assert verdict.rotated == sum(r.rotated for r in records) > 0
    assert wrong(list(inspect(tmp_path).tail()), 81) == []


def test_ticks_within_the_limit_stay(tmp_path: Path) -> None:
    path = written(tmp_path, 50, snapshots=(10, 20, 30, 40))
    assert not any(r.rotated for r in read(path))


def test_files_are_the_owners_only(tmp_path: Path) -> None:
    told = Told()
    journal = opened(tmp_path, told=told)
    append(journal, 1)
    told.wait_durable(1)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert journal.close()
    assert {JOURNAL, JOURNAL + "-wal"} <= set(modes)
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("raw", [b"not a database, by far" * 100, b"SQLite format 3\0" + bytes(4080)])
def test_garbage_is_refused_in_one_line(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / JOURNAL).write_bytes(raw)
    with pytest.raises(JournalError) as caught:
        opened(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / JOURNAL).read_bytes() == raw


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / JOURNAL)
    db.execute("PRAGMA application_id=77")
    db.execute("CREATE TABLE theirs (a)")
    db.close()
    with pytest.raises(JournalError, match="another or newer program"):
        opened(tmp_path)


def test_a_newer_journal_is_neither_written_nor_read(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=3")
    db.close()
    with pytest.raises(JournalError, match="newer"):
        opened(tmp_path, 2)
    with pytest.raises(JournalError, match="newer"):
        JournalReader(path)


def test_no_folder_and_no_journal_are_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot open"):
        opened(tmp_path / "nowhere")
    with pytest.raises(JournalError, match="no journal at"):
        verify(tmp_path / JOURNAL)


def test_the_kit_has_every_sort_of_record() -> None:
    """The other tests stand on it: ticks and events, empty and long bodies."""
    kinds = {kind_of(seq) for seq in range(30)}
    assert kinds == {TICKS, "report", "command", "timer"}
    assert {len(body_of(seq)) for seq in range(30)} >= {0, 32, 160, 56, 224}
