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
from core.adapters.witness_outside import Outside

NAME = "witness.json"
_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the witness saw: the chain stood at ``sha`` (hex) after record ``seq``. ``clean``: at an orderly close."""

    epoch: int
    seq: int
    sha: str
    clean: bool = False
    pages: str = ""  # sha256 of the page seal, where the close left one


class Witness:
    """Writes the witness file of a data folder, and tells an outside one. Used by the journal's thread only."""

    def __init__(self, data_dir: Path, outside: Outside | None = None) -> None:
        self.path = data_dir / NAME
        self._trouble = ""
        self._outside = outside
        self._next_s = 0.0  # monotonic

    @property
    def trouble(self) -> str:
        """Why a witness does not see, or ""."""
        return self._trouble or (self._outside.trouble if self._outside else "")

    def note(self, head: Head) -> None:
        """Called after every commit; writes at most once a second."""
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + _EVERY_S
            self._write(head, clean=False)
            if self._outside:
                self._outside.note(head)

    def seal(self, head: Head, pages: str = "") -> None:
        """The last word of an orderly close, synced; said again with the seal of the file's pages."""
        self._write(head, clean=True, pages=pages)
        if self._outside:
            self._outside.note(head)

    def close(self) -> None:
        """Let the outside witness end."""
        if self._outside:
            self._outside.close()

    def _write(self, head: Head, *, clean: bool, pages: str = "") -> None:
        fields = {"epoch": head.epoch, "seq": head.seq, "sha": head.sha.hex(), "clean": clean, "pages": pages}
        try:
            journal_seal.write(self.path, journal_seal.seal(fields), durable=clean)
            self._trouble = ""
        except OSError as error:
            self._trouble = (
                f"cannot write {self.path}: {error.strerror}; a shortened journal would go unnoticed"
            )


def read(data_dir: Path) -> Seen | Missing | Damaged:
    """Total: never raises."""
    fields = journal_seal.read(data_dir / NAME)
    if not isinstance(fields, dict):
        return fields
    epoch, seq, sha, clean = (fields.get(key) for key in ("epoch", "seq", "sha", "clean"))
    pages = fields.get("pages", "")
    if not (
        isinstance(epoch, int) and isinstance(seq, int) and isinstance(sha, str) and isinstance(clean, bool)
    ) or not isinstance(pages, str):
        return Damaged("fields missing or of the wrong type")
    return Seen(epoch, seq, sha, clean, pages)


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
