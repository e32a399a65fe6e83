"""What must hold after every event, judged from effects and from the order table, never by the algorithms' own sums.

A1  filled + open + unknown <= parent, but for what the venue did unasked; and nothing is ever sent beyond it
A2  no child past the limit price, none at market under one
A3  a reduce-only parent never sends more than closes what is held
A4  covered by a kill it is stopped in that very step, and sends nothing ever after
A5  a slice sends no more than its plan and the catch-up
A6  what the parent says has filled is what its children have; what it calls open is what could still fill
A7  paused, waiting or ended it sends nothing; ended it has no open child; one ending for its command
A8  the same events give the same effects, across a snapshot
"""

from __future__ import annotations

from typing import Any

from bus.effects import Effect, NewOrder, Reply
from bus.enums import OrdStatus, OrdType, Side, TradingState
from core.app.drive import effects_digest
from core.engine.algos.parent import SLICED, Parent

ENDINGS = ("done", "failed", "rejected")


class Broken(AssertionError):
    """An invariant does not hold."""


def need(truth: bool, text: str) -> None:
    if not truth:
        raise Broken(text)


class Judge:
    """Looks at every step of a life."""

    def look(self, event: Any, effects: list[Effect]) -> None:
        self.booted += 1
        if self.record:
            self.recorded.append((event, effects_digest(effects)))
        if not hasattr(self, "command"):
            return
        if self.parent is None:
            self.parent = next(iter(self.state.cold.parents.values()), None)
            self.id = self.parent.id if self.parent else ""
        for effect in effects:
            if isinstance(effect, Reply) and effect.id == self.command and effect.status in ENDINGS:
                self.endings.append(effect.status)
        if self.parent is not None:
            self._look(self.parent, effects)

    def _look(self, parent: Parent, effects: list[Effect]) -> None:
        children = [o for o in self.state.cold.orders.values() if o.parent == parent.id]
        filled = open_ = 0
        for order in children:
            ratio = 5 if self.two and order.instrument == 1 else 1
            filled += order.filled_lots * ratio
            open_ += order.leaves_lots * ratio
        new = [e for e in effects if isinstance(e, NewOrder) and self._mine(e, parent)]
        need(parent.filled_lots == filled, f"A6: says filled {parent.filled_lots}, its children {filled}")
        listed = sorted(parent.open)
        need(listed == sorted(o.cl_ord_id for o in children if o.is_open), f"A6: calls {listed} open")
        most = parent.qty_lots + self.excess
        need(filled + open_ <= most, f"A1: {filled} + {open_} of {parent.qty_lots}, unasked {self.excess}")
        if new:
            self._look_at_sent(parent, new, filled + open_)
        self._look_at_kills(parent, new)
        if self.status == "WAITING" and parent.status == "RUNNING":
            unsure = [o for o in children if o.status is OrdStatus.PENDING_UNKNOWN]
            venues = {self.state.specs[i].venue for i in parent.routes or [parent.instrument]}
            compared = all(v.reconciled for v in self.state.cold.venues if v.name in venues)
            known = self.state.cold.started and compared and not unsure
            need(known, "A7: goes on after a restart before everything is known")
        self.status = parent.status
        if parent.ended_ns:
            self.counts["late after the end"] += bool(open_)
            need(not new, "A7: ended, and sends")

    def _mine(self, new: NewOrder, parent: Parent) -> bool:
        order = self.state.cold.orders.get(new.cl_ord_id)
        return order is not None and order.parent == parent.id

    def _look_at_sent(self, parent: Parent, new: list[NewOrder], committed: int) -> None:
        need(committed <= parent.qty_lots, f"A1: sent up to {committed} of {parent.qty_lots}")
        recalled = all(self.state.cold.orders[order.cl_ord_id].cancels for order in new)
        need(parent.status == "RUNNING" or recalled, f"A7: {parent.status}, and sends")
        for order in new:
            ratio = 5 if self.two and order.instrument == 1 else 1
            self.sent[parent.slice] = self.sent.get(parent.slice, 0) + order.qty_lots * ratio
            if self.limit_ticks:
                need(order.ord_type is OrdType.LIMIT, "A2: at market under a limit")
                past = (order.price_ticks - self.limit_ticks) * parent.side_sign
                need(past <= 0, f"A2: {order.price_ticks} is past {self.limit_ticks}")
            if parent.reduce_only:
                self._look_at_reducing(order)
        if parent.algo in SLICED:
            cap = self._cap(parent)
            need(
                self.sent[parent.slice] <= cap,
                f"A5: slice {parent.slice} sent {self.sent[parent.slice]} of {cap}",
            )

    def _look_at_reducing(self, new: NewOrder) -> None:
        held = self.state.qty(new.instrument)
        out = sum(
            o.leaves_lots
            for o in self.state.working.values()
            if o.instrument == new.instrument and o.side is new.side
        )
        against = held < 0 if new.side is Side.BUY else held > 0
        need(against and out <= abs(held), f"A3: {out} lots out against {held}")

    def _cap(self, parent: Parent) -> int:
        """Its part and the catch-up, from the schedule alone (for POV: from what has been counted of others)."""
        slices = int(parent.params["slices"])
        if parent.algo == "pov":
            share = parent.params["participation"]
            return int(share / (1 - share) * parent.others_lots * (1.0 + self.config.algos.catch_up_max)) + 1
        before = parent.schedule[parent.slice - 1] if parent.slice else 0
        part = parent.schedule[parent.slice] - before
        unit = max(part, -(-parent.qty_lots // slices))
        return part + int(self.config.algos.catch_up_max * unit)

    def _look_at_kills(self, parent: Parent, new: list[NewOrder]) -> None:
        need(not (self.stopped and new), "A4: stopped, and sends")
        least = TradingState.HALTED if parent.reduce_only else TradingState.REDUCING
        scopes = ("all", "venue:sim", "symbol:AAA/USDT", f"strategy:{parent.strategy}")
        for kill in self.state.cold.kills.values():
            if kill.scope in scopes and kill.level >= least:
                need(not new, f"A4: sends under {kill.key} {kill.level.name}")
                waits = parent.status == "WAITING" and kill.switch == "startup"
                ended = parent.status not in ("RUNNING", "PAUSED", "WAITING")
                need(ended or waits, f"A4: {parent.status} under {kill.key} {kill.level.name}")
        self.stopped = self.stopped or parent.status == "STOPPED"
