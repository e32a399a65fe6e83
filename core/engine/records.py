"""The small records of the engine's memory: what is ragged or textual, one struct a noun. ``State`` holds them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from core.engine.orders import Order


class Filled(NamedTuple):
    """One execution booked in this step, for whoever keeps accounts of orders: parents, lists, costs."""

    order: Order
    lots: int
    price: float  # quote
    fee: float  # settle currency, positive = paid
    maker: bool
    late: bool
    exec_id: str


class Host(msgspec.Struct):
    """What the engine remembers about a strategy besides the strategy's own memory."""

    id: str
    enabled: bool
    evaluations: int = 0
    skipped: int = 0
    orders: int = 0
    denied: int = 0
    fills: int = 0
    last_ns: int = 0
    note: str = ""
    last_entry_ns: dict[int, int] = {}  # instrument -> last accepted entry


class Alert(msgspec.Struct):
    """One alarm and where it stands."""

    id: str
    priority: str
    source: str
    message: str
    code: str
    raised_ns: int
    updated_ns: int
    status: str = "UNACK"
    count: int = 1
    operator: str = ""
    until_ns: int = 0
    reason: str = ""


class VenueState(msgspec.Struct):
    """What we know of one venue."""

    name: str
    up: bool = True
    since_ns: int = 0
    reason: str = ""
    reconciled: bool = False  # our books and its agreed since the last (re)connect
    mismatches: int = 0  # position answers in a row that disagreed
    failures: int = 0  # failed reconciliations in a row
    checked_ns: int = 0
    request: int = 0  # outstanding position query outside a kill
    differs: dict[int, int] = {}  # instrument -> theirs minus ours, at the last answer that counted
    seen: dict[int, int] = {}  # instrument -> answers in a row with that same difference
    differed_ns: int = 0  # when a difference last counted
    recheck_ns: int = 0  # when a recheck is due


class Wait(msgspec.Struct):
    """A command that is done when these orders are: heard of (``heard``), or terminal."""

    ids: list[str]
    total: int
    heard: bool
    since_ns: int
    closing: int = -1  # instrument to close once nothing works on it any more
    tries: int = 0
    told_ns: int = 0  # when progress was last told
    decisions: list[dict[str, Any]] = []  # of the gate, on the closing order
    flat: int = -1  # instrument that is being closed, from the command to its end


class Outcome(msgspec.Struct):
    """What a command came to, so that the same id does nothing twice."""

    status: str
    data: dict[str, Any]
    error_code: str = ""
    error_message: str = ""
