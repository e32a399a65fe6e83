"""A state from its journal: the same events through the same ``step``, effects compared, none carried out.

Recovery and ``replay --verify`` are this one function, so what a restart relies on is what the proof proves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import numpy as np

from bus.effects import Effect
from bus.events import Boot, Event
from core.adapters.journal_format import TICKS, Record, Snapshot
from core.adapters.journal_reader import JournalReader
from core.app.drive import effects_digest
from core.engine import snapshot
from core.engine.config import decode
from core.engine.market import Ticks
from core.engine.state import State
from core.engine.step import step
from core.engine.trail import lines
from core.kernels.tables import TICK

decode_event: Callable[[bytes], Event] = msgspec.msgpack.Decoder(Event).decode


class Rebuilt(msgspec.Struct):
    """What came out. ``state`` is None while no Boot has been seen."""

    state: State | None = None
    records: int = 0
    ticks: int = 0
    differs_at: int = 0  # first record whose effects were not those the journal holds; 0 = none
    seq: int = 0  # last record applied
    trouble: str = ""  # why it ended early


Watch = Callable[[State, "Event | Ticks", list[Effect]], None]  # told of every step, after it


def rebuild(
    records: Iterable[Record],
    start: bytes | None,
    progress: Callable[[int], None] | None = None,
    watch: Watch | None = None,
) -> Rebuilt:
    """Apply ``records`` to the state in ``start`` (None: the first record must be a Boot with a configuration)."""
    result = Rebuilt(state=snapshot.load(start) if start is not None else None)
    for record in records:
        if record.rotated:
            result.trouble = (
                f"record {record.seq}: its ticks were dropped to save room; replay from a later snapshot"
            )
            return result
        event = _event(record)
        if isinstance(event, Boot):
            result.state = adopt(result.state, event)
        if result.state is None:
            result.trouble = f"record {record.seq} ({record.kind}) before any boot"
            return result
        effects = step(result.state, event)
        if not result.differs_at and _differs(result.state, event, effects, record):
            result.differs_at = record.seq
        if watch is not None:
            watch(result.state, event, effects)
        result.records += 1
        result.seq = record.seq
        if progress is not None and result.records % 1000 == 0:
            progress(result.records)
    return result


def _differs(state: State, event: Event | Ticks, effects: list[Effect], record: Record) -> bool:
    """Other effects than the journal holds, or other words for them; records of version 1 have no words."""
    if effects_digest(effects) != record.fx:
        return True
    return (
        record.audit is not None
        and bool(effects or record.audit)
        and lines(state, event, effects) != record.audit
    )


def adopt(state: State | None, boot: Boot) -> State | None:
    """The state a Boot acts on: a fresh one, or the old one under the new process's configuration.

    The old one comes from the records before, or with the Boot itself, where they are in a journal moved aside.
    """
    if not boot.config:
        return state
    config = decode(boot.config)
    if boot.state:
        return snapshot.load(boot.state, config)
    if state is None:
        return snapshot.create(config)
    return snapshot.load(snapshot.save(state), config)


def _event(record: Record) -> Event | Ticks:
    if record.kind == TICKS:
        return Ticks(np.frombuffer(record.body, dtype=TICK))
    return decode_event(record.body)


def oldest_start(reader: JournalReader) -> Snapshot | None:
    """From the very beginning (None) while every tick block is there, else the oldest snapshot after the rotation."""
    if not reader.rotated_to:
        return None
    good = [s for s in reader.snapshots() if not isinstance(s, Exception) and s.seq >= reader.rotated_to]
    return min(good, key=lambda s: s.seq, default=None)
