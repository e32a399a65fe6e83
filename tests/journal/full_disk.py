"""Run as a program: a disk that fills up under a journal and a stop record, and has room again later.

The kernel's file size limit plays the full disk: a write beyond it fails as one on a full disk does. It holds for the
whole process, hence a process of its own. Prints what happened as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
from pathlib import Path

from core.adapters.journal import TICKS, JournalReader, TicksRefused, verify
from core.adapters.latch_store import LatchRecord, LatchStore, read_latch
from tests.journal.kit import JOURNAL, Told, append, opened, wrong


def limit(size_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def fill(folder: Path) -> dict:
    told = Told()
    journal = opened(folder, 1, told, queue_mb_max=1)
    append(journal, 50)
    told.wait_durable(50)
    limit((folder / (JOURNAL + "-wal")).stat().st_size + 10_000)
    while not told.failed:
        append(journal, 20)
        threading.Event().wait(0.002)
    threading.Event().wait(0.4)  # it tries again meanwhile, and says nothing new
    durable = journal.durable_seq
    append(journal, 30)
    accepted_before = journal.accepts_ticks
    journal.append("command", 0, bytes(2 << 20), b"")  # two megabytes of commands: above the limit, and taken
    refused = ""
    try:
        journal.append(TICKS, 0, bytes(56), b"")
    except TicksRefused as error:
        refused = str(error)
    last_command = journal.append("command", 1, b"still taken", b"")
    still_behind = journal.durable_seq < last_command
    with JournalReader(folder / JOURNAL) as reader:
        kept = reader.last().seq
    limit(resource.RLIM_INFINITY)
    told.wait(lambda t: t.recovered)
    told.wait_durable(last_command)
    accepts_again = journal.accepts_ticks
    closed = journal.close()
    with JournalReader(folder / JOURNAL) as reader:
        records = list(reader.records())
    return {
        "failed": told.failed,
        "recovered": told.recovered,
        "durable_at_failure": durable,
        "kept": kept,
        "accepted_before": accepted_before,
        "refused": refused,
        "still_behind": still_behind,
        "accepts_again": accepts_again,
        "closed": closed,
        "lost": last_command - len(records),
        "wrong": wrong(records[:-2]),
        "verdict": verify(folder / JOURNAL).ok,
    }


def close_while_full(folder: Path) -> dict:
    journal = opened(folder, 1)
    limit((folder / (JOURNAL + "-wal")).stat().st_size)
    append(journal, 500)
    closed = journal.close(timeout_s=0.3)
    pending = journal.pending
    limit(resource.RLIM_INFINITY)
    return {"closed": closed, "pending": pending, "verdict": verify(folder / JOURNAL).ok}


def latch(folder: Path) -> dict:
    answers: list[tuple[int, bool, str]] = []
    change = threading.Condition()

    def done(seq: int, ok: bool, reason: str) -> None:
        with change:
            answers.append((seq, ok, reason))
            change.notify_all()

    def write(seq: int) -> None:
        store.write(seq, {"state": 2, "latches": ["drawdown"]}, done)

    def wait(count: int) -> None:
        with change:
            assert change.wait_for(lambda: len(answers) >= count, 20)

    store = LatchStore(folder, 1)
    write(1)
    wait(1)
    limit(20)
    write(2)
    wait(2)
    write(3)
    wait(3)
    kept = read_latch(folder)
    limit(resource.RLIM_INFINITY)
    wait(5)
    closed = store.close()
    now = read_latch(folder)
    return {
        "answers": [[seq, ok] for seq, ok, _ in answers],
        "reason": answers[1][2],
        "kept": kept.seq if isinstance(kept, LatchRecord) else str(kept),
        "now": now.seq if isinstance(now, LatchRecord) else str(now),
        "closed": closed,
    }


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    print(json.dumps({"fill": fill, "close": close_while_full, "latch": latch}[name](folder)))
