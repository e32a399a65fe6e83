"""Buy once and hold: the book that a stress test needs, and the plainest strategy there is."""

from __future__ import annotations

from collections.abc import Mapping

from core.strategies.base import Picture, Request
from core.strategies.common import Param, Worked, lots_max, market_order, own_orders

RETRY_GRIDS_MAX = 8  # a refused purchase is asked for again after 1, 2, 4, 8, 8 … grid points


class Hold(Worked):
    """Buys ``notional`` of each instrument once; asks again for what was refused; never sells, never buys twice."""

    PARAMS: Mapping[str, Param] = {"notional": Param(0.0, 0.0, 1e15)}  # account currency; 0 = the cap

    def __init__(
        self,
        id: str,
        ids: tuple[int, ...],
        notional: float,
        kelly_fraction: float,
        params: Mapping[str, float],
    ) -> None:
        super().__init__(id, ids, notional, kelly_fraction, params)
        self.remember("target_lots")  # fixed at the first look
        self.remember("done")
        self.remember("next_grid")
        self.remember("wait_grids")

    def on_grid(self, picture: Picture) -> list[Request]:
        requests: list[Request] = []
        for k, i in enumerate(self.ids):
            if not self.memory["done"][k]:
                requests += self._buy(picture, k, i)
        return requests

    def _buy(self, picture: Picture, k: int, i: int) -> list[Request]:
        memory = self.memory
        if memory["target_lots"][k] == 0.0:
            memory["target_lots"][k] = lots_max(picture, i, self.params["notional"] or self.notional)
        missing = int(memory["target_lots"][k]) - int(picture.qty_lots[i])
        if memory["target_lots"][k] > 0.0 and missing <= 0:
            memory["done"][k] = 1.0
            return []
        if not picture.fresh[i] or own_orders(picture, i) or picture.grid < memory["next_grid"][k]:
            return []
        orders = market_order(picture, i, missing)
        if orders:
            memory["wait_grids"][k] = min(RETRY_GRIDS_MAX, max(1.0, 2.0 * memory["wait_grids"][k]))
            memory["next_grid"][k] = picture.grid + memory["wait_grids"][k]
        return list(orders)
