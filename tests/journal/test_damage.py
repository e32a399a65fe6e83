"""Whatever happens to the file, it is noticed, the place is named, and what comes before it is right.

SQLite calls most of this damage "ok": its own check does not read contents, and it stops without a word at the first
bad frame of its write-ahead log.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from core.adapters import recovery
from core.adapters.journal import TICKS, ChainBroken, JournalError, JournalReader, Verdict, verify
from core.adapters.journal_format import Snapshot

from .kit import JOURNAL, kind_of, left_open, written, wrong

COUNT = 40
SNAPSHOTS = (15, 30)


def prefix(path: Path) -> tuple[list, int | None]:
    """(records that verify, where it broke)."""
    records = []
    try:
        with JournalReader(path) as reader:
            for record in reader.records():
                records.append(record)
    except (ChainBroken, JournalError) as broken:
        return records, getattr(broken, "seq", 1)
    return records, None


def whole(path: Path, verdict: Verdict, snapshots: tuple[int, ...]) -> bool:
    """Nothing that was written is missing or different."""
    with JournalReader(path) as reader:
        found = [each for each in reader.snapshots() if isinstance(each, Snapshot)]
    return verdict.records == COUNT and [(s.seq, s.state) for s in found] == [
        (seq, b"state %d" % seq) for seq in sorted(snapshots, reverse=True)
    ]


def hurt(dice: random.Random, raw: bytearray) -> str:
    """One random accident."""
    at = dice.randrange(len(raw))
    what = dice.choice(["flip"] * 6 + ["cut", "zero sector", "swap sectors", "garbage"])
    if what == "flip":
        raw[at] ^= 1 << dice.randrange(8)
    elif what == "cut":
        del raw[at:]
    elif what == "zero sector":
        raw[at // 512 * 512 : at // 512 * 512 + 512] = bytes(
            len(raw[at // 512 * 512 : at // 512 * 512 + 512])
        )
    elif what == "swap sectors":
        other = dice.randrange(len(raw)) // 512 * 512
        at = min(at // 512 * 512, len(raw) - 512)
        other = min(other, len(raw) - 512)
        raw[at : at + 512], raw[other : other + 512] = raw[other : other + 512], raw[at : at + 512]
    else:
        raw[at : at + 40] = dice.randbytes(len(raw[at : at + 40]))
    return what


@pytest.mark.parametrize("part", [JOURNAL, JOURNAL + "-wal"])
def test_no_accident_goes_unnoticed(tmp_path: Path, part: str) -> None:
    dice = random.Random(f"damage {part}")
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    if part == JOURNAL:
        written(good, COUNT, SNAPSHOTS)
        snapshots: tuple[int, ...] = SNAPSHOTS
    else:
        left_open(good, tmp_path / "source", 20, COUNT // 20)
        snapshots = ()
    assert verify(good / JOURNAL).ok
    files = {path.name: path.read_bytes() for path in good.iterdir() if not path.name.endswith("-shm")}
    outcome: Counter[str] = Counter()
    for number in range(1_300):
        raw = bytearray(files[part])
        what = hurt(dice, raw)
        for stale in bad.iterdir():
            stale.unlink()
        for name, content in files.items():
            (bad / name).write_bytes(bytes(raw) if name == part else content)
        try:
            verdict = verify(bad / JOURNAL)
        except JournalError as refused:  # the version number was hit
            assert "newer program" in str(refused)
            assert recovery.inspect(bad).why_not
            outcome["refused"] += 1
            continue
        records, broken_at = prefix(bad / JOURNAL)
        case = f"{part} accident {number}: {what}: {verdict}"
        assert wrong(records) == [], case
        assert len(records) == verdict.records, case
        if verdict.ok:
            assert whole(bad / JOURNAL, verdict, snapshots), case
            outcome["harmless"] += 1
        else:
            assert verdict.why, case
            assert verdict.broken_at == (broken_at or verdict.records + 1), case
            outcome["noticed"] += 1
        assert not recovery.inspect(bad).clean, case  # there was no shutdown, but it must say so, not fail
    assert outcome["noticed"] > 400, outcome  # the rest hit free space, where there is nothing to lose


SQL = [  # statement, first record that does not verify
    ("DELETE FROM event WHERE seq = 17", 17),
    ("DELETE FROM event WHERE seq = 1", 1),
    (f"DELETE FROM event WHERE seq = {COUNT}", COUNT),
    ("DELETE FROM event WHERE seq > 25", 26),
    ("DELETE FROM event", 1),
    ("UPDATE event SET body = x'00' WHERE seq = 12", 12),
    ("UPDATE event SET fx = x'0000000000000000' WHERE seq = 12", 12),
    ("UPDATE event SET kind = 'timer' WHERE seq = 13", 13),
    ("UPDATE event SET ts_ns = ts_ns + 1 WHERE seq = 39", 39),
    ("UPDATE event SET epoch = 2 WHERE seq = 5", 5),
    ("UPDATE event SET sha = zeroblob(32) WHERE seq = 5", 5),
    ("UPDATE event SET seq = seq + 1000 WHERE seq = 20", 20),
    ("UPDATE event SET seq = -seq WHERE seq = 20", 20),
    ("UPDATE event SET body = (SELECT body FROM event WHERE seq = 8) WHERE seq = 7", 7),
    (
        "INSERT INTO event SELECT seq + 40, epoch, ts_ns, kind, fx, sha, body, audit FROM event WHERE seq = 1",
        41,
    ),
    ("DELETE FROM tick WHERE seq = 8", 8),
    ("DELETE FROM tick", 3),
    ("UPDATE tick SET body = zeroblob(112) WHERE seq = 38", 38),
    ("UPDATE snapshot SET state = x'01' WHERE seq = 15", COUNT + 1),
    ("UPDATE snapshot SET seq = 16 WHERE seq = 15", COUNT + 1),
    ("DROP TABLE event", 1),
    ("DROP TABLE tick", 1),
]


@pytest.mark.parametrize(("statement", "place"), SQL)
def test_a_hand_at_the_database_is_named(tmp_path: Path, statement: str, place: int) -> None:
    path = written(tmp_path, COUNT, SNAPSHOTS)
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()
    verdict = verify(path)
    assert (verdict.ok, verdict.broken_at) == (False, place), verdict
    assert verdict.why
    if statement.startswith("DELETE FROM event WHERE seq = ") and place < COUNT:
        assert f"the record is missing, the next one is {place + 1}" in verdict.why


def test_a_file_that_still_reads_but_is_not_sound_is_called_so(tmp_path: Path) -> None:
    path = written(tmp_path, COUNT)
    raw = bytearray(path.read_bytes())
    raw[36:40] = (3).to_bytes(
        4, "big"
    )  # SQLite's count of free pages: of no use to a reader, of harm to a writer
    path.write_bytes(raw)
    assert verify(path, deep=False).ok
    verdict = verify(path)
    assert (verdict.ok, verdict.records) == (False, COUNT)
    assert "free" in verdict.why.lower()


def test_rows_exchanged_two_by_two_are_named(tmp_path: Path) -> None:
    """Seven hundred pairs: the place is always the first of the two."""
    path = written(tmp_path, COUNT)
    columns = "epoch, ts_ns, kind, fx, sha, body, audit"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous=OFF")
    rows = {seq: row for seq, *row in db.execute(f"SELECT seq, {columns} FROM event")}
    put = f"UPDATE event SET ({columns}) = (?,?,?,?,?,?,?) WHERE seq = ?"
    dice = random.Random("swap")
    for _ in range(700):
        one, two = sorted(dice.sample(range(1, COUNT + 1), 2))
        db.execute(put, (*rows[two], one))
        db.execute(put, (*rows[one], two))
        records, broken_at = prefix(path)
        assert (broken_at, len(records)) == (one, one - 1)
        db.execute(put, (*rows[one], one))
        db.execute(put, (*rows[two], two))
    db.close()
    assert verify(path, deep=False).ok
    verdict = verify(path)
    assert (verdict.ok, verdict.records) == (False, COUNT)
    assert "changed since the orderly close" in verdict.why, (
        "put back as it was, and still somebody was there"
    )


def test_a_rotation_mark_cannot_hide_a_block_that_a_snapshot_needs(tmp_path: Path) -> None:
    path = written(tmp_path, COUNT, SNAPSHOTS)
    db = sqlite3.connect(path)
    db.execute("DELETE FROM tick WHERE seq > 30")
    db.execute("INSERT INTO meta VALUES ('ticks_rotated_to', '40')")
    db.commit()
    db.close()
    verdict = verify(path)
    assert (verdict.ok, verdict.broken_at) == (False, 33)
    found = recovery.inspect(tmp_path)
    assert (found.damaged, found.head.seq) == (True, 32)
    assert next(seq for seq in range(31, COUNT) if kind_of(seq) == TICKS) == 33


def test_ticks_that_are_gone_with_no_good_snapshot_behind_them_are_said(tmp_path: Path) -> None:
    """The chain is whole, but nothing can be replayed from the beginning any more."""
    path = written(tmp_path, COUNT, SNAPSHOTS)
    db = sqlite3.connect(path)
    db.execute("DELETE FROM tick WHERE seq <= 15")
    db.execute("INSERT INTO meta VALUES ('ticks_rotated_to', '15')")
    db.commit()
    assert verify(path).ok
    assert not recovery.inspect(tmp_path).damaged
    db.execute("UPDATE snapshot SET state = x'00'")
    db.commit()
    db.close()
    found = recovery.inspect(tmp_path)
    assert (found.damaged, found.snapshot, found.head.seq) == (True, None, 2)
    assert len(found.why_not) == 3 + 1  # two snapshots, the block, and no stop record


def test_what_can_be_read_before_a_bad_page_is_read(tmp_path: Path) -> None:
    """Up to the very record, and again up to there, however the pages of rows fall."""
    path = written(tmp_path, 700)
    raw = bytearray(path.read_bytes())
    reached = []
    for page in range(1, len(raw) // 4096):
        bad = bytearray(raw)
        bad[page * 4096 : page * 4096 + 8] = b"\xff" * 8
        path.write_bytes(bad)
        found = recovery.inspect(tmp_path)
        records = list(found.tail())
        assert len(records) == found.head.seq
        assert wrong(records) == []
        assert found.damaged or found.head.seq == 700
        reached.append(found.head.seq)
    assert sum(seq == 0 for seq in reached) < 8, "only roots and first leaves may hide everything"
    assert len({seq for seq in reached if 0 < seq < 700}) > 15, reached


def test_a_bit_in_the_log_hides_half_the_commits_from_sqlite_but_not_from_us(tmp_path: Path) -> None:
    path = left_open(tmp_path / "journal", tmp_path / "source", 60, 2)
    log = path.with_name(JOURNAL + "-wal")
    raw = bytearray(log.read_bytes())
    raw[len(raw) // 2] ^= 4
    log.write_bytes(raw)
    (tmp_path / "journal" / "witness.json").unlink()  # even with nobody outside to remember
    verdict = verify(path)
    assert not verdict.ok
    assert "journal.db-wal is damaged at frame" in verdict.why
    assert 0 < verdict.records < 120
    found = recovery.inspect(path.parent)
    assert (found.damaged, found.head.seq) == (True, verdict.records)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()


def test_a_log_cut_at_a_commit_is_missed_by_everybody_but_the_witness(tmp_path: Path) -> None:
    path = left_open(tmp_path / "journal", tmp_path / "source", 30, 1)
    log = path.with_name(JOURNAL + "-wal")
    raw = log.read_bytes()
    log.write_bytes(raw[: 32 + (len(raw) - 32) // 4120 // 2 * 4120])
    verdict = verify(path)
    assert not verdict.ok
    assert f"ends at record {verdict.records}, but record 30 was written" in verdict.why
    assert verdict.broken_at == verdict.records + 1
    (tmp_path / "journal" / "witness.json").unlink()
    assert verify(path).ok


def test_an_old_copy_put_back_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, 20)
    shutil.copyfile(path, tmp_path / "backup.db")
    written(tmp_path, 20, epoch=2)
    shutil.copyfile(tmp_path / "backup.db", path)
    verdict = verify(path)
    assert (verdict.ok, verdict.broken_at) == (False, 21)


def test_another_journal_of_the_same_length_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    path = written(tmp_path, 20)
    other = written(tmp_path / "other", 20, epoch=9)
    shutil.copyfile(other, path)
    verdict = verify(path)
    assert not verdict.ok
    assert "changed or replaced" in verdict.why
