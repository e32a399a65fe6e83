"""What the worked strategies share: whole lots under a cap, and their own working orders.

A size is rounded towards zero and is 0 whenever something it needs is not known: no mark, no rate, no equity.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bus.enums import Side
from bus.instruments import InstrumentSpec
from core.strategies.base import OrderRequest, OwnOrder, Picture, Request

Memory = dict[str, npt.NDArray[np.float64]]


class Param(NamedTuple):
    """A strategy's parameter: its default and the least and the most it may be."""

    default: float
    least: float
    most: float


class Worked(ABC):
    """State common to the worked strategies: which instruments, how much at most, how bold."""

    PARAMS: Mapping[str, Param] = {}

    def __init__(
        self,
        id: str,
        ids: tuple[int, ...],
        notional: float,
        kelly_fraction: float,
        params: Mapping[str, float],
    ) -> None:
        self.id = id
        self.ids = ids
        self.notional = notional  # account currency per instrument, at most
        self.kelly_fraction = kelly_fraction
        self.params = {name: param.default for name, param in self.PARAMS.items()} | dict(params)
        self.memory: Memory = {}

    @abstractmethod
    def on_grid(self, picture: Picture) -> list[Request]:
        """As in ``core.strategies.base.Strategy``."""

    def remember(self, name: str, columns: int = 0) -> None:
        """Make an array of zeros, one row per instrument (of ``columns`` numbers, or one)."""
        shape = (len(self.ids), columns) if columns else (len(self.ids),)
        self.memory[name] = np.zeros(shape, dtype=np.float64)


def lot_value(picture: Picture, i: int) -> float:
    """Value of one lot of instrument ``i`` at mark, account currency; 0 when it has no mark or no rate."""
    mark_px, rate = float(picture.mark_px[i]), float(picture.fx_rate[i])
    if not (mark_px > 0.0 and rate > 0.0 and math.isfinite(mark_px * rate)):
        return 0.0
    return picture.instruments[i].lot_value(mark_px) * rate


def lots_max(picture: Picture, i: int, notional: float) -> int:
    """Most lots of instrument ``i`` worth no more than ``notional``, account currency."""
    value = lot_value(picture, i)
    return int(notional / value) if value > 0.0 and notional > 0.0 and math.isfinite(notional) else 0


def tradable(spec: InstrumentSpec, lots: int, mark_px: float) -> int:
    """``lots`` (unsigned) as the venue takes them: at most its maximum, 0 when below a minimum."""
    lots = min(lots, spec.qty_lots_max)
    if lots < max(1, spec.qty_lots_min) or lots * spec.lot_value(mark_px) < spec.notional_min:
        return 0
    return lots


def own_orders(picture: Picture, i: int) -> list[OwnOrder]:
    """Own working orders on instrument ``i``, in the engine's order."""
    return [order for order in picture.orders if order.instrument == i]


def market_order(picture: Picture, i: int, change_lots: int) -> list[OrderRequest]:
    """A market order for ``change_lots`` (signed), or nothing when the venue would not take it."""
    lots = tradable(picture.instruments[i], abs(change_lots), float(picture.mark_px[i]))
    if lots == 0:
        return []
    side = Side.BUY if change_lots > 0 else Side.SELL
    return [OrderRequest(instrument=i, side=side, qty_lots=lots, intent=f"{picture.grid}.{i}")]
