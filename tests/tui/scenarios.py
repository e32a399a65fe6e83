"""States of a core worth looking at."""

from __future__ import annotations

from fake_core import NOW, FakeCore, S

from bus.linking import LinkChanged


def connecting() -> FakeCore:
    """Nothing heard yet."""
    core = FakeCore()
    core.link.events.append(LinkChanged("connecting"))
    core.link.figures.rtt_ms = None
    return core


def running() -> FakeCore:
    return FakeCore().running()


def live() -> FakeCore:
    return FakeCore("LIVE").running()


def stale() -> FakeCore:
    """The link is up and the core has said nothing for 14 s."""
    core = FakeCore().running()
    core.clock.advance(14)
    return core


def link_lost() -> FakeCore:
    core = FakeCore().running()
    core.lose()
    return core


def near_limit() -> FakeCore:
    """One switch is about to trip and everything else is well."""
    core = FakeCore().running()
    core.switch("drawdown", 0.0466, 0.05, "fraction", "halted", rate_per_min=0.0021)
    core.alert("a3", "high", "switch.drawdown", "drawdown 4.66% of 5.00%, about 2 min away", 3)
    return core


def halted() -> FakeCore:
    """Drawdown tripped, all cancelled, latched and durable."""
    core = FakeCore().running()
    core.switch(
        "drawdown", 0.0504, 0.05, "fraction", "halted", phase="LATCHED", tripped_ns=NOW - 40 * S, tripped_value=0.0504,
        durable=True, cancelled=5, cancel_total=5, reason="drawdown 5.04% >= 5.00%", receipt="5f0c2a",
    )  # fmt: skip
    for order_id in ("7-91f", "7-91c", "7-90a", "7-8f3", "7-8e0"):
        core.order(order_id, "BTC/USDT", "buy", 0.25, 64_120.0, 40, status="CANCELED")
    core.state("HALTED", latched=["drawdown@all"], reason="drawdown 5.04% >= 5.00%", since_ns=NOW - 40 * S)
    core.alert("k1", "high", "switch.drawdown", "drawdown 5.04%: halted, 5 orders cancelled", 40)
    core.audit("core", "trip", "drawdown", "halted", "value 5.04% limit 5.00%")
    core.account(962_341.0, drawdown=0.0504)
    core.heartbeat("HALTED")
    return core


def killing() -> FakeCore:
    """The operator flattens: four of five orders are gone, one position is flat, one order is not confirmed."""
    core = FakeCore().running()
    core.switch(
        "operator", None, None, "", "flattening", phase="FLATTENING", tripped_ns=NOW - 2 * S, durable=True, cancelled=4,
        cancel_total=5, flat=1, flat_total=4, unconfirmed=1, alarmed=True, operator="alice",
        reason="operator at console", receipt="5f0c2a",
    )  # fmt: skip
    for order_id in ("7-91f", "7-91c", "7-90a", "7-8f3"):
        core.order(order_id, "BTC/USDT", "buy", 0.25, 64_120.0, 40, status="CANCELED")
    core.position("AVAX/USDT", 0.0, 0.0, 38.0, realized=-9.0)
    core.state(
        "FLATTENING",
        latched=["operator@all"],
        operator="alice",
        reason="operator at console",
        since_ns=NOW - 2 * S,
    )
    core.alert("k1", "high", "switch.operator", "kill: order 7-8e0 not confirmed by sim after 2 s", 1)
    core.audit("alice", "pull operator", "all", "FLATTENING", "operator at console")
    core.audit("core", "cancelled", "7-91f", "sim", "BTC/USDT buy 0.25")
    core.audit("core", "cancelled", "7-90a", "sim", "SOL/USDT buy 40")
    core.audit("core", "query", "7-8e0", "sim", "no answer to cancel in 1 s")
    core.heartbeat("FLATTENING")
    return core


def flood() -> FakeCore:
    core = FakeCore().running()
    for i in range(14):
        core.alert(f"f{i}", "low", "venue.sim", f"order {i} rejected: rate limit", 100 - i)
    for i in range(4):
        core.alert(f"m{i}", "medium", f"switch.s{i}", f"switch s{i} above 80% of its limit", 50 - i)
    core.alert("h1", "high", "venue.sim", "venue refuses every order since 14:02:10", 70)
    core.alert("h3", "high", "venue.sim", "2 of 2 cancels not confirmed by sim", 60)
    core.alert("h2", "high", "guardian", "guardian has not been heard for 3 s", 5)
    return core


def algos() -> FakeCore:
    """Five algorithms, each in a state of its own."""
    core = FakeCore()
    core.algos()
    return core.running()


SCENARIOS = {
    f.__name__: f
    for f in (connecting, running, algos, live, stale, link_lost, near_limit, halted, killing, flood)
}
