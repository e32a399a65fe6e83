"""How many requests a second one client may make of the core.

A client that floods must not become the core's flood. Beyond its rate a request is refused by name at the door,
before the engine, the journal or the audit trail have heard of it: a refusal there costs a twentieth of what a denial
in the gate costs. What stops is never throttled, and one client's flood takes nothing from another's budget. Over TCP
a client is its key, however many connections it opens; on the local socket everybody is the owner, so there it is the
connection: a bot that floods must not keep the same person's console from re-arming.
"""

from __future__ import annotations

SECOND_NS = 1_000_000_000
CLIENTS_MAX = 1024  # remembered; the longest known is forgotten first


class Throttle:
    """A token bucket a client. ``rate_per_s`` 0 = off; ``burst_s`` seconds' worth may come at once."""

    def __init__(self, rate_per_s: float, burst_s: float = 2.0) -> None:
        self.rate_per_s = rate_per_s
        self._cost_ns = int(SECOND_NS / rate_per_s) if rate_per_s > 0 else 0
        self._slack_ns = int(burst_s * SECOND_NS)
        self._full_ns: dict[str | bytes, int] = {}  # when the client's bucket would be full again
        self.refused = 0

    def empty(self, client: str | bytes, now_ns: int) -> bool:
        """Whether ``client`` would be refused now. Takes nothing."""
        full_ns = self._full_ns.get(client)
        return full_ns is not None and full_ns + self._cost_ns - now_ns > self._slack_ns

    def admits(self, client: str | bytes, now_ns: int) -> bool:
        """Take one token of ``client``'s; False when there is none."""
        if not self._cost_ns:
            return True
        full_ns = max(self._full_ns.get(client, 0), now_ns) + self._cost_ns
        if full_ns - now_ns > self._slack_ns:
            return False
        if len(self._full_ns) >= CLIENTS_MAX and client not in self._full_ns:
            del self._full_ns[next(iter(self._full_ns))]
        self._full_ns[client] = full_ns
        return True
