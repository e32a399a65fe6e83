"""An order list: orders that stand or fall together, and how much of them is still to be guarded."""

from __future__ import annotations

import msgspec

from bus.enums import Side

OCO, BRACKET = "oco", "bracket"
WORKING, ENDED = "WORKING", "ENDED"


class OrderList(msgspec.Struct, kw_only=True):
    """One list. Lots and ticks of ``instrument``; mutable, written by core.engine.lists only."""

    id: str
    kind: str  # oco | bracket
    instrument: int
    exit_side: Side  # of both exits
    qty_lots: int  # asked for: of the entry (bracket), of each exit (oco)
    strategy: str
    take_ticks: int = 0  # limit price of the take-profit, 0 = none
    stop_ticks: int = 0  # trigger of the protective stop, 0 = none
    entry: str = ""  # client order ids: of the entry ("" = oco: what is held already) …
    take: str = ""  # … and of the present exits
    stop: str = ""
    takes: int = 0  # exits sent so far: part of the next one's intent
    stops: int = 0
    entered_lots: int = 0  # what the entry has filled (oco: what was held for it)
    exited_lots: int = 0  # what exits have filled, earlier ones too
    released_lots: int = 0  # closed by somebody else: no longer ours to guard
    guard_lots: int = 0  # size of its exits now: the claim, as far as the account holds that much
    take_off: bool = False  # this exit is not wanted any more
    stop_off: bool = False
    moving: str = ""  # the take-profit we have cancelled ourselves, to place it anew
    failures: int = 0  # stops sent in a row of which none came to stand
    due_ns: int = 0  # no new stop before
    take_due_ns: int = 0  # no new take-profit before
    timer_ns: int = 0  # when its next look is due
    status: str = WORKING
    reason: str = ""
    note: str = ""  # the gate's last refusal of an exit
    operator: str = ""
    created_ns: int = 0
    ended_ns: int = 0

    @property
    def exit_sign(self) -> int:
        """+1 when its exits buy."""
        return 1 if self.exit_side is Side.BUY else -1

    @property
    def claim_lots(self) -> int:
        """What is still to be guarded."""
        return max(self.entered_lots - self.exited_lots - self.released_lots, 0)
