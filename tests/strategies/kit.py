"""A toy market around one strategy: seeded prices, fills by a coin, every wish checked against the cap."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from bus.enums import OrdType, Side
from bus.instruments import InstrumentSpec
from core.strategies.base import CancelRequest, OrderRequest, OwnOrder, Picture, Strategy
from core.strategies.registry import make

SPECS = (
    InstrumentSpec(symbol="BTC/USDT", base="BTC"),
    InstrumentSpec(symbol="ETH/USDT", base="ETH", qty_lots_min=2, notional_min=10.0),
    InstrumentSpec(
        symbol="BTC/USD",
        base="BTC",
        quote="USD",
        settle="BTC",
        lot_size=1.0,
        inverse=True,
        contract_value=10.0,
    ),
)
NOTIONAL = 20_000.0
SECOND = 10**9


def strategy(kind: str, **params: float) -> Strategy:
    return make(kind, f"{kind}-1", SPECS, [], NOTIONAL, 0.5, params)


def picture(grid: int, px: list[float], **changes: Any) -> Picture:
    """A quoted, fresh market, two ticks either side of ``px``, nothing held."""
    mids = np.round(np.array(px) / 0.01).astype(np.int64)
    base = Picture(
        ts_ns=grid * SECOND,
        grid=grid,
        equity=100_000.0,
        instruments=SPECS,
        bid_ticks=mids - 2,
        ask_ticks=mids + 2,
        mark_px=(mids * 0.01).astype(np.float64),
        qty_lots=np.zeros(len(SPECS), np.int64),
        fx_rate=np.array([1.0, 1.0, px[0]]),
        orders=(),
        fresh=np.ones(len(SPECS), bool),
    )
    return msgspec.structs.replace(base, **changes)


class Market:
    """Runs one strategy; limit orders fill by a seeded coin, market orders at once."""

    def __init__(self, subject: Strategy, seed: int) -> None:
        self.subject = subject
        self.rng = np.random.default_rng(seed)
        self.px = [60_000.0, 3_000.0, 60_000.0]
        self.qty = np.zeros(len(SPECS), np.int64)
        self.orders: list[OwnOrder] = []
        self.log: list[str] = []
        self.sent = 0
        self.fills = 0

    def run(self, first: int, grids: int) -> None:
        for grid in range(first, first + grids):
            moves = self.rng.normal(0.0, 3e-4, len(SPECS))
            self.px = [float(p * np.exp(m)) for p, m in zip(self.px, moves, strict=True)]
            fresh = self.rng.random(len(SPECS)) > 0.05
            self._grid(
                picture(grid, self.px, qty_lots=self.qty.copy(), orders=tuple(self.orders), fresh=fresh)
            )
            self._fill_some()

    def _grid(self, seen: Picture) -> None:
        for wish in self.subject.on_grid(seen):
            self.log.append(repr(wish))
            if isinstance(wish, CancelRequest):
                self.orders = [o for o in self.orders if o.cl_ord_id != wish.cl_ord_id]
                continue
            self._check(seen, wish)
            self.sent += 1
            if wish.ord_type == OrdType.MARKET:
                self._book(wish.instrument, wish.side, wish.qty_lots)
            else:
                order = OwnOrder(f"o{self.sent}", wish.instrument, wish.side, wish.price_ticks, wish.qty_lots)
                self.orders.append(order)

    def _check(self, seen: Picture, wish: OrderRequest) -> None:
        """Form, and what would be held if this and all that rested at the grid point filled."""
        i, spec = wish.instrument, SPECS[wish.instrument]
        assert type(wish.qty_lots) is int and wish.qty_lots >= spec.qty_lots_min
        assert type(wish.price_ticks) is int
        assert seen.fresh[i]
        sign = 1 if wish.side == Side.BUY else -1
        resting = sum(o.leaves_lots for o in seen.orders if o.instrument == i and o.side == wish.side)
        after = abs(int(seen.qty_lots[i]) + sign * (resting + wish.qty_lots))
        lot = spec.lot_value(float(seen.mark_px[i])) * float(seen.fx_rate[i])
        assert after * lot <= NOTIONAL or after <= abs(int(seen.qty_lots[i])), (wish, after * lot)
        if wish.ord_type == OrdType.LIMIT:
            assert wish.post_only
            touch = seen.ask_ticks[i] if sign > 0 else seen.bid_ticks[i]
            assert (touch - wish.price_ticks) * sign > 0, "a passive order does not cross"

    def _fill_some(self) -> None:
        for order in [o for o in self.orders if self.rng.random() < 0.4]:
            self.orders.remove(order)
            self._book(order.instrument, order.side, order.leaves_lots)

    def _book(self, i: int, side: Side, lots: int) -> None:
        self.qty[i] += lots if side == Side.BUY else -lots
        self.fills += 1
