"""Random accounts against fractions: three currencies, linear and inverse, fees, funding; the ledger is right to units.

The oracle knows cash flows and marks, no average cost, no parts, no rounding. Every worth may be half a unit off by its one
rounding and a few units by the float it is computed in; nothing may build up.
"""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from bus.enums import ReportKind, Side
from bus.events import Funding
from bus.instruments import InstrumentSpec
from core.engine import attribution, pnlview
from core.engine.market import Ticks
from tests.engine.kit import SECOND, Bench, config, quote

from .oracle import Books, exact

SPECS = (
    InstrumentSpec(symbol="AAA/USDT", base="AAA", tick_size=0.01, lot_size=0.001),
    InstrumentSpec(symbol="BTC/USDT", base="BTC", tick_size=0.01, lot_size=0.00001, fx_for="BTC"),
    InstrumentSpec(symbol="EUR/USDT", base="EUR", tick_size=0.0001, lot_size=0.1, fx_for="EUR"),
    InstrumentSpec(symbol="AAA/EUR", base="AAA", quote="EUR", settle="EUR", tick_size=0.01, lot_size=0.001),
    InstrumentSpec(
        symbol="BTC/USD:BTC",
        base="BTC",
        quote="USD",
        settle="BTC",
        inverse=True,
        tick_size=0.5,
        contract_value=100.0,
    ),
)
CASH = {"USDT": 1_000_000.0, "EUR": 1234.56, "BTC": 0.123456789}
START = (100.0, 60_000.0, 1.1, 91.0, 60_000.0)
STEPS = 400


class Random:
    """One account lived twice: through the engine, and in fractions."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.books = Books(SPECS, CASH)
        self.half = [0] * len(SPECS)  # marks in half ticks
        self.bench = Bench(config(instruments=SPECS, cash=CASH, attribution=config().attribution))
        for i, price in enumerate(START):
            self.move(i, price)
        state = self.bench.state
        attribution.begin(state)  # the kit's own first prices are forgotten: measured from here
        state.cold.equity_start, state.cold.ledger.total = state.equity, 0
        state.cold.ledger.now, state.cold.ledger.sessions = [0] * 6, {}
        state.cold.ledger.hours, state.cold.ledger.today = [], [0] * 6
        self.start = self.equity()

    def move(self, i: int, price: float) -> None:
        tick = SPECS[i].tick_size
        bid = max(1, round(price / tick) - self.rng.randrange(1, 4))
        ask = bid + self.rng.randrange(1, 6)
        self.half[i] = bid + ask
        self.bench.now += SECOND
        block: Ticks = quote(self.bench.now, i, price)
        block.rows["bid_ticks"], block.rows["ask_ticks"] = bid, ask
        self.bench.do(block)

    def mark(self, i: int) -> Fraction:
        return self.half[i] * exact(SPECS[i].tick_size) / 2

    def equity(self) -> Fraction:
        marks = [self.mark(i) for i in range(len(SPECS))]
        return self.books.equity(marks, {"USDT": Fraction(1), "BTC": marks[1], "EUR": marks[2]})

    def step(self) -> None:
        rng, i = self.rng, self.rng.randrange(len(SPECS))
        what = rng.random()
        if what < 0.5:
            self.move(i, float(self.mark(i)) * (1 + rng.gauss(0, 0.004)))
        elif what < 0.9:
            self.trade(i)
        else:
            rate = rng.choice((-0.0003, 0.0001))
            if self.bench.state.qty(i):
                self.books.fund(i, rate, self.mark(i))
            self.bench.do(Funding(self.bench.now, i, rate))

    def trade(self, i: int) -> None:
        rng, sign = self.rng, self.rng.choice((1, -1))
        order = self.bench.submit(i, Side.BUY if sign > 0 else Side.SELL, rng.randrange(1, 400))
        if not hasattr(order, "qty_lots"):
            return
        self.bench.report(order.cl_ord_id, ReportKind.ACK)
        ticks = max(1, self.half[i] // 2 + rng.randrange(-5, 6))
        fee = round(rng.uniform(-0.001, 0.02), 9)
        lots = rng.randrange(1, order.qty_lots + 1)
        self.bench.report(
            order.cl_ord_id, ReportKind.TRADE, exec_id=f"e{self.bench.ids}-{self.bench.now}", last_lots=lots,
            px_ticks=float(ticks), fee=fee,
        )  # fmt: skip
        self.books.trade(i, sign * lots, ticks, fee)
        self.bench.report(order.cl_ord_id, ReportKind.CANCELED)


@pytest.mark.parametrize("seed", range(12))
def test_the_ledger_is_the_account_in_fractions_but_for_units(seed: int) -> None:
    world = Random(seed)
    worst = 0.0
    for _ in range(STEPS):
        world.step()
        found = pnlview.attributed(world.bench.state)
        for name in pnlview.CUTS:
            assert sum(found.totals(name).values()) == found.total, name
        worst = max(worst, abs(float((world.equity() - world.start) * 10**found.digits - found.total)))
    assert world.bench.state.cold.ledger.bookings > 50
    # a worth of 1e5 in a float is 1.5e-11 off, of 1e-9: far below a unit; each of ten shares may round by half of one
    assert worst < 10.0, f"{worst} units"
    assert not world.bench.state.cold.ledger.alarmed
