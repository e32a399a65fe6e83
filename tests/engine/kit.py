"""A bench for the engine alone: events in, effects out, nothing in between. No venue, no time but what is told."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from bus.effects import CancelOrder, Effect, NewOrder, Publish, QueryOpen, QueryPositions, Reply, WriteLatch
from bus.enums import KillPhase, OrdType, Purpose, ReportKind, Role, Side, TimeInForce, TradingState
from bus.events import Boot, Command, Event, OpenOrder, OpenOrders, Positions, Report, Timer, VenuePosition
from bus.instruments import InstrumentSpec
from core.engine import oms, snapshot
from core.engine.config import EngineConfig, GateLimits, KillTimes, StrategyConfig, SwitchLimits
from core.engine.gate import Denial, Wish
from core.engine.market import Ticks
from core.engine.orders import Order
from core.engine.step import step
from core.kernels.tables import TICK, TICK_QUOTE

SECOND = 10**9
T0 = 1_700_000_000 * SECOND
SPECS = tuple(
    InstrumentSpec(symbol=f"{base}/USDT", base=base, tick_size=0.01, lot_size=1.0, margin_rate=0.1)
    for base in ("AAA", "BBB", "CCC")
)
OFF = SwitchLimits(
    drawdown=None, position_loss=None, daily_loss=None, emergency=None, leverage=None, margin=None, stale_data_s=None,
    venue_down_s=None, order_rate_per_s=None, reject_rate=None, reconciliation=False, journal=False,
)  # fmt: skip
WIDE = GateLimits(
    order_value_max=1e9,
    concentration_max=50.0,
    gross_leverage_max=50.0,
    net_leverage_max=50.0,
    stress_move=0.0,
    margin_ratio_min=0.0,
)


def config(**named: Any) -> EngineConfig:
    """Three instruments, 100,000 USDT, every switch off, wide limits; ``named`` replaces what it names."""
    plain = EngineConfig(
        instruments=SPECS, cash={"USDT": 100_000.0}, switches=OFF, gate=WIDE, kill=KillTimes()
    )
    return msgspec.structs.replace(plain, **named)


def only(**limits: Any) -> SwitchLimits:
    """Every switch off but these."""
    return msgspec.structs.replace(OFF, **limits)


def quote(
    ts_ns: int, instrument: int, price: float, *, bid: float | None = None, ask: float | None = None
) -> Ticks:
    """One quote with its mid at ``price`` (or with the sides given)."""
    rows = np.zeros(1, dtype=TICK)
    rows["ts_ns"], rows["instrument"], rows["flags"] = ts_ns, instrument, TICK_QUOTE
    rows["bid_ticks"] = round((price - 0.01 if bid is None else bid) * 100)
    rows["ask_ticks"] = round((price + 0.01 if ask is None else ask) * 100)
    rows["bid_lots"] = rows["ask_lots"] = 1000
    return Ticks(rows)


class Bench:
    """The engine and what it has said."""

    def __init__(self, cfg: EngineConfig | None = None, *, clean: bool = True, start: bool = True) -> None:
        self.config = cfg or config()
        self.state = snapshot.create(self.config)
        self.now = T0
        self.effects: list[Effect] = []  # of the last step
        self.all: list[Effect] = []
        self.ids = 0
        self.do(Boot(T0, 1, clean, autostart=start))
        self.agree()
        for i in range(len(self.config.instruments)):
            self.price(i, 100.0)

    # -- events -------------------------------------------------------------------------------------------------

    def do(self, event: Event | Ticks) -> list[Effect]:
        self.effects = step(self.state, event)
        self.all += self.effects
        return self.effects

    def wait(self, seconds: float) -> list[Effect]:
        """Let timers fire, each at its time."""
        until, said = self.now + int(seconds * SECOND), []
        while self.state.next_due_ns() <= until:
            self.now = max(self.now, self.state.next_due_ns())
            said += self.do(Timer(self.now))
        self.now = until
        said += self.do(Timer(until))
        return said

    def price(self, instrument: int, price: float, **sides: float) -> list[Effect]:
        self.now += 1000
        return self.do(quote(self.now, instrument, price, **sides))

    def command(
        self, type: str, data: dict | None = None, *, reason: str = "because", id: str = "", who="alice"
    ):
        self.ids += 1
        return self.do(Command(self.now, id or f"c{self.ids}", who, Role.OPERATOR, type, data or {}, reason))

    def report(self, id: str, kind: ReportKind, **named: Any) -> list[Effect]:
        order = self.state.cold.orders.get(id)
        return self.do(Report(self.now, order.venue if order else 0, id, kind, **named))

    def fill(self, id: str, lots: int, price: float = 100.0, *, exec_id: str = "", fee: float = 0.0):
        self.ids += 1
        return self.report(
            id,
            ReportKind.TRADE,
            exec_id=exec_id or f"x{self.ids}",
            last_lots=lots,
            px_ticks=price * 100,
            fee=fee,
        )

    # -- answers to questions ------------------------------------------------------------------------------------

    def answer_open(self, *rows: OpenOrder, ok: bool = True, venue: int = 0) -> list[Effect]:
        """Answer the last open-order question of ``venue``."""
        request = max(e.request for e in self.all if isinstance(e, QueryOpen) and e.venue == venue)
        return self.do(OpenOrders(self.now, venue, request, ok, rows))

    def answer_positions(self, held: dict[int, int] | None = None, *, ok: bool = True, venue: int = 0):
        """Answer the last position question of ``venue``; by default as our own books."""
        if held is None:
            held = {i: self.state.qty(i) for i in range(len(self.config.instruments)) if self.state.qty(i)}
        request = max(e.request for e in self.all if isinstance(e, QueryPositions) and e.venue == venue)
        return self.do(
            Positions(self.now, venue, request, ok, tuple(VenuePosition(i, q) for i, q in held.items()))
        )

    def agree(self) -> None:
        """The venues agree with our books and show what we think works."""
        for venue, name in enumerate(self.config.venues):
            mine = [o for o in self.state.working.values() if o.venue == venue]
            self.answer_open(*[row(o) for o in mine], venue=venue)
            held = {
                i: self.state.qty(i)
                for i, spec in enumerate(self.config.instruments)
                if spec.venue == name and self.state.qty(i)
            }
            self.answer_positions(held, venue=venue)

    # -- orders ---------------------------------------------------------------------------------------------------

    def wish(self, instrument: int = 0, side: Side = Side.BUY, lots: int = 10, **named: Any) -> Wish:
        self.ids += 1
        given = {"strategy": "operator", "purpose": Purpose.OPERATOR, "cl_ord_id": f"o{self.ids}"} | named
        if given.get("price_ticks"):
            given.setdefault("ord_type", OrdType.LIMIT)
        return Wish(instrument=instrument, side=side, qty_lots=lots, **given)

    def submit(self, *args: Any, **named: Any) -> Order | Denial:
        """Straight to the order manager: effects are those of this call alone."""
        self.state.effects = []
        sent = oms.submit(self.state, self.wish(*args, **named))
        self.effects = self.state.effects
        self.all += self.effects
        return sent

    def working(
        self, instrument: int = 0, side: Side = Side.BUY, lots: int = 10, price: float = 99.0, **named: Any
    ):
        """A limit order, sent and acknowledged; returns it."""
        order = self.submit(
            instrument, side, lots, price_ticks=round(price * 100), tif=TimeInForce.GTC, **named
        )
        assert isinstance(order, Order), order
        self.report(order.cl_ord_id, ReportKind.ACK)
        return order

    def hold(self, instrument: int = 0, lots: int = 100, price: float = 100.0, **named: Any) -> Order:
        """A position, bought (or sold, when negative) by a market order."""
        side = Side.BUY if lots > 0 else Side.SELL
        order = self.submit(instrument, side, abs(lots), **named)
        assert isinstance(order, Order), order
        self.report(order.cl_ord_id, ReportKind.ACK)
        self.fill(order.cl_ord_id, abs(lots), price)
        return order

    # -- looking --------------------------------------------------------------------------------------------------

    def kill(self, key: str):
        return self.state.cold.kills.get(key)

    def kills(self) -> dict[str, tuple[TradingState, KillPhase]]:
        return {key: (kill.level, kill.phase) for key, kill in self.state.cold.kills.items()}

    def sent(self, effects: list[Effect] | None = None) -> list[NewOrder]:
        return [e for e in (self.effects if effects is None else effects) if isinstance(e, NewOrder)]

    def cancelled(self, effects: list[Effect] | None = None) -> list[str]:
        return [
            e.cl_ord_id for e in (self.effects if effects is None else effects) if isinstance(e, CancelOrder)
        ]

    def replies(self, id: str = "") -> list[Reply]:
        return [e for e in self.all if isinstance(e, Reply) and id in ("", e.id)]

    def latches(self) -> list[WriteLatch]:
        return [e for e in self.effects if isinstance(e, WriteLatch)]

    def alerts(self, code: str) -> list[Any]:
        said = [e.data for e in self.all if isinstance(e, Publish) and e.type == "alert"]
        return [view for view in said if view.id.startswith(f"{code}:")]

    def finish_kill(self, *, fill_price: float = 100.0) -> None:
        """Be a good venue until every kill is latched."""
        for _ in range(60):
            if all(k.phase is KillPhase.LATCHED for k in self.state.cold.kills.values()):
                return
            for order in list(self.state.working.values()):
                if order.purpose is Purpose.KILL:
                    self.fill(order.cl_ord_id, order.leaves_lots, fill_price)
                elif order.cancels:
                    self.report(order.cl_ord_id, ReportKind.CANCELED)
            for kill in list(self.state.cold.kills.values()):
                for request, venue in list(kill.requests.items()):
                    self._answer(request, venue)
        raise AssertionError(self.kills())

    def _answer(self, request: int, venue: int) -> None:
        asked = next(e for e in self.all if getattr(e, "request", -1) == request)
        if isinstance(asked, QueryOpen):
            rows = tuple(row(o) for o in self.state.working.values() if o.venue == venue)
            self.do(OpenOrders(self.now, venue, request, True, rows))
        else:
            name = self.config.venues[venue]
            held = tuple(
                VenuePosition(i, self.state.qty(i))
                for i, spec in enumerate(self.config.instruments)
                if spec.venue == name and self.state.qty(i)
            )
            self.do(Positions(self.now, venue, request, True, held))


def row(order: Order) -> OpenOrder:
    """An order as its venue lists it."""
    return OpenOrder(
        order.cl_ord_id, order.instrument, order.side, order.qty_lots, order.filled_lots, order.price_ticks
    )


def strategy(id: str = "hold-1", **named: Any) -> StrategyConfig:
    return StrategyConfig(
        **({"id": id, "kind": "hold", "symbols": ("AAA/USDT",), "notional": 5_000.0} | named)
    )
