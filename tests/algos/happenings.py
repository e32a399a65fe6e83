"""What can happen to a parent: everything a venue, a market, a clock and people can do. Drawn by the life's own dice."""

from __future__ import annotations

from typing import Any

import numpy as np

from bus.enums import OrdStatus, ReportKind
from bus.events import Boot, Timer
from core.engine import snapshot
from core.engine.market import Ticks
from core.engine.orders import Order
from core.kernels.tables import TICK, TICK_BUY, TICK_TRADE
from tests.engine.kit import SECOND

from .judge import need

K = ReportKind
EVENTS = {
    "wait": 10, "fill": 10, "ack": 12, "gone": 2, "cancelled": 10, "unknown": 7, "not_found": 3, "reject": 2, "expired": 2,
    "cancel_refused": 4, "cancel_lost": 3, "again": 2, "late": 3, "too_much": 0.5, "back": 2, "shown": 3, "sleep": 0.7,
    "move": 4, "no_book": 0.3, "volume": 3, "kill": 0.3, "pause": 0.5, "resume": 1.0, "end": 0.1, "cancel_all": 0.1,
    "start": 0.3, "cancel_child": 0.5, "restart": 0.4,
}  # fmt: skip
NAMES, WEIGHTS = list(EVENTS), list(EVENTS.values())


class Happenings:
    """One method a happening; False when it could not happen now."""

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
