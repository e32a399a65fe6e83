"""The proof of a whole journal: its chain from the genesis, its end, its snapshots, its pages, and who else saw it.

Each of these notices what the others cannot. The chain: any change to a record, its audit lines or its ticks. The
witnesses: that the end is gone, or that another journal stands here. The page seal: a bit in space that holds nothing.
SQLite's own check: a structure that reads today and will not be writable tomorrow. Every fault names its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bus import trail
from core.adapters import journal_pages, witness
from core.adapters.journal_format import GENESIS, ChainBroken, Head, Record
from core.adapters.journal_pages import Fault
from core.adapters.journal_reader import JournalReader
from core.adapters.journal_seal import Damaged, Missing
from core.adapters.witness import Seen
from core.adapters.witness_outside import Mark


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answer of ``verify``: ``records`` verified up to ``head`` (seq, sha hex); where and why it broke, if it did."""

    ok: bool
    records: int
    head: tuple[int, str]
    broken_at: int | None = None
    why: str = ""
    rotated: int = 0  # tick blocks whose rows were deleted to save room
    place: str = ""  # of the first fault: table and record, page, or file
    lines: int = 0  # audit lines verified with their records
    marks: int = 0  # of an outside witness that were found as it saw them
    sealed: bool = False  # every page of the file was held against the seal of an orderly close


def verify(path: Path, *, deep: bool = True, marks: Iterable[Mark] = ()) -> Verdict:
    """Prove the whole journal from its genesis, against the witness file beside it. Never raises on damage.

    ``deep`` adds SQLite's own structure check and the page seal. ``marks`` are what an outside witness saw. Raises
    JournalError only when there is no journal to look at, or a witness that cannot be read.
    """
    seen = witness.read(path.parent)  # first: a running core moves on meanwhile
    known = _by_seq(marks)
    scan = _Scan(known)
    faults: list[Fault] = []
    broken = None
    try:
        with JournalReader(path) as reader:
            for record in reader.records():
                scan.take(record)
            faults = _other_faults(reader, scan.head, seen, deep)
    except ChainBroken as error:
        broken = max(error.seq, scan.head.seq + 1)
        faults = [Fault(f"{error.place} {broken}", error.why)]
    faults += [*scan.faults, *scan.missed()]
    pages = seen.pages if deep and isinstance(seen, Seen) else ""
    sealed = journal_pages.applies(path, pages)
    if sealed:
        faults += journal_pages.faults(path, pages)
    head = scan.head.seq, scan.head.sha.hex()
    whole = not faults
    return Verdict(
        ok=whole,
        records=scan.count,
        head=head,
        broken_at=None if whole else broken or head[0] + 1,
        why="; ".join(fault.why for fault in faults),
        rotated=scan.rotated,
        place="" if whole else faults[0].place,
        lines=scan.lines,
        marks=scan.agreed,
        sealed=sealed,
    )


class _Scan:
    """What is counted and compared while records pass."""

    def __init__(self, known: dict[int, list[Mark]]) -> None:
        self.head = Head(0, GENESIS)
        self.count = self.rotated = self.lines = self.agreed = 0
        self.faults: list[Fault] = []
        self._known = known
        self._first_epoch = 0

    def take(self, record: Record) -> None:
        self.head = Head(record.seq, record.sha, record.epoch)
        self._first_epoch = self._first_epoch or record.epoch
        self.count += 1
        self.rotated += record.rotated
        if record.audit:
            self.lines += _count(record.audit)
        for mark in self._known.pop(record.seq, ()) if self._known else ():
            if 0 < mark.epoch < self._first_epoch:
                continue  # of a journal that was moved aside before this one began
            if _agrees(mark, record):
                self.agreed += 1
            elif len(self.faults) < 8:
                self.faults.append(
                    Fault(f"event {record.seq}", f"record {record.seq} is not the one that {mark.at} saw")
                )

    def missed(self) -> list[Fault]:
        """Marks of records that are not there."""
        last = max(
            (
                m
                for marks in self._known.values()
                for m in marks
                if m.epoch == 0 or m.epoch >= self._first_epoch
            ),
            default=None,
        )
        if last is None:
            return []
        text = f"records end at {self.head.seq}, but {last.at} saw record {last.seq}: records are gone"
        return [Fault(f"event {self.head.seq + 1}", text)]


def _agrees(mark: Mark, record: Record) -> bool:
    if mark.sha and not record.sha.hex().startswith(mark.sha):
        return False
    return not mark.lines or trail.digest(record.audit or b"") == mark.lines


def _count(audit: bytes) -> int:
    """Lines of a record, from the array's length alone: the hash has proven the rest."""
    first = audit[0]
    if first & 0xF0 == 0x90:
        return first & 0x0F
    return int.from_bytes(audit[1:3] if first == 0xDC else audit[1:5], "big")


def _by_seq(marks: Iterable[Mark]) -> dict[int, list[Mark]]:
    known: dict[int, list[Mark]] = defaultdict(list)
    for mark in marks:
        known[mark.seq].append(mark)
    return dict(known)


def _other_faults(
    reader: JournalReader, head: Head, seen: Seen | Missing | Damaged, deep: bool
) -> list[Fault]:
    """What a chain of good records cannot show: a lost end, damaged snapshots, a damaged file around them."""
    log = reader.path.name + "-wal"
    faults = [Fault(log, why) for why in (reader.lost_frames(),) if why]
    if not isinstance(seen, Missing):  # a copy alone carries no witness
        where = witness.NAME if isinstance(seen, Damaged) else f"event {min(head.seq, seen.seq) + 1}"
        faults += [Fault(where, why) for why in witness.compare(head, reader.sha_at, seen)]
    faults += [Fault(f"snapshot {s.seq}", str(s)) for s in reader.snapshots() if isinstance(s, ChainBroken)]
    if deep and (why := reader.quick_check()):
        faults.append(Fault(reader.path.name, why))
    return faults
