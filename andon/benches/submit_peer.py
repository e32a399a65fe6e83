"""Runs in an environment of its own (see risk_env): NautilusTrader's path from submit_order to the execution client.

Prints one JSON object: the microseconds of each call with the order object ready, the same with its factory
included, and what its risk engine does in four cases that a stop path must get right.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

COUNT, ROUNDS = 2_000, 9


def _from(path: str, *names: str) -> list[Any]:
    module = importlib.import_module(f"nautilus_trader.{path}")
    return [getattr(module, name) for name in names]


class Rig:
    """One trader with a margin account, one instrument, and a client that counts."""

    def __init__(self, *, quote: bool = True, notional_max: int | None = None) -> None:
        (cache_class,) = _from("cache.cache", "Cache")
        bus_class, clock_class = _from("common.component", "MessageBus", "TestClock")
        risk_config, exec_config = _from("config", "RiskEngineConfig", "ExecEngineConfig")
        (exec_class,), (risk_class,) = (
            _from("execution.engine", "ExecutionEngine"),
            _from("risk.engine", "RiskEngine"),
        )
        (portfolio_class,), (strategy_class,) = (
            _from("portfolio.portfolio", "Portfolio"),
            _from("trading.strategy", "Strategy"),
        )
        (provider,), (events,) = (
            _from("test_kit.providers", "TestInstrumentProvider"),
            _from("test_kit.stubs.events", "TestEventStubs"),
        )
        (data,) = _from("test_kit.stubs.data", "TestDataStubs")
        trader, venue, account, client_id = _from(
            "model.identifiers", "TraderId", "Venue", "AccountId", "ClientId"
        )
        self.enums = importlib.import_module("nautilus_trader.model.enums")
        self.quantity = _from("model.objects", "Quantity")[0]
        clock, me, sim = clock_class(), trader("T-001"), venue("SIM")
        bus, self.cache = bus_class(trader_id=me, clock=clock), cache_class()
        portfolio = portfolio_class(msgbus=bus, cache=self.cache, clock=clock)
        engine = exec_class(msgbus=bus, cache=self.cache, clock=clock, config=exec_config())
        self.instrument = provider.default_fx_ccy("AUD/USD", sim)
        limits = {str(self.instrument.id): notional_max} if notional_max else {}
        never = "10000000/00:00:01"
        config = risk_config(
            max_order_submit_rate=never, max_order_modify_rate=never, max_notional_per_order=limits
        )
        self.risk = risk_class(portfolio=portfolio, msgbus=bus, cache=self.cache, clock=clock, config=config)
        self.client = _client(client_id("SIM"), sim, self.enums, bus, self.cache, clock)
        engine.register_client(self.client)
        self.cache.add_instrument(self.instrument)
        if quote:
            self.cache.add_quote_tick(
                data.quote_tick(instrument=self.instrument, bid_price=0.7, ask_price=0.70002)
            )
        portfolio.update_account(events.margin_account_state(account_id=account("SIM-000")))
        self.risk.start()
        engine.start()
        self.events, self.engine, self.account = events, engine, account("SIM-000")
        self.strategy = strategy_class()
        self.strategy.register(trader_id=me, portfolio=portfolio, msgbus=bus, cache=self.cache, clock=clock)

    def order(self, k: int) -> Any:
        price = self.instrument.make_price(0.69 + k % 50 * 1e-5)
        return self.strategy.order_factory.limit(
            self.instrument.id, self.enums.OrderSide.BUY, self.quantity.from_int(1000 + k % 7 * 1000), price
        )

    def market(self, side: str, qty: int, *, reduce_only: bool = False) -> bool:
        """Send a market order; whether it reached the client."""
        before = self.client.sent
        order = self.strategy.order_factory.market(
            self.instrument.id,
            getattr(self.enums.OrderSide, side),
            self.quantity.from_int(qty),
            reduce_only=reduce_only,
        )
        self.strategy.submit_order(order)
        self.last = order
        return bool(self.client.sent > before)

    def hold(self, qty: int) -> None:
        """A long position of ``qty``."""
        self.market("BUY", qty)
        filled = self.events.order_filled(
            self.last, instrument=self.instrument, account_id=self.account, position_id=None
        )
        for event in (
            self.events.order_submitted(self.last, account_id=self.account),
            self.events.order_accepted(self.last, account_id=self.account),
            filled,
        ):
            self.engine.process(event)


def _client(client_id: Any, venue: Any, enums: Any, bus: Any, cache: Any, clock: Any) -> Any:
    base: Any = _from("execution.client", "ExecutionClient")[0]
    (usd,) = _from("model.currencies", "USD")

    class Counting(base):  # type: ignore[misc]
        sent = 0

        def submit_order(self, _command: Any) -> None:
            self.sent += 1

    return Counting(
        client_id=client_id, venue=venue, oms_type=enums.OmsType.NETTING, account_type=enums.AccountType.MARGIN,
        base_currency=usd, msgbus=bus, cache=cache, clock=clock,
    )  # fmt: skip


def _timed(calls: list[Callable[[], object]]) -> list[int]:
    spent = []
    for call in calls:
        begin = time.perf_counter_ns()
        call()
        spent.append(time.perf_counter_ns() - begin)
    return spent


def _paths() -> dict[str, list[list[int]]]:
    rig = Rig()
    submit = rig.strategy.submit_order
    ready, whole = [], []
    gc.collect()
    gc.freeze()
    gc.disable()
    for n in range(ROUNDS):
        orders = [rig.order(n * COUNT + k) for k in range(COUNT)]
        ready.append(_timed([lambda order=order: submit(order) for order in orders]))  # type: ignore[misc]
        whole.append(_timed([lambda k=k: submit(rig.order(k)) for k in range(COUNT)]))  # type: ignore[misc]
    assert rig.client.sent == 2 * ROUNDS * COUNT, "its client has not seen every order"
    return {"ready": ready, "whole": whole}


def _cases() -> dict[str, bool]:
    """True = the order left for the venue."""
    states = importlib.import_module("nautilus_trader.model.enums").TradingState
    halted, reducing = Rig(), Rig()
    for rig in (halted, reducing):
        rig.hold(100_000)
    halted.risk.set_trading_state(states.HALTED)
    reducing.risk.set_trading_state(states.REDUCING)
    return {
        "halted_exact_close": halted.market("SELL", 100_000, reduce_only=True),
        "reducing_nine_times": reducing.market("SELL", 900_000),
        "missing_price": Rig(quote=False, notional_max=1000).market("BUY", 900_000),
        "missing_limit": Rig().market("BUY", 5_000_000),
    }


def main() -> None:
    """Measure and print."""
    version = importlib.import_module("nautilus_trader").__version__
    json.dump({"version": version, "cases": _cases(), **_paths()}, sys.stdout)


if __name__ == "__main__":
    main()
