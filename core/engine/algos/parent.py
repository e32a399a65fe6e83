"""A parent order: what was asked for, what its children have come to, and what the market did meanwhile."""

from __future__ import annotations

import msgspec

from bus.enums import Side

RUNNING, PAUSED, STOPPING = "RUNNING", "PAUSED", "STOPPING"
WAITING = "WAITING"  # after a restart, until the books are compared and somebody has started the core
DONE, CANCELLED, STOPPED, FAILED = "DONE", "CANCELLED", "STOPPED", "FAILED"
LIVE = (RUNNING, PAUSED, STOPPING, WAITING)
SLICED = ("twap", "vwap", "pov", "is")  # the ones that work on a time grid
ALGOS = (*SLICED, "iceberg", "sor")


class Child(msgspec.Struct):
    """One order of a parent. Legs on another instrument have lots of another size."""

    instrument: int
    parent_lots: int  # what it stands for, lots of the parent's instrument
    qty_lots: int  # lots of its own instrument
    slice: int = 0  # in which it was sent
    counted_lots: int = 0  # of its executions, lots of its own instrument

    def in_parent(self, lots: int) -> int:
        """``lots`` of its own in lots of the parent, a begun one counted whole: never less than has traded."""
        return -(-lots * self.parent_lots // self.qty_lots)


class Tape(msgspec.Struct):
    """What has been learned of an instrument's volume. Lots; hours of the week from Monday 00:00 UTC."""

    since_ns: int = 0  # watched without a break since
    since_lots: int = 0  # MARKET.volume_lots then
    hour_lots: int = 0  # MARKET.volume_lots when the present hour began, -1 = not watched from its beginning
    volume: dict[int, float] = {}  # hour of the week -> lots traded in it, summed over the times it was seen
    seen: dict[int, float] = {}  # hour of the week -> times it was seen whole


class Parent(msgspec.Struct, kw_only=True):
    """One parent. Lots and ticks of ``instrument``; mutable, written by core.engine.algos only."""

    id: str  # prefix of its children's intents; topic algo.<id>
    algo: str  # twap | vwap | pov | is | iceberg | sor
    instrument: int  # the one it was asked for; children may go to ``routes``
    side: Side
    qty_lots: int
    strategy: str
    limit_ticks: int = 0  # 0 = none
    reduce_only: bool = False
    status: str = RUNNING
    reason: str = ""
    command: str = ""
    operator: str = ""
    params: dict[str, float] = {}
    routes: list[int] = []  # instruments the router may use; empty = only its own
    created_ns: int = 0  # the decision: when it was asked for
    start_ns: int = 0
    end_ns: int = 0  # planned, 0 = none
    ended_ns: int = 0  # 0 = lives, or has children that could still fill
    decision_px: float = 0.0  # mark when it was asked for, quote
    arrival_px: float = 0.0  # mark when the first child could go, quote
    end_px: float = 0.0  # mark when it ended, quote
    volume_start: int = 0  # MARKET.volume_lots at start
    turnover_start: float = 0.0
    volume_end: int = 0
    turnover_end: float = 0.0
    schedule: list[int] = []  # cumulative lots due at the end of each slice
    slice_ns: int = 0
    next_slice: int = 0
    children: list[str] = []  # client order ids, in the order they were sent; the first CHILDREN_MAX
    sent_children: int = 0
    filled_lots: int = 0
    filled_value: float = 0.0  # sum of lots x price, quote
    fees: float = 0.0  # settle currency
    maker_lots: int = 0
    denied: int = 0
    caught_up: int = 0  # slices whose catch-up was capped
    told_ns: int = 0
    note: str = ""
    # how it trades
    style: str = (
        "ioc"  # market | ioc (at the far touch) | limit (rests at the near touch until the slice ends)
    )
    venues: list[str] = []  # as asked for; empty = only its own
    weights: list[float] = []  # volume curve of the slices (vwap)
    model: str = ""  # of ``estimate``
    estimate: dict[str, float] = {}  # what the model expects; units in the names
    # where it stands
    final: str = ""  # what STOPPING ends in
    wake_ns: int = 0  # when it wants to act next, 0 = not by itself
    slice: int = -1  # the one being worked
    target_lots: int = 0  # what may be committed by now, cumulative
    cap_lots: int = 0  # what this slice may send in all: its plan and the catch-up
    slice_lots: int = 0  # what this slice has sent
    legs: dict[str, Child] = {}  # children by client order id
    open: dict[str, None] = {}  # those that could still fill
    rejected: int = 0  # by venues
    failed_row: int = 0  # denials and rejections in a row
    rolled_lots: int = 0  # what children of earlier slices left and this slice may still send
    arrived: bool = False
    back_to: str = ""  # what WAITING leads back to
    stalled: bool = False
    overfilled: bool = False
    waiters: list[str] = []  # commands that are answered when it has ended
    # what the market did
    arrival_bid: float = 0.0  # quote, 0 = none
    arrival_ask: float = 0.0
    slice_px: list[float] = []  # mark at the begin of each slice worked, quote
    slice_volume: list[int] = []  # MARKET.volume_lots then
    others_lots: int = 0  # volume of others since the start (pov)
    seen_lots: int = 0  # MARKET.volume_lots when last looked at (pov)
    own_lots: int = 0  # own executions since then (pov)
    fills: list[tuple[int, int, float, float, bool, float, int]] = []
    # (ts_ns, lots of its instrument, price quote, fee settle, maker, mark at the fill quote, instrument)

    @property
    def alive(self) -> bool:
        """Not ended."""
        return self.status in LIVE

    @property
    def side_sign(self) -> int:
        """+1 buy, -1 sell."""
        return 1 if self.side is Side.BUY else -1

    @property
    def avg_px(self) -> float | None:
        """Of what has filled, quote."""
        return self.filled_value / self.filled_lots if self.filled_lots else None
