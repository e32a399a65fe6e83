"""What the engine accepts and the journal stores. A closed union: to see what can happen, read this page.

Every event carries its own time (``ts_ns``, UTC nanoseconds): the engine is told the time, it never asks.
Market data is not here: it arrives as blocks of rows (``core.kernels.tables.TICK``), see ``core.engine.market.Ticks``.
Frozen, array-like, append-only: a field is added at the end with a default or not at all.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bus.enums import ReportKind, Role, Side


class _Event(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="event"):
    ts_ns: int


class Boot(_Event, frozen=True, tag="boot"):
    """A process took the journal over. ``clean`` only when the last record was a Shutdown and every store agrees."""

    epoch: int
    clean: bool
    note: str = ""  # why not clean, for the screen
    config_sha256: str = ""
    build_sha256: str = ""
    autostart: bool = False
    config: bytes = b""  # the encoded EngineConfig: a journal explains itself
    lost: tuple[
        tuple[str, str, str, str], ...
    ] = ()  # latches the journal does not know: key, level, why, who
    state: bytes = b""  # snapshot of what a damaged journal left, where a new one begins with it
    changed: tuple[
        tuple[str, str, str], ...
    ] = ()  # settings that differ from the epoch before: key, old, new


class Shutdown(_Event, frozen=True, tag="shutdown"):
    """The clean-shutdown mark: last record of an orderly stop."""

    operator: str
    reason: str


class Timer(_Event, frozen=True, tag="timer"):
    """The engine's clock hand: every deadline due at or before ``ts_ns`` fires."""


class Report(_Event, frozen=True, tag="report"):
    """A venue's word about one order. Lots and ticks; ``px_ticks`` may be fractional for averaged prints."""

    venue: int
    cl_ord_id: str
    kind: ReportKind
    exec_id: str = ""  # unique per execution; a repeat is a duplicate and changes nothing
    last_lots: int = 0
    px_ticks: float = 0.0
    cum_lots: int = -1  # cumulative filled by the venue's count, -1 unknown
    fee: float = 0.0  # settle currency, positive = paid
    maker: bool = False
    reason: str = ""
    order_lots: int = -1  # REPLACED, STATUS: the order's whole quantity as it now stands, -1 unknown
    order_ticks: int = -1  # REPLACED, STATUS: its price as it now stands, -1 unknown
    revision: int = 0  # of the amendment answered; STATUS: the last one the venue has seen
    order_stop: int = -1  # REPLACED, STATUS: its trigger as it now stands, -1 unknown


class OpenOrder(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row of a venue's open-order answer."""

    cl_ord_id: str
    instrument: int
    side: Side
    qty_lots: int
    cum_lots: int
    price_ticks: int
    stop_ticks: int = 0  # the trigger of a stop order
    reduce_only: bool = False


class OpenOrders(_Event, frozen=True, tag="open_orders"):
    """Answer to QueryOpen. ``ok=False`` is a failed query: it says nothing, least of all that nothing is open."""

    venue: int
    request: int
    ok: bool
    orders: tuple[OpenOrder, ...] = ()
    reason: str = ""


class VenuePosition(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row of a venue's position answer; instruments not named are flat."""

    instrument: int
    qty_lots: int


class Positions(_Event, frozen=True, tag="positions"):
    """Answer to QueryPositions. ``ok=False`` is never read as flat."""

    venue: int
    request: int
    ok: bool
    positions: tuple[VenuePosition, ...] = ()
    reason: str = ""


class VenueStatus(_Event, frozen=True, tag="venue_status"):
    """The adapter's link to a venue went up or down."""

    venue: int
    up: bool
    reason: str = ""


class Funding(_Event, frozen=True, tag="funding"):
    """Funding fell due: longs pay ``rate`` of their exposure when it is positive."""

    instrument: int
    rate: float


class Command(_Event, frozen=True, tag="command"):
    """An authenticated request from outside, already decoded; the engine decides whether it may."""

    id: str
    operator: str
    role: Role
    type: str
    data: dict[str, Any]
    reason: str = ""
    expires_ns: int = 0


class JournalStatus(_Event, frozen=True, tag="journal_status"):
    """The journal could not write (or can again)."""

    ok: bool
    reason: str = ""


class LatchStored(_Event, frozen=True, tag="latch_stored"):
    """The latch record ``seq`` is on disk (or could not be put there)."""

    seq: int
    ok: bool
    reason: str = ""


class Depth(_Event, frozen=True, tag="depth"):
    """A venue's book beyond the best: levels of (price ticks, lots), best first. Replaces what was known."""

    instrument: int
    bids: tuple[tuple[int, int], ...] = ()
    asks: tuple[tuple[int, int], ...] = ()


class RiskResult(_Event, frozen=True, tag="risk_result"):
    """What a calculation off the loop came to, as of ``as_of_ns``; late results never block, they show their age."""

    kind: str  # profile | var | stress | factors
    as_of_ns: int
    data: dict[str, Any]
    elapsed_ms: float = 0.0


class Noise(_Event, frozen=True, tag="noise"):
    """Counted, harmless trouble from outside (undecodable frames, refused keys), at most one event a second."""

    kind: str
    count: int
    detail: str = ""


Event = (
    Boot
    | Shutdown
    | Timer
    | Report
    | OpenOrders
    | Positions
    | VenueStatus
    | Funding
    | Command
    | JournalStatus
    | LatchStored
    | Depth
    | RiskResult
    | Noise
)
