"""How many requests a second one identity may make of the core.

A client that floods must not become the core's flood. Beyond its rate a request is refused by name at the door, before
the engine, the journal or the audit trail have heard of it: a refusal there costs a twentieth of what a denial in
the gate costs. What stops is never throttled, and one identity's flood takes nothing from another's budget.
"""

from __future__ import annotations

SECOND_NS = 1_000_000_000
IDENTITIES_MAX = 1024  # remembered; there are as many as there are keys, so this is never reached by accident


class Throttle:
    """A token bucket an identity. ``rate_per_s`` 0 = off; ``burst_s`` seconds' worth may come at once."""

    def __init__(self, rate_per_s: float, burst_s: float = 2.0) -> None:
        self.rate_per_s = rate_per_s
        self._cost_ns = int(SECOND_NS / rate_per_s) if rate_per_s > 0 else 0
        self._slack_ns = int(burst_s * SECOND_NS)
        self._full_ns: dict[str, int] = {}  # when the identity's bucket would be full again
        self.refused = 0

    def admits(self, name: str, now_ns: int) -> bool:
        """Take one token of ``name``'s; False when there is none."""
        if not self._cost_ns:
            return True
        full_ns = max(self._full_ns.get(name, 0), now_ns) + self._cost_ns
        if full_ns - now_ns > self._slack_ns:
            self.refused += 1
            return False
        if len(self._full_ns) >= IDENTITIES_MAX and name not in self._full_ns:
            self._full_ns.clear()
        self._full_ns[name] = full_ns
        return True
