"""All table layouts on one page, each column with its unit. One table per noun.

``settle`` is the instrument's settlement currency, ``acct`` the account's base currency.
Lots and ticks are integers: "is the book flat?" must be exact. Floats are for value and risk.
Rows are addressed by integer ids: instrument id = row of INSTRUMENT, MARKET and POSITION; currency id =
row of CURRENCY; numeric switch id = row of SWITCH. Kernels take whole tables and name columns at their top.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[Any]

TICK = np.dtype(
    [
        ("ts_ns", "i8"),  # ns UTC, event time
        ("instrument", "i4"),  # instrument id
        ("flags", "u4"),  # bit set: TICK_QUOTE, TICK_TRADE, TICK_BUY, TICK_SELL
        ("bid_ticks", "i8"),  # ticks, 0 = none
        ("ask_ticks", "i8"),  # ticks, 0 = none
        ("last_ticks", "i8"),  # ticks, 0 = none
        ("bid_lots", "i4"),  # lots at the best bid
        ("ask_lots", "i4"),  # lots at the best ask
        ("last_lots", "i4"),  # lots traded
        ("spare", "i4"),  # always 0
    ]
)
TICK_QUOTE, TICK_TRADE, TICK_BUY, TICK_SELL = 1, 2, 4, 8  # TICK_BUY: the buyer was the aggressor

INSTRUMENT = np.dtype(
    [
        ("tick_size", "f8"),  # quote per tick
        ("lot_value", "f8"),  # linear: base per lot; inverse: quote per lot (lot_size x contract_value)
        ("margin_rate", "f8"),  # fraction of exposure
        ("inverse", "i4"),  # 0 linear, 1 inverse
        ("settle", "i4"),  # currency id
        ("fx_currency", "i4"),  # currency id whose rate in acct this mark gives, -1 none
        ("venue", "i4"),  # venue id
        ("asset", "i4"),  # id shared by the instruments of one base currency
        ("spare", "i4"),  # always 0
        (
            "window_ns",
            "i8",
        ),  # ns, length of one bucket of the recent past (MARKET.bucket_…), 0 = none is kept
    ]
)

MARKET = np.dtype(
    [
        ("bid_ticks", "i8"),  # ticks, 0 = none
        ("ask_ticks", "i8"),  # ticks, 0 = none
        ("last_ticks", "i8"),  # ticks, 0 = none
        ("bid_lots", "i8"),  # lots
        ("ask_lots", "i8"),  # lots
        ("mark_px", "f8"),  # quote; mid of an uncrossed book, else last; 0 = never marked
        ("ts_ns", "i8"),  # ns UTC of the last accepted tick, 0 = never
        ("ticks", "i8"),  # count of accepted ticks
        ("refused", "i8"),  # count of ticks refused (crossed both sides gone, non-positive price)
        ("volume_lots", "i8"),  # lots traded on the tape since the first tick
        (
            "turnover",
            "f8",
        ),  # ticks x lots traded; its growth over that of volume_lots is an interval's VWAP in ticks
        # the recent past, kept by core.kernels.recent
        ("sample_due_ns", "i8"),  # ns UTC, the next sample is taken at the first tick from here on
        ("sampled_ns", "i8"),  # ns UTC of the last sample, 0 = never
        ("sample_px", "f8"),  # quote, mark at the last sample
        ("samples", "i8"),  # count of returns in variance_rate
        ("variance_rate", "f8"),  # 1/s, EWMA of squared relative returns over their time
        ("spread_mean", "f8"),  # fraction of mid, EWMA of the sampled spread
        ("spreads", "i8"),  # count of spreads in spread_mean
        ("bucket_ns", "i8"),  # ns UTC of the bucket's first tick, 0 = none yet
        ("bucket_px", "f8"),  # quote, mark then
        ("bucket_lots", "i8"),  # volume_lots then
        ("high_px", "f8"),  # quote, highest mark since
        ("low_px", "f8"),  # quote, lowest mark since
        ("before_ns", "i8"),  # the same of the bucket before, 0 = none or too long ago
        ("before_px", "f8"),  # quote
        ("before_lots", "i8"),  # lots
        ("before_high_px", "f8"),  # quote
        ("before_low_px", "f8"),  # quote
    ]
)

POSITION = np.dtype(
    [
        ("qty_lots", "i8"),  # lots, signed
        ("avg_px", "f8"),  # quote; average cost (linear: arithmetic, inverse: harmonic)
        ("cost", "f8"),  # settle, absolute value at avg_px
        ("exposure", "f8"),  # settle, signed value at mark
        ("margin", "f8"),  # settle, required
        ("unrealized", "f8"),  # settle
        ("realized", "f8"),  # settle, before fees
        ("fees", "f8"),  # settle, positive = paid
        ("funding", "f8"),  # settle, positive = received
        ("work_buy_lots", "i8"),  # lots of buy orders that could still fill
        ("work_sell_lots", "i8"),  # lots of sell orders that could still fill
        ("loss_ratio", "f8"),  # unrealised loss / basis (cost or equity), 0 when in profit
        ("loss_limit", "f8"),  # fraction at which position_loss trips; inf = already tripped or off
    ]
)

CURRENCY = np.dtype(
    [
        ("rate", "f8"),  # acct per unit; nan = unknown
        ("cash", "f8"),  # units: deposits + realised - fees + funding
        ("unrealized", "f8"),  # units, sum over positions settling here
        ("gross", "f8"),  # units, sum of |exposure|
        ("net", "f8"),  # units, sum of exposure
        ("margin", "f8"),  # units, sum of margin
    ]
)

ACCOUNT = np.dtype(
    [
        ("equity", "f8"),  # acct
        ("equity_peak", "f8"),  # acct
        ("equity_day_open", "f8"),  # acct
        ("gross", "f8"),  # acct
        ("net", "f8"),  # acct
        ("margin", "f8"),  # acct, required
        ("unrealized", "f8"),  # acct
        ("drawdown", "f8"),  # fraction of peak
        ("drawdown_max", "f8"),  # fraction of peak, worst seen
        ("daily_loss", "f8"),  # fraction of day-open equity
        ("emergency_loss", "f8"),  # fraction, the larger of drawdown and daily_loss
        ("leverage", "f8"),  # ratio gross / equity
        ("margin_ratio", "f8"),  # ratio equity / margin required; inf = none required
        ("ts_ns", "i8"),  # ns UTC of the last tick applied
        ("ticks", "i8"),  # count of ticks applied
        ("trip_instrument", "i8"),  # instrument id of the last position_loss trip, -1 none
        ("basis_equity", "i8"),  # 1 = position_loss measured against equity, 0 against cost
        ("changed", "i8"),  # count of ticks since totals were last summed afresh
    ]
)

# Numeric switches, in the order of their rows. position_loss trips through POSITION.loss_limit.
SW_DRAWDOWN, SW_POSITION_LOSS, SW_DAILY_LOSS, SW_EMERGENCY, SW_LEVERAGE, SW_MARGIN = range(6)
SWITCH_ROWS = 6

SWITCH = np.dtype(
    [
        ("limit", "f8"),  # fraction or ratio; nan = no limit set (fail closed at start-up)
        ("value", "f8"),  # same unit as limit
        ("armed", "i8"),  # 1 = tested on every tick
        ("tripped", "i8"),  # 1 = crossed on the last tick that returned; the engine clears it
        ("ts_ns", "i8"),  # ns UTC of the last trip, 0 = never
    ]
)

# The ledger's rows: one share of an instrument by one holder, or the free cash of one currency. Made from
# ``core.engine.ledger`` (which holds the exact amounts) for the kernels of ``core.kernels.attribution``.
LEDGER = np.dtype(
    [
        ("instrument", "i4"),  # instrument id, -1 = cash
        ("currency", "i4"),  # currency id it is kept in
        ("holder", "i4"),  # index among the ledger's holders
        ("spare", "i4"),  # always 0
        ("lots", "i8"),  # lots, signed
        ("whole", "f8"),  # settle: what trades, fees and funding have left, the whole units of it
        ("rest", "f8"),  # settle: the fraction of a unit that is left over, 0 <= rest < 1
        ("rate", "f8"),  # acct per settle at which worth was last posted; 0 = never
        ("worth", "i8"),  # ledger units, as last posted
    ]
)


def zeros(dtype: np.dtype[Any], rows: int) -> Table:
    """A fresh table of ``rows`` rows, all zero."""
    return np.zeros(rows, dtype=dtype)
