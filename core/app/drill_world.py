"""One drill's world: three instruments held, orders working on each, a calm tape, and a venue whose fault waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from bus.effects import CancelOrder, Effect, MassCancel, NewOrder, Publish, WriteLatch
from bus.enums import Role, Switch
from bus.events import Boot, Command, Event
from bus.instruments import InstrumentSpec
from core.adapters.faults import FaultPlan
from core.adapters.sim_venue import SimVenue
from core.app import drill_evidence as evidence
from core.app.drive import Driver
from core.engine import snapshot
from core.engine.config import SECOND_NS, EngineConfig, GateLimits, SwitchLimits
from core.engine.ladder import Kill
from core.engine.market import Ticks
from core.kernels.tables import TICK, TICK_QUOTE, Table

if TYPE_CHECKING:
    from core.app.drill_trips import Trip

START_NS = 1_700_000_000 * SECOND_NS
CASH = 100_000.0
PRICE = 100.0
FAULT_S = 45.0  # how long the fault holds after the trip
TICK_S = 0.25
OFF = SwitchLimits(
    drawdown=None,
    position_loss=None,
    daily_loss=None,
    emergency=None,
    leverage=None,
    margin=None,
    stale_data_s=None,
    venue_down_s=None,
    order_rate_per_s=None,
    reject_rate=None,
    reconciliation=False,
    journal=False,
)


@dataclass(frozen=True)
class Seen:
    """What the world has watched leave the engine since the trip."""

    cancels: list[Effect]
    orders: list[NewOrder]
    audits: list[str]  # what was audited, in order
    alarms: list[str]  # text of KILL_UNCONFIRMED
    latches: list[set[str]]  # keys in each latch record


class DrillWorld:
    """Build the book, trip the switch, let the fault have its time, look at the venue."""

    def __init__(self, switch: Switch, fault: str, seed: int, trip: Trip) -> None:
        self.switch, self.fault, self.seed, self.trip = switch, fault, seed, trip
        self.plan = FaultPlan(seed=seed)
        specs = tuple(_spec(symbol, trip.margin_rate) for symbol in ("AAA/USDT", "BBB/USDT", "CCC/USDT"))
        switches = msgspec.structs.replace(OFF, **trip.limits)
        gate = GateLimits(
            price_collar=0.5, order_value_max=1e9, concentration_max=50.0, gross_leverage_max=50.0,
            net_leverage_max=50.0, margin_ratio_min=0.0, stress_move=0.0,
        )  # fmt: skip
        config = EngineConfig(
            instruments=specs, cash={"USDT": CASH}, switches=switches, gate=gate, account_check_interval_s=5.0
        )
        self.state = snapshot.create(config)
        self.venue = SimVenue(0, specs, seed=seed, latency_ms=15.0, jitter_ms=10.0, faults=self.plan)
        self.driver = Driver(self.state, [self.venue], on_step=self._on_step)
        self.prices = [PRICE, PRICE, PRICE]
        self.silent = -1  # instrument without ticks
        self.tripped_ns = 0
        self.seen = Seen([], [], [], [], [])
        self.commands = 0
        self._noise = np.random.default_rng(seed)

    # -- what drills are made of ------------------------------------------------------------------------------

    def build(self) -> None:
        """A long position in each instrument, and two orders working on each side of it."""
        self.send(Boot(START_NS, 1, clean=True, autostart=True))
        self.run(1.0)
        lots = round(self.trip.leverage * CASH / 3 / PRICE)
        for i in range(3):
            self.order(i, "buy", lots)
        self.run(1.0)
        for i in range(3):
            for away in (-0.30, -0.25, 0.25, 0.30):
                side = "buy" if away < 0 else "sell"
                self.order(i, side, max(lots // 10, 1), round(self.prices[i] * (1.0 + away), 2))
        self.run(1.0)

    def send(self, event: Event) -> None:
        """One event now."""
        self.driver.send(event)

    def command(self, type: str, data: dict[str, Any]) -> None:
        """As the operator."""
        self.commands += 1
        id = f"drill-{self.commands}"
        self.send(Command(self.driver.now_ns, id, "drill", Role.OPERATOR, type, data, "drill"))

    def order(self, instrument: int, side: str, lots: int, price: float = 0.0) -> None:
        """A market order, or a limit order at ``price`` (quote)."""
        data = {"symbol": self.state.specs[instrument].symbol, "side": side, "qty": str(lots)}
        self.command("submit_order", data | ({"type": "limit", "price": f"{price:.2f}"} if price else {}))

    def run(self, seconds: float) -> None:
        """Let the market tick."""
        until_ns = self.driver.now_ns + int(seconds * SECOND_NS)
        rows = self._rows(self.driver.now_ns, until_ns)
        if len(rows):
            self.driver.feed(rows)
        self.driver.run_until(until_ns)

    def fall(self, fraction: float, instruments: tuple[int, ...] = (0, 1, 2)) -> None:
        """Prices fall by ``fraction``, at the next tick."""
        for i in instruments:
            self.prices[i] *= 1.0 - fraction
        self.run(1.0)

    def finish(self) -> dict[str, Any]:
        """Let the fault have its time, try to buy more, then look at what the venue holds."""
        self.run(FAULT_S)
        self.order(0, "buy", 1)
        return evidence.row(self)

    # -- inside -----------------------------------------------------------------------------------------------

    def kills(self) -> list[Kill]:
        """The kills of the drilled switch."""
        return [kill for kill in self.state.cold.kills.values() if kill.switch == self.switch]

    def _rows(self, from_ns: int, until_ns: int) -> Table:
        times = np.arange(from_ns + int(TICK_S * SECOND_NS), until_ns + 1, int(TICK_S * SECOND_NS))
        live = [i for i in range(3) if i != self.silent]
        rows = np.zeros(len(times) * len(live), dtype=TICK)
        rows["ts_ns"] = np.repeat(times, len(live))
        rows["instrument"] = np.tile(live, len(times))
        rows["flags"] = TICK_QUOTE
        mid = np.tile([round(self.prices[i] * 100) for i in live], len(times))
        rows["bid_ticks"] = mid - self._noise.integers(1, 3, len(rows))
        rows["ask_ticks"] = mid + self._noise.integers(1, 3, len(rows))
        rows["bid_lots"] = rows["ask_lots"] = 5_000
        return rows

    def _on_step(self, _event: Event | Ticks, effects: list[Effect]) -> None:
        start = 0
        if not self.tripped_ns and self.kills():
            self._trip()
            start = next(i for i, e in enumerate(effects) if isinstance(e, CancelOrder | WriteLatch))
        if self.tripped_ns:
            for effect in effects[
                start:
            ]:  # in the step that trips, what left before the trip is none of its doing
                self._note(effect)

    def _trip(self) -> None:
        """The switch has tripped in this step: what its effects will meet is the fault."""
        self.tripped_ns = self.driver.now_ns
        self.plan.off("reject")
        if self.trip.venue_returns:
            self.plan.off("disconnect")
        if self.fault != "none":
            self.plan.on(self.fault, from_ns=self.tripped_ns)

    def _note(self, effect: Effect) -> None:
        match effect:
            case CancelOrder() | MassCancel():
                self.seen.cancels.append(effect)
            case NewOrder():
                self.seen.orders.append(effect)
            case WriteLatch():
                self.seen.latches.append({row["key"] for row in effect.record["latches"]})
            case Publish():
                view: Any = effect.data
                if effect.type == "audit":
                    self.seen.audits.append(f"{view.what} {view.target}")
                elif effect.type == "alert" and view.id == f"KILL_UNCONFIRMED:switch.{self.switch}":
                    if view.status == "UNACK":
                        self.seen.alarms.append(view.message)
            case _:
                pass


def _spec(symbol: str, margin_rate: float) -> InstrumentSpec:
    base = symbol.partition("/")[0]
    return InstrumentSpec(symbol=symbol, base=base, tick_size=0.01, lot_size=1.0, margin_rate=margin_rate)
