"""Tiny lives of one parent each, against the real engine and a venue that can do anything; checked after every event.

    Life(seed).run()     raises Broken naming the seed; the same seed breaks the same way for ever

What must hold after every event, judged from effects and from the order table, never by asking the algorithms' own sums:

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

import random
from collections import Counter
from typing import Any

import msgspec
import numpy as np

from bus.effects import Effect, NewOrder, Reply
from bus.enums import OrdStatus, OrdType, ReportKind, Side, TradingState
from bus.events import Boot, Timer
from bus.instruments import InstrumentSpec
from core.app.drive import effects_digest
from core.engine import snapshot
from core.engine.algos.parent import SLICED, Parent
from core.engine.config import AlgoLimits
from core.engine.market import Ticks
from core.engine.orders import Order
from core.engine.step import step
from core.kernels.tables import TICK, TICK_BUY, TICK_TRADE
from tests.engine.kit import OFF, SECOND, SPECS, WIDE, Bench, config

ALGOS = ("twap", "twap", "vwap", "pov", "is", "iceberg", "sor")
OTHER = InstrumentSpec(
    symbol="AAA/USDT@alt", base="AAA", venue="alt", tick_size=0.01, lot_size=5.0, margin_rate=0.1
)
TWO = (msgspec.structs.replace(SPECS[0], base="AAA"), OTHER, *SPECS[1:])
ENDINGS = ("done", "failed", "rejected")
K = ReportKind


class Broken(AssertionError):
    """An invariant does not hold."""


def need(truth: bool, text: str) -> None:
    if not truth:
        raise Broken(text)


class Watched(Bench):
    """A bench whose every step is looked at."""

    def __init__(self, life: Life, cfg) -> None:
        self.life = life
        super().__init__(cfg)

    def do(self, event) -> list[Effect]:
        effects = super().do(event)
        self.life.look(event, effects)
        return effects


class Life:
    """One parent from its command to its end."""

    def __init__(self, seed: int, *, record: bool = False, rng: random.Random | None = None) -> None:
        self.rng = rng or random.Random(seed)
        self.seed, self.record = seed, record
        self.recorded: list[tuple[Any, bytes]] = []
        self.counts: Counter[str] = Counter()
        self.parent: Parent | None = None
        self.id = ""
        self.excess = 0  # lots the venue has done unasked
        self.sent: dict[int, int] = {}  # slice -> lots
        self.stopped = False
        self.limit_ticks = 0  # as asked for
        self.status = ""  # after the last step
        self.endings: list[str] = []
        self.epoch, self.booted = 1, 0
        rng = self.rng
        self.two = rng.random() < 0.15
        cfg = config(
            instruments=TWO if self.two else SPECS,
            venues=("sim", "alt") if self.two else ("sim",),
            algos=AlgoLimits(
                catch_up_max=rng.choice((0.0, 0.5, 1.0, 3.0)),
                on_restart=rng.choice(("cancel", "resume")),
                denials_max=rng.choice((2, 5)),
                own_in_tape=rng.random() < 0.5,
                daily_volume=rng.choice((10_000.0, 1e6)),
                risk_aversion=rng.choice((0.0, 1e-4, 1e-2)),
            ),
            gate=msgspec.structs.replace(WIDE, order_value_max=rng.choice((1e9, 1e9, 16_000.0))),
            switches=OFF,
        )
        self.config = cfg
        self.bench = Watched(self, cfg)
        self.mid = 100.0

    @property
    def state(self):
        return self.bench.state

    # -- the life -----------------------------------------------------------------------------------------------

    def run(self) -> Life:
        try:
            self._born()
            for _ in range(self.rng.randint(10, 50)):
                self._event()
            self._rest()
            if self.record:
                self._replay()
        except Exception as error:
            raise Broken(f"{type(error).__name__}: {error}  [seed {self.seed}]") from error
        return self

    def _born(self) -> None:
        rng = self.rng
        held = rng.choice((0, -60, 40, 150))
        if held:
            self._hold(held)
        if rng.random() < 0.5:
            self._trade(rng.randint(1, 200))
        algo = rng.choice(ALGOS)
        qty = rng.choice((1, 3, 10, 47, 100, 500))
        reducing = held != 0 and rng.random() < 0.3
        side = ("buy" if held < 0 else "sell") if reducing else rng.choice(("buy", "sell"))
        data = {
            "symbol": "AAA/USDT", "side": side, "qty": str(qty), "algo": algo,
            "algo_params": self._params(algo, qty), "reduce_only": reducing,
        }  # fmt: skip
        if algo == "iceberg" or rng.random() < 0.5:
            away = rng.choice((-0.3, 0.0, 0.02, 1.0)) * (1 if data["side"] == "buy" else -1)
            data |= {"type": "limit", "price": f"{100.0 + away:.2f}"}
            self.limit_ticks = round((100.0 + away) * 100)
        before = dict(self.state.cold.parents)
        self.command = f"algo-{self.seed}"
        self.bench.command("submit_order", data, id=self.command)
        made = [p for key, p in self.state.cold.parents.items() if key not in before]
        self.counts["refused"] += not made

    def _hold(self, lots: int) -> None:
        side, id = "buy" if lots > 0 else "sell", f"hold-{self.seed}"
        self.bench.command("submit_order", {"symbol": "AAA/USDT", "side": side, "qty": str(abs(lots))}, id=id)
        (order,) = self.state.working.values()
        self.bench.report(order.cl_ord_id, K.ACK)
        self.bench.fill(order.cl_ord_id, abs(lots))

    def _params(self, algo: str, qty: int) -> dict[str, Any]:
        rng = self.rng
        if algo == "sor":
            return {}
        if algo == "iceberg":
            return {"display_qty": str(max(1, qty // rng.choice((1, 3, 10))))} | (
                {"over_s": "8"} if rng.random() < 0.5 else {}
            )
        params = {"over_s": str(rng.choice((4, 10, 30))), "slices": rng.choice((1, 4, 10, 20))}
        if rng.random() < 0.3:
            params["start_in_s"] = "1.5"
        if rng.random() < 0.3:
            params["jitter"] = "0.5"
        params["style"] = rng.choice(("ioc", "ioc", "market", "limit"))
        if self.two and params["style"] != "limit" and rng.random() < 0.7:
            params["venues"] = "all"
        if algo == "pov":
            params["participation"] = rng.choice(("0.1", "0.5"))
        if algo == "vwap":
            params["dynamic"] = rng.choice((0, 1))
            params["profile"] = [rng.choice((0, 1, 5)) + 1 for _ in range(168)]
        return params

    def _event(self) -> None:
        name = self.rng.choices(NAMES, WEIGHTS)[0]
        if getattr(self, f"_{name}")() is not False:
            self.counts[name] += 1

    # -- what can happen ----------------------------------------------------------------------------------------

    def _pick(self, *statuses: OrdStatus, open: bool | None = None) -> Order | None:
        rows = [
            o
            for o in self.state.cold.orders.values()
            if o.parent and (o.status in statuses or (open is not None and o.is_open is open))
        ]
        return self.rng.choice(rows) if rows else None

    def _say(self, order: Order | None, kind: ReportKind, **named: Any) -> bool:
        if order is None:
            return False
        self.bench.report(order.cl_ord_id, kind, **named)
        return True

    def _paid(self, order: Order) -> float:
        return order.price_ticks / 100 if order.price_ticks else self.mid

    def _ack(self):
        return self._say(self._pick(OrdStatus.PENDING_NEW), K.ACK)

    def _reject(self):
        return self._say(self._pick(OrdStatus.PENDING_NEW), K.REJECTED, reason="no")

    def _unknown(self):
        return self._say(self._pick(OrdStatus.PENDING_NEW, OrdStatus.PENDING_CANCEL), K.UNKNOWN)

    def _not_found(self):
        return self._say(self._pick(OrdStatus.PENDING_UNKNOWN), K.NOT_FOUND)

    def _gone(self):
        return self._say(self._pick(open=True), K.CANCELED)

    def _expired(self):
        return self._say(self._pick(open=True), K.EXPIRED)

    def _cancelled(self):
        return self._say(self._pick(OrdStatus.PENDING_CANCEL), K.CANCELED)

    def _cancel_refused(self):
        return self._say(self._pick(OrdStatus.PENDING_CANCEL), K.CANCEL_REJECTED)

    def _cancel_lost(self):
        return self._say(self._pick(OrdStatus.PENDING_CANCEL), K.CANCEL_UNKNOWN)

    def _fill(self):
        order = self._pick(open=True)
        if order is None or not order.leaves_lots:
            return False
        whole = self.rng.random() < 0.5
        lots = order.leaves_lots if whole else self.rng.randint(1, order.leaves_lots)
        self.last_exec = f"x{self.seed}-{self.bench.ids}"
        self.bench.fill(order.cl_ord_id, lots, self._paid(order), exec_id=self.last_exec, fee=0.1)
        self.last_filled = order
        return True

    def _again(self):
        """The last execution is told a second time."""
        order = getattr(self, "last_filled", None)
        if order is None:
            return False
        return self._say(order, K.TRADE, exec_id=self.last_exec, last_lots=3, px_ticks=1e4)

    def _late(self):
        order = self._pick(open=False)
        if order is None or order.is_open or order.filled_lots >= order.qty_lots:
            return False
        lots = self.rng.randint(1, order.qty_lots - order.filled_lots)
        self._unasked(order, lots)
        self.bench.fill(order.cl_ord_id, lots, self._paid(order))
        return True

    def _too_much(self):
        order = self._pick(OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
        if order is None:
            return False
        more = self.rng.randint(1, 5)
        self._unasked(order, more)
        self.bench.fill(order.cl_ord_id, order.leaves_lots + more, self._paid(order))
        return True

    def _back(self):
        """Said finished, shown open again."""
        order = self._pick(OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED)
        if order is None or order.filled_lots >= order.qty_lots:
            return False
        self._unasked(order, order.qty_lots - order.filled_lots)
        return self._say(order, K.STATUS, cum_lots=order.filled_lots)

    def _shown(self):
        """A status answer that counts more than was told: executions inferred."""
        order = self._pick(open=True)
        if order is None:
            return False
        cum = order.filled_lots + self.rng.randint(0, order.leaves_lots)
        return self._say(order, K.STATUS, cum_lots=cum, px_ticks=self._paid(order) * 100)

    def _unasked(self, order: Order, lots: int) -> None:
        assert self.parent is not None
        self.excess += lots * (5 if self.two and order.instrument == 1 else 1)

    def _wait(self):
        due = self.state.next_due_ns() - self.bench.now
        seconds = self.rng.choice((0.05, 0.3, 1.0, 2.0, max(due, 0) / SECOND))
        self.bench.wait(min(seconds, 4.0))

    def _sleep(self):
        """The core is held up: timers fire late, all at once."""
        self.bench.now += int(self.rng.uniform(0.5, 6.0) * SECOND)
        self.bench.do(Timer(self.bench.now))

    def _move(self):
        self.mid = round(100.0 * self.rng.choice((1.0, 1.0, 1.0001, 0.9999, 1.003, 0.997, 1.02)), 2)
        self.bench.price(0, self.mid)
        if self.two:
            self.bench.price(1, self.mid)

    def _no_book(self):
        self.bench.price(0, self.mid, bid=0.0, ask=self.rng.choice((0.0, self.mid)))

    def _volume(self):
        self._trade(self.rng.choice((1, 20, 400)))

    def _trade(self, lots: int) -> None:
        self.bench.now += 1000
        rows = np.zeros(1, dtype=TICK)
        rows["ts_ns"], rows["flags"], rows["last_ticks"] = self.bench.now, TICK_TRADE | TICK_BUY, 10_000
        rows["last_lots"] = lots
        self.bench.do(Ticks(rows))

    def _kill(self):
        scope = self.rng.choice(("all", "venue:sim", "symbol:AAA/USDT", "symbol:BBB/USDT"))
        level = self.rng.choice(("reduce", "halt", "flatten"))
        self.bench.command("kill", {"scope": scope, "level": level})

    def _pause(self):
        self.bench.command("pause_algo", {"id": self.id})

    def _resume(self):
        self.bench.command("resume_algo", {"id": self.id})

    def _end(self):
        self.bench.command("cancel_algo", {"id": self.id})

    def _cancel_all(self):
        self.bench.command(self.rng.choice(("cancel_all", "stop")))

    def _start(self):
        self.bench.command("rearm", {"switch": "all"})
        self.bench.command("start")

    def _cancel_child(self):
        order = self._pick(open=True)
        if order is None:
            return False
        self.bench.command("cancel_order", {"cl_ord_id": order.cl_ord_id})
        return True

    def _restart(self) -> None:
        clean = self.rng.random() < 0.5
        raw = snapshot.save(self.state)
        self.bench.state = snapshot.load(raw, self.config)
        need(snapshot.save(self.state) == raw, "A8: a snapshot does not survive its own loading")
        self.parent = self.state.cold.parents.get(self.id)
        self.bench.now += int(self.rng.choice((0.0, 0.5, 5.0)) * SECOND)
        self.epoch += 1
        self.bench.do(Boot(self.bench.now, self.epoch, clean, autostart=True))
        if self.rng.random() < 0.8:
            self.bench.agree()
        if not clean and self.rng.random() < 0.8:
            self.bench.finish_kill()
            self._start()

    # -- the end ------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """The venue answers everything from now on: what has not ended must end."""
        for _ in range(60):
            if self.parent is None or self.parent.ended_ns:
                break
            for order in [o for o in self.state.working.values() if o.parent]:
                if not order.is_open:
                    continue
                if self.rng.random() < 0.5 and not order.cancels and order.leaves_lots:
                    self.bench.fill(order.cl_ord_id, order.leaves_lots, self._paid(order))
                elif order.status is OrdStatus.PENDING_UNKNOWN or order.cancels or order.tif.name == "IOC":
                    self._say(order, K.CANCELED)
            self._move()
            self.bench.wait(1.0)
            if self.parent and not self.parent.ended_ns and (_ > 30 or not self.parent.end_ns):
                self._end()
        parent = self.parent
        if parent is not None:
            need(
                parent.ended_ns > 0,
                f"A7: {parent.id} {parent.algo} never ended: {parent.status} {parent.note}",
            )
            need(len(self.endings) == 1, f"A7: its command ended {self.endings}")
            self.counts[f"ended {parent.status}"] += 1
            self.counts[f"algo {parent.algo}"] += 1
            self.counts["children"] += len(parent.children)
            self.counts["whole"] += parent.filled_lots == parent.qty_lots

    # -- what must hold -------------------------------------------------------------------------------------------

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

    # -- replay ---------------------------------------------------------------------------------------------------

    def _replay(self) -> None:
        state = snapshot.create(self.config)
        middle = len(self.recorded) // 2
        for n, (event, digest) in enumerate(self.recorded):
            if n == middle:
                state = snapshot.load(snapshot.save(state), self.config)
            need(effects_digest(step(state, event)) == digest, f"A8: step {n} differs in replay")
        same = snapshot.fingerprint(state) == snapshot.fingerprint(self.state)
        need(same, "A8: the state differs after replay")


EVENTS = {
    "wait": 10, "fill": 10, "ack": 12, "gone": 2, "cancelled": 10, "unknown": 7, "not_found": 3, "reject": 2, "expired": 2,
    "cancel_refused": 4, "cancel_lost": 3, "again": 2, "late": 3, "too_much": 0.5, "back": 2, "shown": 3, "sleep": 0.7,
    "move": 4, "no_book": 0.3, "volume": 3, "kill": 0.3, "pause": 0.5, "resume": 1.0, "end": 0.1, "cancel_all": 0.1,
    "start": 0.3, "cancel_child": 0.5, "restart": 0.4,
}  # fmt: skip
NAMES, WEIGHTS = list(EVENTS), list(EVENTS.values())


def main() -> None:
    import sys
    import time

    first, count = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    total: Counter[str] = Counter()
    events, broken, began = 0, [], time.perf_counter()
    for seed in range(first, first + count):
        life = Life(seed, record=seed % 10 == 0)
        try:
            life.run()
        except Broken as error:
            broken.append(str(error))
            if count == 1:
                raise
        total.update(life.counts)
        events += life.booted
    seconds = time.perf_counter() - began
    print("\n".join(broken[:25]))
    print(
        f"{count} lives, {events} events, {seconds:.1f} s, {1e3 * seconds / count:.2f} ms each, {len(broken)} broken"
    )
    print(Counter(text.partition(" ")[2][:12] for text in broken), dict(sorted(total.items())))


if __name__ == "__main__":
    main()
