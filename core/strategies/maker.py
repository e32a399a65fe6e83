"""Quote both sides: earn the spread, lean against the inventory, step back when the picture is not fresh.

Each side rests one tick inside the spread where there is room, else at the touch, and always passive. Inventory
shifts both prices down when long and up when short, so that the side that reduces it fills first. The edge
of a quote is half the spread; Kelly of that edge against the variance of one grid step, under the cap, sizes it.

A quote that has moved is withdrawn and its successor sent in the same breath. Until the venue confirms the first it
may still fill, so it counts: held + all working + new never exceeds the cap on either side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bus.enums import OrdType, Side
from core.kernels.sizing import kelly_lots
from core.strategies.base import CancelRequest, OrderRequest, OwnOrder, Picture, Request
from core.strategies.common import Param, Worked, lot_value, lots_max, own_orders, tradable


class Maker(Worked):
    """Post-only quotes on both sides of each instrument, ``levels`` deep, from the first grid point on."""

    PARAMS: Mapping[str, Param] = {
        "clip": Param(0.25, 0.0, 1.0),  # size of one quote, fraction of the cap, at most
        "skew_ticks": Param(2.0, 0.0, 10_000.0),  # shift of both prices at full inventory
        "requote_ticks": Param(
            1.0, 1.0, 10_000.0
        ),  # distance from the wanted price at which a quote is replaced
        "levels": Param(1.0, 1.0, 20.0),  # quotes on each side, one behind the other
        "level_bps": Param(8.0, 0.1, 1000.0),  # distance between them, basis points of the price
        "decay": Param(0.1, 0.001, 1.0),  # weight of the newest squared return in the variance
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
        for name in ("last", "variance", "samples"):
            self.remember(name)

    def on_grid(self, picture: Picture) -> list[Request]:
        requests: list[Request] = []
        for k, i in enumerate(self.ids):
            bid, ask = int(picture.bid_ticks[i]), int(picture.ask_ticks[i])
            orders = own_orders(picture, i)
            if not picture.fresh[i] or bid <= 0 or ask <= bid or not picture.mark_px[i] > 0.0:
                requests += [CancelRequest(order.cl_ord_id) for order in orders]
                continue
            self._sample(k, math.log(float(picture.mark_px[i])))
            requests += self._quote(picture, k, i, orders)
        return requests

    def _sample(self, k: int, price: float) -> None:
        memory = self.memory
        if memory["samples"][k] > 0.0:
            weight = max(self.params["decay"], 1.0 / memory["samples"][k])
            memory["variance"][k] += weight * ((price - memory["last"][k]) ** 2 - memory["variance"][k])
        memory["last"][k] = price
        memory["samples"][k] += 1.0

    def _quote(self, picture: Picture, k: int, i: int, orders: list[OwnOrder]) -> list[Request]:
        cap = lots_max(picture, i, self.notional)
        clip = self._clip(picture, k, i, cap)
        held = int(picture.qty_lots[i])
        requests: list[Request] = []
        for side, price in zip(
            (Side.BUY, Side.SELL), self._prices(picture, i, held, cap, orders), strict=True
        ):
            own = [order for order in orders if order.side == side]
            missing, kept = self._ladder(side, price, own)
            requests += [CancelRequest(o.cl_ord_id) for o in own if o.cl_ord_id not in kept]
            room = cap - sum(order.leaves_lots for order in own) - (held if side == Side.BUY else -held)
            for level, level_price in missing:
                lots = tradable(picture.instruments[i], min(clip, room), float(picture.mark_px[i]))
                if lots > 0:
                    requests.append(_resting(picture, i, side, lots, level_price, level))
                    room -= lots
        return requests

    def _ladder(self, side: Side, price: int, own: list[OwnOrder]) -> tuple[list[tuple[int, int]], set[str]]:
        """Levels without a quote as (level, price in ticks), and the ids of the quotes that stay where they are.

        The first level follows the market tick by tick; those behind it stay until they are half a step off.
        """
        step = max(1, round(price * self.params["level_bps"] / 1e4))
        missing: list[tuple[int, int]] = []
        kept: set[str] = set()
        for level in range(int(self.params["levels"])):
            wanted = max(1, price - level * step if side == Side.BUY else price + level * step)
            near = self.params["requote_ticks"] if level == 0 else max(self.params["requote_ticks"], step / 2)
            found = [o for o in own if o.cl_ord_id not in kept and abs(o.price_ticks - wanted) < near]
            if found:
                kept.add(found[0].cl_ord_id)
            else:
                missing.append((level, wanted))
        return missing, kept

    def _clip(self, picture: Picture, k: int, i: int, cap: int) -> int:
        """Lots of one quote: Kelly of half the spread, at most ``clip`` of the cap and at least one lot of it."""
        bid, ask = int(picture.bid_ticks[i]), int(picture.ask_ticks[i])
        edge = (ask - bid) / (ask + bid)
        variance = float(self.memory["variance"][k]) or edge * edge  # no step seen yet: one of half a spread
        lots = kelly_lots(
            edge,
            variance,
            max(1.0, float(self.memory["samples"][k]) - 1.0),
            self.kelly_fraction,
            picture.equity,
            lot_value(picture, i),
            self.notional,
        )
        smallest = max(1, picture.instruments[i].qty_lots_min)
        return min(lots, max(int(self.params["clip"] * cap), smallest))

    def _prices(
        self, picture: Picture, i: int, held: int, cap: int, orders: list[OwnOrder]
    ) -> tuple[int, int]:
        """Wanted buy and sell price, ticks: inside the spread where there is room, skewed, never crossing."""
        bid, ask = int(picture.bid_ticks[i]), int(picture.ask_ticks[i])
        best = {(order.side, order.price_ticks) for order in orders}
        room = ask - bid >= 3  # two of our own quotes fit between
        buy = bid + (1 if room and (Side.BUY, bid) not in best else 0)  # never outbid ourselves
        sell = ask - (1 if room and (Side.SELL, ask) not in best else 0)
        lean = round(self.params["skew_ticks"] * max(-1.0, min(1.0, held / cap))) if cap > 0 else 0
        return max(1, min(buy - lean, ask - 1)), max(sell - lean, bid + 1)


def _resting(picture: Picture, i: int, side: Side, lots: int, price_ticks: int, level: int) -> OrderRequest:
    return OrderRequest(
        instrument=i,
        side=side,
        qty_lots=lots,
        ord_type=OrdType.LIMIT,
        price_ticks=price_ticks,
        post_only=True,
        intent=f"{picture.grid}.{i}.{side.name[0]}{level}",
    )
