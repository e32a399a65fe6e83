"""What must be true after every step, judged from effects, events and the books; never by asking the gate.

I1   no order that adds risk leaves while its scope is at REDUCING or above, or before the start
I2   a kill is confirmed only when nothing it set out to cancel works at the venue, and flat is flat there
I3   positions are the sum of the fills told, plus what was taken on the venue's word
I4   the working columns are the sum of what open orders leave
I5   equity is the sum of its currencies; the ledger's cuts (symbol, strategy, hour, day, session, factor, part) sum
     to one total, exactly, and that is what the account has made, but for the rounding of the account's floats
I8   one ending for a command id; the same id again does nothing
I9   the latch: what is on its way to disk is what is held; levels rise, and only a re-arm after
     confirmation takes one away
I10  order ids are unique, and every order carries the stamp of the layers it must have passed
I11, I12, I16  order lists and their exits: see watch_lists.py
I13 to I15  execution algorithms and their children: see parents.py
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bus.effects import CancelOrder, Effect, MassCancel, NewOrder, Publish, ReplaceOrder, Reply, WriteLatch
from bus.enums import OPEN_STATUSES, GateLayer, KillPhase, OrdType, Purpose, Side, TradingState
from bus.events import Boot, Command
from core.adapters.venue import Venue
from core.engine import attribution, pnlview
from core.engine.ladder import Kill
from core.engine.market import Ticks
from core.engine.scopes import in_scope
from core.engine.state import State

from .parents import ParentWatch
from .watch_lists import ListWatch

KILL_STAMP = 1 << GateLayer.FORM | 1 << GateLayer.STATE
FULL_STAMP = sum(1 << layer for layer in GateLayer)
ENDINGS = ("done", "failed", "rejected")
ATTRIBUTION_EVERY = 4  # steps of ticks between two looks at the attribution; every other step is looked at


class Broken(AssertionError):
    """An invariant does not hold."""


def need(truth: bool, invariant: str, text: str = "") -> None:
    if not truth:
        raise Broken(f"{invariant}: {text}")


class Watch:
    """The observer of one world; fed with every step."""

    def __init__(self, state: State, venues: Sequence[Venue] = ()) -> None:
        self.state = state
        self.venues = venues
        self.steps = 0
        self.started = False
        self.latches: dict[str, TradingState] = {}  # as last written
        self.phases: dict[str, KillPhase] = {}  # as of the end of the last step
        self.fills: Counter[int] = Counter()  # instrument -> signed lots told
        self.executions: dict[str, None] = {}
        self.begun_ns: dict[str, int] = {}  # kill key -> when its present round of cancels began
        self.sent: dict[str, NewOrder] = {}
        self.later: dict[str, None] = {}  # orders of this step that have not left yet
        self.sent_ns: dict[str, int] = {}
        self.endings: dict[str, str] = {}
        self.asked: dict[str, str] = {}  # command id -> type
        self.latched: Counter[str] = Counter()  # kill key -> times confirmed
        self.trips: Counter[str] = Counter()  # switch -> pulls
        self.alerts: Counter[str] = Counter()
        self.audits: Counter[str] = Counter()
        self.meddled = False  # somebody traded at the venue behind our back
        self.cancels = 0
        self.denied = 0
        self.lists = ListWatch(self)
        self.parents = ParentWatch(self)
        self.residual = 0.0  # largest difference of equity and its parts

    def __call__(self, event: Any, effects: list[Effect]) -> None:
        self.steps += 1
        if isinstance(event, Boot):
            self.started = False
        repeated = isinstance(event, Command) and event.id in self.endings
        if isinstance(event, Command):
            self.asked.setdefault(event.id, event.type)
        self.later = {effect.cl_ord_id: None for effect in effects if isinstance(effect, NewOrder)}
        for effect in effects:
            self._on_effect(event, effect, repeated)
        if effects or not isinstance(event, Ticks):
            self._check_latches()
            why = self.parents.check()
            need(not why, "I15", why)
            why = self.lists.forgotten()
            need(not why, "I16", why)
            self._check_books()
            self._check_desk()
        self._check_equity()
        if not isinstance(event, Ticks) or self.steps % ATTRIBUTION_EVERY == 0:
            self.check_attribution()

    # -- effects ------------------------------------------------------------------------------------------------

    def _on_effect(self, event: Any, effect: Effect, repeated: bool) -> None:
        match effect:
            case NewOrder():
                need(not repeated, "I8", f"{event} again sent {effect}")
                self._on_new(effect)
            case ReplaceOrder():
                need(not repeated, "I8", f"{event} again sent {effect}")
                self._on_replace(effect)
            case CancelOrder() | MassCancel():
                need(not repeated, "I8", f"{event} again sent {effect}")
                self.cancels += 1
            case WriteLatch():
                self._on_latch(event, effect.record)
            case Reply():
                self._on_reply(effect, repeated)
            case Publish():
                self._on_publish(effect)
            case _:
                pass

    def _on_new(self, new: NewOrder) -> None:
        del self.later[new.cl_ord_id]
        order = self.state.cold.orders.get(new.cl_ord_id)
        need(order is not None, "I10", f"{new.cl_ord_id} left without a record")
        assert order is not None
        need(new.cl_ord_id not in self.sent, "I10", f"{new.cl_ord_id} sent twice")
        why = self.lists.on_exit(new, order)
        need(not why, "I11", why)
        why = self.parents.on_new(new, order)
        need(not why, "I13", why)
        self.sent[new.cl_ord_id], self.sent_ns[new.cl_ord_id] = new, self.state.cold.now_ns
        stamp = KILL_STAMP if order.purpose is Purpose.KILL else FULL_STAMP
        need(new.approval.layers == stamp, "I10", f"{new.cl_ord_id} carries {new.approval.layers:b}")
        reducing = self.reduces(new)
        need(reducing or not new.approval.reducing, "I1", f"{new} is called reducing and is not")
        spec = self.state.specs[new.instrument]
        scopes = ("all", f"venue:{spec.venue}", f"strategy:{order.strategy}", f"symbol:{spec.symbol}")
        held = [key for key in self.latches if key.partition("@")[2] in scopes]
        need(reducing or (self.started and not held), "I1", f"{new} adds risk under {held or 'READY'}")

    def reduces(self, new: NewOrder) -> bool:
        """Recomputed from the position and every open order, the new one and those before it among them."""
        return self._only_reduces(new.instrument, new.side)

    def _only_reduces(self, instrument: int, side: Side) -> bool:
        held = self.state.qty(instrument)
        against = held < 0 if side is Side.BUY else held > 0
        return against and self.lists.counted(instrument, side, self.later) <= abs(held)

    def _on_replace(self, change: ReplaceOrder) -> None:
        """An amendment that is called reducing makes nothing larger or bolder, or reduces as an order would."""
        order = self.state.cold.orders.get(change.cl_ord_id)
        need(order is not None and order.is_open, "I10", f"{change} of an order that does not work")
        assert order is not None
        why = self.lists.on_exit(change, order)
        need(not why, "I11", why)
        need(change.approval.layers == FULL_STAMP, "I10", f"{change} carries {change.approval.layers:b}")
        sign = 1 if order.side is Side.BUY else -1
        nearer = (change.price_ticks - order.price_ticks) * sign > 0 or (
            change.stop_ticks - order.stop_ticks
        ) * sign < 0
        harmless = change.qty_lots <= order.qty_lots and not nearer
        reducing = harmless or self._only_reduces(change.instrument, order.side)
        need(reducing or not change.approval.reducing, "I1", f"{change} is called reducing and is not")
        spec = self.state.specs[change.instrument]
        scopes = ("all", f"venue:{spec.venue}", f"strategy:{order.strategy}", f"symbol:{spec.symbol}")
        held = [key for key in self.latches if key.partition("@")[2] in scopes]
        need(reducing or (self.started and not held), "I1", f"{change} adds risk under {held or 'READY'}")

    def _on_latch(self, event: Any, record: dict[str, Any]) -> None:
        now = {row["key"]: TradingState[row["level"]] for row in record["latches"]}
        for key, level in self.latches.items():
            if key not in now:
                by_hand = isinstance(event, Command) and event.type == "rearm"
                need(by_hand, "I9", f"{key} was taken away by {event}")
                need(
                    self.phases[key] is KillPhase.LATCHED, "I9", f"{key} re-armed in {self.phases[key].name}"
                )
            else:
                need(
                    now[key] >= level, "I9", f"{key} lowered from {level.name} to {now[key].name} by {event}"
                )
        self.latches = now
        self.started = record["started"]

    def _on_reply(self, reply: Reply, repeated: bool) -> None:
        need(reply.id in self.asked, "I8", f"an answer to {reply.id}, which nobody asked")
        before = self.endings.get(reply.id)
        if before is not None:
            need(repeated and reply.status == before, "I8", f"{reply.id} ended {before}, then {reply.status}")
        elif reply.status in ENDINGS:
            self.endings[reply.id] = reply.status

    def _on_publish(self, said: Publish) -> None:
        data: Any = said.data
        if said.type == "fill":
            spec = self.state.specs[self.state.ids[data.symbol]]
            lots = round(data.qty / spec.lot_size)
            need(data.exec_id not in self.executions, "I3", f"execution {data.exec_id} was booked twice")
            self.executions[data.exec_id] = None
            self.fills[self.state.ids[data.symbol]] += lots if data.side == "buy" else -lots
            self.lists.on_fill(data.cl_ord_id, lots)
        elif said.type == "denied":
            self.denied += 1
        elif said.type == "alert":
            self.alerts[data.id.partition(":")[0]] += 1
        elif said.type == "audit":
            self.audits[data.what] += 1

    # -- books --------------------------------------------------------------------------------------------------

    def _check_latches(self) -> None:
        kills = self.state.cold.kills
        held = {key: kill.level for key, kill in kills.items()}
        need(held == self.latches, "I9", f"held {held}, written {self.latches}")
        need(self.state.cold.started == self.started, "I9", "started is not what was written")
        for key, kill in kills.items():
            before = self.phases.get(key)
            if before is None:
                self.trips[kill.switch] += 1
            if kill.phase is KillPhase.CANCELLING and before is not KillPhase.CANCELLING:
                self.begun_ns[key] = self.state.cold.now_ns
            if kill.phase is KillPhase.LATCHED and before is not KillPhase.LATCHED:
                self.latched[key] += 1
                self._check_confirmed(kill)
        self.phases = {key: kill.phase for key, kill in kills.items()}

    def _check_confirmed(self, kill: Kill) -> None:
        """In the very step that calls it confirmed, the venue's truth; orders sent since it began are others' exits."""
        if kill.level < TradingState.HALTED:
            return
        began = self.begun_ns.get(kill.key, 0)
        for venue in self.venues:
            for row in venue.open_orders():
                order = self.state.cold.orders.get(row.cl_ord_id)
                mine = order is not None and in_scope(self.state, order, kill.scope)
                old = self.sent_ns.get(row.cl_ord_id, 1 << 62) < began
                kept = order is not None and order.protects and kill.level is TradingState.HALTED
                need(
                    not (mine and old) or kept,
                    "I2",
                    f"{kill.key} confirmed, and {row.cl_ord_id} works at the venue",
                )
            for i in venue.positions() if kill.level >= TradingState.FLATTENING else ():
                spec = self.state.specs[i]
                inside = kill.scope in ("all", f"venue:{spec.venue}", f"symbol:{spec.symbol}")
                known = self.meddled or not inside
                need(
                    known,
                    "I2",
                    f"{kill.key} confirmed, and the venue holds {venue.positions()[i]} {spec.symbol}",
                )

    def _check_books(self) -> None:
        state = self.state
        working: dict[tuple[int, Side], int] = {}
        for order in state.working.values():
            key = (order.instrument, order.side)
            need(order.status in OPEN_STATUSES, "I4", f"{order.cl_ord_id} is {order.status.name} and working")
            left = max(order.qty_lots, order.want_lots) - order.filled_lots
            need(left >= 0, "I4", f"{order.cl_ord_id} leaves {left}")
            working[key] = working.get(key, 0) + left
        quantities = state.positions["qty_lots"].tolist()
        buys, sells = state.positions["work_buy_lots"].tolist(), state.positions["work_sell_lots"].tolist()
        for i, lots in enumerate(quantities):
            said = working.get((i, Side.BUY), 0), working.get((i, Side.SELL), 0)
            need(
                (buys[i], sells[i]) == said,
                "I4",
                f"{state.specs[i].symbol} {buys[i], sells[i]} is not {said}",
            )
            told = self.fills[i] + state.cold.adjusted.get(i, 0)
            need(lots == told, "I3", f"{state.specs[i].symbol} holds {lots}, told {told}")

    def _check_desk(self) -> None:
        """What the gate looks up without looking at orders, against the orders themselves."""
        state, best, owners = self.state, {}, Counter()
        for order in state.working.values():
            owners[order.strategy] += 1
            if order.ord_type is OrdType.LIMIT:
                key = (order.instrument, order.side)
                prices = [order.price_ticks, *([order.want_ticks] if order.want_ticks else [])]
                best[key] = [*best.get(key, []), *prices]
        counted = {name: n for name, n in state.desk.by_strategy.items() if n}
        need(counted == owners, "I4", f"the desk counts {counted}, there are {dict(owners)}")
        for i in range(len(state.specs)):
            for side, pick in ((Side.BUY, max), (Side.SELL, min)):
                own = pick(best[i, side]) if (i, side) in best else 0
                need(state.desk.best_ticks(i, side) == own, "I4", f"best own {side.name} of {i} is {own}")

    def _check_equity(self) -> None:
        state = self.state
        equity, total = state.equity, 0.0
        for rate, cash, unrealized, gross, _, _ in state.currencies.tolist():
            if cash or unrealized or gross:
                total += rate * (cash + unrealized)
        scale = max(abs(total), float(state.account["gross"][0]), 1.0)
        same = (
            equity == total
            or abs(equity - total) <= 1e-6 * scale
            or (math.isnan(equity) and math.isnan(total))
        )
        need(same, "I5", f"equity {equity}, its currencies sum to {total}")

    def check_attribution(self) -> None:
        """Every cut sums to the ledger's total, unit for unit; the total is what the account made, but for rounding."""
        state, ledger = self.state, self.state.cold.ledger
        if not ledger.begun:
            return
        found = pnlview.attributed(state)
        for name in pnlview.CUTS:
            total = sum(found.totals(name).values())
            need(
                total == found.total, "I5", f"by {name} {total}, in all {found.total}: {getattr(found, name)}"
            )
        posted = sum(sum(entry.parts) for entry in ledger.entries.values())
        need(posted == ledger.total, "I5", f"posted {posted}, counted {ledger.total}")
        lots = [0] * len(state.specs)
        for entry in ledger.entries.values():
            if entry.instrument >= 0:
                lots[entry.instrument] += entry.lots
        held = state.positions["qty_lots"].tolist()
        need(lots == held, "I5", f"the ledger holds {lots}, the account {held}")
        if math.isfinite(state.equity) and not found.unpriced:
            off = attribution.residual(state, found.total - ledger.total)
            self.residual = max(self.residual, abs(off))
            limit = attribution.bound(state)
            need(abs(off) <= limit, "I5", f"equity and its parts differ by {off}, rounding allows {limit}")
        need(not ledger.alarmed, "I5", "the account and the ledger disagreed")
