"""The same question as a mixed-integer programme: nothing of the router is used but its definitions, written again.

Variables: x (lots taken of a level) and y (the venue is used). First the quantity is maximised, then, at that quantity, the all-in cost minimised.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from bus.enums import Side

from .rig import Book


def usable(book: Book, i: int) -> list[tuple[int, int]]:
    """Levels within the limit."""
    limit_px = book.limit_ticks * book.specs[0].tick_size
    rows = []
    for ticks, lots in book.taken(i):
        px = ticks * book.specs[i].tick_size
        if book.limit_ticks == 0 or (px - limit_px) * book.sign < 1e-9:
            rows.append((ticks, lots))
    return rows


def all_in(book: Book, i: int, ticks: int) -> float:
    """Cost of one unit, quote: price, fee, and 0.4 sigma root latency; negative for a sale."""
    one = book.specs[i]
    sigma = book.limits.volatility / math.sqrt(365 * 86_400)
    drift = 0.4 * sigma * math.sqrt(book.limits.latency_ms[one.venue] / 1000)
    return ticks * one.tick_size * (book.sign + one.fee_rate_taker + drift)


def mid(book: Book, i: int) -> float:
    return (book.bids[i][0][0] + book.asks[i][0][0]) / 2 * book.specs[i].tick_size


def least(book: Book, i: int) -> int:
    """The smallest order: at no price it may be judged by is it below the minimum notional."""
    one = book.specs[i]
    prices = [ticks * one.tick_size for ticks, _ in usable(book, i)] + [mid(book, i)]
    n = one.qty_lots_min
    while n * one.lot_size * min(prices) < one.notional_min - 1e-9:
        n += 1
    return n


def closable(book: Book, i: int) -> int:
    """Lots that only make smaller what is held."""
    return max(-book.sign * book.held[i], 0)


def cap(book: Book, i: int) -> int:
    """Most lots by the venue's largest order, the exposure cap (one instrument a venue) and the wallet."""
    one = book.specs[i]
    most = one.qty_lots_max
    limit = book.limits.exposure_max.get(one.venue)
    if limit is not None:
        may = math.floor(limit / (one.lot_size * mid(book, i)))
        held = book.sign * book.held[i]
        room = max(n for n in range(2000) if n == 0 or (abs(held + n) <= may and abs(held) <= may))
        most = min(most, max(room, closable(book, i)))
    if one.venue in book.limits.wallet:
        pays = affordable(book, i) if book.side is Side.BUY else 0
        most = min(most, max(pays, closable(book, i)))
    return most


def affordable(book: Book, i: int) -> int:
    """Most lots that what is left in the wallet buys at the worst price they need."""
    one = book.specs[i]
    left = book.limits.wallet[one.venue] - book.held[i] * one.lot_size * 100.0
    prices = [ticks * one.tick_size for ticks, lots in usable(book, i) for _ in range(lots)]
    fits = [n for n, px in enumerate(prices, 1) if n * px * one.lot_size * (1 + one.fee_rate_taker) <= left]
    return max(fits, default=0)


def best(book: Book) -> tuple[int, float]:
    """(parent lots filled, all-in cost) of the optimum."""
    cells = [(i, ticks, lots) for i in range(len(book.specs)) for ticks, lots in usable(book, i)]
    n, venues = len(cells), len(book.specs)
    width = n + venues  # x, then y
    unit = [round(one.lot_size / book.specs[0].lot_size) for one in book.specs]
    quantity, cost = np.zeros(width), np.zeros(width)
    rows: list[np.ndarray] = []
    for k, (i, ticks, _) in enumerate(cells):
        quantity[k] = unit[i]
        cost[k] = all_in(book, i, ticks) * unit[i]
    for i in range(venues):
        own = [k for k, cell in enumerate(cells) if cell[0] == i]
        total, used = dict.fromkeys(own, 1.0), n + i
        most = cap(book, i)
        rows.append(_row(width, total | {used: -float(min(most, 10**6))}))
        rows.append(_row(width, dict.fromkeys(own, -1.0) | {used: float(least(book, i))}))
    return _solve(width, n, rows, quantity, cost, book.qty_lots, [lots for *_, lots in cells])


def _row(width: int, entries: dict[int, float]) -> np.ndarray:
    row = np.zeros(width)
    for k, value in entries.items():
        row[k] = value
    return row


def _solve(width, n, rows, quantity, cost, qty, sizes) -> tuple[int, float]:
    if n == 0:
        return 0, 0.0
    table = np.array([*rows, quantity])
    upper = np.array([0.0] * len(rows) + [float(qty)])
    bounds = Bounds(np.zeros(width), np.array([*map(float, sizes), *[1.0] * (width - n)]))
    limits = [LinearConstraint(table, -np.inf, upper)]
    first = milp(-quantity, constraints=limits, integrality=np.ones(width), bounds=bounds)
    filled = round(-first.fun)
    limits.append(LinearConstraint(quantity[None, :], filled - 0.5, filled + 0.5))
    second = milp(
        cost, constraints=limits, integrality=np.ones(width), bounds=bounds, options={"mip_rel_gap": 0.0}
    )
    lots = np.round(second.x[:n])
    return filled, float(cost[:n] @ lots)
