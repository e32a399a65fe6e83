"""The stop record: read whatever lies there, write the newest, answer everybody."""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters import journal_seal
from core.adapters.latch_store import (
    Damaged,
    LatchRecord,
    LatchStore,
    Missing,
    halt_requested,
    read_latch,
)

from .kit import WAIT_S

STOPPED = {"state": 2, "latches": [{"switch": "drawdown", "value": 0.051}], "operator": "ann"}


class Answers:
    def __init__(self) -> None:
        self.all: list[tuple[int, bool, str]] = []
        self._change = threading.Condition()

    def __call__(self, seq: int, ok: bool, reason: str) -> None:
        with self._change:
            self.all.append((seq, ok, reason))
            self._change.notify_all()

    def wait(self, count: int) -> None:
        with self._change:
            assert self._change.wait_for(lambda: len(self.all) >= count, WAIT_S), self.all


def stored(folder: Path, seq: int = 1, epoch: int = 1, record: dict | None = None) -> None:
    answers = Answers()
    store = LatchStore(folder, epoch)
    store.write(seq, STOPPED if record is None else record, answers)
    assert store.close()
    assert answers.all == [(seq, True, "")]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    stored(tmp_path, seq=7, epoch=3)
    found = read_latch(tmp_path)
    assert isinstance(found, LatchRecord)
    assert (found.seq, found.epoch, found.state, found.latches) == (7, 3, 2, tuple(STOPPED["latches"]))
    assert found.record == {**STOPPED, "seq": 7, "epoch": 3}
    assert (tmp_path / "latch.json").stat().st_mode & 0o777 == 0o600


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(extra=st.dictionaries(st.text(min_size=1), json_like, max_size=5))
def test_any_record_survives_the_seal(extra: dict) -> None:
    """Not-a-number values and odd texts included: the worst moment is no moment to be choosy."""
    fields = {key: value for key, value in extra.items() if key not in ("sha256", "version")}
    found = journal_seal.unseal(journal_seal.seal(fields))
    assert isinstance(found, dict)
    assert json.dumps(found) == json.dumps(fields)


def test_no_record_is_missing(tmp_path: Path) -> None:
    assert read_latch(tmp_path) == Missing()
    assert read_latch(tmp_path / "nowhere") == Missing()


def sealed(**fields: object) -> bytes:
    return journal_seal.seal({"seq": 1, "epoch": 1, "state": 2, "latches": [], **fields})


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not a record"),
        (b"\0" * 4096, "not a record"),
        (b"[]", "not a record"),
        (b"{}", "not a record"),
        (b"[" * 100_000, "not a record"),
        (b"\xff\xfe{}", "not a record"),
        (b'{"sha256":1}', "newer program"),
        (sealed()[:-20], "not a record"),
        (sealed().replace(b'"state":2', b'"state":0'), "checksum"),
        (sealed(version=2), "newer program"),
        (sealed(version="x"), "newer program"),
        (sealed(state=None), "no trading state"),
        (sealed(seq="1"), "wrong type"),
        (sealed(latches={}), "wrong type"),
        (b" " * (5 << 20), "too large"),
    ],
)
def test_anything_else_is_damaged_and_says_why(tmp_path: Path, raw: bytes, why: str) -> None:
    (tmp_path / "latch.json").write_bytes(raw)
    found = read_latch(tmp_path)
    assert isinstance(found, Damaged)
    assert why in found.reason


def test_a_folder_a_loop_of_links_or_a_pipe_in_its_place_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "latch.json").mkdir()
    assert isinstance(read_latch(tmp_path), Damaged)
    (tmp_path / "latch.json").rmdir()
    (tmp_path / "latch.json").symlink_to(tmp_path / "latch.json")
    assert isinstance(read_latch(tmp_path), Damaged)
    (tmp_path / "latch.json").unlink()
    os.mkfifo(tmp_path / "latch.json")
    assert isinstance(read_latch(tmp_path), Damaged)


def test_no_flipped_bit_and_no_cut_is_believed(tmp_path: Path) -> None:
    """Every bit, every length."""
    raw = sealed(latches=["drawdown"], reason="dd 5.1 %")
    good = journal_seal.unseal(raw)
    for at in range(len(raw) * 8):
        bad = bytearray(raw)
        bad[at // 8] ^= 1 << at % 8
        found = journal_seal.unseal(bytes(bad))
        assert isinstance(found, Damaged) or found == good, (at, found)
    for length in range(len(raw) - 1):
        assert isinstance(journal_seal.unseal(raw[:length]), Damaged)


def test_garbage_never_raises(tmp_path: Path) -> None:
    dice = random.Random("garbage")
    raw = sealed()
    for _ in range(2_000):
        start, cut = dice.randrange(len(raw)), dice.randrange(len(raw))
        (tmp_path / "latch.json").write_bytes(raw[:start] + dice.randbytes(dice.randrange(30)) + raw[cut:])
        assert isinstance(read_latch(tmp_path), Damaged | LatchRecord)


def test_the_newest_wins_and_everybody_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go, written = threading.Event(), threading.Event(), []
    real = journal_seal.write

    def held(path: Path, raw: bytes, *, durable: bool) -> None:
        written.append(json.loads(raw)["seq"])
        inside.set()
        assert go.wait(WAIT_S)
        real(path, raw, durable=durable)

    monkeypatch.setattr(journal_seal, "write", held)
    answers = Answers()
    store = LatchStore(tmp_path, 1)
    store.write(1, STOPPED, answers)
    assert inside.wait(WAIT_S)
    for seq in range(2, 9):
        store.write(seq, STOPPED, answers)
    assert answers.all == [], "nothing is acknowledged before it is on disk"
    go.set()
    answers.wait(8)
    assert store.close()
    assert written == [1, 8]
    assert answers.all == [(seq, True, "") for seq in range(1, 9)]
    assert read_latch(tmp_path).seq == 8


def test_a_failure_while_a_newer_record_waits_forgets_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go = threading.Event(), threading.Event()
    real, tries = journal_seal.write, []

    def fails_first(path: Path, raw: bytes, *, durable: bool) -> None:
        tries.append(json.loads(raw)["seq"])
        inside.set()
        assert go.wait(WAIT_S)
        if len(tries) == 1:
            raise OSError(28, "No space left on device")
        real(path, raw, durable=durable)

    monkeypatch.setattr(journal_seal, "write", fails_first)
    answers = Answers()
    store = LatchStore(tmp_path, 1)
    store.write(1, STOPPED, answers)
    assert inside.wait(WAIT_S)
    store.write(2, STOPPED, answers)
    go.set()
    answers.wait(3)
    assert store.close()
    assert [each[:2] for each in answers.all] == [(1, False), (1, True), (2, True)]
    assert "No space left" in answers.all[0][2]
    assert tries == [1, 2]


def test_a_folder_that_vanished_is_reported_and_recovered_from(tmp_path: Path) -> None:
    folder, away, answers = tmp_path / "data", tmp_path / "away", Answers()
    folder.mkdir()
    store = LatchStore(folder, 1)
    store.write(1, STOPPED, answers)
    answers.wait(1)
    shutil.move(folder, away)
    store.write(2, STOPPED, answers)
    answers.wait(2)
    assert answers.all[1][:2] == (2, False)
    assert "No such file" in answers.all[1][2]
    shutil.move(away, folder)
    answers.wait(3)
    assert store.close()
    assert answers.all[2] == (2, True, "")
    assert read_latch(folder).seq == 2


def test_what_json_cannot_hold_is_reported_and_does_not_end_the_store(tmp_path: Path) -> None:
    loop: list = []
    loop.append(loop)
    answers = Answers()
    store = LatchStore(tmp_path, 1)
    store.write(1, {"state": 2, "latches": loop}, answers)
    answers.wait(1)
    store.write(2, STOPPED, answers)
    answers.wait(3)
    assert store.close()
    assert [each[:2] for each in answers.all] == [(1, False), (1, True), (2, True)]


def test_a_closed_loop_does_not_stop_the_store(tmp_path: Path) -> None:
    def gone(*_: object) -> None:
        raise RuntimeError("Event loop is closed")

    store = LatchStore(tmp_path, 1)
    store.write(1, STOPPED, gone)
    assert store.close()
    assert isinstance(read_latch(tmp_path), LatchRecord)


def test_the_spare_file_takes_the_next_record_without_new_blocks(tmp_path: Path) -> None:
    """So that the first write after the disk has filled up succeeds."""
    path = tmp_path / "latch.json"
    journal_seal.reserve(path)
    spare = (tmp_path / "latch.json.next").stat()
    assert spare.st_blocks * 512 >= 16 << 10
    journal_seal.write(path, sealed(), durable=True)
    assert path.stat().st_ino == spare.st_ino
    assert path.stat().st_size == len(sealed())


def test_halt_file(tmp_path: Path) -> None:
    assert not halt_requested(tmp_path)
    assert not halt_requested(tmp_path / "nowhere")
    (tmp_path / "HALT").symlink_to("nowhere")  # whatever it is, somebody meant it
    assert halt_requested(tmp_path)
    os.unlink(tmp_path / "HALT")
    (tmp_path / "HALT").touch()
    assert halt_requested(tmp_path)
