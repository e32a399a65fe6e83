"""The stop record: one small file that outlives any crash and decides how the next core comes up.

It is written beside the journal, not through it, by a thread of its own: the latch is set in memory and the cancels
leave first, and a halt must not need the disk. A record that is missing, unreadable or from a future version is
answered as such, and whoever asks comes up halted.

The newest record wins: while one is being written, later ones replace each other, and all of them are answered by
the outcome of the newest. After a failure the store says so once per record and keeps trying; when the disk takes
the record at last, it is answered again, with success.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.adapters import journal_seal
from core.adapters.journal_seal import Damaged, Missing

__all__ = ["Damaged", "LatchRecord", "LatchStore", "Missing", "halt_requested", "read_latch"]

NAME = "latch.json"
HALT = "HALT"
_RETRY_S = (0.2, 5.0)

Done = Callable[[int, bool, str], None]


@dataclass(frozen=True, slots=True)
class LatchRecord:
    """What was stored: the firm's trading state and the latched switches, as the engine wrote them."""

    seq: int
    epoch: int
    state: int | str
    latches: tuple[Any, ...]
    record: dict[str, Any]  # every field as written


@dataclass(slots=True)
class _Job:
    seq: int
    record: dict[str, Any]
    waiting: list[tuple[int, Done]]
    told: int = 0  # how many of ``waiting`` have heard of a failure


class LatchStore:
    """Writer of ``<data_dir>/latch.json``; ``epoch`` goes into every record."""

    def __init__(self, data_dir: Path, epoch: int) -> None:
        self.path = data_dir / NAME
        self.epoch = epoch
        self.failed = ""  # why the last write failed; empty while all is well
        self._wake = threading.Condition()
        self._job: _Job | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="latch", daemon=True)
        self._thread.start()

    def write(self, seq: int, record: dict[str, Any], done: Done) -> None:
        """Store ``record`` (at least ``state`` and ``latches``); returns at once.

        ``done(seq, ok, reason)`` is called on the store's thread once the record, or a newer one, is on disk, and
        once before that if writing fails.
        """
        with self._wake:
            waiting = self._job.waiting if self._job else []
            told = self._job.told if self._job else 0
            self._job = _Job(seq, record, [*waiting, (seq, done)], told)
            self._wake.notify()

    def close(self, timeout_s: float = 5.0) -> bool:
        """Write what waits, then end. False when it could not be written."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self.failed

    # -- the store's thread ----------------------------------------------------------------------

    def _run(self) -> None:
        journal_seal.reserve(self.path)
        delay_s = _RETRY_S[0]
        while (job := self._take()) is not None:
            if reason := self._store(job):
                self.failed = reason
                self._tell_failure(job, reason)
                if not self._wait_to_retry(job, delay_s):
                    return
                delay_s = min(delay_s * 2, _RETRY_S[1])
                continue
            self.failed, delay_s = "", _RETRY_S[0]
            for seq, done in job.waiting:
                _tell(done, seq, True, "")
            journal_seal.reserve(self.path)

    def _take(self) -> _Job | None:
        with self._wake:
            while self._job is None and not self._closing:
                self._wake.wait()
            job, self._job = self._job, None
            return job

    def _store(self, job: _Job) -> str:
        """Why it failed, "" on success."""
        try:
            fields = {**job.record, "seq": job.seq, "epoch": self.epoch}
            journal_seal.write(self.path, journal_seal.seal(fields), durable=True)
            return ""
        except OSError as error:
            return f"cannot write {self.path}: {error.strerror}; free space or mend the folder"
        # This thread is the last one that may die: anything else is reported the same way.
        except Exception as error:  # noqa: BLE001
            return f"cannot store the stop record: {error}"

    def _tell_failure(self, job: _Job, reason: str) -> None:
        for seq, done in job.waiting[job.told :]:
            _tell(done, seq, False, reason)
        job.told = len(job.waiting)

    def _wait_to_retry(self, job: _Job, delay_s: float) -> bool:
        """Put the job back unless a newer one stands there already; False when closing."""
        with self._wake:
            if self._job is None:
                self._job = job
                if not self._closing:
                    self._wake.wait(delay_s)
            if self._job is not job:
                newer = self._job
                newer.waiting[:0] = [each for each in job.waiting if each not in newer.waiting]
                newer.told = job.told
            return not self._closing


def _tell(done: Done, seq: int, ok: bool, reason: str) -> None:
    with suppress(RuntimeError):  # the loop that listened is closed; the file counts, not the answer
        done(seq, ok, reason)


def read_latch(data_dir: Path) -> LatchRecord | Missing | Damaged:
    """The stored record. Total: never raises; anything but a LatchRecord means halted."""
    fields = journal_seal.read(data_dir / NAME)
    if not isinstance(fields, dict):
        return fields
    seq, epoch, state, latches = (fields.get(key) for key in ("seq", "epoch", "state", "latches"))
    if not (isinstance(seq, int) and isinstance(epoch, int) and isinstance(latches, list)):
        return Damaged("seq, epoch or latches missing or of the wrong type")
    if not isinstance(state, int | str):
        return Damaged("no trading state in it")
    return LatchRecord(seq, epoch, state, tuple(latches), fields)


def halt_requested(data_dir: Path) -> bool:
    """Somebody put a file named HALT into the folder: the cord for when nothing else answers. Never raises."""
    try:
        (data_dir / HALT).lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True  # a folder that cannot be looked into is no reason to trade on
    return True
