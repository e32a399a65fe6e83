"""Alarms: each has a cause, a consequence, an action and a time to act. What has none of these is a log line.

``TABLE`` is the rationalisation: one row per alarm code. The same table is printed in the docs and tested against
the code; raising a code that is not in it is a programming error.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import msgspec

from bus.effects import Publish
from bus.enums import Priority
from bus.views import AlertView
from core.engine.records import Alert
from core.engine.state import State

STANDING_MAX = 32  # other alarms told with each message
GONE = ("CLEARED", "ACK")
ALERTS_MAX = 512  # kept; the oldest cleared and acknowledged ones go first


class Meaning(NamedTuple):
    """One row of the rationalisation table."""

    priority: Priority
    cause: str
    consequence: str
    action: str
    act_within_s: int


H, M, L = Priority.HIGH, Priority.MEDIUM, Priority.LOW
TABLE: dict[str, Meaning] = {
    "KILL": Meaning(
        H, "a kill switch tripped or the cord was pulled", "orders are being cancelled; entries are refused",
        "watch the counts until confirmed, then find the cause before re-arming", 60,
    ),
    "KILL_UNCONFIRMED": Meaning(
        H, "the venue has not confirmed a cancel or a close in time", "orders or positions may still be live",
        "check the venue directly; close there by hand what it names", 60,
    ),
    "LATCH_NOT_STORED": Meaning(
        H, "the stop record could not be written", "the stop holds in memory; a restart comes up halted anyway",
        "free the disk; do not delete the data folder", 600,
    ),
    "LATE_FILL": Meaning(
        M, "an execution arrived for an order thought finished", "the position moved after a cancel or a reject",
        "check the position; flatten if it should be flat", 300,
    ),
    "OVERFILL": Meaning(
        H, "the venue filled more than was ordered", "the position is larger than intended",
        "check the venue's record; flatten what is too much", 60,
    ),
    "ANOMALY": Meaning(
        M, "the venue said something its protocol does not allow", "the message was ignored",
        "compare the order with the venue", 600,
    ),
    "UNKNOWN_ORDER": Meaning(
        M, "the venue reports an order that is not ours by memory", "it was adopted and counts in every limit",
        "cancel it unless someone placed it on purpose", 300,
    ),
    "UNPROTECTED": Meaning(
        H, "a protective stop is missing: refused, cancelled or expired", "the position runs without its stop",
        "close the position, or find out why the venue will not have the stop; it is tried again", 60,
    ),
    "UNKNOWN_OUTCOME": Meaning(
        M, "a request got no definite answer", "the order counts as open and as filled until the venue says",
        "wait for the query; check the venue when it stays", 120,
    ),
    "RECONCILIATION": Meaning(
        H, "the venue's positions differ from ours", "entries are blocked; the venue's word is used to close",
        "find the missing execution; then re-arm", 120,
    ),
    "RECONCILE_FAILED": Meaning(
        M, "the venue's books could not be read", "entries are blocked after two failures in a row",
        "check the link and the venue's status page", 300,
    ),
    "VENUE_DOWN": Meaning(
        M, "the link to a venue is down", "no entries there; working orders live on unseen",
        "check the link; cancel at the venue if it stays down", 60,
    ),
    "UNPRICEABLE": Meaning(
        H, "equity cannot be computed: a price or a rate is missing", "no order that adds risk passes",
        "restore the price source of what it names", 120,
    ),
    "ATTRIBUTION": Meaning(
        M, "equity and the exact ledger differ by more than rounding", "one of the two is wrong; limits go by equity",
        "compare cash and positions with the venue; keep the journal, andon replay --verify", 600,
    ),
    "JOURNAL": Meaning(
        H, "the journal cannot be written", "no entries; cancels and closes still go",
        "free the disk or fix the file system", 300,
    ),
    "STARTUP": Meaning(
        M, "the core came up without proof of a clean stop", "halted; nothing is sent that adds risk",
        "check positions and orders, re-arm `startup`, then start", 900,
    ),
    "CLOCK": Meaning(
        L, "an event was stamped earlier than one already seen", "the later time was used",
        "check time synchronisation", 3600,
    ),
    "ALGO_OVERFILLED": Meaning(
        H, "more of an algorithm's order has traded than was asked for", "the position is larger than intended",
        "check the venue's record of its children; flatten what is too much", 60,
    ),
    "ALGO_PAUSED": Meaning(
        M, "several children in a row were denied by the gate or rejected by the venue", "it sends nothing more",
        "read the reason; resume the algorithm or cancel it", 300,
    ),
    "ALGO_STALLED": Meaning(
        L, "an algorithm is several slices behind its schedule", "it will end with a part of the order not done",
        "widen its limit or its catch-up, or cancel it and send the rest another way", 600,
    ),
    "SURVEILLANCE": Meaning(
        M, "own orders or executions form a pattern that markets forbid", "nothing is stopped; the finding is audited",
        "look at the orders it names (andon surveil); stop the strategy if it is not meant", 3600,
    ),
    "NOISE": Meaning(
        L, "frames were refused on the bus", "nothing changed",
        "find the client that sends them", 3600,
    ),
    "RISK_LEVEL": Meaning(
        H, "the risk profile's level became HIGH or CRITICAL", "a move against the book would trip switches",
        "look at `andon risk profile`: it names cuts and their effect", 300,
    ),
    "RISK_STALE": Meaning(
        M, "the risk calculations have stopped, or gave something that is no result",
        "trading goes on; risk numbers on the screen are old, and limits that need them refuse entries",
        "see health.risk; restart the core when it does not recover", 600,
    ),
}  # fmt: skip


def raise_alert(state: State, code: str, source: str, message: str) -> None:
    """Raise or repeat: one row per (code, source), counted, never a flood of rows."""
    meaning = TABLE[code]
    key = f"{code}:{source}"
    now = state.cold.now_ns
    alert = state.cold.alerts.get(key)
    if alert is None:
        _make_room(state)
        alert = Alert(key, meaning.priority.value, source, message, code, now, now)
        state.cold.alerts[key] = alert
    else:
        alert.count += 1
        alert.message = message
        alert.updated_ns = now
        if alert.status in ("CLEARED", "ACK"):
            alert.status = "UNACK"
            alert.raised_ns = now
    publish(state, alert)


def clear_alert(state: State, code: str, source: str) -> None:
    """The condition is gone; the alarm stays until someone has seen it."""
    alert = state.cold.alerts.get(f"{code}:{source}")
    if alert is not None and alert.status != "CLEARED":
        alert.status = "CLEARED"
        alert.updated_ns = state.cold.now_ns
        publish(state, alert)


def publish(state: State, alert: Alert) -> None:
    """Send the alarm as it now is, and with it the others that still count: the topic holds one message."""
    message = view(alert)
    others = (
        other for other in state.cold.alerts.values() if other is not alert and other.status not in GONE
    )
    message.standing = [
        msgspec.structs.asdict(view(other)) for other in itertools.islice(others, STANDING_MAX)
    ]
    for row in message.standing:
        del row["standing"]
    state.emit(Publish("alert", "alert", message))


def view(alert: Alert) -> AlertView:
    """The alarm as subscribers see it."""
    meaning = TABLE[alert.code]
    return AlertView(
        id=alert.id,
        priority=alert.priority,
        status=alert.status,
        source=alert.source,
        message=alert.message,
        cause=meaning.cause,
        consequence=meaning.consequence,
        action=meaning.action,
        act_within_s=meaning.act_within_s,
        raised_ns=alert.raised_ns,
        updated_ns=alert.updated_ns,
        count=alert.count,
        operator=alert.operator,
        until_ns=alert.until_ns,
        reason=alert.reason,
    )


def _make_room(state: State) -> None:
    alerts = state.cold.alerts
    if len(alerts) < ALERTS_MAX:
        return
    for key in list(alerts):
        if alerts[key].status in ("CLEARED", "ACK"):
            del alerts[key]
            return
    del alerts[next(iter(alerts))]
