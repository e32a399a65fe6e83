"""What the engine asks for. Effects are data; ``core.app.perform`` carries them out, risk-reducing ones first.

``NewOrder`` is the one effect that can hurt. It carries an ``Approval``, and only ``core.engine.gate`` makes
those (a test reads the source for it), so a venue adapter cannot be handed an order that no gate has seen.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bus.enums import OrdType, Side, TimeInForce
from bus.views import View


class Approval(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The gate's stamp: which layers looked and whether the order can only lower risk."""

    layers: int  # bit per GateLayer that passed
    reducing: bool  # no larger and never through zero, all working orders counted


class _Effect(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="effect"):
    pass


class NewOrder(_Effect, frozen=True, tag="new"):
    """Send an order. Leaves only when its cause is durable, unless ``approval.reducing``."""

    cl_ord_id: str
    venue: int
    instrument: int
    side: Side
    ord_type: OrdType
    tif: TimeInForce
    qty_lots: int
    price_ticks: int  # 0 for MARKET
    reduce_only: bool
    post_only: bool
    approval: Approval
    stop_ticks: int = 0  # STOP only: the trigger


class ReplaceOrder(_Effect, frozen=True, tag="replace"):
    """Amend a working order in place. Waits for the disk like a new order, unless ``approval.reducing``."""

    cl_ord_id: str
    venue: int
    instrument: int
    qty_lots: int  # the whole quantity, what has filled included
    price_ticks: int
    approval: Approval
    revision: int = 1  # counts the amendments of one order
    stop_ticks: int = 0


class CancelOrder(_Effect, frozen=True, tag="cancel"):
    """Cancel one order. Never waits for the disk."""

    cl_ord_id: str
    venue: int
    instrument: int


class MassCancel(_Effect, frozen=True, tag="mass_cancel"):
    """Cancel whatever the venue holds for this account; ``instrument`` -1 = all."""

    venue: int
    instrument: int = -1


class QueryOrder(_Effect, frozen=True, tag="query_order"):
    """Ask what became of one order; answered by a Report (STATUS, TRADE, CANCELED, NOT_FOUND) or not at all."""

    cl_ord_id: str
    venue: int
    instrument: int


class QueryOpen(_Effect, frozen=True, tag="query_open"):
    """Ask for all open orders; answered by OpenOrders with the same ``request``, or not at all."""

    venue: int
    request: int


class QueryPositions(_Effect, frozen=True, tag="query_positions"):
    """Ask for all positions; answered by Positions with the same ``request``, or not at all."""

    venue: int
    request: int


class WriteLatch(_Effect, frozen=True, tag="write_latch"):
    """Store the stop record beside the journal (fsync), acknowledged by LatchStored(seq)."""

    seq: int
    record: dict[str, Any]


class Publish(_Effect, frozen=True, tag="publish"):
    """One message on the state bus; leaves at once, never conflated."""

    topic: str
    type: str
    data: View


class Reply(_Effect, frozen=True, tag="reply"):
    """Answer to a command: accepted | rejected | progress | done | failed."""

    id: str
    status: str
    data: dict[str, Any]
    error_code: str = ""
    error_message: str = ""


class WhatIf(_Effect, frozen=True, tag="what_if"):
    """Work out, off the loop, what the book would be; answered by RiskResult("what_if") with ``id`` in its data."""

    id: str  # of the command
    orders: tuple[tuple[int, int, float], ...]  # (instrument, signed lots, price or 0 for the mark)
    scenario: dict[str, Any]  # empty = none; a name alone = the configured one


Effect = (
    NewOrder
    | ReplaceOrder
    | CancelOrder
    | MassCancel
    | QueryOrder
    | QueryOpen
    | QueryPositions
    | WriteLatch
    | Publish
    | Reply
    | WhatIf
)
