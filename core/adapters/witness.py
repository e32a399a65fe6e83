"""The journal's head, witnessed outside the journal.

A flipped bit in SQLite's write-ahead log makes everything behind it vanish, and the database calls itself intact; an
old backup put back verifies perfectly. Only somebody who remembers how far the journal had come can tell. This file
is that somebody on the same machine; the console and the guardian remember the head from the heartbeat as well.

While running it is written at most once a second and not synced: it may lag behind, it can never be ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.adapters import journal_seal
from core.adapters.journal_format import Head
from core.adapters.journal_seal import Damaged, Missing

NAME = "witness.json"
_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the witness saw: the chain stood at ``sha`` (hex) after record ``seq``. ``clean``: at an orderly close."""

    epoch: int
    seq: int
    sha: str
    clean: bool = False


class Witness:
    """Writes the witness file of a data folder. Used by the journal's thread only."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / NAME
        self.trouble = ""
        self._next_s = 0.0  # monotonic

    def note(self, head: Head) -> None:
        """Called after every commit; writes at most once a second."""
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + _EVERY_S
            self._write(head, clean=False)

    def seal(self, head: Head) -> None:
        """The last word of an orderly close, synced."""
        self._write(head, clean=True)

    def _write(self, head: Head, *, clean: bool) -> None:
        fields = {"epoch": head.epoch, "seq": head.seq, "sha": head.sha.hex(), "clean": clean}
        try:
            journal_seal.write(self.path, journal_seal.seal(fields), durable=clean)
            self.trouble = ""
        except OSError as error:
            self.trouble = (
                f"cannot write {self.path}: {error.strerror}; a shortened journal would go unnoticed"
            )


def read(data_dir: Path) -> Seen | Missing | Damaged:
    """Total: never raises."""
    fields = journal_seal.read(data_dir / NAME)
    if not isinstance(fields, dict):
        return fields
    epoch, seq, sha, clean = (fields.get(key) for key in ("epoch", "seq", "sha", "clean"))
    if not (
        isinstance(epoch, int) and isinstance(seq, int) and isinstance(sha, str) and isinstance(clean, bool)
    ):
        return Damaged("fields missing or of the wrong type")
    return Seen(epoch, seq, sha, clean)


def compare(
    last: Head, sha_at: Callable[[int], bytes | None], witness: Seen | Missing | Damaged
) -> list[str]:
    """What disagrees between a journal ending at ``last`` and its witness; ``sha_at`` looks a record's sha up."""
    if isinstance(witness, Missing):
        return [] if last.seq == 0 else [f"{NAME} is missing: nothing vouches for the journal's end"]
    if isinstance(witness, Damaged):
        return [f"{NAME} cannot be trusted: {witness.reason}"]
    if witness.seq > last.seq:
        return [f"journal ends at record {last.seq}, but record {witness.seq} was written: records are gone"]
    sha = last.sha if witness.seq == last.seq else sha_at(witness.seq)
    if sha is None or sha.hex() != witness.sha:
        return [f"record {witness.seq} is not the one that was written: the journal was changed or replaced"]
    return []
