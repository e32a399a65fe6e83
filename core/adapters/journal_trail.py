"""The audit trail as rows: each line with the record it stands in and the fingerprints that held then.

A row's ``config`` is the configuration's sha256 as of the epoch's boot, with ``+n`` once n limits were changed by
command since; ``lines_sha`` is what the bus called ``hash`` when it published the line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from bus import trail
from bus.carried import carried_by
from bus.enums import GateLayer, ReportKind
from bus.events import Boot, Command, Event, Report
from bus.instruments import InstrumentSpec
from core.adapters.journal_format import ChainBroken, Record

LINE_FIELDS = trail.Line.__struct_fields__
COLUMNS = ("seq", "n", "epoch", "ts_ns", "event", *LINE_FIELDS, "config", "build", "sha", "lines_sha")
TYPES: dict[str, type] = {"seq": int, "n": int, "epoch": int, "ts_ns": int, "layers": int} | dict.fromkeys(
    ("qty", "price", "value", "limit"), float
)
Row = dict[str, Any]
_decoder = msgspec.msgpack.Decoder[Event](Event)


class Fingerprints:
    """Configuration and build as records pass: from each boot, and counted on by every limit that is set."""

    def __init__(self) -> None:
        self.build = ""
        self.specs: dict[str, InstrumentSpec] = {}
        self._config = ""
        self._set = 0

    @property
    def config(self) -> str:
        return f"{self._config}+{self._set}" if self._set else self._config

    def boot(self, event: Boot) -> None:
        self._config, self.build, self._set = event.config_sha256, event.build_sha256, 0
        if (carried := carried_by(event)) is not None:
            self.specs = {spec.symbol: spec for spec in carried.instruments}

    def line(self, line: trail.Line) -> None:
        if line.what.startswith("set_limit ") and not line.result.startswith("rejected"):
            self._set += 1


def event_of(record: Record) -> Event | None:
    """The event of a record; None for ticks and for what this build does not know."""
    try:
        event: Event = _decoder.decode(record.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return event


def lines_of(record: Record) -> tuple[trail.Line, ...]:
    """A record's audit lines. Raises ChainBroken: what was hashed and is no trail was written by something else."""
    try:
        return trail.decode(record.audit)
    except trail.BadTrail as error:
        raise ChainBroken(record.seq, str(error), "event") from error


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row an audit line, in order."""
    known = Fingerprints()
    for record in records:
        if record.kind == "boot" and isinstance(event := event_of(record), Boot):
            known.boot(event)
        if not record.audit:
            continue
        stamp = trail.digest(record.audit)
        for n, line in enumerate(lines_of(record)):
            known.line(line)
            yield {
                "seq": record.seq,
                "n": n,
                "epoch": record.epoch,
                "ts_ns": record.ts_ns,
                "event": record.kind,
                **{name: getattr(line, name) for name in LINE_FIELDS},
                "config": known.config,
                "build": known.build,
                "sha": record.sha.hex(),
                "lines_sha": stamp,
            }


# --- one order -----------------------------------------------------------------------------------------------------


COMMANDS_KEPT = 4096  # requests remembered until an order names one


def order_trail(records: Iterable[Record], order: str) -> list[Row]:
    """Everything the journal holds about one order: the request behind it, decisions, reports; in order.

    Rows have ``step``: request | gate | cancel | replace | denied | report | act, and the fields of each.
    """
    life = _Life(order)
    for record in records:
        life.take(record)
    return life.found


class _Life:
    """One order's rows, collected as records pass."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.found: list[Row] = []
        self._commands: dict[str, Row] = {}
        self._known = Fingerprints()
        self._spec: InstrumentSpec | None = None

    def take(self, record: Record) -> None:
        event = event_of(record) if record.kind in ("boot", "command", "report") else None
        if isinstance(event, Boot):
            self._known.boot(event)
        elif isinstance(event, Command):
            self._remember(_request(record, event))
        elif isinstance(event, Report) and event.cl_ord_id == self.order:
            self.found.append(_report(record, event, self._spec))
        for line in lines_of(record) if record.audit else ():
            self._known.line(line)
            if self.order in (line.order, line.target):
                self._decided(record, line)

    def _remember(self, request: Row) -> None:
        self._commands[request["command"]] = request
        if len(self._commands) > COMMANDS_KEPT:
            del self._commands[next(iter(self._commands))]

    def _decided(self, record: Record, line: trail.Line) -> None:
        request = self._commands.pop(line.command, None)
        if request is not None:
            self.found.append(request)
        self._spec = self._known.specs.get(line.symbol, self._spec)
        self.found.append(_decision(record, line, self._known))


def _at(record: Record, step: str) -> Row:
    return {"step": step, "seq": record.seq, "epoch": record.epoch, "ts_ns": record.ts_ns}


def _request(record: Record, event: Command) -> Row:
    return _at(record, "request") | {
        "who": event.operator,
        "role": event.role.name.lower(),
        "what": event.type,
        "data": event.data,
        "reason": event.reason,
        "command": event.id,
    }


def _decision(record: Record, line: trail.Line, known: Fingerprints) -> Row:
    steps = {trail.ORDER: "gate", trail.CANCEL: "cancel", trail.REPLACE: "replace", trail.DENIED: "denied"}
    row = _at(record, steps.get(line.what, "act"))
    row |= {name: value for name in LINE_FIELDS if (value := getattr(line, name)) not in ("", None, 0)}
    if line.layers:
        row["layers"] = [
            {"layer": layer.name, "passed": bool(line.layers >> layer & 1)} for layer in GateLayer
        ]
    return row | {"config": known.config, "build": known.build}


def _report(record: Record, event: Report, spec: InstrumentSpec | None) -> Row:
    row = _at(record, "report") | {"kind": event.kind.name, "venue": event.venue, "reason": event.reason}
    if event.kind is ReportKind.TRADE:
        row |= {"exec_id": event.exec_id, "lots": event.last_lots, "fee": event.fee, "maker": event.maker}
        row["qty"] = spec.qty_of(event.last_lots) if spec else None
        row["price"] = round(event.px_ticks * spec.tick_size, 12) if spec else None
    return row


def plain(row: Row) -> Row:
    """Values that every table format takes."""
    return {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in row.items()}
