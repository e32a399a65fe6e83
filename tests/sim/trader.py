"""A strategy without sense: random orders and cancels, decided by its seed and the grid point alone."""

from __future__ import annotations

import random

from bus.enums import OrdType, Side, TimeInForce
from core.strategies.base import CancelRequest, OrderRequest, Picture, Request


class RandomTrader:
    """Remembers nothing, so a snapshot of it is empty and a replay decides the same."""

    def __init__(self, id: str, seed: int, value: float) -> None:
        self.id = id
        self.memory: dict = {}
        self._seed = seed
        self._value = value  # account currency, largest order

    def on_grid(self, picture: Picture) -> list[Request]:
        rng = random.Random(f"{self._seed}-{picture.grid}")
        wishes: list[Request] = [CancelRequest(o.cl_ord_id) for o in picture.orders if rng.random() < 0.3]
        for n in range(rng.randrange(6)):
            i = rng.randrange(len(picture.instruments))
            mark, rate = float(picture.mark_px[i]), float(picture.fx_rate[i])
            if mark > 0.0 and rate > 0.0:
                wishes.append(self._order(rng, picture, i, n, mark, rate))
        return wishes

    def _order(self, rng: random.Random, picture: Picture, i: int, n: int, mark: float, rate: float):
        spec = picture.instruments[i]
        lots = max(1, int(rng.random() * self._value / (spec.lot_value(mark) * rate)))
        side = rng.choice((Side.BUY, Side.SELL))
        limit = rng.random() < 0.6
        away = rng.choice((-0.03, -0.001, 0.0, 0.001, 0.002, 0.2)) * (1 if side is Side.SELL else -1)
        tif = rng.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK))
        reduce_only = rng.random() < 0.2
        if reduce_only and picture.qty_lots[i]:
            side = Side.SELL if picture.qty_lots[i] > 0 else Side.BUY
            lots = min(lots, abs(int(picture.qty_lots[i])))
        return OrderRequest(
            instrument=i,
            side=side,
            qty_lots=lots,
            ord_type=OrdType.LIMIT if limit else OrdType.MARKET,
            price_ticks=max(1, round(mark * (1.0 + away) / spec.tick_size)) if limit else 0,
            tif=tif if limit else TimeInForce.IOC,
            reduce_only=reduce_only,
            post_only=limit and tif is TimeInForce.GTC and rng.random() < 0.3,
            intent=f"{picture.grid}.{n}",
        )
