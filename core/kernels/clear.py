"""Whether an entry is clear of every number the gate compares: all of them in one call, one answer.

Nearly every order passes, and to learn that takes no words. ``clear`` measures (``facts.measure``) and makes the
comparisons of the layers DATA to LOSS at once. It may only ever err to one side: what it calls clear passes each of
those layers, and whatever it is not sure of (an exit, a veto still warming up, anything that is nan) it leaves to
them. They give the reasons; a test holds the two together.
"""

from __future__ import annotations

import math

from core.kernels._jit import kernel, leaf
from core.kernels.facts import measure
from core.kernels.tables import Table

BOUNDS = (
    "data_age_max_s",
    "clock_skew_max_s",
    "spread_bps_max",
    "spread_ewma_max",  # 0 = off, as the next three
    "thin_max",
    "imbalance_max",
    "momentum_max",
    "price_collar",
    "range_collar",
    "lots_min",
    "lots_max",
    "value_min",  # settle currency
    "value_max",
    "concentration_max",
    "gross_leverage_max",
    "net_leverage_max",
    "margin_ratio_min",
    "stress_move",
    "loss_ratio_max",  # of a position that is added to; nan = not tested
    "samples_min",
)
COUNT = len(BOUNDS)


@kernel
def clear(
    instrument: int,
    sign: int,
    lots: int,
    price_ticks: int,
    resting: int,
    own_ticks: int,
    now_ns: int,
    bounds: Table,
    instruments: Table,
    markets: Table,
    positions: Table,
    currencies: Table,
    account: Table,
    switches: Table,
    out: Table,
) -> int:
    """1 when an entry of ``lots`` is within all ``bounds`` (f8[COUNT], see BOUNDS), else 0. ``out``: scratch of facts.

    ``own_ticks`` is our own best resting price on the other side, 0 none; the rest is as for ``facts.measure``.
    """
    row = positions[instrument]
    held = row["qty_lots"]
    if held * sign < 0:
        working = row["work_buy_lots"] if sign > 0 else row["work_sell_lots"]
        if working + lots <= abs(held):
            return 0  # an exit: the layers know what they forgive it
    measure(
        instrument,
        sign,
        lots,
        lots,
        price_ticks,
        resting,
        now_ns,
        instruments,
        markets,
        positions,
        currencies,
        account,
        switches,
        out,
    )
    if not (_data(out, sign, bounds) and _calm(out, lots, bounds) and _price(out, sign, bounds)):
        return 0
    if own_ticks != 0 and not _apart(out, sign, price_ticks, own_ticks, instruments[instrument]["tick_size"]):
        return 0
    rate = currencies[instruments[instrument]["settle"]]["rate"]
    if not (_size(out, lots, rate, bounds) and _exposure(out, bounds) and _loss(out, sign, bounds)):
        return 0
    return 1


@leaf
def _data(out: Table, sign: int, bounds: Table) -> bool:
    """Fresh, not from the future, not crossed, and with the side it would take."""
    age_s, bid, ask = out[1], out[2], out[3]
    if not (age_s <= bounds[0] and -age_s <= bounds[1]) or bid >= ask > 0.0:
        return False
    touch = ask if sign > 0 else bid
    return bool(out[5] == 0.0 or touch > 0.0 or bid + ask <= 0.0)


@leaf
def _calm(out: Table, lots: int, bounds: Table) -> bool:
    """No veto speaks, and none of those that are on is warming up."""
    spread, opposite = out[8], out[6]
    if math.isnan(spread):
        if bounds[2] < math.inf or bounds[3] > 0.0 or bounds[5] > 0.0:
            return False
    elif not (spread * 1e4 <= bounds[2] and _usual(out, bounds)):
        return False
    if bounds[4] > 0.0 and out[5] > 0.0 and not math.isnan(opposite):
        if not (opposite > 0.0 and lots / opposite <= bounds[4]):
            return False
    if bounds[5] > 0.0 and out[7] > bounds[5]:
        return False
    if bounds[6] > 0.0:
        return bool(out[11] >= bounds[19] and -out[13] <= bounds[6])
    return True


@leaf
def _usual(out: Table, bounds: Table) -> bool:
    """The spread is not many times its usual."""
    return bool(bounds[3] <= 0.0 or (out[10] >= bounds[19] and out[8] <= bounds[3] * out[9]))


@leaf
def _price(out: Table, sign: int, bounds: Table) -> bool:
    """A mark, and the price within both collars."""
    mark, price = out[0], out[4]
    if not mark > 0.0:
        return False
    if math.isnan(price):
        return True
    if not abs(price - mark) / mark <= bounds[7]:
        return False
    edge = out[14] if sign > 0 else out[15]
    return bool(math.isnan(edge) or sign * (price - edge) / edge <= bounds[8])


@leaf
def _apart(out: Table, sign: int, price_ticks: int, own_ticks: int, tick_size: float) -> bool:
    """Short of our own best price on the other side."""
    touch = out[3] if sign > 0 else out[2]
    reach = float(price_ticks)
    if price_ticks == 0:
        reach = touch if touch != 0.0 else out[0] / tick_size
    return bool((reach - own_ticks) * sign < 0.0)


@leaf
def _size(out: Table, lots: int, rate: float, bounds: Table) -> bool:
    """Between the least and the most, in lots and in value."""
    value = out[18]
    if not bounds[9] <= lots <= bounds[10]:
        return False
    if bounds[11] != 0.0 and not value >= bounds[11] * rate:
        return False
    return bool(value <= bounds[12])


@leaf
def _exposure(out: Table, bounds: Table) -> bool:
    """Concentration, leverage and margin with every working order filled."""
    equity, margin = out[28], out[25]
    if not equity > 0.0 or not out[21] / equity <= bounds[13]:
        return False
    if not (out[23] <= equity * bounds[14] and out[24] <= equity * bounds[15]):
        return False
    return bool(margin == 0.0 or equity / margin >= bounds[16])


@leaf
def _loss(out: Table, sign: int, bounds: Table) -> bool:
    """What is pending fits into what is left to lose, and the position has room."""
    growth = out[23] - out[27]
    pending = growth if not growth < 0.0 else 0.0
    if bounds[17] != 0.0 and not pending * bounds[17] <= out[29]:
        return False
    if math.isnan(bounds[18]) or out[19] * sign <= 0.0 or out[31] == math.inf:
        return True
    return bool(out[30] <= bounds[18])
