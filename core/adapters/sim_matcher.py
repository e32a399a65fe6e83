"""Matching at the simulated venue: what fills, at what price, and what it costs to be large.

The tape shows the best bid and offer and the trades; nothing shows how the market would have answered us. So:

* A taker gets the displayed lots at the best price; each further ``displayed`` lots cost one more tick (linear
  impact), and what it has taken stays taken until the next quote. Liquidity is never free or infinite.
* A resting order joins behind the displayed size at its price. Trades there work the queue off; a trade through
  its price, or an opposite quote at or beyond it, fills it, but never with more lots than the tape showed.
* Reduce-only is judged at every fill by the venue's own position.
* A stop rests unseen. A trade at or beyond its trigger sets it off, or a best price there on the side it would take;
  then it is a market order. Changing an order keeps its place in the queue only when it gets smaller at its price.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from bus.enums import ReportKind, Side, TimeInForce
from bus.instruments import InstrumentSpec
from core.adapters.sim_book import Level, SideBook, SimOrder, Stops
from core.adapters.sim_ledger import Ledger
from core.kernels.matching import BOOK, advance, first_touch
from core.kernels.tables import TICK_BUY, TICK_QUOTE, TICK_SELL, TICK_TRADE, Table, zeros

ENOUGH = 2**62


class Outcome(Protocol):
    """Who is told what happened."""

    def traded(
        self, order: SimOrder, lots: int, px_ticks: float, fee: float, maker: bool, at_ns: int
    ) -> None: ...
    def ended(self, order: SimOrder, kind: ReportKind, reason: str, at_ns: int) -> None: ...


def staircase(lots: int, shown: int) -> int:
    """Sum of ``floor(j / shown)`` for j < lots: the ticks of impact that the first ``lots`` lots pay together."""
    steps, rest = divmod(lots, shown)
    return shown * steps * (steps - 1) // 2 + rest * steps


class Matcher:
    """Books, queues and fills for all instruments. Time comes with each call."""

    def __init__(self, specs: Sequence[InstrumentSpec], ledger: Ledger, outcome: Outcome) -> None:
        self.book = zeros(BOOK, len(specs))
        self._specs = specs
        self._ledger = ledger
        self._outcome = outcome
        self._sides = [(SideBook(1), SideBook(-1)) for _ in specs]
        self._stops = [Stops() for _ in specs]
        self._own_px = {1: self.book["buy_px"], -1: self.book["sell_px"]}
        self._reach = {1: self.book["buy_reach"], -1: self.book["sell_reach"]}
        self._best = {1: self.book["ask_ticks"], -1: self.book["bid_ticks"]}  # what a buy (sell) takes
        self._shown = {1: self.book["ask_lots"], -1: self.book["bid_lots"]}
        self._taken = {1: self.book["ask_taken"], -1: self.book["bid_taken"]}

    # -- orders ---------------------------------------------------------------------------------------------

    def crosses(self, order: SimOrder) -> bool:
        """Whether a limit order would trade at once."""
        return self.would_cross(order, order.price_ticks)

    def would_cross(self, order: SimOrder, price_ticks: int) -> bool:
        """Whether it would at another price."""
        best = int(self._best[order.sign][order.instrument])
        return best > 0 and (price_ticks - best) * order.sign >= 0

    def room(self, order: SimOrder) -> int:
        """Lots the market offers within the order's price; 0 without a quote on the other side."""
        i, sign = order.instrument, order.sign
        best = int(self._best[sign][i])
        if best == 0:
            return 0
        if order.price_ticks == 0:
            return ENOUGH
        worst = (order.price_ticks - best) * sign
        return max(0, self._depth(i, sign) * (worst + 1) - int(self._taken[sign][i])) if worst >= 0 else 0

    def place(self, order: SimOrder, now_ns: int, *, halve: bool = False) -> None:
        """Trade what crosses, rest or end what remains. ``halve``: fill half and end (a fault)."""
        if order.stop_ticks and not self._is_touched(order):
            return self._wait(order, now_ns)
        order.stop_ticks = 0
        lots = min(order.leaves, self.room(order))
        if order.reduce_only:
            lots = min(lots, self._ledger.closable(order.instrument, order.sign))
        if order.tif is TimeInForce.FOK and lots < order.leaves:
            return self._finish(order, ReportKind.EXPIRED, "fill or kill", now_ns)
        if lots > 0:
            self._take(order, max(1, lots // 2) if halve else lots, now_ns)
        if order.leaves == 0:
            return None
        if halve and lots > 0:
            return self.end(order, ReportKind.CANCELED, "half filled", now_ns)
        if order.price_ticks == 0 or order.tif is not TimeInForce.GTC:
            return self.end(order, ReportKind.EXPIRED, "nothing more within the limit", now_ns)
        return self._rest(order, now_ns)

    def amend(self, order: SimOrder, lots: int, ticks: int, stop_ticks: int) -> bool:
        """Change an order that has not ended; True when it has lost its place and must be placed again."""
        i, side = order.instrument, self._side(order)
        if order.resting and ticks == order.price_ticks and lots <= order.qty_lots:
            order.qty_lots = lots
            return False
        if order.resting:
            self._pull(i, side)
            side.withdraw(order)
            self._push(i, side)
        self._forget_stop(order)
        order.qty_lots, order.price_ticks, order.stop_ticks = lots, ticks, stop_ticks
        return True

    def close(self, order: SimOrder) -> None:
        """An amendment has left nothing of it: out of the book, filled."""
        self._forget_stop(order)
        i, side = order.instrument, self._side(order)
        if order.resting:
            self._pull(i, side)
            side.withdraw(order)
            self._push(i, side)
        order.end = "filled"

    def end(self, order: SimOrder, kind: ReportKind, reason: str, now_ns: int) -> None:
        """End an order, resting or not, and tell."""
        self._forget_stop(order)
        i, side = order.instrument, self._side(order)
        resting = order.resting
        if resting:
            self._pull(i, side)
        self._finish(order, kind, reason, now_ns)
        if resting:
            side.leave(order)
            self._push(i, side)

    def fill_resting(self, order: SimOrder, lots: int, now_ns: int) -> None:
        """Fill a resting order at its own price, whatever the market says (a fault needs it)."""
        i, side = order.instrument, self._side(order)
        self._pull(i, side)
        self._made(side, order, lots, now_ns)
        self._push(i, side)

    # -- market data ----------------------------------------------------------------------------------------

    def quiet(self, rows: Table, start: int, stop_ns: int) -> int:
        """Apply rows that touch nothing; index of the first that does, or is at or after ``stop_ns``."""
        return int(advance(rows, start, stop_ns, self.book))

    def first_touch(self, rows: Table, stop_ns: int) -> int:
        """As the venue's ``first_touch``."""
        reach = self._reach[1].copy(), self._reach[-1].copy()
        return int(first_touch(rows, stop_ns, self.book, *reach))

    def act(self, row: np.void) -> None:
        """Apply one row in full: trade first, then quote."""
        ts_ns, i, flags, bid, ask, last, bid_lots, ask_lots, lots, _ = row.item()
        if not 0 <= i < len(self.book):
            return
        for side in self._sides[i]:
            self._pull(i, side)
        if flags & TICK_TRADE:
            self.book["last_ticks"][i] = last
            self._trade(self._sides[i][0], last, lots, not flags & TICK_BUY, ts_ns)
            self._trade(self._sides[i][1], last, lots, not flags & TICK_SELL, ts_ns)
        if flags & TICK_QUOTE:
            for sign, px, shown in ((-1, bid, bid_lots), (1, ask, ask_lots)):
                self._best[sign][i], self._shown[sign][i], self._taken[sign][i] = px, shown, 0
            for side in self._sides[i]:
                self._cross(i, side, ts_ns)
        for side in self._sides[i]:
            self._push(i, side)
        self._set_off(i, ts_ns)

    def mid_px(self, instrument: int) -> float:
        """Mid of the quote, else the last trade, quote currency; 0 when never seen."""
        row = self.book[instrument]
        bid, ask = int(row["bid_ticks"]), int(row["ask_ticks"])
        ticks = (bid + ask) / 2 if bid > 0 and ask > 0 else float(row["last_ticks"])
        return ticks * self._specs[instrument].tick_size

    # -- stops ----------------------------------------------------------------------------------------------

    def _is_touched(self, order: SimOrder) -> bool:
        """By the last trade, or by the best price that it would take."""
        i, sign = order.instrument, order.sign
        prices = int(self.book["last_ticks"][i]), int(self._best[sign][i])
        return any(px > 0 and (px - order.stop_ticks) * sign >= 0 for px in prices)

    def _wait(self, order: SimOrder, now_ns: int) -> None:
        if order.reduce_only and self._ledger.closable(order.instrument, order.sign) == 0:
            return self.end(order, ReportKind.CANCELED, "reduce only: nothing to close", now_ns)
        self._stops[order.instrument].add(order)
        return self._show_stops(order.instrument)

    def _forget_stop(self, order: SimOrder) -> None:
        if self._stops[order.instrument].drop(order):
            self._show_stops(order.instrument)

    def _show_stops(self, i: int) -> None:
        self.book["buy_stop"][i], self.book["sell_stop"][i] = (
            self._stops[i].nearest(1),
            self._stops[i].nearest(-1),
        )

    def _set_off(self, i: int, now_ns: int) -> None:
        """Every stop that the row has touched becomes a market order, in the order they came."""
        if not (self.book["buy_stop"][i] or self.book["sell_stop"][i]):
            return
        last = int(self.book["last_ticks"][i])
        for sign in (1, -1):
            for px in (last, int(self._best[sign][i])):
                for order in self._stops[i].touched(sign, px) if px > 0 else ():
                    self._forget_stop(order)
                    order.stop_ticks = 0
                    self.place(order, now_ns)

    def ladder(self, instrument: int, sign: int, levels: int) -> tuple[tuple[int, int], ...]:
        """What a taker of ``sign`` finds: (ticks, lots), best first, each step as large as the display and a tick on.

        What has been taken since the last quote is gone.
        """
        best = int(self._best[sign][instrument])
        if best == 0:
            return ()
        shown, taken = self._depth(instrument, sign), int(self._taken[sign][instrument])
        first, part = divmod(taken, shown)
        steps = [(best + sign * (first + n), shown - part * (n == 0)) for n in range(levels)]
        return tuple((ticks, lots) for ticks, lots in steps if ticks > 0)

    # -- inside ---------------------------------------------------------------------------------------------

    def _side(self, order: SimOrder) -> SideBook:
        return self._sides[order.instrument][0 if order.side is Side.BUY else 1]

    def _depth(self, i: int, sign: int) -> int:
        return max(1, int(self._shown[sign][i]))

    def _take(self, order: SimOrder, lots: int, now_ns: int) -> None:
        """At most two prints: what is left at the current step, and the rest at its average price."""
        i, sign = order.instrument, order.sign
        shown, taken, best = self._depth(i, sign), int(self._taken[sign][i]), int(self._best[sign][i])
        self._taken[sign][i] = taken + lots
        first = min(lots, shown - taken % shown)
        self._fill(order, first, max(1.0, float(best + sign * (taken // shown))), False, now_ns)
        rest = lots - first
        if rest > 0:
            steps = staircase(taken + lots, shown) - staircase(taken + first, shown)
            self._fill(order, rest, max(1.0, best + sign * steps / rest), False, now_ns)

    def _rest(self, order: SimOrder, now_ns: int) -> None:
        i, side = order.instrument, self._side(order)
        if order.reduce_only and self._ledger.closable(i, order.sign) == 0:
            return self.end(order, ReportKind.CANCELED, "reduce only: nothing to close", now_ns)
        near = int(self._best[-order.sign][i])
        inside = near > 0 and (order.price_ticks - near) * order.sign > 0
        ahead = 0 if inside else int(self._shown[-order.sign][i])
        self._pull(i, side)
        side.join(order, ahead)
        return self._push(i, side)

    def _trade(self, side: SideBook, last: int, lots: int, queued: bool, now_ns: int) -> None:
        """One trade of ``lots`` against our orders of one side."""
        left = lots
        while left > 0 and (level := side.best()) is not None:
            through = (level.px - last) * side.sign
            if through > 0:
                left = self._sweep(side, level, left, now_ns)
                continue
            if through == 0 and queued:
                self._work_queue(side, level, left, now_ns)
            return

    def _work_queue(self, side: SideBook, level: Level, lots: int, now_ns: int) -> None:
        level.gone += lots
        while (head := level.head()) is not None and level.gone > head.turn:
            fill = min(level.gone - head.turn, head.leaves)
            level.gone -= fill
            self._made(side, head, fill, now_ns)

    def _cross(self, i: int, side: SideBook, now_ns: int) -> None:
        """Fill what the opposite quote has reached, up to what it shows."""
        best, shown = int(self._best[side.sign][i]), self._depth(i, side.sign)
        left = shown - int(self._taken[side.sign][i])
        while best > 0 and left > 0 and (level := side.best()) is not None:
            if (level.px - best) * side.sign < 0:
                break
            left = self._sweep(side, level, left, now_ns)
        self._taken[side.sign][i] = shown - max(0, left)

    def _sweep(self, side: SideBook, level: Level, lots: int, now_ns: int) -> int:
        """Fill a level's orders in turn from ``lots``; returns what is left of them."""
        while lots > 0 and (head := level.head()) is not None:
            fill = min(lots, head.leaves)
            self._made(side, head, fill, now_ns)
            lots -= fill
        if head is not None:
            level.gone = max(level.gone, head.turn)  # the market went through: nobody is ahead any more
        return lots

    def _made(self, side: SideBook, order: SimOrder, lots: int, now_ns: int) -> None:
        """A resting order trades at its own price; it ends when filled or when it may reduce no more."""
        i = order.instrument
        if order.reduce_only:
            lots = min(lots, self._ledger.closable(i, order.sign))
        if lots > 0:
            self._fill(order, lots, float(order.price_ticks), True, now_ns)
        if not order.end and order.reduce_only and self._ledger.closable(i, order.sign) == 0:
            self._finish(order, ReportKind.CANCELED, "reduce only: nothing to close", now_ns)
        if order.end:
            side.leave(order)

    def _finish(self, order: SimOrder, kind: ReportKind, reason: str, now_ns: int) -> None:
        order.end = kind.name.lower()
        self._outcome.ended(order, kind, reason, now_ns)

    def _fill(self, order: SimOrder, lots: int, px_ticks: float, maker: bool, now_ns: int) -> None:
        price = px_ticks * self._specs[order.instrument].tick_size
        fee = self._ledger.trade(order.instrument, order.sign * lots, price, maker)
        order.cum_lots += lots
        if order.cum_lots == order.qty_lots:
            order.end = "filled"
        self._outcome.traded(order, lots, px_ticks, fee, maker, now_ns)

    def _pull(self, i: int, side: SideBook) -> None:
        """Bring what the kernel has counted at the best level back into it. Before any change of a side."""
        level = side.best()
        head = level.head() if level is not None else None
        if level is not None and head is not None:
            level.gone = head.turn - int(self._reach[side.sign][i])

    def _push(self, i: int, side: SideBook) -> None:
        """Show the kernel the best level. After any change of a side."""
        level = side.best()
        head = level.head() if level is not None else None
        if level is None or head is None:
            self._own_px[side.sign][i] = 0
            return
        self._own_px[side.sign][i] = level.px
        self._reach[side.sign][i] = head.turn - level.gone
