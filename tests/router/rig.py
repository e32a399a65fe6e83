"""Small markets to route in: one thing, two or three venues, drawn from a seed and told to a real engine as events."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from bus.enums import ReportKind, Side
from bus.events import Depth
from bus.instruments import InstrumentSpec
from core.engine.config import RouterLimits
from core.engine.market import Ticks
from core.engine.orders import Order
from core.kernels.tables import TICK, TICK_QUOTE
from tests.engine.kit import Bench, config

VENUES = ("sim", "alt", "far")
Levels = tuple[tuple[int, int], ...]


@dataclass
class Book:
    """One question to the router."""

    specs: tuple[InstrumentSpec, ...]
    bids: tuple[Levels, ...]
    asks: tuple[Levels, ...]
    limits: RouterLimits
    side: Side
    qty_lots: int
    limit_ticks: int
    held: tuple[int, ...]  # signed lots by instrument

    @property
    def sign(self) -> int:
        return 1 if self.side is Side.BUY else -1

    def taken(self, i: int) -> Levels:
        """The side that is hit."""
        return self.asks[i] if self.side is Side.BUY else self.bids[i]


def spec(venue: str, **named: Any) -> InstrumentSpec:
    """One listing of the thing."""
    symbol = "AAA/USDT" if venue == "sim" else f"AAA/USDT@{venue}"
    plain = {"tick_size": 0.01, "lot_size": 1.0, "margin_rate": 0.1}
    return InstrumentSpec(symbol=symbol, base="AAA", venue=venue, **(plain | named))


def draw(seed: int, *, units: tuple[int, ...] = (1, 2, 5, 10)) -> Book:
    """Two or three venues, up to four levels a side, small sizes, and sometimes each thing that can be in the way."""
    rng = random.Random(f"book-{seed}")
    names = VENUES[: rng.choice((2, 2, 3))]
    specs = tuple(
        spec(
            name,
            lot_size=float(rng.choice(units)) if n else 1.0,
            tick_size=rng.choice((0.01, 0.01, 0.02, 0.05)),
            qty_lots_min=rng.choice((1, 1, 2, 4)),
            qty_lots_max=rng.choice((10**8, 10**8, 12)),
            notional_min=rng.choice((0.0, 0.0, 250.0, 900.0)),
            fee_rate_taker=rng.choice((0.0, 0.0002, 0.0005, 0.001)),
        )
        for n, name in enumerate(names)
    )
    books = [_book(rng, one) for one in specs]
    side = rng.choice((Side.BUY, Side.SELL))
    sign = 1 if side is Side.BUY else -1
    limits = RouterLimits(
        latency_ms={name: rng.choice((1.0, 20.0, 200.0)) for name in names},
        volatility=rng.choice((0.0, 0.6, 3.0)),
        exposure_max={name: rng.uniform(200.0, 3000.0) for name in names if rng.random() < 0.2},
        wallet={name: rng.uniform(200.0, 3000.0) for name in names if rng.random() < 0.2},
    )
    return Book(
        specs=specs,
        bids=tuple(bids for bids, _ in books),
        asks=tuple(asks for _, asks in books),
        limits=limits,
        side=side,
        qty_lots=rng.randint(1, 60),
        limit_ticks=rng.choice((0, round((100.0 + sign * rng.uniform(-0.02, 0.2)) / specs[0].tick_size))),
        held=tuple(rng.choice((0, 0, 0, 3, -4)) for _ in specs),
    )


def _book(rng: random.Random, one: InstrumentSpec) -> tuple[Levels, Levels]:
    unit = int(one.lot_size)
    mid = 100.0 + rng.uniform(-0.03, 0.03)
    sides = []
    for sign in (-1, 1):
        ticks, levels = int((mid + sign * rng.uniform(0.0, 0.04)) / one.tick_size) + (sign > 0), []
        for _ in range(rng.randint(1, 4)):
            levels.append((ticks, max(1, rng.randint(1, 24) // unit)))
            ticks += sign * rng.randint(1, 5)
        sides.append(tuple(levels))
    return sides[0], sides[1]


def build(book: Book) -> Bench:
    """A core that has been told the books, and holds what is said."""
    names = tuple(one.venue for one in book.specs)
    bench = Bench(config(instruments=book.specs, venues=names, router=book.limits))
    tell(bench, book)
    for i, lots in enumerate(book.held):
        if lots:
            hold(bench, i, lots)
    bench.state.cold.costs.clear()  # nothing has been learnt yet: the oracle knows expectations only
    tell(bench, book)
    return bench


def hold(bench: Bench, i: int, lots: int) -> None:
    """A position made at 100.00 by an order that is otherwise over."""
    order = bench.submit(i, Side.BUY if lots > 0 else Side.SELL, 12)
    assert isinstance(order, Order), order
    px_ticks = 100.0 / bench.state.specs[i].tick_size
    bench.ids += 1
    bench.report(order.cl_ord_id, ReportKind.TRADE, exec_id=f"h{i}", last_lots=abs(lots), px_ticks=px_ticks)
    bench.report(order.cl_ord_id, ReportKind.CANCELED)


def tell(bench: Bench, book: Book) -> None:
    """The books, at one instant: tops as ticks, ladders as depth."""
    bench.now += 1000
    for i in range(len(book.specs)):
        bench.do(top(bench.now, i, book.bids[i], book.asks[i]))
        bench.do(Depth(bench.now, i, book.bids[i], book.asks[i]))


def top(ts_ns: int, i: int, bids: Levels, asks: Levels) -> Ticks:
    """The best of both sides as a quote."""
    rows = np.zeros(1, dtype=TICK)
    rows["ts_ns"], rows["instrument"], rows["flags"] = ts_ns, i, TICK_QUOTE
    (rows["bid_ticks"], rows["bid_lots"]) = bids[0] if bids else (0, 0)
    (rows["ask_ticks"], rows["ask_lots"]) = asks[0] if asks else (0, 0)
    return Ticks(rows)
