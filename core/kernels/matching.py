"""The simulated venue's book, and the two loops that must run at tick speed.

A venue needs Python only when one of our orders can trade. Everything between two such rows is the same
arithmetic on a few integers per instrument: remember the quote, and count how much of the queue before our
best order has traded away. So the book is one row per instrument with, besides the quote, *our own* best price on
each side and its ``reach``: the lots that may still trade at that price before our first order there
fills. Worse levels need no row: a trade at a worse level has traded through the best one first. Of our stop orders
the row holds the nearest trigger on each side: a trade or an opposite quote at or beyond it acts.

``advance`` applies rows until one acts; ``first_touch`` answers the same question and changes nothing.
"""

from __future__ import annotations

import numpy as np

from core.kernels._jit import kernel
from core.kernels.tables import TICK_BUY, TICK_QUOTE, TICK_SELL, TICK_TRADE, Table

BOOK = np.dtype(
    [
        ("bid_ticks", "i8"),  # ticks, 0 = none
        ("ask_ticks", "i8"),  # ticks, 0 = none
        ("last_ticks", "i8"),  # ticks, 0 = none
        ("bid_lots", "i8"),  # lots displayed
        ("ask_lots", "i8"),  # lots displayed
        ("bid_taken", "i8"),  # lots we have taken from the bids since the last quote
        ("ask_taken", "i8"),  # lots we have taken from the asks since the last quote
        ("buy_px", "i8"),  # ticks, our best resting buy, 0 = none
        ("buy_reach", "i8"),  # lots that may trade at buy_px before our first order there fills
        ("sell_px", "i8"),  # ticks, our best resting sell, 0 = none
        ("sell_reach", "i8"),  # lots, as buy_reach
        ("buy_stop", "i8"),  # ticks, our lowest buy trigger, 0 = none
        ("sell_stop", "i8"),  # ticks, our highest sell trigger, 0 = none
    ]
)


@kernel
def _trade_acts(last: int, lots: int, px: int, reach: int, sign: int, queued: bool) -> bool:
    """Whether a trade fills our order at ``px``: through it, or at it with the queue gone. ``sign`` 1 = our buy."""
    if px == 0:
        return False
    if (px - last) * sign > 0:
        return True
    return px == last and queued and lots > reach


@kernel
def _touches(price: int, buy_stop: int, sell_stop: int) -> bool:
    """Whether a price sets off one of our stops. Prices and triggers in ticks, 0 = none."""
    if price <= 0:
        return False
    return (buy_stop > 0 and price >= buy_stop) or (sell_stop > 0 and price <= sell_stop)


@kernel
def advance(ticks: Table, start: int, stop_ns: int, book: Table) -> int:
    """Apply rows from ``start`` up to, not including, the first that acts or is at or after ``stop_ns``.

    Returns that row's index, ``len(ticks)`` if none. ``book`` moves on; rows of unknown instruments are passed over.
    """
    ts, instrument, flags = ticks["ts_ns"], ticks["instrument"], ticks["flags"]
    bid, ask, last, traded = ticks["bid_ticks"], ticks["ask_ticks"], ticks["last_ticks"], ticks["last_lots"]
    buy_px, buy_reach = book["buy_px"], book["buy_reach"]
    sell_px, sell_reach = book["sell_px"], book["sell_reach"]
    buy_stop, sell_stop = book["buy_stop"], book["sell_stop"]
    for k in range(start, len(ticks)):
        if ts[k] >= stop_ns:
            return k
        i = instrument[k]
        if i < 0 or i >= len(book):
            continue
        f = flags[k]
        if f & TICK_TRADE:
            at_bid, at_ask = (f & TICK_BUY) == 0, (f & TICK_SELL) == 0
            if _trade_acts(last[k], traded[k], buy_px[i], buy_reach[i], 1, at_bid):
                return k
            if _trade_acts(last[k], traded[k], sell_px[i], sell_reach[i], -1, at_ask):
                return k
            if _touches(last[k], buy_stop[i], sell_stop[i]):
                return k
        if f & TICK_QUOTE:
            if _touches(ask[k], buy_stop[i], 0) or _touches(bid[k], 0, sell_stop[i]):
                return k
            if buy_px[i] > 0 and 0 < ask[k] <= buy_px[i]:
                return k
            if sell_px[i] > 0 and bid[k] >= sell_px[i]:
                return k
            book["bid_ticks"][i], book["ask_ticks"][i] = bid[k], ask[k]
            book["bid_lots"][i], book["ask_lots"][i] = ticks["bid_lots"][k], ticks["ask_lots"][k]
            book["bid_taken"][i], book["ask_taken"][i] = 0, 0
        if f & TICK_TRADE:
            book["last_ticks"][i] = last[k]
            if last[k] == buy_px[i] and (f & TICK_BUY) == 0:
                buy_reach[i] -= traded[k]
            if last[k] == sell_px[i] and (f & TICK_SELL) == 0:
                sell_reach[i] -= traded[k]
    return len(ticks)


@kernel
def first_touch(ticks: Table, stop_ns: int, book: Table, buy_reach: Table, sell_reach: Table) -> int:
    """Index after the first row that acts or is at or after ``stop_ns``; ``len(ticks)`` if none.

    ``buy_reach`` and ``sell_reach`` are scratch copies of the book's columns and are spent; ``book`` is only read.
    """
    ts, instrument, flags = ticks["ts_ns"], ticks["instrument"], ticks["flags"]
    bid, ask, last, traded = ticks["bid_ticks"], ticks["ask_ticks"], ticks["last_ticks"], ticks["last_lots"]
    buy_px, sell_px = book["buy_px"], book["sell_px"]
    buy_stop, sell_stop = book["buy_stop"], book["sell_stop"]
    for k in range(len(ticks)):
        if ts[k] >= stop_ns:
            return k + 1
        i = instrument[k]
        if i < 0 or i >= len(book):
            continue
        f, own_buy, own_sell = flags[k], buy_px[i], sell_px[i]
        if own_buy == 0 and own_sell == 0 and buy_stop[i] == 0 and sell_stop[i] == 0:
            continue
        if f & TICK_QUOTE and (_touches(ask[k], buy_stop[i], 0) or _touches(bid[k], 0, sell_stop[i])):
            return k + 1
        if f & TICK_TRADE:
            if _touches(last[k], buy_stop[i], sell_stop[i]):
                return k + 1
            at_bid, at_ask = (f & TICK_BUY) == 0, (f & TICK_SELL) == 0
            if _trade_acts(last[k], traded[k], own_buy, buy_reach[i], 1, at_bid):
                return k + 1
            if _trade_acts(last[k], traded[k], own_sell, sell_reach[i], -1, at_ask):
                return k + 1
            if last[k] == own_buy and at_bid:
                buy_reach[i] -= traded[k]
            if last[k] == own_sell and at_ask:
                sell_reach[i] -= traded[k]
        if f & TICK_QUOTE and (
            (own_buy > 0 and 0 < ask[k] <= own_buy) or (own_sell > 0 and bid[k] >= own_sell)
        ):
            return k + 1
    return len(ticks)
