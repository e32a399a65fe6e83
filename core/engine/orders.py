"""An order and the one table that moves it.

    (status, report) -> status

Rule: everything that decides an order's status lives in ``TRANSITIONS``. What is not in the table is an
anomaly and changes nothing. The real world is in it: a fill after a cancel is booked and the order stays
cancelled (late), a fill that outruns its acknowledgement is a fill, and an unknown outcome is a state of its
own which only the venue's word ends. TRADE rows say where an order goes while lots remain; when none
remain it is FILLED, whatever the row says.
"""

from __future__ import annotations

import msgspec

from bus.enums import OPEN_STATUSES, OrdStatus, OrdType, Purpose, ReportKind, Side, TimeInForce

S, R = OrdStatus, ReportKind

TRANSITIONS: dict[tuple[OrdStatus, ReportKind], OrdStatus] = {
    # sent, nothing heard yet
    (S.PENDING_NEW, R.ACK): S.NEW,
    (S.PENDING_NEW, R.REJECTED): S.REJECTED,
    (S.PENDING_NEW, R.TRADE): S.PARTIALLY_FILLED,
    (S.PENDING_NEW, R.CANCELED): S.CANCELED,
    (S.PENDING_NEW, R.EXPIRED): S.EXPIRED,
    (S.PENDING_NEW, R.UNKNOWN): S.PENDING_UNKNOWN,
    (S.PENDING_NEW, R.STATUS): S.NEW,
    (S.PENDING_NEW, R.NOT_FOUND): S.PENDING_UNKNOWN,  # too early to be sure: it may still be on its way
    (S.PENDING_NEW, R.NOT_SENT): S.NOT_SENT,
    (S.PENDING_NEW, R.CANCEL_REJECTED): S.PENDING_NEW,
    (S.PENDING_NEW, R.CANCEL_UNKNOWN): S.PENDING_NEW,
    # open
    (S.NEW, R.ACK): S.NEW,
    (S.NEW, R.TRADE): S.PARTIALLY_FILLED,
    (S.NEW, R.CANCELED): S.CANCELED,
    (S.NEW, R.EXPIRED): S.EXPIRED,
    (S.NEW, R.REJECTED): S.REJECTED,
    (S.NEW, R.STATUS): S.NEW,
    (S.NEW, R.NOT_FOUND): S.PENDING_UNKNOWN,
    (S.NEW, R.CANCEL_REJECTED): S.NEW,
    (S.NEW, R.CANCEL_UNKNOWN): S.NEW,
    (S.PARTIALLY_FILLED, R.ACK): S.PARTIALLY_FILLED,
    (S.PARTIALLY_FILLED, R.TRADE): S.PARTIALLY_FILLED,
    (S.PARTIALLY_FILLED, R.CANCELED): S.CANCELED,
    (S.PARTIALLY_FILLED, R.EXPIRED): S.EXPIRED,
    (S.PARTIALLY_FILLED, R.STATUS): S.PARTIALLY_FILLED,
    (S.PARTIALLY_FILLED, R.NOT_FOUND): S.PENDING_UNKNOWN,
    (S.PARTIALLY_FILLED, R.CANCEL_REJECTED): S.PARTIALLY_FILLED,
    (S.PARTIALLY_FILLED, R.CANCEL_UNKNOWN): S.PARTIALLY_FILLED,
    # cancel sent
    (S.PENDING_CANCEL, R.ACK): S.PENDING_CANCEL,
    (S.PENDING_CANCEL, R.REJECTED): S.REJECTED,
    (S.PENDING_CANCEL, R.TRADE): S.PENDING_CANCEL,
    (S.PENDING_CANCEL, R.CANCELED): S.CANCELED,
    (S.PENDING_CANCEL, R.EXPIRED): S.EXPIRED,
    (S.PENDING_CANCEL, R.STATUS): S.PENDING_CANCEL,
    (S.PENDING_CANCEL, R.UNKNOWN): S.PENDING_UNKNOWN,
    (S.PENDING_CANCEL, R.NOT_FOUND): S.PENDING_UNKNOWN,
    (S.PENDING_CANCEL, R.NOT_SENT): S.NOT_SENT,
    (S.PENDING_CANCEL, R.CANCEL_REJECTED): S.PENDING_UNKNOWN,  # gone, or never there: ask which
    (S.PENDING_CANCEL, R.CANCEL_UNKNOWN): S.PENDING_CANCEL,
    # outcome unknown: only the venue's word ends it
    (S.PENDING_UNKNOWN, R.ACK): S.NEW,
    (S.PENDING_UNKNOWN, R.REJECTED): S.REJECTED,
    (S.PENDING_UNKNOWN, R.TRADE): S.PARTIALLY_FILLED,
    (S.PENDING_UNKNOWN, R.CANCELED): S.CANCELED,
    (S.PENDING_UNKNOWN, R.EXPIRED): S.EXPIRED,
    (S.PENDING_UNKNOWN, R.STATUS): S.NEW,
    (S.PENDING_UNKNOWN, R.UNKNOWN): S.PENDING_UNKNOWN,
    (S.PENDING_UNKNOWN, R.NOT_FOUND): S.PENDING_UNKNOWN,  # the oms counts these: see NOT_FOUND_MAX
    (S.PENDING_UNKNOWN, R.NOT_SENT): S.NOT_SENT,
    (S.PENDING_UNKNOWN, R.CANCEL_REJECTED): S.PENDING_UNKNOWN,
    (S.PENDING_UNKNOWN, R.CANCEL_UNKNOWN): S.PENDING_UNKNOWN,
    # terminal, and yet: executions are facts, whenever they arrive
    (S.FILLED, R.TRADE): S.FILLED,
    (S.CANCELED, R.TRADE): S.CANCELED,
    (S.REJECTED, R.TRADE): S.REJECTED,
    (S.EXPIRED, R.TRADE): S.EXPIRED,
    (S.NOT_SENT, R.TRADE): S.NOT_SENT,
    # a venue repeating itself, or answering a cancel that lost its race
    (S.FILLED, R.ACK): S.FILLED,
    (S.FILLED, R.CANCELED): S.FILLED,
    (S.FILLED, R.CANCEL_REJECTED): S.FILLED,
    (S.FILLED, R.CANCEL_UNKNOWN): S.FILLED,
    (S.FILLED, R.STATUS): S.FILLED,
    (S.FILLED, R.NOT_FOUND): S.FILLED,
    (S.CANCELED, R.ACK): S.CANCELED,
    (S.CANCELED, R.CANCELED): S.CANCELED,
    (S.CANCELED, R.CANCEL_REJECTED): S.CANCELED,
    (S.CANCELED, R.CANCEL_UNKNOWN): S.CANCELED,
    (S.CANCELED, R.NOT_FOUND): S.CANCELED,
    (S.REJECTED, R.REJECTED): S.REJECTED,
    (S.REJECTED, R.CANCEL_REJECTED): S.REJECTED,
    (S.REJECTED, R.CANCEL_UNKNOWN): S.REJECTED,
    (S.REJECTED, R.NOT_FOUND): S.REJECTED,
    (S.EXPIRED, R.EXPIRED): S.EXPIRED,
    (S.EXPIRED, R.CANCEL_REJECTED): S.EXPIRED,
    (S.EXPIRED, R.CANCEL_UNKNOWN): S.EXPIRED,
    (S.EXPIRED, R.NOT_FOUND): S.EXPIRED,
    (S.NOT_SENT, R.NOT_SENT): S.NOT_SENT,
    (S.NOT_SENT, R.NOT_FOUND): S.NOT_SENT,
    (S.NOT_SENT, R.CANCEL_REJECTED): S.NOT_SENT,
    # the submit's own answer was lost, after the order had been heard of otherwise: nothing to learn
    (S.NEW, R.UNKNOWN): S.NEW,
    (S.PARTIALLY_FILLED, R.UNKNOWN): S.PARTIALLY_FILLED,
    (S.FILLED, R.UNKNOWN): S.FILLED,
    (S.CANCELED, R.UNKNOWN): S.CANCELED,
    (S.EXPIRED, R.UNKNOWN): S.EXPIRED,
    # said cancelled, yet the venue still shows it open: believe the venue that shows it
    (S.CANCELED, R.STATUS): S.NEW,
    (S.REJECTED, R.STATUS): S.NEW,
    (S.EXPIRED, R.STATUS): S.NEW,
    (S.NOT_SENT, R.STATUS): S.NEW,
}

NOT_FOUND_MAX = 3  # consecutive "never heard of it" answers, spaced by queries, that end an unknown order


class Order(msgspec.Struct, kw_only=True):
    """One order, ours or adopted. Lots and ticks; mutable, written by the oms only."""

    cl_ord_id: str
    venue: int
    instrument: int
    side: Side
    ord_type: OrdType
    tif: TimeInForce
    qty_lots: int
    price_ticks: int
    strategy: str
    purpose: Purpose
    reduce_only: bool
    post_only: bool
    created_ns: int
    updated_ns: int
    status: OrdStatus = OrdStatus.PENDING_NEW
    filled_lots: int = 0
    filled_value: float = 0.0  # sum of lots x price, quote
    cancels: int = 0  # cancel requests sent
    not_found: int = 0
    inferred_lots: int = 0  # booked from a status answer, awaiting their executions
    inferred_px: float = 0.0  # at which they were booked, quote, on average
    papers: int = 0  # times their executions were asked for
    asking: bool = False  # a timer will ask the venue about it
    unknown_ns: int = 0  # since when the outcome is unknown, 0 = known
    command: str = ""  # the command it answers
    kill: str = ""  # the kill it serves
    reason: str = ""

    @property
    def leaves_lots(self) -> int:
        """What could still fill."""
        return self.qty_lots - self.filled_lots if self.status in OPEN_STATUSES else 0

    @property
    def is_open(self) -> bool:
        """Not terminal as far as the venue has told us."""
        return self.status in OPEN_STATUSES


def following(order: Order, kind: ReportKind) -> OrdStatus | None:
    """Where ``kind`` takes the order, None when the table has no such row (an anomaly)."""
    target = TRANSITIONS.get((order.status, kind))
    if target is None:
        return None
    if kind is R.STATUS and target is S.NEW and order.filled_lots:
        return S.PARTIALLY_FILLED
    return target
