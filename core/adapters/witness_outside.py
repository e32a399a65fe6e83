"""A second witness, elsewhere: one line ``seq sha ts_ns epoch`` a second at most, appended where an operator said.

The witness beside the journal is lost, or put back, together with it. A file on another disk or host, or a command that
takes lines on its standard input (``|ssh audit@other cat >> heads``), is not. It has a thread of its own and takes only
the newest head: a mount that hangs stalls nothing but itself.

Its lines, and what ``andon watch heartbeat audit --json`` has written anywhere, are the marks that
``andon audit verify --witness FILE`` holds a journal against.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from core.adapters.journal_format import Head, JournalError
from core.adapters.journal_reader import JournalReader

_RETRY_S = 5.0
_TAIL_BYTES = 4096
_HEX = set("0123456789abcdef")


class Mark(NamedTuple):
    """Somebody saw record ``seq`` of ``epoch`` with a chain value (and, or, audit lines) that begins so, in hex."""

    seq: int
    epoch: int  # 0 = not said
    sha: str  # may be shortened; "" = not said
    lines: str  # digest of the record's audit lines; "" = not said
    at: str  # file:line


class Outside:
    """Appends heads to ``place``: a path, or "|command". Never raises; ``trouble`` says what is wrong."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.trouble = ""
        self._newest: Head | None = None
        self._news = threading.Condition()
        self._closing = False
        self._sink: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="outside witness", daemon=True)
        self._thread.start()

    def note(self, head: Head) -> None:
        """The newest head; what was not written yet is overtaken by it."""
        with self._news:
            self._newest = head
            self._news.notify()

    def close(self, timeout_s: float = 1.0) -> None:
        """Write the last one if that goes quickly."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join(timeout_s)

    # -- its own thread

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._newest is not None or self._closing)
                head, self._newest = self._newest, None
                if head is None:
                    break
            self._write(head)
        self._drop()

    def _write(self, head: Head) -> None:
        line = f"{head.seq} {head.sha.hex()} {time.time_ns()} {head.epoch}\n"
        try:
            sink = self._sink or self._open()
            sink.write(line.encode())
            sink.flush()
            self.trouble = ""
        except (OSError, ValueError) as error:
            self._drop()
            self.trouble = f"the outside witness {self.place!r} cannot be written: {error}"
            if not self._closing:
                threading.Event().wait(_RETRY_S)

    def _open(self) -> IO[bytes]:
        if self.place.startswith("|"):
            self._process = subprocess.Popen(  # noqa: S603  (the operator's own command, without a shell)
                shlex.split(self.place[1:]), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
            )
            assert self._process.stdin is not None
            self._sink = self._process.stdin
        else:
            handle = os.open(
                os.path.expanduser(self.place), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o600
            )
            self._sink = os.fdopen(handle, "ab", buffering=0)
        return self._sink

    def _drop(self) -> None:
        if self._sink is not None:
            with suppress(OSError, ValueError):
                self._sink.close()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
        self._sink = self._process = None


# --- reading -------------------------------------------------------------------------------------------------------


def marks(path: Path) -> Iterator[Mark]:
    """Every mark in a file of either form; other messages of ``andon watch`` are passed over.

    Raises JournalError for a file or a line that cannot be read: a damaged witness must not pass for a silent one.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield from _mark(line, f"{path.name}:{number}")
    except OSError as error:
        raise JournalError(f"cannot read the witness {path}: {error.strerror}") from error


def last_mark(path: Path) -> Mark | None:
    """The last whole line of a plain witness file; None when there is none or it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        with suppress(JournalError):
            for mark in _mark(line, path.name):
                return mark
    return None


def disagreements(reader: JournalReader, head: Head, mark: Mark) -> list[str]:
    """What the last mark says against a journal that ends at ``head``; a mark of an earlier journal says nothing."""
    first = next(reader.records(1, 1), None)
    if first is None or 0 < mark.epoch < first.epoch:
        return []
    if mark.seq > head.seq:
        return [f"journal ends at record {head.seq}, but the outside witness {mark.at} saw record {mark.seq}"]
    sha = reader.sha_at(mark.seq)
    if sha is None or not sha.hex().startswith(mark.sha):
        return [f"record {mark.seq} is not the one that the outside witness {mark.at} saw"]
    return []


def _mark(line: str, at: str) -> Iterator[Mark]:
    if line.lstrip().startswith("{"):
        yield from _message(line, at)
        return
    parts = line.split()
    if len(parts) not in (3, 4) or not all(p.isdecimal() for p in (parts[0], *parts[2:])):
        raise JournalError(f"{at} is not `seq sha ts epoch`: the witness is damaged")
    if not (16 <= len(parts[1]) <= 64 and set(parts[1]) <= _HEX):
        raise JournalError(f"{at} holds no hash: the witness is damaged")
    yield Mark(int(parts[0]), int(parts[3]) if len(parts) == 4 else 0, parts[1], "", at)


def _message(line: str, at: str) -> Iterator[Mark]:
    """One message of the bus, as `andon watch --json` prints it."""
    try:
        message: dict[str, Any] = json.loads(line)
        data, topic, epoch = message["data"], message["topic"], int(message["epoch"])
        if topic == "heartbeat" and data["durable_seq"]:
            yield Mark(int(data["durable_seq"]), epoch, str(data["audit_head"]), "", at)
        elif topic == "audit" and data.get("seq"):
            yield Mark(int(data["seq"]), epoch, "", str(data["hash"]), at)
    except (ValueError, KeyError, TypeError) as error:
        raise JournalError(f"{at} is no message of the bus ({error}): the witness is damaged") from None
