"""Every page of a closed journal, sealed: even a bit flipped where nothing is stored is noticed, and its page named.

The chain proves what the records say. It says nothing of the rest of the file: unused space in pages, deleted tick
blocks, SQLite's own counters. Damage there loses nothing today, and it is how a dying disk first shows. So an orderly
close leaves 8 bytes of hash a page in ``journal.pages``, and the hash of that file in the witness. From the next start
on the file moves and the seal says nothing; the chain does.

About 0.8 s a gigabyte; above ``BYTES_MAX`` it is left out, so that a stop stays short.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from core.adapters import journal_seal

NAME = "journal.pages"
PAGE_BYTES = 4096  # of hashing; SQLite's own default, so that a named page is one of the database's
BYTES_MAX = 1 << 30
_MARK = b"andon pages 1\n\0\0"  # 16 bytes
_DIGEST = 8
_CHUNK_PAGES = 1024


class Fault(NamedTuple):
    """Where (a file, a table, a page) and what is wrong there."""

    place: str
    why: str


def seal(journal: Path) -> str:
    """Write the page hashes of a closed journal; returns the seal's own sha256, "" where there is none to be had."""
    try:
        if _log_bytes(journal) or journal.stat().st_size > BYTES_MAX:
            return ""
        raw = _MARK + b"".join(_digests(journal))
        journal_seal.write(journal.with_name(NAME), raw, durable=True)
    except OSError:
        return ""  # the chain and the witness stand without it
    return hashlib.sha256(raw).hexdigest()


def applies(journal: Path, sealed: str) -> bool:
    """Whether the seal that the witness names still speaks of this file: not once it was opened for writing again."""
    return bool(sealed) and not _log_bytes(journal)


def faults(journal: Path, sealed: str) -> list[Fault]:
    """What differs from the seal; at most 8 pages are named."""
    try:
        raw = journal.with_name(NAME).read_bytes()
    except OSError as error:
        return [Fault(NAME, f"{NAME} cannot be read: {error.strerror}")]
    if hashlib.sha256(raw).hexdigest() != sealed:
        return [Fault(NAME, f"{NAME} is not the one the witness saw: changed since the orderly close")]
    return _compare(journal, raw[len(_MARK) :])


def _compare(journal: Path, known: bytes) -> list[Fault]:
    found: list[Fault] = []
    pages = 0
    try:
        for pages, digest in enumerate(_digests(journal), 1):
            at = (pages - 1) * _DIGEST
            if known[at : at + _DIGEST] != digest and at < len(known):
                found.append(Fault(f"page {pages}", _changed(pages)))
    except OSError as error:
        return [Fault(journal.name, f"{journal.name} cannot be read: {error.strerror}")]
    if pages * _DIGEST != len(known):
        text = f"{journal.name} has {pages} pages, {len(known) // _DIGEST} at the orderly close"
        found.insert(0, Fault(f"page {min(pages, len(known) // _DIGEST) + 1}", text))
    return found[:8]


def _changed(page: int) -> str:
    first = (page - 1) * PAGE_BYTES
    return f"page {page} (bytes {first:,} to {first + PAGE_BYTES - 1:,}) changed since the orderly close"


def _digests(journal: Path) -> list[bytes]:
    found = []
    with open(journal, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_PAGES * PAGE_BYTES):
            view = memoryview(chunk)
            for at in range(0, len(chunk), PAGE_BYTES):
                found.append(hashlib.sha256(view[at : at + PAGE_BYTES]).digest()[:_DIGEST])
    return found


def _log_bytes(journal: Path) -> int:
    try:
        return journal.with_name(journal.name + "-wal").stat().st_size
    except OSError:
        return 0
