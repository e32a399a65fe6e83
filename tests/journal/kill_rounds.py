"""Run as a program: forks a writer, kills it with -9 at a random moment, looks, and again. Prints what it saw as JSON.

A program of its own because only a process without threads can fork safely, and forking is what makes fifty kills
take seconds. The writers share one folder: each goes on where the one before was killed.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from core.adapters import journal_store
from core.adapters.journal import Journal, JournalReader, verify
from core.adapters.latch_store import LatchRecord, LatchStore, read_latch
from core.adapters.recovery import inspect
from core.adapters.witness import Witness
from tests.journal.kit import JOURNAL, append, wrong


def write_until_killed(folder: Path, epoch: int, out: int) -> NoReturn:
    """Says "J seq" when records and "L seq" when a stop record are acknowledged, as an operator would see it."""
    journal_store.CHECKPOINT_BYTES = 50_000  # so that kills hit checkpoints too
    journal = Journal(
        folder / JOURNAL,
        epoch,
        on_durable=lambda seq: os.write(out, b"J %d\n" % seq) and None,
        witness=Witness(folder),
        ticks_keep_mb=0,
    )
    latches = LatchStore(folder, epoch)
    number = 0
    while True:
        append(journal, 7)
        number += 1
        if number % 20 == 0:
            journal.snapshot(journal.last_seq, b"state")
        latches.write(
            number,
            {"state": 2, "latches": [number] * 50},
            lambda seq, ok, reason: os.write(out, b"L %d\n" % seq) and None,
        )
        time.sleep(0.0005)


def one_round(folder: Path, epoch: int, wait_s: float) -> tuple[int, int]:
    """(last record, last stop record) that was acknowledged before the kill; the wait begins with the first one."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        try:
            write_until_killed(folder, epoch, write_end)
        finally:
            os._exit(1)  # a child never falls out into the parent's loop
    os.close(write_end)
    said = b""
    if select.select([read_end], [], [], 10)[0]:
        time.sleep(wait_s)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WTERMSIG(status) == signal.SIGKILL, f"the writer ended by itself: {status}"
    while chunk := os.read(read_end, 1 << 16):
        said += chunk
    os.close(read_end)
    words = [line.split() for line in said.decode().splitlines()]
    return tuple(max((int(n) for kind, n in words if kind == which), default=0) for which in "JL")  # type: ignore[return-value]


def main(folder: Path, rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    result = {"kills": 0, "records": 0, "lost": 0, "latches": 0, "latches_lost": 0, "wrong": 0, "faults": []}
    for epoch in range(1, rounds + 1):
        seq, latch_seq = one_round(folder, epoch, dice.random() ** 2 * 0.06)
        found, latch = inspect(folder, full=True), read_latch(folder)
        with JournalReader(folder / JOURNAL) as reader:
            result["wrong"] += len(wrong(list(reader.records())))
        result["kills"] += 1
        result["records"] = found.head.seq
        result["lost"] += max(0, seq - found.head.seq)
        result["latches"] += latch_seq > 0
        newest = latch.seq if isinstance(latch, LatchRecord) and latch.epoch == epoch else 0
        result["latches_lost"] += newest < latch_seq
        if found.damaged or found.clean or found.last_epoch != epoch:
            result["faults"].append([epoch, found.damaged, found.clean, found.last_epoch, found.note])
    verdict = verify(folder / JOURNAL)
    result["verdict"] = [verdict.ok, verdict.why, verdict.rotated]
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
