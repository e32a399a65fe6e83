"""One core per data folder. Taken before anything is opened or bound: an ``ipc://`` bind is silently stolen.

The lock is the kernel's (``flock``), so it goes with the process however that ends; the text in the file only tells
people who holds it, and remembers the last epoch should the journal be lost.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

NAME = "core.lock"


class DataDirError(Exception):
    """The data folder cannot be used; one line with the way out."""


class Held(DataDirError):
    """Another process holds the folder."""

    def __init__(self, path: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{path} is in use by {who}: one core per account;"
            " attach with `andon tui`, stop that core, or use another --data-dir"
        )
        self.pid = pid


class DataDirLock:
    """Makes the folder (0700) when it is not there, refuses one that others could write, takes the lock.

    Raises Held or DataDirError. Held until ``release`` or the end of the process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _prepare_folder(path)
        try:
            self._handle = os.open(path / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise DataDirError(
                f"cannot open {path / NAME}: {error.strerror}; check its owner and mode"
            ) from error
        pid, self.last_epoch = _parse(self._text())
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise Held(path, pid) from error
        self._write(self.last_epoch)

    def set_epoch(self, epoch: int) -> None:
        """Remember the epoch that this process runs under."""
        self._write(epoch)

    def release(self) -> None:
        """Give the folder back; the file stays (removing it would let two processes lock two files)."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.release()

    def _text(self) -> str:
        return os.pread(self._handle, 200, 0).decode(errors="replace")

    def _write(self, epoch: int) -> None:
        """Best effort: a full disk must not keep a core from coming up halted."""
        text = f"pid {os.getpid()} epoch {epoch}\n".encode()
        try:
            os.pwrite(self._handle, text, 0)
            os.ftruncate(self._handle, len(text))
            os.fsync(self._handle)
        except OSError:
            return


def last_epoch(data_dir: Path) -> int:
    """The epoch written in the lock file, 0 when there is none. Never raises."""
    try:
        return _parse((data_dir / NAME).read_text(errors="replace"))[1]
    except OSError:
        return 0


def _parse(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"pid (\d{1,10}) epoch (\d{1,15})\n", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _prepare_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = path.stat()
    except OSError as error:
        raise DataDirError(f"cannot use {path}: {error.strerror}; choose another --data-dir") from error
    if not stat.S_ISDIR(info.st_mode):
        raise DataDirError(f"{path} is not a folder; choose another --data-dir")
    if info.st_uid != os.geteuid():
        raise DataDirError(
            f"{path} belongs to user {info.st_uid}; run as that user or choose another --data-dir"
        )
    if info.st_mode & stat.S_IWOTH:
        raise DataDirError(f"{path} can be written by everybody; `chmod 700 {path}`")
