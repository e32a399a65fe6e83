"""A bench with one order list, and a venue that agrees to what is asked."""

from __future__ import annotations

from typing import Any

from bus.enums import OrdStatus, ReportKind
from core.engine.config import SwitchLimits
from core.engine.listed import OrderList
from core.engine.orders import Order

from .kit import OFF, Bench, config

S, R = OrdStatus, ReportKind
BUY_10 = {"symbol": "AAA/USDT", "side": "buy", "qty": "10", "type": "limit", "price": "100"}
EXITS = {"take_profit": "104", "stop_loss": "96"}


class Listed:
    """A bench with one list, and a venue that agrees to what is asked."""

    def __init__(self, mode: str = "keep", switches: SwitchLimits = OFF, **data: Any) -> None:
        self.bench = Bench(config(protective_on_cancel_all=mode, switches=switches))
        if data.get("kind") == "oco":
            self.bench.hold(0, 10)
        self.bench.command("submit_list", BUY_10 | EXITS | data, id="l")
        self.heard()

    @property
    def list(self) -> OrderList:
        cold = self.bench.state.cold
        [held] = [*cold.lists.values(), *cold.lists_done.values()]
        return held

    def order(self, leg: str) -> Order:
        return self.bench.state.cold.orders[getattr(self.list, leg)]

    def heard(self) -> None:
        """The venue acknowledges and amends, until nothing is pending."""
        for _ in range(20):
            waiting = [
                o for o in self.bench.state.working.values() if o.status is S.PENDING_NEW or o.want_lots
            ]
            for order in waiting:
                if order.want_lots:
                    named = {"order_lots": order.want_lots, "revision": order.revision}
                    self.bench.report(order.cl_ord_id, R.REPLACED, **named)
                else:
                    self.bench.report(order.cl_ord_id, R.ACK)
            if not waiting:
                return
        raise AssertionError("the list never comes to rest")

    def fill(self, leg: str, lots: int, price: float = 100.0) -> None:
        self.bench.fill(self.order(leg).cl_ord_id, lots, price)
        self.heard()

    def cancelled(self) -> None:
        """The venue ends whatever we have asked it to cancel."""
        for _ in range(20):
            asked = [o for o in self.bench.state.working.values() if o.cancels]
            for order in asked:
                self.bench.report(order.cl_ord_id, R.CANCELED)
            self.heard()
            if not asked:
                return

    def sizes(self) -> tuple[int, int]:
        """Lots left of the working (take-profit, stop)."""
        working = self.bench.state.working
        legs = [working.get(self.list.take), working.get(self.list.stop)]
        take, stop = [order.leaves_lots if order is not None else 0 for order in legs]
        return take, stop
