"""The vocabulary. FIX names and codes where FIX has them; one word, one meaning.

Everything here is an int or str enum so that it crosses the wire and the journal as a plain value.
Numbers are never reused.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class TradingState(IntEnum):
    """The ladder. The effective state of an order is the most severe of its scopes."""

    ACTIVE = 0
    REDUCING = 1
    HALTED = 2
    FLATTENING = 3
    SHUTDOWN = 4


class KillPhase(IntEnum):
    """Phases of one kill. It leaves a phase only on the venue's word, never on hope."""

    ARMED = 0
    CANCELLING = 1
    FLATTENING = 2
    LATCHED = 3


class Side(IntEnum):
    """FIX 54."""

    BUY = 1
    SELL = 2


class OrdType(IntEnum):
    """FIX 40."""

    MARKET = 1
    LIMIT = 2
    STOP = 3  # rests at the venue unseen, becomes a market order when the price touches ``stop_ticks``


class TimeInForce(IntEnum):
    """FIX 59."""

    GTC = 1
    IOC = 3
    FOK = 4


class OrdStatus(IntEnum):
    """FIX 39 where it has a name for it, and the two states the real world adds."""

    PENDING_NEW = 0
    NEW = 1
    PARTIALLY_FILLED = 2
    PENDING_CANCEL = 3
    PENDING_UNKNOWN = 4  # sent, outcome unknown: counted as open and as filled until a query resolves it
    FILLED = 5
    CANCELED = 6
    REJECTED = 7
    EXPIRED = 8
    NOT_SENT = 9  # withdrawn by us before it reached the venue
    PENDING_REPLACE = 10  # an amendment is on its way; counted with the larger of both quantities
    SUSPENDED = 11  # the venue has put it aside; it may come back


class ReportKind(IntEnum):
    """What a venue (or its adapter) can say about an order. FIX 150 and the adapter's own words."""

    ACK = 0
    REJECTED = 1  # a definite refusal by the venue
    TRADE = 2
    CANCELED = 3
    CANCEL_REJECTED = 4
    EXPIRED = 5
    UNKNOWN = 6  # timeout, disconnect, 5xx on submit: the order may live
    CANCEL_UNKNOWN = 7  # the same on a cancel
    STATUS = (
        8  # answer to a query: as it stands, with cum_lots; open, unless ``order_lots`` shows nothing left
    )
    NOT_FOUND = 9  # answer to a query: the venue has never heard of it
    NOT_SENT = 10  # withdrawn by the performer before it left
    REPLACED = 11  # an amendment took: ``order_lots`` and ``order_ticks`` are what holds now
    REPLACE_REJECTED = 12  # the order stands as it was
    REPLACE_UNKNOWN = 13  # timeout, disconnect, 5xx on an amendment
    SUSPENDED = 14


class GateLayer(IntEnum):
    """The nine layers in their fixed order; the first refusal wins."""

    FORM = 1
    AUTHORITY = 2
    STATE = 3
    DATA = 4
    PRICE = 5
    SIZE = 6
    FLOW = 7
    EXPOSURE = 8
    LOSS = 9


class Purpose(IntEnum):
    """Why an order exists. Only KILL orders may leave while HALTED or worse without an operator's request."""

    STRATEGY = 0
    OPERATOR = 1
    KILL = 2
    ADOPTED = 3  # found at the venue, not ours by memory
    ALGO = 4  # a child of an execution algorithm


class Switch(StrEnum):
    """Kill switches. The first six are the specification's; the others are what incidents have taught."""

    DRAWDOWN = "drawdown"
    POSITION_LOSS = "position_loss"
    DAILY_LOSS = "daily_loss"
    EMERGENCY = "emergency"
    LEVERAGE = "leverage"
    MARGIN = "margin"
    STALE_DATA = "stale_data"
    VENUE_DOWN = "venue_down"
    ORDER_RATE = "order_rate"
    REJECT_RATE = "reject_rate"
    RECONCILIATION = "reconciliation"
    JOURNAL = "journal"
    OPERATOR = "operator"
    REPEATED_EXECUTION = "repeated_execution"
    STARTUP = "startup"  # came up without proof of a clean stop


class Role(IntEnum):
    """viewer < trader < operator < admin."""

    VIEWER = 0
    TRADER = 1
    OPERATOR = 2
    ADMIN = 3


class Priority(StrEnum):
    """Alarm priority (ISA-18.2)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


OPEN_STATUSES = frozenset(
    {
        OrdStatus.PENDING_NEW,
        OrdStatus.NEW,
        OrdStatus.PARTIALLY_FILLED,
        OrdStatus.PENDING_CANCEL,
        OrdStatus.PENDING_UNKNOWN,
        OrdStatus.PENDING_REPLACE,
        OrdStatus.SUSPENDED,
    }
)

LEVEL_STATES = {
    "reduce": TradingState.REDUCING,
    "halt": TradingState.HALTED,
    "flatten": TradingState.FLATTENING,
    "shutdown": TradingState.SHUTDOWN,
}
