"""What a venue adapter is, from the core's side.

An adapter is given effects and posts events back; it never calls the engine. In-process venues (simulated,
replay) are *synchronous and sans-I/O*: they are told the time, and they are asked what has come due. The
same object then serves the simulation suite (virtual time), replay (tape time) and paper trading (wall time).
"""

from __future__ import annotations

from typing import Protocol

from bus.effects import CancelOrder, MassCancel, NewOrder, QueryOpen, QueryOrder, QueryPositions, ReplaceOrder
from bus.events import Depth, Funding, OpenOrders, Positions, Report, VenueStatus
from core.kernels.tables import Table

VenueEvent = Report | OpenOrders | Positions | VenueStatus | Funding | Depth


class Venue(Protocol):
    """One venue, driven by virtual or wall time. All times are ns UTC."""

    id: int  # venue id, the value of ``effect.venue``

    def submit(self, order: NewOrder, now_ns: int) -> None: ...
    def replace(self, order: ReplaceOrder, now_ns: int) -> None: ...
    def cancel(self, order: CancelOrder, now_ns: int) -> None: ...
    def mass_cancel(self, request: MassCancel, now_ns: int) -> None: ...
    def query_order(self, request: QueryOrder, now_ns: int) -> None: ...
    def query_open(self, request: QueryOpen, now_ns: int) -> None: ...
    def query_positions(self, request: QueryPositions, now_ns: int) -> None: ...

    def next_due_ns(self) -> int:
        """When the next event comes due; a very large number when none is pending."""
        ...

    def due(self, now_ns: int) -> list[VenueEvent]:
        """Pop every event due at or before ``now_ns``, in order, stamped with its due time."""
        ...

    def first_touch(self, ticks: Table) -> int:
        """How many leading rows of ``ticks`` may pass before the venue acts on one (fills, triggers).

        Returns the index *after* the first acting row, ``len(ticks)`` if none acts. Pure: changes nothing.
        The driver cuts blocks there so that fills interleave with ticks exactly.
        """
        ...

    def on_ticks(self, ticks: Table) -> None:
        """Apply market data: move the book, fill resting orders; resulting events become due later."""
        ...
