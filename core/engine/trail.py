"""What a step decided, as audit lines: from the event, its effects and the state they left.

Effects are the decisions, so nothing in the engine has to remember to report: an order that leaves has a line because
it *is* a NewOrder, whichever room made it. The function is pure, so a replay makes the same lines and recovery compares
them with what was stored (``core.app.rebuild``); it runs after what lowers risk has left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from bus import trail
from bus.effects import CancelOrder, Effect, MassCancel, NewOrder, Publish, ReplaceOrder, Reply
from bus.enums import Purpose
from bus.events import Boot, Command, Event
from bus.trail import Line
from bus.views import AuditView, DeniedView
from core.engine.config import EngineConfig
from core.engine.market import Ticks
from core.engine.orders import Order
from core.engine.scopes import in_scope
from core.engine.state import State

SAID = ("accepted", "done", "failed")  # a rejection has its line from the engine, progress decides nothing
DETAIL_MAX = 300  # characters
CHANGES_MAX = 500  # of the configuration at one boot
_DERIVED = ("day_opens_ns",)  # computed at each start, not configured


def lines(state: State, event: Event | Ticks, effects: Sequence[Effect]) -> bytes:
    """The encoded lines of one step; empty when it decided nothing."""
    found: list[Line] = []
    for effect in effects:
        line = _line(state, event, effect)
        if line is not None:
            found.append(line)
    if isinstance(event, Boot):
        found += _boot(state, event)
    return trail.encode(found)


def _line(state: State, event: Event | Ticks, effect: Effect) -> Line | None:
    if isinstance(effect, Publish):
        return _said(event, effect)
    if isinstance(effect, NewOrder):
        return _order(state, event, effect)
    if isinstance(effect, CancelOrder):
        return _cancel(state, event, effect)
    if isinstance(effect, Reply):
        return _reply(event, effect) if effect.status in SAID else None
    if isinstance(effect, ReplaceOrder):
        return _replace(state, event, effect)
    if isinstance(effect, MassCancel):
        symbol = state.specs[effect.instrument].symbol if effect.instrument >= 0 else ""
        venue = state.config.venues[effect.venue]
        return Line(trail.MASS_CANCEL, "core", venue, "asked", symbol=symbol, command=_command(event))
    return None


def _said(event: Event | Ticks, effect: Publish) -> Line | None:
    view = effect.data
    if isinstance(view, AuditView):
        detail = view.detail[:DETAIL_MAX]
        role = _role(event, view.who)
        return Line(view.what, view.who, view.target, view.result, detail, role, command=_command(event))
    if isinstance(view, DeniedView):
        return Line(
            trail.DENIED,
            view.strategy,
            view.symbol,
            view.code,
            view.detail[:DETAIL_MAX],
            command=_command(event),
            symbol=view.symbol,
            side=view.side,
            qty=view.qty,
            layer=view.layer,
            value=view.value,
            limit=view.limit,
            scope=view.scope,
        )
    return None


def _order(state: State, event: Event | Ticks, effect: NewOrder) -> Line:
    spec = state.specs[effect.instrument]
    order = state.cold.orders.get(effect.cl_ord_id)
    who = _owner(event, order)
    price = spec.price_of(effect.price_ticks) if effect.price_ticks else None
    stop = f" stop {spec.price_of(effect.stop_ticks):.12g}" if effect.stop_ticks else ""
    why = order.purpose.name.lower() if order else ""
    reducing = " reducing" if effect.approval.reducing else ""
    return Line(
        trail.ORDER,
        who,
        spec.venue,
        "approved",
        f"{why} {effect.ord_type.name.lower()} {effect.tif.name.lower()}{stop}{reducing}",
        _role(event, who),
        order=effect.cl_ord_id,
        command=order.command if order else "",
        symbol=spec.symbol,
        side=effect.side.name.lower(),
        qty=spec.qty_of(effect.qty_lots),
        price=price,
        layers=effect.approval.layers,
    )


def _replace(state: State, event: Event | Ticks, effect: ReplaceOrder) -> Line:
    spec = state.specs[effect.instrument]
    order = state.cold.orders.get(effect.cl_ord_id)
    return Line(
        trail.REPLACE,
        _owner(event, order),
        spec.venue,
        "approved",
        f"revision {effect.revision}",
        _role(event, _owner(event, order)),
        order=effect.cl_ord_id,
        command=_command(event),
        symbol=spec.symbol,
        side=order.side.name.lower() if order else "",
        qty=spec.qty_of(effect.qty_lots),
        price=spec.price_of(effect.price_ticks) if effect.price_ticks else None,
        layers=effect.approval.layers,
    )


def _cancel(state: State, event: Event | Ticks, effect: CancelOrder) -> Line:
    spec = state.specs[effect.instrument]
    order = state.cold.orders.get(effect.cl_ord_id)
    who = _canceller(state, event, order)
    again = f"request {order.cancels}" if order and order.cancels > 1 else ""
    return Line(
        trail.CANCEL,
        who,
        spec.venue,
        "asked",
        again,
        _role(event, who),
        order=effect.cl_ord_id,
        command=_command(event),
        symbol=spec.symbol,
    )


def _reply(event: Event | Ticks, effect: Reply) -> Line:
    result = f"{effect.status} {effect.error_code}".rstrip()
    if isinstance(event, Command) and event.id == effect.id:
        return Line(
            event.type,
            event.operator,
            _target(event.data),
            result,
            event.reason[:DETAIL_MAX],
            event.role.name.lower(),
            command=effect.id,
        )
    return Line(
        trail.COMMAND, "core", effect.id, result, effect.error_message[:DETAIL_MAX], command=effect.id
    )


def sealed(effects: list[Effect], seq: int, audit: bytes) -> list[Effect]:
    """Tell the published audit views which record they stand in, and the digest of its lines.

    After the digest of the effects was taken: replay knows neither. Returns the same list.
    """
    stamp = ""
    for effect in effects:
        if isinstance(effect, Publish) and isinstance(effect.data, AuditView | DeniedView):
            stamp = stamp or trail.digest(audit)
            effect.data.seq, effect.data.hash = seq, stamp
    return effects


# --- who -----------------------------------------------------------------------------------------------------------


def _owner(event: Event | Ticks, order: Order | None) -> str:
    if order is None:
        return "core"
    if order.kill:
        return f"kill {order.kill}"
    if order.purpose is Purpose.OPERATOR and isinstance(event, Command):
        return event.operator
    return order.strategy


def _canceller(state: State, event: Event | Ticks, order: Order | None) -> str:
    """The person, else a kill that covers the order, else whoever owns it."""
    if isinstance(event, Command):
        return event.operator
    if order is None:
        return "core"
    for kill in state.cold.kills.values():
        if in_scope(state, order, kill.scope):
            return f"kill {kill.key}"
    return order.strategy


def _command(event: Event | Ticks) -> str:
    return event.id if isinstance(event, Command) else ""


def _role(event: Event | Ticks, who: str) -> str:
    return event.role.name.lower() if isinstance(event, Command) and event.operator == who else ""


def _target(data: dict[str, Any]) -> str:
    for key in ("scope", "switch", "cl_ord_id", "symbol", "name", "id", "strategy"):
        if data.get(key):
            return str(data[key])[:80]
    return "core"


# --- configuration -------------------------------------------------------------------------------------------------


def _boot(state: State, boot: Boot) -> list[Line]:
    """The fingerprints of this epoch, each setting that differs from the epoch before, limits that still stand."""
    found = [
        Line("fingerprint", "core", "configuration", boot.config_sha256),
        Line("fingerprint", "core", "build", boot.build_sha256),
    ]
    found += [Line(trail.CONFIG, "core", key, f"{old} -> {new}") for key, old, new in boot.changed]
    found += [
        Line(trail.LIMIT, "core", name, f"{limit:g}", "set by command, stands over the restart", limit=limit)
        for name, limit in sorted(state.cold.limits.items())
        if isinstance(limit, float | int) and math.isfinite(limit)
    ]
    return found


def changes(before: EngineConfig, after: EngineConfig) -> tuple[tuple[str, str, str], ...]:
    """(key, old, new) of every setting that differs, by key; ``-`` where there is none."""
    old, new = _flat(msgspec.to_builtins(before)), _flat(msgspec.to_builtins(after))
    keys = [key for key in sorted(old | new) if old.get(key) != new.get(key)]
    found = [(key, old.get(key, "-"), new.get(key, "-")) for key in keys[:CHANGES_MAX]]
    if len(keys) > CHANGES_MAX:
        found.append(("…", "", f"{len(keys) - CHANGES_MAX} more"))
    return tuple(found)


def _flat(node: Any, prefix: str = "") -> dict[str, str]:
    """Dotted keys to short texts. Rows of a list go by their id or symbol, so that one more moves no other."""
    if isinstance(node, dict) and node:
        flat: dict[str, str] = {}
        for key, value in node.items():
            if key not in _DERIVED:
                flat |= _flat(value, f"{prefix}{key}.")
        return flat
    if isinstance(node, list | tuple) and node and all(isinstance(row, dict) for row in node):
        flat = {}
        for n, row in enumerate(node):
            flat |= _flat(row, f"{prefix}{row.get('id') or row.get('symbol') or n}.")
        return flat
    return {prefix[:-1]: str(node)[:120]}
