"""One bit, anywhere, is noticed and its place named.

What is flipped is a real journal: records of every kind with audit lines, tick blocks, snapshots, deleted rows. How it
is counted, so that nobody has to believe it:

* *sealed*: after an orderly close. Every bit of the database, of the page seal and of the witness: all must be noticed,
  and the page (or file) named must be the one that was hit.
* *crashed*: as kill -9 leaves it, half checkpointed, the rest in the write-ahead log. No page seal exists then. A flip is
  *noticed*, or the test proves that every record, every audit line, every tick block and every snapshot reads exactly as
  it was written: then it hit space in which nothing is stored.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import struct
from collections import Counter
from pathlib import Path

import pytest

from core.adapters.journal import JournalError, JournalReader, Verdict, verify
from core.adapters.journal_format import GENESIS, Snapshot, link
from core.adapters.journal_pages import NAME as PAGES
from core.adapters.journal_pages import PAGE_BYTES
from core.adapters.witness import NAME as WITNESS
from core.adapters.witness import Witness
from tests.journal.kit import JOURNAL, Told, append, opened, wrong

FLIPS_SEALED, FLIPS_CRASHED = 10_000, 1_500
COUNT = 300
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A closed journal that has been used: two epochs, snapshots that replaced each other, ticks rotated away."""
    folder = tmp_path_factory.mktemp("sealed")
    for epoch in (1, 2):
        journal = opened(folder, epoch)
        for _ in range(COUNT // 2):
            append(journal, 1)
            if journal.last_seq % 40 == 0:
                journal.snapshot(journal.last_seq, b"state %d " % journal.last_seq * 60)
        assert journal.close()
    assert verify(folder / JOURNAL).sealed
    return read(folder)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Copied from under a running writer: the first records checkpointed, the later ones in the log, all witnessed."""
    source, folder = tmp_path_factory.mktemp("running"), tmp_path_factory.mktemp("crashed")
    told = Told()
    journal = opened(source, 1, told)
    for n in range(60):
        append(journal, COUNT // 60)
        told.wait_durable(journal.last_seq)
        if n == 30:
            journal.snapshot(journal.last_seq, b"state" * 100)
            checkpoint(source / JOURNAL)
    for name in (JOURNAL, JOURNAL + "-wal"):
        shutil.copyfile(source / name, folder / name)
    Witness(folder).seal(journal.durable)
    assert journal.close()
    return read(folder)


def checkpoint(path: Path) -> None:
    """By another connection, which only a test may do: nothing else is writing at this moment."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    db.close()


def read(folder: Path) -> Files:
    return {
        p.name: p.read_bytes()
        for p in folder.iterdir()
        if p.name in (JOURNAL, JOURNAL + "-wal", PAGES, WITNESS)
    }


def put(folder: Path, files: Files) -> Path:
    for name in (JOURNAL + "-shm", JOURNAL + "-wal"):
        (folder / name).unlink(missing_ok=True)
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    return folder / JOURNAL


def judged(path: Path) -> Verdict | str:
    """The verdict, or the one line with which it is refused."""
    try:
        return verify(path)
    except JournalError as refused:
        return str(refused)


def content(path: Path) -> tuple[list[object], list[Snapshot]]:
    """All that a journal is for."""
    with JournalReader(path) as reader:
        snapshots = [each for each in reader.snapshots() if isinstance(each, Snapshot)]
        return list(reader.records()), snapshots


def test_every_bit_of_a_sealed_journal(sealed: Files, tmp_path: Path) -> None:
    dice = random.Random("sealed flips")
    path = put(tmp_path, sealed)
    assert verify(path).ok
    total = sum(map(len, sealed.values()))
    outcome: Counter[str] = Counter()
    for number in range(FLIPS_SEALED):
        name, at = spot(sealed, dice.randrange(total))
        raw = bytearray(sealed[name])
        raw[at] ^= 1 << dice.randrange(8)
        (tmp_path / name).write_bytes(raw)
        found = judged(path)
        case = f"flip {number} at byte {at} of {name}: {found}"
        if isinstance(found, str):
            assert name == JOURNAL and 60 <= at < 64 and "newer program" in found, case  # the version field
            outcome["refused by its header"] += 1
        else:
            assert not found.ok and found.place, case
            assert_named(found, name, at, case)
            outcome["chain" if not found.place.startswith("page ") else "page seal alone"] += 1
        (tmp_path / name).write_bytes(sealed[name])
        for left in (JOURNAL + "-shm", JOURNAL + "-wal"):
            (tmp_path / left).unlink(missing_ok=True)
    assert sum(outcome.values()) == FLIPS_SEALED
    assert outcome["chain"] > FLIPS_SEALED // 2, outcome
    assert verify(path).ok, "and as it was, it is whole"
    print(dict(outcome), f"{total} bytes")


def assert_named(found: Verdict, name: str, at: int, case: str) -> None:
    if name == JOURNAL:
        assert f"page {at // PAGE_BYTES + 1} " in found.why, case
    else:
        assert found.place == name, case


def spot(files: Files, at: int) -> tuple[str, int]:
    for name, raw in sorted(files.items()):
        if at < len(raw):
            return name, at
        at -= len(raw)
    raise AssertionError(at)


def test_every_bit_that_matters_of_a_crashed_journal(crashed: Files, tmp_path: Path) -> None:
    dice = random.Random("crashed flips")
    before = content(put(tmp_path, crashed))
    assert len(before[0]) == COUNT and wrong(before[0]) == []
    parts = {name: raw for name, raw in crashed.items() if name != WITNESS}
    total = sum(map(len, parts.values()))
    outcome: Counter[str] = Counter()
    for number in range(FLIPS_CRASHED):
        name, at = spot(parts, dice.randrange(total))
        raw = bytearray(parts[name])
        raw[at] ^= 1 << dice.randrange(8)
        found = judged(put(tmp_path, {**crashed, name: bytes(raw)}))
        case = f"flip {number} at byte {at} of {name}: {found}"
        if isinstance(found, str):
            outcome["refused by its header"] += 1
        elif found.ok:
            assert content(tmp_path / JOURNAL) == before, case
            assert name == JOURNAL, f"every byte of the log is under a checksum: {case}"
            outcome["in space that holds nothing"] += 1
        else:
            assert found.place and found.why, case
            outcome[f"noticed in {name}"] += 1
    assert outcome[f"noticed in {JOURNAL}-wal"] > 300, outcome
    print(dict(outcome))


def test_every_bit_of_the_witness(sealed: Files, tmp_path: Path) -> None:
    path = put(tmp_path, sealed)
    for bit in range(len(sealed[WITNESS]) * 8):
        raw = bytearray(sealed[WITNESS])
        raw[bit // 8] ^= 1 << bit % 8
        (tmp_path / WITNESS).write_bytes(raw)
        verdict = verify(path, deep=False)
        assert (verdict.ok, verdict.place) == (False, WITNESS), f"bit {bit}: {verdict}"


def test_truncated_at_every_page_and_at_odd_places(sealed: Files, crashed: Files, tmp_path: Path) -> None:
    dice = random.Random("cuts")
    raw = sealed[JOURNAL]
    cuts = [*range(0, len(raw), PAGE_BYTES), *(dice.randrange(len(raw)) for _ in range(100))]
    for cut in cuts:
        found = judged(put(tmp_path, {**sealed, JOURNAL: raw[:cut]}))
        assert isinstance(found, Verdict) and not found.ok and found.place, f"cut at {cut}: {found}"
    log = crashed[JOURNAL + "-wal"]
    for cut in (0, *(dice.randrange(len(log)) for _ in range(150))):
        found = judged(put(tmp_path, {**crashed, JOURNAL + "-wal": log[:cut]}))
        assert isinstance(found, Verdict) and not found.ok, f"log cut at {cut}: {found}"
        assert found.place == f"event {found.records + 1}" or found.place.startswith(JOURNAL), found


EDITS = [  # statement, the place that is named
    ("UPDATE event SET audit = x'90' WHERE seq = 17", "event 17"),
    ("UPDATE event SET audit = x'' WHERE seq = 17", "event 17"),
    ("UPDATE event SET audit = NULL WHERE seq = 17", "event 17"),
    ("UPDATE event SET audit = NULL WHERE seq = 18", "event 18"),  # it has no lines: even that is a change
    ("UPDATE event SET audit = (SELECT audit FROM event WHERE seq = 20) WHERE seq = 17", "event 17"),
    ("UPDATE event SET audit = body, body = audit WHERE seq = 17", "event 17"),
    ("UPDATE event SET body = (SELECT body FROM event WHERE seq = 101) WHERE seq = 100", "event 100"),
    ("DELETE FROM event WHERE seq = 1", "event 1"),
    ("DELETE FROM event WHERE seq = 200", "event 200"),
    ("DELETE FROM event WHERE seq > 250", "event 251"),
    ("INSERT INTO event SELECT seq + 300, epoch, ts_ns, kind, fx, sha, body, audit FROM event WHERE seq = 1", "event 301"),
    ("UPDATE event SET ts_ns = ts_ns - 1 WHERE seq = 77", "event 77"),
    ("DELETE FROM tick WHERE seq = 298", "tick 298"),
    ("UPDATE tick SET body = zeroblob(56) WHERE seq = 298", "tick 298"),
    ("UPDATE snapshot SET state = x'01' WHERE seq = 280", "snapshot 280"),
    ("ALTER TABLE event DROP COLUMN audit", "event 1"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "place"), EDITS)
def test_a_hand_at_the_trail_is_named(sealed: Files, tmp_path: Path, statement: str, place: str) -> None:
    path = put(tmp_path, sealed)
    db = sqlite3.connect(path)
    assert db.execute(statement).rowcount != 0 or statement.startswith("ALTER")
    db.commit()
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()
    verdict = verify(path)
    assert (verdict.ok, verdict.place) == (False, place), verdict


def test_lines_exchanged_between_records_are_named(sealed: Files, tmp_path: Path) -> None:
    """Two hundred pairs with different lines: the place is always the first of the two."""
    path = put(tmp_path, sealed)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous=OFF")
    audits = dict(db.execute("SELECT seq, audit FROM event"))
    dice = random.Random("exchange")
    for _ in range(200):
        one, two = sorted(dice.sample(range(1, COUNT + 1), 2))
        if audits[one] == audits[two]:
            continue
        db.execute("UPDATE event SET audit = ? WHERE seq = ?", (audits[two], one))
        db.execute("UPDATE event SET audit = ? WHERE seq = ?", (audits[one], two))
        verdict = verify(path, deep=False)
        assert (verdict.ok, verdict.broken_at) == (False, one), verdict
        db.execute("UPDATE event SET audit = ? WHERE seq = ?", (audits[one], one))
        db.execute("UPDATE event SET audit = ? WHERE seq = ?", (audits[two], two))
    db.close()
    assert verify(path, deep=False).ok


def test_a_record_of_version_1_can_be_given_no_lines_and_still_verifies(tmp_path: Path) -> None:
    """Old journals stay good; their records are marked by having none, and that is hashed too."""
    old = link(GENESIS, 1, 1, 5, b"timer", b"", b"body", None)
    assert old != link(GENESIS, 1, 1, 5, b"timer", b"", b"body", b"")
    as_written = GENESIS + struct.pack("<qqqHH", 1, 1, 5, 5, 0) + b"timer" + b"body"
    assert old == hashlib.sha256(as_written).digest()
    two = link(GENESIS, 1, 1, 5, b"timer", b"", b"body", b"ab")
    read_as_one = link(GENESIS, 1, 1, 5, struct.pack("<I", 2) + b"t", b"", b"imerabbody", None)
    assert two != read_as_one, "the same bytes, cut otherwise"
