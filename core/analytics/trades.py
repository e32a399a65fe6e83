"""Trade statistics from fills. A trade is a round trip: from flat, over a position, to flat again.

Positions are whole lots, so "flat" is exact. A fill that turns a position over closes one trade and opens the next, its
fee split by lots. Profit is what the lots were sold for less what they were bought for, so scaling in and out needs no
matching rule. Books are kept per (strategy, symbol). Linear contracts: an inverse one settles in another currency.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from statistics import median

import msgspec

from core.analytics.errors import RiskInputError
from core.analytics.measures import NAN, ratio


class Fill(msgspec.Struct, frozen=True):
    """One execution."""

    ts_ns: int  # ns UTC
    symbol: str
    lots: int  # signed: bought > 0, sold < 0
    price: float  # quote currency
    lot_value: float = 1.0  # quote units of one lot at price 1
    fee: float = 0.0  # quote currency, positive = paid
    strategy: str = ""


class Trade(msgspec.Struct, frozen=True):
    """One round trip. Money in quote currency."""

    symbol: str
    strategy: str
    side: str  # buy: it was long
    opened_ns: int
    closed_ns: int
    lots: int  # bought and sold, each
    fills: int
    gross: float  # before fees
    fees: float

    @property
    def net(self) -> float:
        """Profit after fees."""
        return self.gross - self.fees


class TradeStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What trades were worth. Wins and losses are by net profit; a trade of exactly 0 is neither."""

    n: int
    wins: int
    losses: int
    open: int  # positions not flat after the last fill, not counted above
    hit_rate: float  # wins / (wins + losses)
    gross: float  # quote currency, as all money here
    fees: float
    net: float
    expectancy: float  # net of one trade, mean
    average_win: float
    average_loss: float  # <= 0
    payoff: float  # average win / |average loss|
    profit_factor: float  # sum of wins / |sum of losses|
    largest_win: float
    largest_loss: float  # <= 0
    fee_share: float  # fees / gross, nan unless gross > 0
    longest_winning_run: int
    longest_losing_run: int
    holding_s_mean: float
    holding_s_median: float

    def summary(self) -> dict[str, float | int]:
        """All statistics by name, in order."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class _Book:
    """The trade that is being built for one strategy and symbol."""

    __slots__ = ("cash", "fees", "fills", "held", "opened_ns", "traded")

    def __init__(self) -> None:
        self.held = self.traded = self.fills = self.opened_ns = 0
        self.cash: list[float] = []
        self.fees: list[float] = []

    def take(self, fill: Fill, lots: int) -> None:
        if self.held == 0:
            self.opened_ns, self.traded, self.fills, self.cash, self.fees = fill.ts_ns, 0, 0, [], []
        self.held += lots
        self.traded += abs(lots)
        self.fills += 1
        self.cash.append(-lots * fill.price * fill.lot_value)
        self.fees.append(fill.fee * lots / fill.lots)

    def trade(self, fill: Fill) -> Trade:
        side = "buy" if fill.lots < 0 else "sell"
        gross, fees = math.fsum(self.cash), math.fsum(self.fees)
        lots = self.traded // 2
        return Trade(
            fill.symbol, fill.strategy, side, self.opened_ns, fill.ts_ns, lots, self.fills, gross, fees
        )


def round_trips(fills: Iterable[Fill]) -> tuple[list[Trade], int]:
    """(trades in order of closing, positions still open). Fills in order of time."""
    books: dict[tuple[str, str], _Book] = {}
    trades: list[Trade] = []
    latest = -1
    for row, fill in enumerate(fills, 1):
        _check(fill, row, latest)
        latest = fill.ts_ns
        book = books.setdefault((fill.strategy, fill.symbol), _Book())
        rest = fill.lots
        if book.held * rest < 0:
            closing = max(-book.held, rest) if rest < 0 else min(-book.held, rest)
            book.take(fill, closing)
            rest -= closing
            if book.held == 0:
                trades.append(book.trade(fill))
        if rest:
            book.take(fill, rest)
    return trades, sum(book.held != 0 for book in books.values())


def trade_statistics(fills: Iterable[Fill]) -> TradeStatistics:
    """Statistics of all round trips in ``fills``."""
    trades, still_open = round_trips(fills)
    return _statistics(trades, still_open)


def statistics_by(fills: Iterable[Fill], key: Callable[[Fill], Hashable]) -> dict[Hashable, TradeStatistics]:
    """Statistics of each group's own fills: ``key`` of a fill is its symbol or its strategy."""
    groups: dict[Hashable, list[Fill]] = {}
    for fill in fills:
        groups.setdefault(key(fill), []).append(fill)
    return {label: trade_statistics(own) for label, own in groups.items()}


def _statistics(trades: list[Trade], still_open: int) -> TradeStatistics:
    nets = [trade.net for trade in trades]
    won, lost = [v for v in nets if v > 0.0], [v for v in nets if v < 0.0]
    gross, fees = math.fsum(t.gross for t in trades), math.fsum(t.fees for t in trades)
    held = [(trade.closed_ns - trade.opened_ns) / 1e9 for trade in trades]
    win, loss = ratio(math.fsum(won), len(won)), ratio(math.fsum(lost), len(lost))
    return TradeStatistics(
        n=len(trades),
        wins=len(won),
        losses=len(lost),
        open=still_open,
        hit_rate=ratio(len(won), len(won) + len(lost)),
        gross=gross,
        fees=fees,
        net=gross - fees,
        expectancy=ratio(gross - fees, len(trades)),
        average_win=win,
        average_loss=loss,
        payoff=ratio(win, -loss),
        profit_factor=ratio(math.fsum(won), -math.fsum(lost)),
        largest_win=max(won, default=NAN),
        largest_loss=min(lost, default=NAN),
        fee_share=fees / gross if gross > 0.0 else NAN,
        longest_winning_run=_longest(nets, 1.0),
        longest_losing_run=_longest(nets, -1.0),
        holding_s_mean=ratio(math.fsum(held), len(held)),
        holding_s_median=median(held) if held else NAN,
    )


def _longest(nets: list[float], sign: float) -> int:
    longest = run = 0
    for net in nets:
        run = run + 1 if net * sign > 0.0 else 0
        longest = max(longest, run)
    return longest


def _check(fill: Fill, row: int, latest: int) -> None:
    numbers = (fill.price, fill.lot_value, fill.fee)
    if not all(map(math.isfinite, numbers)) or fill.price <= 0.0 or fill.lot_value <= 0.0:
        raise RiskInputError(
            "NOT_FINITE", f"fill {row}: price and lot value must be above 0, and the fee a number"
        )
    if fill.lots == 0:
        raise RiskInputError("BAD_CELL", f"fill {row} has no lots; leave it out")
    if fill.ts_ns < latest:
        raise RiskInputError("UNSORTED_DATES", f"fill {row} is older than the one before it; sort the fills")
