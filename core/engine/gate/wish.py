"""What goes into the gate and what a refusal looks like."""

from __future__ import annotations

import msgspec

from bus.enums import GateLayer, OrdType, Purpose, Side, TimeInForce

Refusal = tuple[str, float | None, float | None, str]  # code, value, limit, detail
Shown = tuple[float | None, float | None, str]  # value, limit, what they are: of a layer that passes


class Wish(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order nobody has checked yet."""

    cl_ord_id: str
    instrument: int
    side: Side
    qty_lots: int
    strategy: str
    purpose: Purpose
    ord_type: OrdType = OrdType.MARKET
    price_ticks: int = 0
    tif: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    post_only: bool = False
    stop_ticks: int = 0  # STOP only: the trigger
    amends: str = (
        ""  # the working order this would change; ``qty_lots`` is then its whole quantity, filled included
    )
    list_id: str = (
        ""  # the order list it is a leg of: exits of one list stand in for each other, see pairs.py
    )
    protects: bool = False  # a protective stop

    @property
    def side_sign(self) -> int:
        """+1 buy, -1 sell."""
        return 1 if self.side == 1 else -1


class Denial(msgspec.Struct, frozen=True, gc=False):
    """OrderDenied(layer, code, value, limit): refused by us, never sent."""

    layer: GateLayer
    code: str
    value: float | None
    limit: float | None
    detail: str


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """One layer's decision, for showing."""

    layer: str
    ok: bool
    code: str
    value: float | None
    limit: float | None
    detail: str = ""
