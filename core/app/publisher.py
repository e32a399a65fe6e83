"""The tables on the bus: changed rows only, at most ten times a second, a bounded number a turn.

What must not wait (state, switches that trip, alarms, fills) is published by the engine's own effects. Here is the
rest: account, positions, orders, quotes, switches' distance to limit, strategies, P&L, health, and the heartbeat, which
is sent from the engine's loop so that it proves that the loop is alive. A row whose bytes have not changed is not sent.
"""

from __future__ import annotations

import msgspec

from bus.effects import Publish
from bus.server import BusServer
from bus.views import HealthView, HeartbeatView, SwitchView, View
from core.engine import pnlview, views
from core.engine.algos.view import algo_view
from core.engine.orders import Order
from core.engine.state import State
from core.engine.switchview import ALL, switch_view

ROWS_MAX = 400  # rows a turn; the others come with the next one
FORGET_NS = 60 * 1_000_000_000  # terminal orders leave the snapshot after this
RATE_NS = 5 * 1_000_000_000  # window of the rate of approach
_encode = msgspec.msgpack.Encoder().encode


class Publisher:
    """Projects the state onto the bus. Belongs to the loop."""

    def __init__(self, server: BusServer, state: State) -> None:
        self._server = server
        self._state = state
        self._last: dict[str, bytes] = {}  # topic -> encoded view last sent
        self._ticks: list[int] = [0] * len(state.specs)
        self._first_px: list[float] = [0.0] * len(state.specs)
        self._ended: dict[str, int] = {}  # terminal order -> when it was last sent
        self._approach: dict[str, tuple[int, float, float | None]] = {}  # switch -> (since, value then, rate)
        self._cursor = 0
        self._algos: dict[str, None] = {}  # parents on the bus
        self._day_ns = 0  # the last closed day that was sent

    def effect(self, publish: Publish) -> None:
        """One of the engine's own words, at once."""
        if isinstance(publish.data, SwitchView):
            self._with_rate(publish.data)
        self._server.publish(publish.topic, publish.type, publish.data, self._state.cold.now_ns)

    def tables(self) -> None:
        """One turn of the table clock."""
        budget = ROWS_MAX
        self._put("account", "account", views.account_view(self._state))
        self._pnl()
        budget -= self._orders(budget)
        budget -= self._positions()
        self._switches()
        for id_ in self._state.strategies:
            self._put(f"strategy.{id_}", "strategy", views.strategy_view(self._state, id_))
        self._parents()
        self._quotes(max(budget, 50))

    def health(self, view: HealthView) -> None:
        """One component's standing, when it changed."""
        self._put(f"health.{view.component}", "health", view)

    def heartbeat(self, view: HeartbeatView) -> None:
        """Always sent: silence means something."""
        self._server.publish("heartbeat", "heartbeat", view, view.core_ns)

    def _put(self, topic: str, type_: str, view: View) -> None:
        raw = _encode(view)
        if self._last.get(topic) != raw:
            self._last[topic] = raw
            self._server.publish(topic, type_, view, self._state.cold.now_ns)

    def _pnl(self) -> None:
        """When a figure has changed: that time has passed is none. Closed days when one more has."""
        view = pnlview.pnl_view(self._state)
        as_of_ns, view.as_of_ns = view.as_of_ns, 0
        raw = _encode(view)
        if self._last.get("pnl") != raw:
            self._last["pnl"] = raw
            view.as_of_ns = as_of_ns
            self._server.publish("pnl", "pnl", view, self._state.cold.now_ns)
        days = self._state.cold.ledger.days
        if days and days[-1].start_ns != self._day_ns:
            self._day_ns = days[-1].start_ns
            self._put("daily", "daily", pnlview.daily_view(self._state))

    def _orders(self, budget: int) -> int:
        dirty = self._state.dirty_orders
        sent = 0
        for key in list(dirty)[:budget]:
            del dirty[key]
            order = self._state.cold.orders.get(key)
            if order is not None:
                self._order(order)
                sent += 1
        self._forget()
        return sent

    def _order(self, order: Order) -> None:
        self._server.publish(
            f"order.{order.cl_ord_id}", "order", views.order_view(self._state, order), self._state.cold.now_ns
        )
        if not order.is_open:
            self._ended[order.cl_ord_id] = self._state.cold.now_ns
        else:
            self._ended.pop(order.cl_ord_id, None)

    def _forget(self) -> None:
        before = self._state.cold.now_ns - FORGET_NS
        for key, since in list(self._ended.items())[:ROWS_MAX]:
            if since > before and len(self._ended) <= ROWS_MAX:
                return
            del self._ended[key]
            self._server.forget(f"order.{key}")

    def _parents(self) -> None:
        """Execution algorithms: the engine tells what changes; the rest, for late-comers too, goes here."""
        parents = self._state.cold.parents
        for id_, parent in parents.items():
            if not parent.ended_ns or id_ not in self._algos:
                self._put(f"algo.{id_}", "algo", algo_view(self._state, parent))
            self._algos[id_] = None
        for id_ in [id_ for id_ in self._algos if id_ not in parents]:
            del self._algos[id_]
            self._last.pop(f"algo.{id_}", None)
            self._server.forget(f"algo.{id_}")

    def _positions(self) -> int:
        state = self._state
        held = {int(i) for i in (state.positions["qty_lots"] != 0).nonzero()[0]} | set(state.dirty_positions)
        state.dirty_positions.clear()
        for i in sorted(held):
            self._put(f"position.{state.specs[i].symbol}", "position", views.position_view(state, i))
        return len(held)

    def _quotes(self, budget: int) -> None:
        """Round robin over the instruments that have ticked."""
        state, total = self._state, len(self._state.specs)
        counts = state.markets["ticks"].tolist()
        for _ in range(total):
            i = self._cursor = (self._cursor + 1) % total
            if counts[i] == self._ticks[i]:
                continue
            self._ticks[i] = counts[i]
            self._first_px[i] = self._first_px[i] or state.mark(i)
            view = views.quote_view(state, i, self._first_px[i])
            self._server.publish(f"quote.{state.specs[i].symbol}", "quote", view, state.cold.now_ns)
            budget -= 1
            if budget <= 0:
                return

    def _switches(self) -> None:
        for name in ALL:
            view = switch_view(self._state, name)
            self._with_rate(view)
            self._put(f"switch.{name}", "switch", view)

    def _with_rate(self, view: SwitchView) -> None:
        """How fast the value approaches its limit, per minute, over the last seconds."""
        value, now = view.value, view.updated_ns
        if value is None:
            self._approach.pop(view.name, None)
            return
        since, then, rate = self._approach.get(view.name, (now, value, None))
        if now - since >= RATE_NS:
            rate = (value - then) / ((now - since) / 60e9)
            since, then = now, value
        self._approach[view.name] = (since, then, rate)
        view.rate_per_min = rate
