"""An order and the one table that moves it.

    (status, report) -> status

Rule: everything that decides an order's status lives in ``TRANSITIONS``. What is not in the table is an
anomaly and changes nothing. The real world is in it: a fill after a cancel is booked and the order stays
cancelled (late), a fill that outruns its acknowledgement is a fill, and an unknown outcome is a state of its
own which only the venue's word ends. TRADE and REPLACED rows say where an order goes while lots remain; when
none remain it is FILLED, whatever the row says.

NEW, PARTIALLY_FILLED and PENDING_REPLACE are three faces of "the venue works it": which one shows depends on
what has filled and on whether an amendment is unanswered, so a row that leads to NEW is read by ``face``.
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
    # amendment sent: see amend.py for what its answer books
    (S.PENDING_REPLACE, R.ACK): S.PENDING_REPLACE,
    (S.PENDING_REPLACE, R.REJECTED): S.REJECTED,
    (S.PENDING_REPLACE, R.TRADE): S.PENDING_REPLACE,
    (S.PENDING_REPLACE, R.CANCELED): S.CANCELED,
    (S.PENDING_REPLACE, R.EXPIRED): S.EXPIRED,
    (
        S.PENDING_REPLACE,
        R.STATUS,
    ): S.PENDING_REPLACE,  # read as one of the two answers below once it shows which
    (S.PENDING_REPLACE, R.UNKNOWN): S.PENDING_REPLACE,
    (S.PENDING_REPLACE, R.NOT_FOUND): S.PENDING_UNKNOWN,
    (S.PENDING_REPLACE, R.CANCEL_REJECTED): S.PENDING_REPLACE,
    (S.PENDING_REPLACE, R.CANCEL_UNKNOWN): S.PENDING_REPLACE,
    (S.PENDING_REPLACE, R.REPLACED): S.NEW,
    (S.PENDING_REPLACE, R.REPLACE_REJECTED): S.NEW,
    (S.PENDING_REPLACE, R.REPLACE_UNKNOWN): S.PENDING_UNKNOWN,
    (S.PENDING_REPLACE, R.SUSPENDED): S.SUSPENDED,
    # an amendment's answer, wherever the order has gone meanwhile
    (S.NEW, R.REPLACED): S.NEW,
    (S.NEW, R.REPLACE_REJECTED): S.NEW,
    (S.NEW, R.REPLACE_UNKNOWN): S.NEW,
    (S.PARTIALLY_FILLED, R.REPLACED): S.PARTIALLY_FILLED,
    (S.PARTIALLY_FILLED, R.REPLACE_REJECTED): S.PARTIALLY_FILLED,
    (S.PARTIALLY_FILLED, R.REPLACE_UNKNOWN): S.PARTIALLY_FILLED,
    (S.PENDING_CANCEL, R.REPLACED): S.PENDING_CANCEL,
    (S.PENDING_CANCEL, R.REPLACE_REJECTED): S.PENDING_CANCEL,
    (S.PENDING_CANCEL, R.REPLACE_UNKNOWN): S.PENDING_CANCEL,
    (S.PENDING_UNKNOWN, R.REPLACED): S.NEW,
    (S.PENDING_UNKNOWN, R.REPLACE_REJECTED): S.PENDING_UNKNOWN,  # refused, perhaps because it is gone
    (S.PENDING_UNKNOWN, R.REPLACE_UNKNOWN): S.PENDING_UNKNOWN,
    (S.FILLED, R.REPLACED): S.NEW,  # enlarged after all: what was filled is open again, if lots remain
    (S.FILLED, R.REPLACE_REJECTED): S.FILLED,
    (S.FILLED, R.REPLACE_UNKNOWN): S.FILLED,
    (S.CANCELED, R.REPLACED): S.CANCELED,
    (S.CANCELED, R.REPLACE_REJECTED): S.CANCELED,
    (S.CANCELED, R.REPLACE_UNKNOWN): S.CANCELED,
    (S.REJECTED, R.REPLACE_REJECTED): S.REJECTED,
    (S.REJECTED, R.REPLACE_UNKNOWN): S.REJECTED,
    (S.EXPIRED, R.REPLACED): S.EXPIRED,
    (S.EXPIRED, R.REPLACE_REJECTED): S.EXPIRED,
    (S.EXPIRED, R.REPLACE_UNKNOWN): S.EXPIRED,
    # put aside by the venue; it may come back, so all of it still counts
    (S.PENDING_NEW, R.SUSPENDED): S.SUSPENDED,
    (S.NEW, R.SUSPENDED): S.SUSPENDED,
    (S.PARTIALLY_FILLED, R.SUSPENDED): S.SUSPENDED,
    (S.PENDING_CANCEL, R.SUSPENDED): S.PENDING_CANCEL,
    (S.PENDING_UNKNOWN, R.SUSPENDED): S.SUSPENDED,
    (S.SUSPENDED, R.ACK): S.NEW,
    (S.SUSPENDED, R.STATUS): S.NEW,
    (S.SUSPENDED, R.TRADE): S.SUSPENDED,
    (S.SUSPENDED, R.REJECTED): S.REJECTED,
    (S.SUSPENDED, R.CANCELED): S.CANCELED,
    (S.SUSPENDED, R.EXPIRED): S.EXPIRED,
    (S.SUSPENDED, R.UNKNOWN): S.SUSPENDED,
    (S.SUSPENDED, R.NOT_FOUND): S.PENDING_UNKNOWN,
    (S.SUSPENDED, R.CANCEL_REJECTED): S.SUSPENDED,
    (S.SUSPENDED, R.CANCEL_UNKNOWN): S.SUSPENDED,
    (S.SUSPENDED, R.REPLACED): S.SUSPENDED,
    (S.SUSPENDED, R.REPLACE_REJECTED): S.SUSPENDED,
    (S.SUSPENDED, R.REPLACE_UNKNOWN): S.SUSPENDED,
    (S.SUSPENDED, R.SUSPENDED): S.SUSPENDED,
    (S.FILLED, R.SUSPENDED): S.FILLED,
    (S.CANCELED, R.SUSPENDED): S.SUSPENDED,  # shown as alive, like STATUS below
    (S.REJECTED, R.SUSPENDED): S.SUSPENDED,
    (S.EXPIRED, R.SUSPENDED): S.SUSPENDED,
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

FACES = (S.NEW, S.PARTIALLY_FILLED)
NOT_FOUND_MAX = 3  # consecutive "never heard of it" answers, spaced by queries, that end an unknown order


class Order(msgspec.Struct, kw_only=True):
    """One order, ours or adopted. Lots and ticks; mutable, written by the oms only.

    What is given when one is made stands first: a keyword is looked for from the front, and the last of forty costs
    as much as the rest of the making.
    """

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
    sent_px: float = 0.0  # mark when it was sent, quote, 0 = none
    command: str = ""  # the command it answers
    kill: str = ""  # the kill it serves
    stop_ticks: int = 0  # STOP only: the trigger
    list_id: str = ""  # the order list it is a leg of
    protects: bool = False  # a protective stop: lists.py and kill.py say when a stop of ours leaves it alone
    parent: str = ""  # the execution algorithm it is a child of
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
    reason: str = ""
    expect_px: float = 0.0  # average price the book showed for it when it was sent, quote, 0 = nobody looked
    heard_ns: int = 0  # when the venue first said anything of it
    unsure: bool = False  # its outcome has been unknown for a time
    revision: int = 0  # amendments asked for
    answered: int = 0  # the latest of them that the venue has answered
    refused: int = 0  # the latest of them that was refused or given up
    want_lots: int = 0  # whole quantity of the amendment on its way, 0 = none is
    want_ticks: int = 0
    want_stop: int = 0
    unseen: int = 0  # answers that showed the order without it
    unseen_ns: int = 0  # when one was last counted

    @property
    def leaves_lots(self) -> int:
        """FIX 151: what is left of the quantity as it stands."""
        return max(self.qty_lots - self.filled_lots, 0) if self.status in OPEN_STATUSES else 0

    @property
    def unfilled_lots(self) -> int:
        """What could still fill if the order is open: under an amendment the larger of both quantities counts."""
        return max(self.qty_lots, self.want_lots, self.filled_lots) - self.filled_lots

    @property
    def working_lots(self) -> int:
        """What could still fill; the working sums of POSITION are made of this."""
        return self.unfilled_lots if self.status in OPEN_STATUSES else 0

    @property
    def is_open(self) -> bool:
        """Not terminal as far as the venue has told us."""
        return self.status in OPEN_STATUSES


def following(order: Order, kind: ReportKind) -> OrdStatus | None:
    """Where ``kind`` takes the order, None when the table has no such row (an anomaly)."""
    target = TRANSITIONS.get((order.status, kind))
    return face(order, target) if target in (*FACES, S.PENDING_REPLACE) else target


def book_want(order: Order) -> None:
    """The amendment on its way has taken."""
    order.qty_lots, order.price_ticks, order.stop_ticks = order.want_lots, order.want_ticks, order.want_stop
    forget_want(order)


def forget_want(order: Order) -> None:
    """No amendment is on its way."""
    order.want_lots = order.want_ticks = order.want_stop = order.unseen = 0


def face(order: Order, target: OrdStatus) -> OrdStatus:
    """Which of the three faces of a working order it shows."""
    if order.want_lots:
        return S.PENDING_REPLACE
    if order.filled_lots:
        return S.PARTIALLY_FILLED
    return S.NEW if target is S.PENDING_REPLACE else target
