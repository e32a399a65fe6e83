"""Fade the stretch: how many deviations the price stands from its rolling mean, sized by Kelly.

A stretch of ``x`` that is expected to close over one window pays ``-x / window`` a grid point, against the
variance of one step: those two numbers size the entry. Entries rest at the touch (limit) or cross it (market);
exits always cross, because an exit that waits for a fill is not an exit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np

from bus.enums import OrdType, Side
from core.kernels.sizing import kelly_lots
from core.strategies.base import CancelRequest, OrderRequest, Picture, Request
from core.strategies.common import Param, Worked, lot_value, market_order, own_orders, tradable

SAMPLES_MIN = 5  # fewer prices have no mean worth returning to


class MeanReversion(Worked):
    """Enters past ``entry`` deviations, leaves inside ``exit``; one order per instrument at a time."""

    PARAMS: Mapping[str, Param] = {
        "window": Param(20.0, float(SAMPLES_MIN), 10_000.0),  # grid points in the rolling mean
        "entry": Param(1.5, 0.1, 100.0),  # deviations
        "exit": Param(0.3, 0.0, 100.0),  # deviations
        "limit": Param(1.0, 0.0, 1.0),  # 1 = entries rest at the touch, 0 = they cross it
    }

    def __init__(
        self,
        id: str,
        ids: tuple[int, ...],
        notional: float,
        kelly_fraction: float,
        params: Mapping[str, float],
    ) -> None:
        super().__init__(id, ids, notional, kelly_fraction, params)
        self.window = int(self.params["window"])
        self.remember("ring", self.window)  # log prices
        self.remember("samples")

    def on_grid(self, picture: Picture) -> list[Request]:
        requests: list[Request] = []
        for k, i in enumerate(self.ids):
            orders = own_orders(picture, i)
            if not picture.fresh[i] or not picture.mark_px[i] > 0.0:
                requests += [CancelRequest(order.cl_ord_id) for order in orders]
                continue
            self._sample(k, math.log(float(picture.mark_px[i])))
            if self.memory["samples"][k] < SAMPLES_MIN:
                continue
            if orders:  # at the next grid point the price, and so the size, will be another
                requests += [CancelRequest(order.cl_ord_id) for order in orders]
                continue
            requests += self._act(picture, k, i)
        return requests

    def _sample(self, k: int, price: float) -> None:
        count = int(self.memory["samples"][k])
        self.memory["ring"][k, count % self.window] = price
        self.memory["samples"][k] += 1.0

    def _prices(self, k: int) -> list[float]:
        """The window's log prices, oldest first."""
        count, window = int(self.memory["samples"][k]), self.window
        ring = self.memory["ring"][k]
        return [float(v) for v in (ring[:count] if count < window else np.roll(ring, -(count % window)))]

    def _act(self, picture: Picture, k: int, i: int) -> list[Request]:
        prices = self._prices(k)
        mean = math.fsum(prices) / len(prices)
        deviation = math.sqrt(math.fsum((p - mean) ** 2 for p in prices) / (len(prices) - 1))
        steps = [b - a for a, b in itertools.pairwise(prices)]
        variance = math.fsum(s * s for s in steps) / len(steps)
        held, stretch = int(picture.qty_lots[i]), prices[-1] - mean
        if deviation == 0.0:
            return []
        score = stretch / deviation
        if held != 0 and (abs(score) <= self.params["exit"] or (score > 0.0) == (held > 0)):
            return list(market_order(picture, i, -held))
        if held != 0 or abs(score) < self.params["entry"]:
            return []
        target = kelly_lots(
            -stretch / self.window,
            variance,
            float(len(steps)),
            self.kelly_fraction,
            picture.equity,
            lot_value(picture, i),
            self.notional,
        )
        return self._enter(picture, i, target)

    def _enter(self, picture: Picture, i: int, target_lots: int) -> list[Request]:
        touch = int(picture.bid_ticks[i] if target_lots > 0 else picture.ask_ticks[i])
        if not self.params["limit"] or touch <= 0:
            return list(market_order(picture, i, target_lots))
        lots = tradable(picture.instruments[i], abs(target_lots), float(picture.mark_px[i]))
        if lots == 0:
            return []
        side = Side.BUY if target_lots > 0 else Side.SELL
        order = OrderRequest(
            instrument=i,
            side=side,
            qty_lots=lots,
            ord_type=OrdType.LIMIT,
            price_ticks=touch,
            post_only=True,
            intent=f"{picture.grid}.{i}",
        )
        return [order]
