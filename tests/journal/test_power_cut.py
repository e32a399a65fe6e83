"""Power cuts, simulated: what was acknowledged is there afterwards, whatever the disk had not got round to.

kill -9 proves nothing about power: the kernel still has every byte. Here a tracer writes down every write and every
sync of a journal at work. A cut at any moment then leaves what was synced before it, plus any part of what was not:
each unsynced 512-byte sector is there or not by a throw of dice, and a change of length happened or not. The log of
system calls is the judge, so a sync that somebody leaves out or puts into the wrong order shows: the control at the
end leaves one out.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from core.adapters import recovery
from core.adapters.journal import JournalReader

from .kit import JOURNAL, ROOT, wrong

FILES = (JOURNAL, JOURNAL + "-wal")
SECTOR = 512


class Op(NamedTuple):
    what: str  # write, length, sync, ack
    file: str = ""
    at: int = 0  # offset, new length, or acknowledged seq
    data: bytes = b""


CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def parse(trace: str) -> list[Op]:
    ops, names, started = [], {}, {}
    for line in trace.splitlines():
        pid = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            started[pid] = line.removesuffix("<unfinished ...>").rstrip()
            continue
        if resumed := re.match(r"^\d+ +<\.\.\. \w+ resumed>(.*)$", line):
            line = started.pop(pid) + resumed[1]
        call = CALL.match(line)
        if not call or call[3].startswith("-"):
            continue
        name, args, result = call[1], call[2], int(call[3])
        first = args.split(",", 1)[0]
        if name == "openat":
            names[result] = Path(unhex(args.split('"')[1]).decode()).name
            continue
        if name == "close":
            names.pop(int(first), None)
            continue
        file = names.get(int(first), "")
        if name == "write" and first == "1":
            ops.append(Op("ack", at=int(unhex(args.split('"')[1]).split()[1])))
        elif file in FILES and name == "pwrite64":
            data = unhex(args.split('"')[1])
            ops.append(Op("write", file, int(args.rsplit(",", 1)[1]), data))
            assert len(data) == result
        elif file in FILES and name == "ftruncate":
            ops.append(Op("length", file, int(args.rsplit(",", 1)[1])))
        elif file in FILES and name in ("fsync", "fdatasync"):
            ops.append(Op("sync", file))
    return ops


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> list[Op]:
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    folder = tmp_path_factory.mktemp("traced")
    log = folder / "trace"
    calls = "openat,close,write,pwrite64,ftruncate,fsync,fdatasync"
    strace = [
        "strace",
        "-f",
        "-xx",
        "-s",
        "200000",
        "-e",
        f"trace={calls}",
        "-e",
        "signal=none",
        "-o",
        str(log),
    ]
    command = [sys.executable, "-m", "tests.journal.traced_writer", str(folder), "150", "1"]
    run = subprocess.run(
        [*strace, *command], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    if "ptrace" in run.stderr and not log.exists():
        pytest.skip("this machine does not allow tracing")
    assert run.returncode == 0, run.stderr[-1000:]
    return parse(log.read_text())


class Disk:
    """What is certainly on the platter, and what is on its way there."""

    def __init__(self) -> None:
        self.safe = {name: bytearray() for name in FILES}
        self.waiting: dict[str, list[Op]] = {name: [] for name in FILES}

    def take(self, op: Op) -> None:
        if op.what == "sync":
            for each in self.waiting[op.file]:
                apply(self.safe[op.file], each)
            self.waiting[op.file].clear()
        else:
            self.waiting[op.file].append(op)

    def after_cut(self, dice: random.Random) -> dict[str, bytes]:
        left = {}
        for name in FILES:
            raw, luck = bytearray(self.safe[name]), dice.choice((0.0, 0.5, 0.9, 1.0))
            for op in self.waiting[name]:
                if op.what == "length":
                    if dice.random() < luck:
                        apply(raw, op)
                    continue
                for start in range(0, len(op.data), SECTOR):
                    if dice.random() < luck:
                        apply(raw, Op("write", name, op.at + start, op.data[start : start + SECTOR]))
            left[name] = bytes(raw)
        return left


def apply(raw: bytearray, op: Op) -> None:
    if op.what == "length":
        del raw[op.at :]
        raw.extend(bytes(op.at - len(raw)))
    else:
        raw.extend(bytes(max(0, op.at - len(raw))))
        raw[op.at : op.at + len(op.data)] = op.data


def cut_everywhere(ops: list[Op], folder: Path, cuts: int, forget_sync_of: str = "") -> Counter[str]:
    """Cuts at random places after the first acknowledgement; counts what was lost and what was misjudged."""
    dice, saw = random.Random("cuts"), Counter[str]()
    first = next(i for i, op in enumerate(ops) if op.what == "ack")
    places = Counter(dice.randrange(first, len(ops)) for _ in range(cuts))
    disk, acked = Disk(), 0
    for index, op in enumerate(ops):
        for _ in range(places[index]):
            saw += look(disk.after_cut(dice), folder, acked)
        if op.what == "ack":
            acked = op.at
        elif not (op.what == "sync" and op.file == forget_sync_of):
            disk.take(op)
    return saw


def look(files: dict[str, bytes], folder: Path, acked: int) -> Counter[str]:
    for stale in folder.iterdir():
        stale.unlink()
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    found = recovery.inspect(folder, full=True)
    with_records = found.head.seq > 0
    records = []
    if with_records:
        with JournalReader(folder / JOURNAL) as reader:
            records = list(reader.records(1, found.head.seq))
    return Counter(
        cuts=1,
        lost=found.head.seq < acked,
        unacked_kept=found.head.seq > acked,
        wrong=bool(wrong(records)),
        called_damaged=found.damaged,
        called_clean=found.clean,
    )


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_in_a_power_cut(ops: list[Op], tmp_path: Path) -> None:
    assert sum(op.what == "ack" for op in ops) == 150
    assert sum(op.what == "sync" and op.file == JOURNAL for op in ops) > 5, "no checkpoint was cut"
    saw = cut_everywhere(ops, tmp_path, 600)
    assert saw["cuts"] == 600
    assert (saw["lost"], saw["wrong"], saw["called_clean"]) == (0, 0, 0), saw
    assert saw["called_damaged"] == 0, "a torn last transaction is no damage"
    assert saw["unacked_kept"] > 0, "no cut fell between a commit and its acknowledgement"


@pytest.mark.slow
def test_the_simulation_sees_a_missing_sync(ops: list[Op], tmp_path: Path) -> None:
    saw = cut_everywhere(ops, tmp_path, 150, forget_sync_of=JOURNAL + "-wal")
    assert saw["lost"] > 30, saw
