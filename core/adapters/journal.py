"""The journal: everything the engine reacts to, in order, durable before anything that adds risk leaves.

``append`` is called by the loop and only puts the record into a queue (about a microsecond). One thread owns the
database: it takes whatever is queued, commits it as one transaction with a full fsync, says ``on_durable(seq)``, and
looks again. No linger: while one commit waits for the disk the next group gathers by itself, so a quiet journal is
quick and a busy one is efficient.

When the disk does not take a commit, the thread says ``on_failed(reason)``, keeps every record in memory and tries
again, ever more slowly, until ``on_recovered()``. Over ``queue_mb_max`` market data is refused (check
``accepts_ticks`` before stepping a block); orders and commands are always taken. Nothing is dropped.

All three callbacks run on the journal's thread.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.adapters import journal_pages
from core.adapters.journal_export import export
from core.adapters.journal_format import (
    LATCH_STORED,
    SHUTDOWN,
    TICKS,
    UNREADABLE,
    ChainBroken,
    Head,
    JournalError,
    Record,
    Snapshot,
    TicksRefused,
)
from core.adapters.journal_reader import JournalReader
from core.adapters.journal_store import SNAPSHOT, Item, Store
from core.adapters.journal_verify import Verdict, verify
from core.adapters.witness import Witness

__all__ = [
    "LATCH_STORED",
    "SHUTDOWN",
    "TICKS",
    "ChainBroken",
    "Head",
    "Journal",
    "JournalError",
    "JournalReader",
    "Record",
    "Snapshot",
    "TicksRefused",
    "Verdict",
    "export",
    "verify",
]

_IDLE_S = 0.5
_BATCH_BYTES = 16 << 20
_BATCH_ITEMS = 8192
_RETRY_S = (0.05, 2.0)


def _nobody(*_args: object) -> None:
    """Where no callback was given."""


class Journal:
    """Opens ``path`` for writing under a new ``epoch`` (above every earlier one). Hold the folder's lock first.

    Raises JournalError when it cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        epoch: int,
        *,
        on_durable: Callable[[int], None] = _nobody,
        on_failed: Callable[[str], None] = _nobody,
        on_recovered: Callable[[], None] = _nobody,
        witness: Witness | None = None,
        ticks_keep_mb: int = 4096,
        queue_mb_max: int = 256,
    ) -> None:
        self._on_durable, self._on_failed, self._on_recovered = on_durable, on_failed, on_recovered
        self._witness = witness
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._bytes_in = self._bytes_out = 0  # written by one thread each, so that neither needs a lock
        self._bytes_max = queue_mb_max << 20
        self._closing = threading.Event()
        self._give_up_at = float("inf")  # monotonic seconds
        self._told_refusing = False
        self.failed = ""  # why the last commit failed; empty while all is well
        self.epoch = epoch
        opened: queue.SimpleQueue[Store | JournalError] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._run, args=(opened, path, epoch, ticks_keep_mb << 20), name="journal", daemon=True
        )
        self._thread.start()
        store = opened.get()
        if isinstance(store, JournalError):
            raise store
        self._store = store
        self.durable = store.head
        self.last_seq = store.head.seq  # last appended, durable or not

    # -- the loop's side -------------------------------------------------------------------------

    def append(self, kind: str, ts_ns: int, body: bytes, fx: bytes, audit: bytes = b"") -> int:
        """Queue one record; returns its seq. ``kind`` is the event's tag, or "ticks" with raw TICK rows as body.

        ``audit`` holds the encoded lines of what the event decided (``bus.trail.encode``), hashed into the chain.

        Raises TicksRefused for ticks when ``accepts_ticks`` is False.
        """
        if kind == TICKS and not self.accepts_ticks:
            raise TicksRefused(
                "market data refused: the journal cannot write and its queue is full; free disk space"
            )
        self._bytes_in += len(body) + len(audit)
        seq = self.last_seq = self.last_seq + 1
        self._queue.put(Item(seq, ts_ns, kind, fx, body, audit))
        return seq

    def snapshot(self, seq: int, state: bytes) -> None:
        """Queue the engine's state after record ``seq`` (0: carried over into a new journal). Keeps the last three."""
        if not 0 <= seq <= self.last_seq:
            raise ValueError(f"snapshot of record {seq}, but the last one is {self.last_seq}")
        self._bytes_in += len(state)
        self._queue.put(Item(seq, 0, SNAPSHOT, b"", state))

    @property
    def accepts_ticks(self) -> bool:
        """False while the queue stands above its limit; ask before a block is stepped, not after."""
        full = self._bytes_in - self._bytes_out > self._bytes_max
        if full and not self._told_refusing:
            self._on_failed(
                f"journal queue above {self._bytes_max >> 20} MB, market data refused; {self.failed}"
            )
        self._told_refusing = full
        return not full

    @property
    def durable_seq(self) -> int:
        """Every record up to here survives a power cut."""
        return self.durable.seq

    @property
    def pending(self) -> int:
        """Records appended and not durable."""
        return self.last_seq - self.durable.seq

    @property
    def trouble(self) -> str:
        """What an operator should know although nothing is lost: checkpoints that fail, a witness not written."""
        return self._store.trouble or (self._witness.trouble if self._witness else "")

    def head(self) -> tuple[int, str]:
        """(seq, sha in hex) of the last durable record."""
        durable = self.durable
        return durable.seq, durable.sha.hex()

    def close(self, timeout_s: float = 10.0) -> bool:
        """Write what is queued, then close. False when records could not be written: ``pending`` says how many."""
        self._give_up_at = time.monotonic() + timeout_s
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout_s + 1.0)
        return not self._thread.is_alive() and self.pending == 0

    # -- the writer's side -----------------------------------------------------------------------

    def _run(
        self, opened: queue.SimpleQueue[Store | JournalError], path: Path, epoch: int, ticks_keep_bytes: int
    ) -> None:
        try:
            store = Store(path, epoch, ticks_keep_bytes)
        except JournalError as error:
            opened.put(error)
            return
        except (*UNREADABLE, OSError) as error:
            opened.put(JournalError(f"cannot use {path}: {error}; run `andon audit verify`"))
            return
        opened.put(store)
        whole = self._write_all(store)
        store.close()
        if self._witness:
            if whole:  # the file rests now: its pages can be sealed as well
                self._witness.seal(store.head, journal_pages.seal(path))
            self._witness.close()

    def _write_all(self, store: Store) -> bool:
        """Until closed; False when the disk still said no then."""
        while (items := self._take()) is not None:
            if not items:
                store.tidy()
            elif self._commit(store, items):
                if store.checkpoint_due():
                    store.tidy()
            else:
                return False
        if self._witness:
            self._witness.seal(store.head)
        return True

    def _take(self) -> list[Item] | None:
        """Everything queued, up to a sane transaction; [] after an idle while, None when closed and empty."""
        items: list[Item] = []
        size = 0
        try:
            item = self._queue.get(timeout=_IDLE_S)
            while item is not None:
                items.append(item)
                size += len(item.body) + len(item.audit)
                if size >= _BATCH_BYTES or len(items) >= _BATCH_ITEMS:
                    return items
                item = self._queue.get_nowait()
        except queue.Empty:
            return items
        if items:
            self._queue.put(None)  # the closing mark comes again, after this group
            return items
        return None

    def _commit(self, store: Store, items: list[Item]) -> bool:
        delay_s = _RETRY_S[0]
        while True:
            try:
                store.write(items)
                break
            # This thread *is* the journal: whatever goes wrong must be said, and must not end it.
            except Exception as error:  # noqa: BLE001
                self._report_failure(f"journal cannot write: {error}; free disk space or mend the folder")
            if time.monotonic() + delay_s > self._give_up_at:
                return False
            self._pause(delay_s)
            delay_s = min(delay_s * 2, _RETRY_S[1])
        self._committed(store, items)
        return True

    def _pause(self, delay_s: float) -> None:
        """Wait, but not on once somebody wants to close."""
        if self._closing.is_set():
            time.sleep(delay_s)
        else:
            self._closing.wait(delay_s)

    def _committed(self, store: Store, items: list[Item]) -> None:
        self._bytes_out += sum(len(item.body) + len(item.audit) for item in items)
        self.durable = store.head
        if self._witness:
            self._witness.note(store.head)
        if self.failed:
            self.failed = ""
            _tell(self._on_recovered)
        _tell(self._on_durable, store.head.seq)

    def _report_failure(self, reason: str) -> None:
        first, self.failed = not self.failed, reason
        if first:
            _tell(self._on_failed, reason)


def _tell(callback: Callable[..., None], *args: object) -> None:
    with suppress(RuntimeError):  # the loop that listened is closed: writing goes on, nobody is left to tell
        callback(*args)
