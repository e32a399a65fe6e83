"""Follow the drift: two averages of the log price, their gap read as a mean return, sized by Kelly.

A price that drifts by ``mu`` a grid point leaves an exponential average behind by ``mu * (1 - a) / a``. Two averages of
different speed therefore stand apart by ``mu`` times the difference of their lags, and dividing by it
estimates the drift itself: a number Kelly can size, not a colour of light. Its sign and strength against the
variance of the same samples decide the target; a deadband keeps noise from being traded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.kernels.sizing import kelly_lots
from core.strategies.base import Picture, Request
from core.strategies.common import Param, Worked, lot_value, lots_max, market_order, own_orders

SAMPLES_MIN = 3  # two returns: the least that has a variance


class Momentum(Worked):
    """Market orders towards the Kelly target, from the third grid point on."""

    PARAMS: Mapping[str, Param] = {
        "fast": Param(0.4, 0.001, 1.0),  # weight of the newest sample in the fast average
        "slow": Param(0.1, 0.0005, 0.9),  # and in the slow one, and in the variance
        "deadband": Param(0.25, 0.0, 2.0),  # smallest change traded, fraction of the cap
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
        if not self.params["slow"] < self.params["fast"]:
            raise ValueError(
                f"strategy {id}: slow {self.params['slow']} must be below fast {self.params['fast']}"
            )
        for name in ("fast", "slow", "variance", "last", "samples"):
            self.remember(name)

    def on_grid(self, picture: Picture) -> list[Request]:
        requests: list[Request] = []
        for k, i in enumerate(self.ids):
            if not picture.fresh[i] or not picture.mark_px[i] > 0.0:
                continue
            self._sample(k, math.log(float(picture.mark_px[i])))
            if self.memory["samples"][k] >= SAMPLES_MIN and not own_orders(picture, i):
                requests += self._towards(picture, i, self._target(picture, k, i))
        return requests

    def _sample(self, k: int, price: float) -> None:
        """Take one log price into the averages and the variance of its returns (zero mean)."""
        memory = self.memory
        if memory["samples"][k] == 0.0:
            memory["fast"][k] = memory["slow"][k] = price
        else:
            step = (price - memory["last"][k]) ** 2
            weight = max(
                self.params["slow"], 1.0 / memory["samples"][k]
            )  # a plain mean until there are enough
            memory["variance"][k] += weight * (step - memory["variance"][k])
            memory["fast"][k] += self.params["fast"] * (price - memory["fast"][k])
            memory["slow"][k] += self.params["slow"] * (price - memory["slow"][k])
        memory["last"][k] = price
        memory["samples"][k] += 1.0

    def _target(self, picture: Picture, k: int, i: int) -> int:
        memory, fast, slow = self.memory, self.params["fast"], self.params["slow"]
        lag = (1.0 - slow) / slow - (1.0 - fast) / fast
        drift = (memory["fast"][k] - memory["slow"][k]) / lag
        samples = min(memory["samples"][k] - 1.0, 2.0 / slow - 1.0)
        return kelly_lots(
            float(drift),
            float(memory["variance"][k]),
            float(samples),
            self.kelly_fraction,
            picture.equity,
            lot_value(picture, i),
            self.notional,
        )

    def _towards(self, picture: Picture, i: int, target_lots: int) -> list[Request]:
        change = target_lots - int(picture.qty_lots[i])
        band = max(1.0, self.params["deadband"] * lots_max(picture, i, self.notional))
        return list(market_order(picture, i, change)) if abs(change) >= band else []
