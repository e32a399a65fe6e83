"""What trading has cost at a venue: the record that core.engine.costs keeps and the router reads."""

from __future__ import annotations

import msgspec


class VenueCost(msgspec.Struct):
    """What trading one instrument at its venue has cost us: recursive means, the count behind each before it."""

    takes: int = 0  # taker executions
    fee_taker: float = 0.0  # fraction of value
    spread: float = 0.0  # fraction: paid away from the mid at sending, signed; half the effective spread
    makes: int = 0  # maker executions
    fee_maker: float = 0.0  # fraction of value
    slips: int = 0  # orders filled whole whose price was expected
    slip: float = 0.0  # fraction: paid beyond what the book showed at sending, signed
    acks: int = 0  # first words of the venue
    ack_ms: float = 0.0  # ms from request to it
    ack_p95_ms: float = 0.0  # ms, by stochastic approximation
    sent: int = 0  # orders with a verdict; halved with the two below now and then, so the old ones fade
    rejects: int = 0
    unknowns: int = 0  # orders whose outcome was unknown for a time

    @property
    def reject_rate(self) -> float:
        """Fraction of orders the venue refused."""
        return self.rejects / self.sent if self.sent else 0.0

    @property
    def unknown_rate(self) -> float:
        """Fraction of orders whose outcome was unknown for a time."""
        return min(self.unknowns / self.sent, 1.0) if self.sent else 0.0
