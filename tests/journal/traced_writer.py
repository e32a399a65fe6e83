"""Run as a program, under a tracer: writes a journal and says on descriptor 1 what is durable, commit by commit."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from core.adapters import journal_store
from tests.journal.kit import Told, append, opened


def main(folder: Path, groups: int, seed: int) -> None:
    journal_store.CHECKPOINT_BYTES = 15_000  # so that cuts hit checkpoints, and the log is begun again
    told, dice = Told(), random.Random(seed)
    journal = opened(folder, 1, told)
    for _ in range(groups):
        append(journal, dice.randrange(1, 12))
        told.wait_durable(journal.last_seq)
        os.write(1, b"ACK %d\n" % journal.last_seq)
        if dice.random() < 0.1:
            journal.snapshot(journal.last_seq, dice.randbytes(3000))
    journal.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
