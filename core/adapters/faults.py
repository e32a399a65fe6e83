"""What a venue can do to you, on a plan, from a seed.

Each fault is something that has hurt people at real venues. A fault is active in time windows, or from the
moment it is switched on until it is switched off, strikes with a probability, and can be limited in
count. So every fault is bounded or clearable: a kill that retries can in the end succeed, and one that
cannot must alarm. Answers to queries are the truth unless a fault named here says otherwise.

    hang               requests vanish: no effect, no answer, queries too
    reject             orders, amendments and cancels are refused, definitely
    half_fill          a taker gets half of its lots, the rest is cancelled by the venue
    disconnect         the link is down: requests may or may not arrive (UNKNOWN), reports are lost, queries fail
    reorder            reports overtake each other
    fill_after_cancel  the order was filled before the cancel, and the TRADE comes after the CANCELED
    duplicate          the same report twice
    lie                a cancel is confirmed but the order stays, once an order; positions are answered flat, once
    late               reports come seconds later
    fail_queries       open-order and position queries fail
"""

from __future__ import annotations

import random

import msgspec

FAULTS: tuple[str, ...] = (
    "hang",
    "reject",
    "half_fill",
    "disconnect",
    "reorder",
    "fill_after_cancel",
    "duplicate",
    "lie",
    "late",
    "fail_queries",
)

FOREVER_NS = 2**62
UNLIMITED = 2**62


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault in one window ``from_ns <= t < until_ns`` (ns UTC)."""

    name: str
    probability: float = 1.0
    from_ns: int = 0
    until_ns: int = FOREVER_NS
    limit: int = UNLIMITED  # strikes, then it is spent

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise ValueError(f"unknown fault {self.name!r}: one of {', '.join(FAULTS)}")
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"fault {self.name}: probability {self.probability} is not within 0..1")

    def covers(self, now_ns: int) -> bool:
        return self.from_ns <= now_ns < self.until_ns


class FaultPlan:
    """Seeded faults; can be changed while the venue runs. ``counts`` says how often each struck."""

    def __init__(self, faults: tuple[Fault, ...] = (), *, seed: int = 0) -> None:
        self.faults = list(faults)
        self.counts: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self.version = 0  # grows with every change, so that a venue notices
        self._spent: dict[Fault, int] = {}
        self._random = random.Random(f"faults-{seed}")  # noqa: S311  (a simulation)

    def on(
        self,
        name: str,
        *,
        probability: float = 1.0,
        from_ns: int = 0,
        until_ns: int = FOREVER_NS,
        limit: int = UNLIMITED,
    ) -> FaultPlan:
        """Add a fault; returns the plan. Raises ValueError for an unknown name."""
        fault = Fault(name=name, probability=probability, from_ns=from_ns, until_ns=until_ns, limit=limit)
        self.faults.append(fault)
        self._spent.pop(fault, None)
        self.version += 1
        return self

    def off(self, name: str) -> None:
        """Clear every window of one fault."""
        self.faults = [fault for fault in self.faults if fault.name != name]
        self.version += 1

    def clear(self) -> None:
        """Clear everything: the venue is well again."""
        self.faults.clear()
        self.version += 1

    def active(self, name: str, now_ns: int) -> bool:
        """Whether a fault's window is open, whatever its probability."""
        return any(fault.name == name and fault.covers(now_ns) for fault in self.faults)

    def strikes(self, name: str, now_ns: int) -> bool:
        """Whether the fault strikes this time; counts it and spends one of its limit."""
        for fault in self.faults:
            if fault.name != name or not fault.covers(now_ns):
                continue
            spent = self._spent.get(fault, 0)
            if spent < fault.limit and (
                fault.probability >= 1.0 or self._random.random() < fault.probability
            ):
                self._spent[fault] = spent + 1
                self.counts[name] += 1
                return True
        return False

    def within(self, name: str, now_ns: int) -> bool:
        """Whether the fault's window is open; counts a strike. For faults that are a state, not a chance."""
        inside = self.active(name, now_ns)
        self.counts[name] += inside
        return inside

    def next_edge_ns(self, name: str, after_ns: int) -> int:
        """When a window of ``name`` next opens or closes after ``after_ns``."""
        edges = [t for f in self.faults if f.name == name for t in (f.from_ns, f.until_ns) if t > after_ns]
        return min(edges, default=FOREVER_NS)

    def coin(self) -> bool:
        """Heads or tails, from the plan's seed."""
        return self._random.random() < 0.5

    def uniform(self, low: float, high: float) -> float:
        """A seeded number in [low, high)."""
        return low + (high - low) * self._random.random()

    def lots(self, most: int) -> int:
        """A seeded count in 1..most."""
        return self._random.randint(1, most)
