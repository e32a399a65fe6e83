"""``apply(view, event, mono_ns)``: the only way anything gets into a `View`.

After a Snapshot the tables equal the core's, whatever was lost or repeated before it: a snapshot first empties
them, and a Delta is an overwrite by key. What does not decode is counted and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bus.linking import Delta, LinkChanged, LinkEvent, Snapshot
from bus.views import (
    AccountView,
    AlertView,
    AlgoView,
    AuditView,
    DeniedView,
    FillView,
    HealthView,
    HeartbeatView,
    OrderView,
    PnlView,
    PositionView,
    QuoteView,
    StateView,
    StrategyView,
    SwitchView,
)
from bus.wire import Message, Reply
from tui.model.alarms import settle_silence
from tui.model.view import Curve, View

TABLES: dict[str, tuple[type[Any], str, str]] = {  # topic word -> (Struct, attribute of View, key field)
    "position": (PositionView, "positions", "symbol"),
    "order": (OrderView, "orders", "cl_ord_id"),
    "switch": (SwitchView, "switches", "name"),
    "alert": (AlertView, "alerts", "id"),
    "quote": (QuoteView, "quotes", "symbol"),
    "strategy": (StrategyView, "strategies", "id"),
    "health": (HealthView, "health", "component"),
    "algo": (AlgoView, "algos", "id"),
}
SINGLES: dict[str, tuple[type[Any], str]] = {
    "account": (AccountView, "account"),
    "state": (StateView, "state"),
    "pnl": (PnlView, "pnl"),
    "heartbeat": (HeartbeatView, "heartbeat"),
}
ORDERS_KEPT = 1000  # finished orders beyond this are forgotten, oldest first
DONE_STATUSES = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "NOT_SENT"})


def apply(view: View, event: LinkEvent, mono_ns: int) -> None:
    """Fold one link event into the view. Never raises for what the core sent."""
    if isinstance(event, Delta):
        _message(view, event.topic, event.message)
    elif isinstance(event, Snapshot):
        _snapshot(view, event)
    elif isinstance(event, LinkChanged):
        _link(view, event, mono_ns)
    elif isinstance(event, Reply):
        command = view.commands.reply(event, mono_ns)
        if command is not None:
            view.version["commands"] += 1
            if command.state != "SENT":
                settle_silence(view, event.id)


def _link(view: View, event: LinkChanged, mono_ns: int) -> None:
    view.link = event
    if event.state == "up":
        view.lost_mono_ns = 0
    elif not view.lost_mono_ns:
        view.lost_mono_ns = max(mono_ns, 1)


def _snapshot(view: View, event: Snapshot) -> None:
    if event.epoch != view.epoch:
        view.curve, view.core_ns = Curve(), 0
        view.fills.clear()
        view.audit.clear()
    view.epoch = event.epoch
    for _, attribute, _ in TABLES.values():
        getattr(view, attribute).clear()
        view.version[attribute] += 1
    for _, attribute in SINGLES.values():
        setattr(view, attribute, None)
    for topic, message in event.messages.items():
        if topic.partition(".")[0] not in ("fill", "audit"):  # tails, not state: a snapshot would repeat them
            _message(view, topic, message)
    view.snapshots += 1


def _message(view: View, topic: str, message: Message) -> None:
    word = topic.partition(".")[0]
    try:
        if word in TABLES:
            _row(view, word, message)
        elif word in SINGLES:
            kind, attribute = SINGLES[word]
            setattr(view, attribute, msgspec.convert(message.data, kind))
            view.version[attribute] += 1
            _after_single(view, word, message.ts)
        elif word in TAILS:
            TAILS[word](view, message)
    except msgspec.ValidationError:
        view.undecodable += 1
        return
    view.core_ns = max(view.core_ns, message.ts)


def _row(view: View, word: str, message: Message) -> None:
    kind, attribute, key = TABLES[word]
    row = msgspec.convert(message.data, kind)
    table: dict[str, Any] = getattr(view, attribute)
    table[getattr(row, key)] = row
    view.version[attribute] += 1
    if word == "alert":
        _standing(view, row)
    if word == "order" and len(table) > ORDERS_KEPT:
        _forget_orders(view)


def _standing(view: View, alert: AlertView) -> None:
    """Every alarm brings the others that still count: one topic, yet a late-comer's snapshot has them all."""
    for data in alert.standing:
        other = msgspec.convert(data, AlertView)
        known = view.alerts.get(other.id)
        if known is None or known.updated_ns <= other.updated_ns:
            view.alerts[other.id] = other
    alert.standing = []


def _after_single(view: View, word: str, ts_ns: int) -> None:
    if word == "account" and view.account is not None and view.account.equity is not None:
        view.curve.add(ts_ns, view.account.equity)


def _forget_orders(view: View) -> None:
    done = [o for o in view.orders.values() if o.status in DONE_STATUSES]
    done.sort(key=lambda o: o.updated_ns)
    for order in done[: max(1, len(done) // 2)]:
        del view.orders[order.cl_ord_id]


def _fill(view: View, message: Message) -> None:
    view.fills.append((message.ts, msgspec.convert(message.data, FillView)))
    view.version["fills"] += 1


def _audit(view: View, message: Message) -> None:
    denied = message.type == "denied"
    kind: type[AuditView | DeniedView] = DeniedView if denied else AuditView
    view.audit.append((message.ts, msgspec.convert(message.data, kind)))
    view.denied += denied
    view.version["audit"] += 1


TAILS: dict[str, Callable[[View, Message], None]] = {"fill": _fill, "audit": _audit}
