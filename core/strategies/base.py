"""What a strategy is: a pure function of what it is shown, evaluated on the signal grid.

A strategy proposes; the gate disposes. It gets a read-only picture at each grid point and returns order
requests and cancels. It has no clock, no randomness, no I/O, and cannot import the engine: it could not send an
unchecked order if it tried. Its memory is a few numpy arrays in ``memory``, which snapshots save and restore.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from bus.enums import OrdType, Side, TimeInForce
from bus.instruments import InstrumentSpec


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A wish, unchecked. ``intent`` is unique per strategy and decision: the client order id derives from it."""

    instrument: int
    side: Side
    qty_lots: int
    ord_type: OrdType = OrdType.MARKET
    price_ticks: int = 0
    tif: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    post_only: bool = False
    intent: str = ""


class CancelRequest(msgspec.Struct, frozen=True, gc=False):
    """Withdraw one own order."""

    cl_ord_id: str


Request = OrderRequest | CancelRequest


class OwnOrder(msgspec.Struct, frozen=True, gc=False):
    """An own working order as a strategy sees it."""

    cl_ord_id: str
    instrument: int
    side: Side
    price_ticks: int
    leaves_lots: int


class Picture(msgspec.Struct, frozen=True, gc=False):
    """Everything a strategy may look at, at one grid point. Arrays are indexed by instrument id; do not write them."""

    ts_ns: int
    grid: int  # ordinal of the grid point (ts_ns // interval)
    equity: float  # account currency
    instruments: tuple[InstrumentSpec, ...]
    bid_ticks: npt.NDArray[np.int64]
    ask_ticks: npt.NDArray[np.int64]
    mark_px: npt.NDArray[np.float64]  # quote; 0 = never marked
    qty_lots: npt.NDArray[np.int64]  # this strategy's own holding, signed lots
    fx_rate: npt.NDArray[np.float64]  # account currency per unit of each instrument's settle currency
    orders: tuple[OwnOrder, ...]  # own working orders
    fresh: npt.NDArray[np.bool_]  # book not stale, not crossed


class Strategy(Protocol):
    """The protocol. ``id`` names it on the bus; ``memory`` is all it remembers."""

    id: str
    memory: dict[str, npt.NDArray[np.float64]]

    def on_grid(self, picture: Picture) -> list[Request]:
        """Called once per grid point while the strategy is enabled, whatever the trading state."""
        ...
