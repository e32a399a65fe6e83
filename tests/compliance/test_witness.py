"""A second witness, elsewhere: what it saw is held against the journal, at a start and offline."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from andon.cli import main
from bus import trail
from bus.events import Boot
from config.load import load
from core.adapters.journal import Journal, JournalError, JournalReader, verify
from core.adapters.journal_format import Head
from core.adapters.witness import Witness
from core.adapters.witness_outside import Mark, Outside, disagreements, last_mark, marks
from core.app.setup import engine_config, paper_instruments
from core.app.startup import prepare
from tests.journal.kit import JOURNAL, append, audit_of, written

T0 = 1_700_000_000 * 10**9


def recorded(folder: Path, place: str, count: int = 12, epoch: int = 1) -> Path:
    """A journal whose every record was noted outside: noted by hand, for the clock allows one a second."""
    outside = Outside(place)
    journal = Journal(folder / JOURNAL, epoch, witness=Witness(folder))
    for _ in range(count):
        append(journal, 1)
        until(lambda: journal.pending == 0)
        outside.note(journal.durable)
        until(lambda: outside._newest is None)
    assert journal.close()
    outside.close(5.0)
    assert outside.trouble == ""
    return folder / JOURNAL


def until(done: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_file_elsewhere_agrees_line_by_line(tmp_path: Path) -> None:
    heads = tmp_path / "elsewhere"
    path = recorded(tmp_path, str(heads))
    found = list(marks(heads))
    assert [mark.seq for mark in found] == sorted(mark.seq for mark in found) and found[-1].seq == 12
    verdict = verify(path, marks=found)
    assert (verdict.ok, verdict.marks) == (True, len({mark.seq for mark in found}))
    assert last_mark(heads) == found[-1]._replace(at="elsewhere")


def test_a_command_takes_the_same_lines(tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    copy = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    path = recorded(tmp_path, f'|{sys.executable} -c "{copy}" {heads}')
    until(heads.exists)
    until(lambda: heads.read_text().endswith("\n"))
    assert verify(path, marks=marks(heads)).marks >= 1


@pytest.mark.parametrize("place", ["/nowhere/at/all/heads", "|/nowhere/at/all"])
def test_a_witness_that_cannot_see_says_so_and_stalls_nothing(tmp_path: Path, place: str) -> None:
    outside = Outside(place)
    witness = Witness(tmp_path, outside)
    witness.note(Head(1, b"x" * 32, 1))
    until(lambda: witness.trouble)
    assert "outside witness" in witness.trouble
    begin = time.monotonic()
    outside.note(Head(2, b"x" * 32, 1))
    outside.close(0.1)
    assert time.monotonic() - begin < 5.0


def test_what_is_gone_changed_or_replaced_is_named_by_the_outside_alone(tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    path = recorded(tmp_path, str(heads))
    seen = list(marks(heads))
    shutil.copyfile(path, tmp_path / "whole.db")
    (tmp_path / "witness.json").unlink()  # the near witness went with the disk
    db = sqlite3.connect(path)
    db.execute("DELETE FROM event WHERE seq > 10")
    db.commit()
    db.close()
    assert verify(path).place in ("", "event 11")
    verdict = verify(path, marks=seen)
    assert (verdict.ok, verdict.place) == (False, "event 11") and "saw record 12" in verdict.why
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", 12, epoch=9)
    verdict = verify(other, marks=[mark._replace(epoch=0) for mark in seen])
    assert not verdict.ok and "is not the one that heads:1 saw" in verdict.why
    assert verify(other, marks=seen).ok, (
        "marks of an earlier journal, moved aside since, say nothing about this one"
    )


@pytest.mark.parametrize(
    "line", ["12 zz 5 1", "12", "x y z", "12 " + "a" * 64 + " five", '{"topic": "heartbeat"}', "{"]
)
def test_a_damaged_witness_does_not_pass_for_a_silent_one(tmp_path: Path, line: str) -> None:
    (tmp_path / "heads").write_text(line + "\n")
    with pytest.raises(JournalError, match="heads:1"):
        list(marks(tmp_path / "heads"))


def test_what_watch_has_printed_is_a_witness_of_heads_and_of_lines(tmp_path: Path) -> None:
    path = written(tmp_path, 12)
    with JournalReader(path) as reader:
        shas = {record.seq: record.sha.hex() for record in reader.records()}
    said = tmp_path / "watch.jsonl"
    heartbeat = {"topic": "heartbeat", "epoch": 1, "data": {"durable_seq": 9, "audit_head": shas[9][:16]}}
    audit = {"topic": "audit", "epoch": 1, "data": {"seq": 8, "hash": trail.digest(audit_of(8))}}
    other = {"topic": "quote.BTC/USDT", "epoch": 1, "data": {"bid": 1}}
    said.write_text("".join(json.dumps(each) + "\n" for each in (heartbeat, audit, other)))
    assert verify(path, marks=marks(said)).marks == 2
    audit["data"]["hash"] = trail.digest(audit_of(7))  # type: ignore[index]
    said.write_text(json.dumps(audit) + "\n")
    verdict = verify(path, marks=marks(said))
    assert (verdict.ok, verdict.place) == (False, "event 8")


def test_a_start_that_the_outside_witness_contradicts_is_not_clean(tmp_path: Path) -> None:
    folder, heads = tmp_path / "home", tmp_path / "heads"
    folder.mkdir()
    settings = tmp_path / "own.toml"
    settings.write_text(f'[audit]\nwitness = "{heads}"\n')
    loaded = load("paper", settings, None, {})
    config = engine_config(loaded.settings, paper_instruments(loaded.settings), env="PAPER", now_ns=T0)
    start = prepare(folder, config, loaded, T0)
    assert isinstance(start.boot, Boot) and start.boot.clean
    path = written(folder, 3)
    heads.write_text(f"3 {verify(path).head[1]} {T0} 1\n")
    assert "outside witness" not in prepare(folder, config, loaded, T0).boot.note
    heads.write_text(heads.read_text() + f"4 {'ab' * 32} {T0} 1\n")
    boot = prepare(folder, config, loaded, T0).boot
    assert not boot.clean and "the outside witness heads saw record 4" in boot.note
    heads.write_text(f"2 {'ab' * 32} {T0} 1\n")
    assert "record 2 is not the one" in prepare(folder, config, loaded, T0).boot.note


def test_disagreements_are_only_with_marks_of_this_journal(tmp_path: Path) -> None:
    path = written(tmp_path, 3, epoch=5)
    with JournalReader(path) as reader:
        assert disagreements(reader, reader.last(), Mark(99, 4, "ab" * 8, "", "heads")) == []
        assert disagreements(reader, reader.last(), Mark(99, 5, "ab" * 8, "", "heads")) != []


def test_the_command_compares_and_names_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("ANDON_", "BOT_"))]:
        monkeypatch.delenv(name)
    path = written(tmp_path, 12)
    heads = tmp_path / "heads"
    heads.write_text(f"12 {verify(path).head[1]} {T0} 1\n")
    words = ["audit", "verify", "--data-dir", str(tmp_path), "--witness", str(heads)]
    assert main(words) == 0
    assert "1 marks of" in capsys.readouterr().out
    heads.write_text(f"13 {'ab' * 32} {T0} 1\n")
    assert main([*words, "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["place"] == "event 13" and "heads:1 saw record 13" in told.err
    heads.write_text("rubbish\n")
    assert main(words) == 1 and "the witness is damaged" in capsys.readouterr().err
    assert main(["audit", "show", "--data-dir", str(tmp_path), "--who", "who 7", "--json"]) == 0
    assert {json.loads(row)["seq"] for row in capsys.readouterr().out.splitlines()} == {7}
    assert main(["audit", "show", "--data-dir", str(tmp_path), "--order", "none"]) == 1
    assert main(["audit", "show", "--since", "yesterday"]) == 2
    assert main(["audit", "export", "--data-dir", str(tmp_path), "--out", str(tmp_path / "x.xls")]) == 2
    assert not (tmp_path / "x.xls").exists()
