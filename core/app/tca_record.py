"""Collects, while events run through the engine, what cost analysis needs: a Trade for every parent and plain order.

    recorder = Recorder(tau_s=5.0)
    Driver(state, venues, on_step=lambda event, effects: recorder.on_step(state, event, effects))
    trades = recorder.finish(state)

It watches and never touches: the state after each step, the event, and the effects. A live run, a replay of a tape and
a replay of a journal are the same to it. Times are the core's: an acknowledgement is as old as the core saw it. What an
order paid is measured from the mid the core saw when it sent it; what a resting order gave, from the mid when the fill
was heard of.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from bus.effects import CancelOrder, Effect, NewOrder, ReplaceOrder
from bus.enums import OPEN_STATUSES, OrdStatus, Purpose, ReportKind, Side
from bus.events import Boot, Event, OpenOrders, Positions, Report
from core.analytics.tca_trade import Child, Execution, Trade
from core.app.tca_prices import Prices
from core.app.tca_track import Track, blank, touch
from core.engine.algos.parent import Parent
from core.engine.market import Ticks
from core.engine.orders import Order
from core.engine.records import Filled
from core.engine.state import State

TAU_S = 5.0
_ANSWERS = frozenset(
    {
        ReportKind.ACK,
        ReportKind.REJECTED,
        ReportKind.TRADE,
        ReportKind.CANCELED,
        ReportKind.EXPIRED,
        ReportKind.STATUS,
    }
)
_OPEN = frozenset(status.name for status in OPEN_STATUSES)
_GUESS = "inferred-"  # execution ids that the engine makes from a status answer


class Recorder:
    """See the module's essay. ``tau_s`` after a fill and after the end the mid is looked at again."""

    def __init__(self, *, tau_s: float = TAU_S) -> None:
        self.tau_s = tau_s
        self._tau_ns = int(tau_s * 1e9)
        self._prices: list[Prices] = []
        self._tracks: dict[str, Track] = {}  # by parent id or client order id, in order of birth
        self._open_parents: dict[str, Track] = {}
        self._of_child: dict[str, Track] = {}
        self._children: dict[str, Child] = {}
        self._asking: set[int] = set()  # instruments of which a later mid is wanted

    # -- watching -----------------------------------------------------------------------------------------------

    def on_step(self, state: State, event: Event | Ticks, effects: list[Effect]) -> None:
        """After every step."""
        if not self._prices:
            self._prices = [Prices(spec.tick_size) for spec in state.specs]
        if isinstance(event, Ticks):
            self._on_ticks(event)
            if not effects:
                return
        else:
            self._pass_to(state.cold.now_ns)
        self._new_parents(state)
        for effect in effects:
            if isinstance(effect, NewOrder):
                self._sent(state, state.cold.orders[effect.cl_ord_id])
        if isinstance(event, Report):
            self._heard(state, event)
        for filled in state.filled:
            self._filled(state, filled)
        for key in self._perhaps_moved(state, event, effects):
            self._moved(state, key)
        self._parents_move(state)

    def _perhaps_moved(self, state: State, event: Event | Ticks, effects: list[Effect]) -> list[str]:
        """Orders whose status this step may have set: spoken of, asked for, or found in the venue's own list."""
        keys = [
            effect.cl_ord_id
            for effect in effects
            if isinstance(effect, NewOrder | CancelOrder | ReplaceOrder)
        ]
        if isinstance(event, Report):
            keys.append(event.cl_ord_id)
        elif isinstance(event, OpenOrders | Positions | Boot):
            keys += [key for key, child in self._children.items() if child.status in _OPEN]
            keys += state.working
        return list(dict.fromkeys(keys))

    def _on_ticks(self, block: Ticks) -> None:
        rows = block.rows
        last_ns = int(rows["ts_ns"][-1])
        ids = rows["instrument"]
        for i in np.unique(ids).tolist():
            if 0 <= i < len(self._prices):
                self._prices[i].take(rows if len(self._prices) == 1 else rows[ids == i], last_ns)
        self._pass_to(last_ns)

    def _pass_to(self, now_ns: int) -> None:
        for i in [i for i in self._asking if self._prices[i].pass_to(now_ns)]:
            self._asking.discard(i)

    # -- parents ------------------------------------------------------------------------------------------------

    def _new_parents(self, state: State) -> None:
        for parent in state.cold.parents.values():
            if parent.id not in self._tracks:
                track = Track(self._of_parent(state, parent), _instruments(parent), is_parent=True)
                self._tracks[parent.id] = self._open_parents[parent.id] = track

    def _of_parent(self, state: State, parent: Parent) -> Trade:
        trade = blank(
            state, self._prices, parent.id, parent.algo, parent.instrument, parent.side_sign, parent.qty_lots
        )
        trade.strategy, trade.purpose = parent.strategy, Purpose.ALGO.name
        trade.created_ns = parent.created_ns
        trade.decision_px = parent.decision_px or None
        spec = state.specs[parent.instrument]
        trade.limit_px = spec.price_of(parent.limit_ticks) if parent.limit_ticks else None
        return trade

    def _parents_move(self, state: State) -> None:
        for key, track in list(self._open_parents.items()):
            parent = state.cold.parents.get(key)
            if parent is None:  # forgotten, so long ended
                del self._open_parents[key]
                continue
            trade = track.trade
            if not track.begun and parent.arrival_px > 0.0:
                trade.arrival_px = parent.arrival_px
                track.begin(state, parent.start_ns or state.cold.now_ns)
            trade.status, trade.denied, trade.note = (
                parent.status,
                parent.denied,
                parent.reason or parent.note,
            )
            if parent.ended_ns:
                spec = state.specs[parent.instrument]
                ends = enumerate(parent.schedule, 1)
                trade.due = [(trade.start_ns + k * parent.slice_ns, spec.qty_of(lots)) for k, lots in ends]
                self._end(state, track, parent.ended_ns, parent.end_px or None)
                del self._open_parents[key]

    # -- orders -------------------------------------------------------------------------------------------------

    def _sent(self, state: State, order: Order) -> None:
        key = order.cl_ord_id
        track = (
            self._tracks.get(order.parent) or self._of_child.get(key) or self._plain(state, order, seen=True)
        )
        spec = state.specs[order.instrument]
        child = Child(
            cl_ord_id=order.cl_ord_id,
            venue=spec.venue,
            symbol=spec.symbol,
            kind=order.ord_type.name.lower(),
            qty=spec.qty_of(order.qty_lots),
            sent_ns=order.created_ns,
            px=spec.price_of(order.price_ticks) if order.price_ticks else None,
            mid=state.mark(order.instrument) or None,
            touch=touch(state, order),
            status=order.status.name,
        )
        track.trade.children.append(child)
        self._children[order.cl_ord_id] = child
        self._of_child[order.cl_ord_id] = track
        if order.instrument not in track.instruments:
            track.instruments.append(order.instrument)
            track.count(state, order.instrument)

    def _plain(self, state: State, order: Order, *, seen: bool) -> Track:
        """A plain order as the parent of itself. One that was not seen being sent has no decision price."""
        sign = 1 if order.side is Side.BUY else -1
        kind = order.ord_type.name.lower()
        trade = blank(state, self._prices, order.cl_ord_id, kind, order.instrument, sign, order.qty_lots)
        trade.strategy, trade.purpose = order.strategy, order.purpose.name
        trade.created_ns = order.created_ns
        track = Track(trade, [order.instrument], is_parent=False)
        if seen:
            trade.decision_px = trade.arrival_px = state.mark(order.instrument) or None
        else:
            trade.note = "sent before the record begins, or by somebody else"
        if order.price_ticks:
            trade.limit_px = state.specs[order.instrument].price_of(order.price_ticks)
        self._tracks[order.cl_ord_id] = self._of_child[order.cl_ord_id] = track
        track.begin(state, order.created_ns)
        return track

    def _heard(self, state: State, report: Report) -> None:
        """The venue's first word, an unknown outcome, and the papers of what was booked from a status answer."""
        child = self._children.get(report.cl_ord_id)
        if child is None:
            return
        if report.kind in _ANSWERS and not child.ack_ns:
            child.ack_ns = state.cold.now_ns
        if report.kind is ReportKind.UNKNOWN:
            child.unknown = True
        if report.kind is ReportKind.TRADE:
            self._paper(state, report, self._of_child[report.cl_ord_id].trade)

    def _paper(self, state: State, report: Report, trade: Trade) -> None:
        """An execution that was booked as a guess has its paper: its own price and fee."""
        if any(fill.exec_id == report.exec_id for fill in trade.fills):
            return
        spec = state.specs[state.cold.orders[report.cl_ord_id].instrument]
        booked = sum(f.lots for f in state.filled if f.exec_id == report.exec_id)
        known = spec.qty_of(report.last_lots - booked)
        for fill in trade.fills:
            if (
                fill.guessed
                and fill.cl_ord_id == report.cl_ord_id
                and abs(fill.qty - known) < spec.lot_size / 2
            ):
                fill.px, fill.maker = report.px_ticks * spec.tick_size, report.maker
                fill.fee = report.fee * (1.0 - booked / report.last_lots)
                fill.exec_id, fill.guessed = report.exec_id, False
                return

    def _filled(self, state: State, filled: Filled) -> None:
        order = filled.order
        track = self._of_child.get(order.cl_ord_id) or self._plain(state, order, seen=False)
        child, spec = self._children.get(order.cl_ord_id), state.specs[order.instrument]
        now_mid = state.mark(order.instrument) or None
        fill = Execution(
            ts_ns=state.cold.now_ns,
            cl_ord_id=order.cl_ord_id,
            venue=spec.venue,
            symbol=spec.symbol,
            qty=spec.qty_of(filled.lots),
            px=filled.price,
            fee=filled.fee,
            maker=filled.maker,
            late=filled.late,
            guessed=filled.exec_id.startswith(_GUESS),
            exec_id=filled.exec_id,
            mid=now_mid if filled.maker or child is None else child.mid,
        )
        track.trade.fills.append(fill)
        if child is not None:
            child.filled_qty = spec.qty_of(order.filled_lots)
        self._later(order.instrument, state.cold.now_ns, partial(setattr, fill, "mid_later"))

    def _moved(self, state: State, key: str) -> None:
        """A status has changed; a plain order ends with it, or lives again."""
        order = state.cold.orders.get(key)
        if order is None:
            return
        track = self._of_child.get(key) or self._plain(state, order, seen=False)
        child = self._children.get(key)
        if child is not None:
            child.status, child.cancels, child.reason = order.status.name, order.cancels, order.reason
            child.unknown = child.unknown or order.status is OrdStatus.PENDING_UNKNOWN
        if track.is_parent:
            return
        trade = track.trade
        trade.status = order.status.name
        if order.is_open:
            trade.ended_ns, trade.end_px, trade.after_px = 0, None, None
        elif not trade.ended_ns:
            self._end(state, track, state.cold.now_ns, state.mark(order.instrument) or None)

    # -- parts --------------------------------------------------------------------------------------------------

    def _end(self, state: State, track: Track, now_ns: int, end_px: float | None) -> None:
        trade = track.trade
        trade.ended_ns, trade.end_px = now_ns, end_px
        track.end_interval(state)
        if track.is_parent and track.begun:
            trade.path = self._prices[track.instruments[0]].path(trade.start_ns, now_ns)
        self._later(track.instruments[0], now_ns, partial(setattr, trade, "after_px"))

    def _later(self, instrument: int, from_ns: int, taker: partial[None]) -> None:
        self._asking.add(instrument)
        self._prices[instrument].ask(from_ns + self._tau_ns, taker)

    def finish(self, state: State | None) -> list[Trade]:
        """Every trade; what still works is measured up to now and keeps ``ended_ns`` 0."""
        for track in self._tracks.values():
            if not track.trade.ended_ns and state is not None:
                track.trade.end_px = state.mark(track.instruments[0]) or None
                track.end_interval(state)
        return [track.trade for track in self._tracks.values()]


def _instruments(parent: Parent) -> list[int]:
    return list(dict.fromkeys([parent.instrument, *parent.routes]))
