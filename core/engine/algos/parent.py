"""A parent order: what was asked for, what its children have come to, and what the market did meanwhile."""

from __future__ import annotations

import msgspec

from bus.enums import Side

RUNNING, PAUSED, STOPPING = "RUNNING", "PAUSED", "STOPPING"
DONE, CANCELLED, STOPPED, FAILED = "DONE", "CANCELLED", "STOPPED", "FAILED"
LIVE = (RUNNING, PAUSED, STOPPING)


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
    end_ns: int = 0  # planned
    ended_ns: int = 0  # 0 = lives
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
    children: list[str] = []  # client order ids, in the order they were sent
    sent_children: int = 0
    filled_lots: int = 0
    filled_value: float = 0.0  # sum of lots x price, quote
    fees: float = 0.0  # settle currency
    maker_lots: int = 0
    denied: int = 0
    caught_up: int = 0  # slices whose catch-up was capped
    told_ns: int = 0
    note: str = ""

    @property
    def alive(self) -> bool:
        """Not ended."""
        return self.status in LIVE

    @property
    def side_sign(self) -> int:
        """+1 buy, -1 sell."""
        return 1 if self.side is Side.BUY else -1
