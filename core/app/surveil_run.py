"""Surveillance over a journal: every record is verified on the way, none is replayed.

Orders and cancels come from the audit lines, executions from the venue's reports, marks from the tick blocks, so any
build can look at a journal of any other, and what was rotated away costs the marks of old closes and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from bus.events import Boot, Report
from core.adapters.journal_format import TICKS, Record
from core.adapters.journal_reader import JournalReader
from core.adapters.journal_trail import event_of, lines_of
from core.analytics.surveillance import KINDS, Finding, Flow, Thresholds, inspect
from core.kernels.tables import TICK


class Surveyed(msgspec.Struct, kw_only=True):
    """What a run came to."""

    records: int
    orders: int
    fills: int
    seconds: float
    head: tuple[int, str]
    findings: list[Finding]


def flow_of(
    reader: JournalReader, close_window_s: float, progress: Callable[[int], None] | None = None
) -> Flow:
    """The rows of a whole journal. Raises ChainBroken where it does not verify."""
    flow = Flow(close_window_s)
    for record in reader.records():
        take(flow, record)
        if progress is not None and record.seq % 5000 == 0:
            progress(record.seq)
    return flow


def take(flow: Flow, record: Record) -> None:
    """One record into the rows."""
    if record.kind == TICKS:
        if not record.rotated and flow.near_close(record.ts_ns):
            flow.ticks(np.frombuffer(record.body, dtype=TICK))
        if record.audit:
            flow.take(record.ts_ns, None, lines_of(record))
        return
    event = event_of(record) if record.kind in ("boot", "report") else None
    if record.audit or isinstance(event, Boot | Report):
        flow.take(record.ts_ns, event, lines_of(record))


def survey(
    path: Path,
    thresholds: Thresholds,
    *,
    since_ns: int = 0,
    kinds: tuple[str, ...] = KINDS,
    progress: Callable[[int], None] | None = None,
) -> Surveyed:
    """Everything found in the journal at ``path`` that ended at or after ``since_ns``."""
    begin = time.perf_counter()
    with JournalReader(path) as reader:
        head = reader.last()
        flow = flow_of(reader, thresholds.close_window_s, progress)
    found = [finding for finding in inspect(flow, thresholds, kinds) if finding.to_ns >= since_ns]
    return Surveyed(
        records=head.seq,
        orders=len(flow.orders),
        fills=len(flow.fills),
        seconds=time.perf_counter() - begin,
        head=(head.seq, head.sha.hex()),
        findings=found,
    )
