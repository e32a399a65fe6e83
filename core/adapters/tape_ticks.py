"""From checked columns to TICK rows.

A tape of trades does not show the book. A BUY is taken to have lifted the ask and a SELL to have hit the bid, the
spread is one tick, and the size displayed is the symbol's 90th percentile of trade sizes. A bar becomes four ticks,
open, low, high, close when it rose and open, high, low, close when it fell (the nearer extreme first is what a
path more often does), spread over the bar's time, each with a quarter of its volume.

Tick and lot are the decimals found in the data. Lots must fit 32 bits and, for bars, whose volumes say nothing
about the size one can trade, be worth no more than LOT_VALUE_MAX; what does not fit saturates.
"""

from __future__ import annotations

import numpy as np

from bus.instruments import InstrumentSpec
from core.adapters.tape_check import Columns, Floats, Ints, Mask
from core.kernels.tables import TICK, TICK_BUY, TICK_QUOTE, TICK_SELL, TICK_TRADE, Table

DECIMALS_MAX = 8
LOTS_MAX = 1_000_000_000  # in one tick
LOT_VALUE_MAX = 1_000.0  # quote units, bars


def decimals_in(values: Floats) -> int:
    """How many decimals the data use, at most DECIMALS_MAX."""
    distinct = np.unique(values)
    for places in range(DECIMALS_MAX):
        scaled = distinct * 10.0**places
        if bool(np.all(np.abs(scaled - np.rint(scaled)) <= 1e-12 * scaled + 1e-6)):
            return places
    return DECIMALS_MAX


def _step(places: int) -> float:
    return float(f"1e{-places}")


def _lot_places(qty: Floats, price: float, *, bars: bool) -> int:
    places = decimals_in(qty)
    while qty.max(initial=0.0) * 10.0**places > LOTS_MAX:
        places -= 1
    while bars and price * _step(places) > LOT_VALUE_MAX and places < DECIMALS_MAX:
        places += 1
    return places


def spec_for(symbol: str, prices: Floats, qty: Floats, settle: str, *, bars: bool) -> InstrumentSpec:
    """What a symbol's data say about it. "BTC/USDT" names its currencies; a bare name is quoted in USD."""
    base, _, quote = symbol.partition("/")
    quote = quote.partition(":")[0] or settle or "USD"
    return InstrumentSpec(
        symbol=symbol,
        base=base,
        quote=quote,
        settle=settle or quote,
        tick_size=_step(decimals_in(prices)),
        lot_size=_step(_lot_places(qty, float(np.median(prices)), bars=bars)),
        qty_lots_max=LOTS_MAX,
    )


def _fill(rows: Table, ticks: Ints, lots: Ints, buy: Mask, shown: Ints) -> None:
    """Price, quote and size columns of ``rows``."""
    at_ask = buy & (ticks > 1)
    rows["last_ticks"] = ticks
    rows["bid_ticks"] = np.where(at_ask, ticks - 1, ticks)
    rows["ask_ticks"] = np.where(at_ask, ticks, ticks + 1)
    rows["last_lots"] = np.minimum(lots, LOTS_MAX)
    rows["bid_lots"] = rows["ask_lots"] = np.clip(shown, 1, LOTS_MAX)
    traded = TICK_TRADE | np.where(buy, TICK_BUY, TICK_SELL)
    rows["flags"] = TICK_QUOTE | np.where(lots > 0, traded, 0)


def _in_lots(qty: Floats, spec: InstrumentSpec) -> Ints:
    """Whole lots; what traded is at least one."""
    return np.maximum(np.rint(qty / spec.lot_size), qty > 0).astype(np.int64)


def trade_rows(columns: Columns, here: Ints, instrument: int, spec: InstrumentSpec) -> Table:
    """TICK rows of one symbol's trades, ``here`` = their row numbers."""
    rows = np.zeros(len(here), dtype=TICK)
    rows["ts_ns"], rows["instrument"] = columns.ts_ns[here], instrument
    ticks = np.maximum(1, np.rint(columns.numbers["price"][here] / spec.tick_size)).astype(np.int64)
    lots = _in_lots(columns.numbers["qty"][here], spec)
    shown = np.full(len(here), int(np.percentile(lots, 90)))
    _fill(rows, ticks, lots, columns.side[here] == 1, shown)
    return rows


def bar_rows(columns: Columns, here: Ints, instrument: int, spec: InstrumentSpec) -> Table:
    """TICK rows of one symbol's bars, four each."""
    v = {part: column[here] for part, column in columns.numbers.items()}
    rose = v["close"] >= v["open"]
    path = np.stack(
        [v["open"], np.where(rose, v["low"], v["high"]), np.where(rose, v["high"], v["low"]), v["close"]]
    )
    ticks = np.maximum(1, np.rint(path.T.ravel() / spec.tick_size)).astype(np.int64)
    start = columns.ts_ns[here]
    usual = int(np.median(np.diff(start))) if len(start) > 1 else 60_000_000_000
    length = np.minimum(np.append(np.diff(start), usual), usual)
    offsets = np.stack([0 * length, length // 3, 2 * (length // 3), np.maximum(0, length - 1)])
    lots = np.repeat(_in_lots(v["volume"] / 4.0, spec), 4)
    rows = np.zeros(4 * len(here), dtype=TICK)
    rows["ts_ns"], rows["instrument"] = (start + offsets).T.ravel(), instrument
    _fill(rows, ticks, lots, np.diff(ticks, prepend=ticks[0]) >= 0, lots)
    return rows
