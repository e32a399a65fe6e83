"""Everything the gate has to measure about one order, in one pass over the tables.

The gate compares; this kernel computes. One call fills a row of numbers (``Facts`` names them in order) that the
nine layers read as plain floats. What cannot be known is nan, so that a comparison with it fails; what does not apply
(no quote, no recent past yet) is nan as well, and the layer that asks says which of the two it means.

Exposure is the worst case: per instrument the larger of "all buys fill" and "all sells fill", the order among them. An
asset is all instruments of one base currency; its long and its short side are summed apart and the larger counts, so
that a hedge neither hides nor doubles.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from core.kernels._jit import kernel, leaf
from core.kernels.portfolio import Row
from core.kernels.tables import SW_DAILY_LOSS, SW_DRAWDOWN, SW_EMERGENCY, Table


class Facts(NamedTuple):
    """What ``measure`` writes, in this order."""

    mark: float  # quote, 0 = never
    age_s: float  # s since the last tick, negative = it is stamped in the future; nan = never ticked
    bid: float  # ticks, 0 = none
    ask: float  # ticks, 0 = none
    price: (
        float  # quote: limit or stop price, else what a market order would pay at the touch; nan = not known
    )
    takes: float  # 1 = it would trade at once, 0 = it would rest or wait
    opposite_lots: float  # lots at the best it would take, nan = no quote
    against: (
        float  # fraction of the lots at both bests that stands against the order, nan = no two-sided quote
    )
    spread: float  # fraction of mid, nan = no two-sided quote
    spread_mean: float  # fraction of mid, EWMA; nan = none sampled
    spreads: float  # count of samples in it
    samples: float  # count of returns in the volatility
    variance_rate: float  # 1/s
    sigmas: float  # the window's move in standard deviations, + = with the order; nan = no window yet
    high: float  # quote, recent range; nan = none
    low: float  # quote
    window_lots: float  # lots traded in the window, nan = no window yet
    lot_value: float  # acct, value of one lot at mark
    value: float  # acct, of the order, at its price where that is worse
    held: float  # lots, signed
    own: float  # acct, worst case of the instrument
    asset: float  # acct, of its asset
    venue: float  # acct, of its venue
    gross: float  # acct, of the account
    net: float  # acct
    margin: float  # acct
    own_now: float  # acct, |exposure| of what is held
    gross_now: float  # acct
    equity: float  # acct
    room: float  # acct, the smallest of what is left of the account's loss limits; inf = none is set
    loss_ratio: float  # fraction of the position's basis
    loss_limit: float  # fraction, inf = none


COUNT = len(Facts._fields)
NAN = float("nan")


@kernel
def measure(
    instrument: int,
    sign: int,
    lots: int,
    added_lots: int,
    price_ticks: int,
    resting: int,
    now_ns: int,
    instruments: Table,
    markets: Table,
    positions: Table,
    currencies: Table,
    account: Table,
    switches: Table,
    out: Table,
) -> None:
    """Write the facts of an order of ``lots`` (``added_lots`` of them new to the working sums) into ``out``, f8[COUNT].

    ``sign`` +1 buy, -1 sell; ``price_ticks`` of its limit or trigger, 0 none; ``resting`` 0 = at market, 1 = a limit
    order, 2 = a stop. ``instrument`` must be a row of the tables.
    """
    market, static, row, acct = (
        markets[instrument],
        instruments[instrument],
        positions[instrument],
        account[0],
    )
    tick_size, mark = static["tick_size"], market["mark_px"]
    out[:] = NAN
    out[0] = mark
    if market["ts_ns"] > 0:
        out[1] = float(now_ns - market["ts_ns"]) * 1e-9
    _book(market, static, sign, price_ticks, resting, out)
    _past(market, sign, mark, now_ns, out)
    lot = _lot(static, mark, currencies[static["settle"]]["rate"])
    price = price_ticks * tick_size
    worse = mark if price <= 0.0 else (min(mark, price) if static["inverse"] != 0 else max(mark, price))
    out[17] = lot
    out[18] = lots * (lot if worse == mark else _lot(static, worse, currencies[static["settle"]]["rate"]))
    out[19] = row["qty_lots"]
    _worst(instrument, sign, added_lots, instruments, markets, positions, currencies, out)
    out[26] = abs(row["exposure"]) * currencies[static["settle"]]["rate"] if row["qty_lots"] != 0 else 0.0
    out[27] = acct["gross"]
    out[28] = acct["equity"]
    out[29] = _room(acct, switches)
    out[30], out[31] = row["loss_ratio"], row["loss_limit"]


@leaf
def left_of(acct: Row, switches: Table, which: int) -> float:
    """Account currency left of one loss limit (drawdown, daily loss, emergency); inf where it is off."""
    limit = switches[which]["limit"]
    if math.isnan(limit):
        return math.inf
    peak, day_open = acct["equity_peak"], acct["equity_day_open"]
    if which == SW_DRAWDOWN:
        return float((limit - acct["drawdown"]) * peak)
    if which == SW_DAILY_LOSS:
        return float((limit - acct["daily_loss"]) * day_open)
    return float((limit - acct["emergency_loss"]) * min(peak, day_open))


@leaf
def _room(acct: Row, switches: Table) -> float:
    """nan when any of the three cannot be told."""
    least = np.minimum(left_of(acct, switches, SW_DRAWDOWN), left_of(acct, switches, SW_DAILY_LOSS))
    return float(np.minimum(least, left_of(acct, switches, SW_EMERGENCY)))


@leaf
def _lot(static: Row, price: float, rate: float) -> float:
    """Value of one lot at ``price``, account currency; nan where price or rate is missing."""
    if not price > 0.0:
        return NAN
    return float(
        (static["lot_value"] / price if static["inverse"] != 0 else static["lot_value"] * price) * rate
    )


@leaf
def _book(market: Row, static: Row, sign: int, price_ticks: int, resting: int, out: Table) -> None:
    """The quote as the order meets it."""
    bid, ask = market["bid_ticks"], market["ask_ticks"]
    touch = ask if sign > 0 else bid
    out[2], out[3] = bid, ask
    takes = resting == 0 or (resting == 1 and touch > 0 and (price_ticks - touch) * sign >= 0)
    out[5] = 1.0 if takes else 0.0
    if price_ticks > 0:
        out[4] = price_ticks * static["tick_size"]
    elif touch > 0:
        out[4] = touch * static["tick_size"]
    if touch > 0:
        out[6] = market["ask_lots"] if sign > 0 else market["bid_lots"]
    if bid > 0 and ask > 0:
        out[8] = 2.0 * float(ask - bid) / float(ask + bid)
        both = market["bid_lots"] + market["ask_lots"]
        if both > 0:
            out[7] = float((market["ask_lots"] - market["bid_lots"]) * sign) / float(both)


@leaf
def _past(market: Row, sign: int, mark: float, now_ns: int, out: Table) -> None:
    """Range, move and volume of the recent past."""
    if market["spreads"] > 0:
        out[9] = market["spread_mean"]
    out[10], out[11], out[12] = market["spreads"], market["samples"], market["variance_rate"]
    if market["bucket_ns"] == 0:
        return
    out[14], out[15] = market["high_px"], market["low_px"]
    if market["before_ns"] == 0:
        return
    out[14] = max(market["high_px"], market["before_high_px"])
    out[15] = min(market["low_px"], market["before_low_px"])
    out[16] = market["volume_lots"] - market["before_lots"]
    change = sign * (mark - market["before_px"]) / market["before_px"]
    deviation = math.sqrt(market["variance_rate"] * max(float(now_ns - market["before_ns"]) * 1e-9, 0.0))
    out[13] = (
        0.0 if change == 0.0 else change / deviation
    )  # a move without any volatility is infinitely large


@leaf
def _worst(
    instrument: int,
    sign: int,
    added_lots: int,
    instruments: Table,
    markets: Table,
    positions: Table,
    currencies: Table,
    out: Table,
) -> None:
    """The account if everything that can fill does; nan where a needed mark or rate is missing."""
    asset, venue = instruments[instrument]["asset"], instruments[instrument]["venue"]
    more_buys, more_sells = (added_lots, 0) if sign > 0 else (0, added_lots)
    own, gross, margin, net_long, net_short, at_venue, longs, shorts = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(positions)):
        row = positions[i]
        high = row["qty_lots"] + row["work_buy_lots"]
        low = row["qty_lots"] - row["work_sell_lots"]
        if i == instrument:
            high, low = high + more_buys, low - more_sells
        if high == 0 and low == 0:
            continue
        static = instruments[i]
        lot = _lot(static, markets[i]["mark_px"], currencies[static["settle"]]["rate"])
        top, bottom = high * lot, low * lot
        value = max(top, -bottom)
        gross += value
        margin += value * static["margin_rate"]
        net_long += top
        net_short += bottom
        if static["venue"] == venue:
            at_venue += value
        if static["asset"] == asset:
            longs += max(top, 0.0)
            shorts += max(-bottom, 0.0)
        if i == instrument:
            own = value
    out[20], out[21], out[22], out[23] = own, np.maximum(longs, shorts), at_venue, gross
    out[24], out[25] = np.maximum(abs(net_long), abs(net_short)), margin
