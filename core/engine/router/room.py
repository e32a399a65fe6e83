"""How much a venue may still be sent: what is reserved there, derived and never booked twice.

There is no ledger of reservations that could drift. What has been sent and is not terminal is in the position
table's working columns from the moment the gate let it through until the venue ends it, an unknown outcome included;
so is it after a restart. Room is what the caps leave beside positions and working orders *as they are now*.

* ``router.exposure_max`` (margin venues): the sum over the venue's instruments of the largest position that working
  orders could still make, at mark, account currency.
* ``router.wallet`` (cash venues): what was paid in, in settle currency. What is left of it follows from the position
  table (paid in - cost + realised - fees + funding, exact for linear instruments) less what working buys could cost.
  A sell there may not exceed what is held and not already being sold.

What only makes a position smaller is never refused for want of room; what cannot be computed (no mark, no
rate) leaves room for that alone.
"""

from __future__ import annotations

import math

import numpy as np

from bus.enums import OrdType, Side
from core.engine.router.ladders import Ladder
from core.engine.state import State

LOTS_MAX = 1 << 40


def room_lots(
    state: State, instrument: int, side: Side, levels: Ladder, *, reduce_only: bool
) -> tuple[int, str]:
    """(lots that may be sent, what limits them), both caps considered."""
    closable = closable_lots(state, instrument, side)
    if reduce_only:
        return closable, "what is held there"
    spec = state.specs[instrument]
    lots, why = spec.qty_lots_max, "largest order"
    limits = state.config.router
    cap = limits.exposure_max.get(spec.venue)
    if cap is not None:
        exposure = max(_exposure_room(state, instrument, side, cap), closable)
        if exposure < lots:
            lots, why = exposure, "exposure cap of the venue"
    paid_in = limits.wallet.get(spec.venue)
    if paid_in is not None:
        cash = _affordable(state, instrument, levels, paid_in) if side is Side.BUY else 0
        cash = max(cash, closable)
        if cash < lots:
            lots, why = cash, "wallet at the venue"
    return max(lots, 0), why


def closable_lots(state: State, instrument: int, side: Side) -> int:
    """Lots that a ``side`` order may trade and only reduce, every working order of that side filled."""
    row = state.positions[instrument]
    if side is Side.BUY:
        return max(-int(row["qty_lots"]) - int(row["work_buy_lots"]), 0)
    return max(int(row["qty_lots"]) - int(row["work_sell_lots"]), 0)


def _exposure_room(state: State, instrument: int, side: Side, cap: float) -> int:
    """Lots until the venue's worst case, this instrument's included, is worth ``cap``."""
    rows = (state.instruments["venue"] == state.instruments["venue"][instrument]).nonzero()[0]
    others = rows[rows != instrument]
    left = cap - float(_worst_value(state, others).sum())
    per_lot = state.lots_value(instrument, 1, state.mark(instrument))
    if not (per_lot > 0.0 and math.isfinite(left)):
        return 0
    row = state.positions[instrument]
    up = int(row["qty_lots"]) + int(row["work_buy_lots"])
    down = int(row["qty_lots"]) - int(row["work_sell_lots"])
    may = math.floor(min(max(left / per_lot, -1.0), float(LOTS_MAX)))
    near, far = (up, down) if side is Side.BUY else (-down, -up)
    return may - near if may >= abs(far) else 0


def _worst_value(state: State, rows: np.ndarray) -> np.ndarray:
    """Value of the largest position working orders can make, float64 a row, account currency; nan = unknown."""
    held = state.positions["qty_lots"][rows]
    up, down = held + state.positions["work_buy_lots"][rows], held - state.positions["work_sell_lots"][rows]
    worst = np.maximum(np.abs(up), np.abs(down))
    mark, lot = state.markets["mark_px"][rows], state.instruments["lot_value"][rows]
    rate = state.currencies["rate"][state.instruments["settle"][rows]]
    price = np.where(mark > 0.0, mark, np.nan)
    value = worst * lot * np.where(state.instruments["inverse"][rows] == 1, 1.0 / price, price) * rate
    return np.where(worst == 0, 0.0, value)


def _affordable(state: State, instrument: int, levels: Ladder, paid_in: float) -> int:
    """Lots that the wallet pays for at the worst price they would need, fee included."""
    spec = state.specs[instrument]
    left = paid_in - _spent(state, instrument) - _reserved(state, instrument)
    lots = shown = 0
    for ticks, size in levels:
        shown += size
        price = ticks * spec.tick_size * (1.0 + spec.fee_rate_taker)
        pays = left / spec.lot_value(price)
        if not math.isfinite(pays) or pays < 1.0:
            break
        lots = max(lots, min(shown, math.floor(pays)))
        if pays < shown:
            break
    return lots


def _spent(state: State, instrument: int) -> float:
    """What positions and trading have taken out of the venue's wallet, settle currency."""
    table = state.instruments
    same = (table["venue"] == table["venue"][instrument]) & (table["settle"] == table["settle"][instrument])
    rows = state.positions[same & (table["inverse"] == 0)]
    bought = np.sign(rows["qty_lots"]) * rows["cost"]
    return float((bought - rows["realized"] + rows["fees"] - rows["funding"]).sum())


def _reserved(state: State, instrument: int) -> float:
    """What open buys at the venue could still cost, settle currency; market orders at the mark; nan when unknown."""
    own = state.specs[instrument]
    total = 0.0
    for order in state.working.values():
        spec = state.specs[order.instrument]
        if order.side is Side.BUY and spec.venue == own.venue and spec.settle == own.settle:
            priced = order.ord_type is OrdType.LIMIT and order.price_ticks > 0
            price = order.price_ticks * spec.tick_size if priced else state.mark(order.instrument)
            value = spec.lot_value(price) * order.leaves_lots if price > 0.0 else math.nan
            total += value * (1.0 + spec.fee_rate_taker)
    return total
