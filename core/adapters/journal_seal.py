"""Small JSON files that say themselves whether they are whole: one object, its last key the sha256 of the rest.

Reading is total: whatever lies there (nothing, garbage, half a file, a folder) comes back as a value, never as an
exception, because these files decide whether a core may come up trading.

Writing replaces the file in one rename. A spare file with its blocks already allocated stands by, so that the first
write after the disk has filled up still succeeds: that is the moment at which a stop record is written.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = 1
_SIZE_MAX = 4 << 20  # bytes; far above any real record, far below what would hurt
_SPARE_BYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class Missing:
    """No such file."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """There is something, but it cannot be trusted; ``reason`` is one line for the screen."""

    reason: str


def seal(fields: dict[str, Any]) -> bytes:
    """The file's bytes. Raises TypeError, ValueError or RecursionError for what JSON cannot hold."""
    body = _text({"version": VERSION, **fields})
    return f'{body[:-1]},"sha256":"{hashlib.sha256(body.encode()).hexdigest()}"}}\n'.encode()


def unseal(raw: bytes) -> dict[str, Any] | Damaged:
    """The fields, or why they cannot be trusted."""
    try:
        fields = json.loads(raw)
        sha = fields.pop("sha256")
        sound = sha == hashlib.sha256(_text(fields).encode()).hexdigest()
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return Damaged("not a record")
    version = fields.pop("version", None)
    if not isinstance(version, int) or version > VERSION:
        return Damaged(f"written by a newer program (version {str(version)[:20]}, this one knows {VERSION})")
    return fields if sound else Damaged("checksum differs: changed or half written")


def read(path: Path) -> dict[str, Any] | Missing | Damaged:
    """Total: never raises."""
    try:
        with open(
            os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb"
        ) as file:  # a pipe there must not hold us up
            raw = file.read(_SIZE_MAX + 1)
    except FileNotFoundError:
        return Missing()
    except OSError as error:
        return Damaged(f"cannot read: {error.strerror}")
    return unseal(raw) if len(raw) <= _SIZE_MAX else Damaged("far too large")


def write(path: Path, raw: bytes, *, durable: bool) -> None:
    """Replace ``path`` by ``raw``; with ``durable`` it survives a power cut on return. Raises OSError."""
    spare = path.with_name(path.name + ".next")
    handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _write_whole(handle, raw)
        if durable:
            _sync(handle)
    finally:
        os.close(handle)
    os.rename(spare, path)
    if durable:
        sync_folder(path.parent)


def reserve(path: Path) -> None:
    """Put the spare file there, best effort: without it writing works all the same while the disk has room."""
    spare = path.with_name(path.name + ".next")
    try:
        handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(handle, bytes(_SPARE_BYTES), 0)
            _sync(handle)
        finally:
            os.close(handle)
    except OSError:
        return


def sync_folder(folder: Path) -> None:
    """A rename survives a power cut only when the folder was synced too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_whole(handle: int, raw: bytes) -> None:
    done = 0
    while done < len(raw):
        done += os.pwrite(handle, raw[done:], done)
    os.ftruncate(handle, len(raw))


def _sync(handle: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync does not reach the platter
    if full is None:
        os.fsync(handle)
    else:
        fcntl.fcntl(handle, full)


def _text(fields: dict[str, Any]) -> str:
    """Key order and number texts survive a round trip through json, so the same text can be hashed again."""
    return json.dumps(fields, separators=(",", ":"), default=str)
