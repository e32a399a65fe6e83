"""Commands about orders that work already, and about orders that belong together: change one, place a list."""

from __future__ import annotations

from typing import Any

import msgspec

from bus.enums import Side, TradingState
from bus.events import Command
from core.engine import amend, announce, list_stops, lists, oms, trading, waits
from core.engine.gate import Denial, Wish
from core.engine.listed import BRACKET, OCO, OrderList
from core.engine.orders import Order
from core.engine.outcomes import accept, finish
from core.engine.refusals import Refused
from core.engine.state import State

LISTS_MAX = 512  # at work at a time


def amend_order(state: State, command: Command) -> None:
    """``amend_order {cl_ord_id, qty?, price?, stop?}``: ends when the venue has answered."""
    order = state.working.get(str(command.data.get("cl_ord_id", "")))
    if order is None:
        raise Refused("UNKNOWN_ORDER", f"no working order {command.data.get('cl_ord_id')!r}")
    lots, ticks, stop = _wanted(state, order, command.data)
    if order.list_id and lots != order.qty_lots:
        raise Refused("LISTED", "its list sizes it by what has filled: change its price or trigger only")
    code, why = amend.obstacle(order, lots, ticks, stop)
    if code:
        raise Refused(code, why)
    wish = amend.wish_of(order, lots, ticks, stop)
    decisions = trading.decisions(state, wish)
    if command.data.get("dry_run") is True:
        accept(state, command, {"decisions": decisions})
        finish(state, command.id, "done", {"decisions": decisions, "dry_run": True})
        return
    sent = amend.ask(state, order, lots, ticks, stop)
    if isinstance(sent, Denial):
        announce.denied(state, wish, sent)
        raise Refused(sent.code, _layer_text(sent), {"decisions": decisions})
    order.command = command.id
    text = f"{lots} lots at {ticks or stop} ticks"
    announce.audit(state, command.operator, command.type, order.cl_ord_id, text, command.reason)
    accept(state, command, {"cl_ord_id": order.cl_ord_id, "decisions": decisions})
    waits.begin(state, command.id, [order.cl_ord_id], heard=True)


def _wanted(state: State, order: Order, data: dict[str, Any]) -> tuple[int, int, int]:
    """Whole quantity, price and trigger as they would be; what is not named stays."""
    spec = state.specs[order.instrument]
    lots = trading.lots_of(data["qty"], spec) if data.get("qty") else order.qty_lots
    ticks = trading.ticks_of(data["price"], spec, "price") if data.get("price") else order.price_ticks
    stop = trading.ticks_of(data["stop"], spec, "stop") if data.get("stop") else order.stop_ticks
    if lots <= 0 or ticks < 0 or stop < 0:
        raise Refused("BAD_NUMBER", "quantity, price and stop must be above zero")
    return lots, ticks, stop


def submit_list(state: State, command: Command) -> None:
    """``submit_list``: ``kind`` bracket (an entry with exits) or oco (two exits for what is held)."""
    data, kind = command.data, str(command.data.get("kind", BRACKET))
    if kind not in (BRACKET, OCO):
        raise Refused("BAD_LIST", "kind is bracket or oco")
    if len(state.cold.lists) >= LISTS_MAX:
        raise Refused("TOO_MANY", f"{LISTS_MAX} order lists are at work")
    entry = trading.wish_of(state, _as_order(command, kind))
    held = _list_of(state, command, entry, kind)
    if lists.find(state, held.id) is not None:
        raise Refused("DUPLICATE", f"{held.id} was asked for before")
    level = list_stops.level_of(state, held)
    if level >= TradingState.FLATTENING:
        raise Refused(level.name, "everything is being closed already")
    wishes = [entry] if kind == BRACKET else lists.exits_of(state, held)
    decisions = [row for wish in wishes for row in trading.decisions(state, wish)]
    if data.get("dry_run") is True:
        accept(state, command, {"decisions": decisions})
        finish(state, command.id, "done", {"decisions": decisions, "dry_run": True})
        return
    ids = _begin(state, command, held, entry, decisions)
    first = {"list": held.id, "decisions": decisions}
    accept(state, command, first | ({"cl_ord_id": held.entry} if held.entry else {}))
    text = f"{held.kind} {held.qty_lots} lots, take {held.take_ticks}, stop {held.stop_ticks} ticks"
    announce.audit(state, command.operator, command.type, held.id, text, command.reason)
    waits.begin(state, command.id, ids, heard=True)


def _begin(
    state: State, command: Command, held: OrderList, entry: Wish, decisions: list[dict[str, Any]]
) -> list[str]:
    """The first orders of the list; Refused (and nothing left behind) when the gate will not have them."""
    state.cold.lists[held.id] = held
    if held.kind == BRACKET:
        held.entry = entry.cl_ord_id
        sent = oms.submit(state, msgspec.structs.replace(entry, list_id=held.id), command=command.id)
        if isinstance(sent, Denial):
            del state.cold.lists[held.id]
            announce.denied(state, entry, sent)
            raise Refused(sent.code, _layer_text(sent), {"decisions": decisions})
        return [sent.cl_ord_id]
    refused = lists.place_both(state, held, command.id)
    if refused is not None:
        raise Refused(refused.code, _layer_text(refused), {"decisions": decisions})
    return [held.take, held.stop]


def _as_order(command: Command, kind: str) -> Command:
    """The part of it that a single order is made of."""
    data = dict(command.data)
    if kind == OCO:  # the exits have their own types; quantity, side and instrument are common
        data |= {"type": "market", "price": "", "stop": "", "tif": "ioc"}
    return msgspec.structs.replace(command, data=data)


def _list_of(state: State, command: Command, entry: Wish, kind: str) -> OrderList:
    data, spec = command.data, state.specs[entry.instrument]
    take = trading.ticks_of(data["take_profit"], spec, "take_profit") if data.get("take_profit") else 0
    stop = trading.ticks_of(data["stop_loss"], spec, "stop_loss") if data.get("stop_loss") else 0
    side = entry.side if kind == OCO else (Side.SELL if entry.side is Side.BUY else Side.BUY)
    held = OrderList(
        id=f"l{entry.cl_ord_id[1:]}",
        kind=kind,
        instrument=entry.instrument,
        exit_side=side,
        qty_lots=entry.qty_lots,
        strategy=entry.strategy,
        take_ticks=take,
        stop_ticks=stop,
        operator=command.operator,
        created_ns=state.cold.now_ns,
    )
    _check_prices(state, held, entry)
    if kind == OCO:
        if state.qty(held.instrument) * held.exit_sign >= 0 or held.qty_lots > abs(
            state.qty(held.instrument)
        ):
            raise Refused("NOT_HELD", "an oco closes what is held: no position that large on the other side")
        held.entered_lots = held.guard_lots = held.qty_lots
    return held


def _check_prices(state: State, held: OrderList, entry: Wish) -> None:
    """Stop and take-profit stand on their own sides of the entry (of the mark, where it has no price)."""
    if not held.take_ticks and not held.stop_ticks:
        raise Refused("BAD_LIST", "give take_profit, stop_loss or both")
    if held.kind == OCO and not (held.take_ticks and held.stop_ticks):
        raise Refused("BAD_LIST", "an oco needs take_profit and stop_loss: one cancels the other")
    if entry.reduce_only:
        raise Refused("BAD_LIST", "the entry of a list opens a position: it cannot be reduce-only")
    if held.take_ticks < 0 or held.stop_ticks < 0:
        raise Refused("BAD_LIST", "take_profit and stop_loss must be above zero")
    mark = state.mark(held.instrument) / float(state.instruments["tick_size"][held.instrument])
    middle = float(entry.price_ticks or entry.stop_ticks or mark)
    up = -held.exit_sign  # the way the position earns
    wrong_take = held.take_ticks and (held.take_ticks - middle) * up <= 0
    wrong_stop = held.stop_ticks and (held.stop_ticks - middle) * up >= 0
    if wrong_take or wrong_stop or not middle > 0.0:
        raise Refused("BAD_LIST", "take_profit must lie where the position earns, stop_loss where it loses")


def _layer_text(denial: Denial) -> str:
    return f"{denial.layer.name}: {denial.detail}" if denial.detail else denial.layer.name
