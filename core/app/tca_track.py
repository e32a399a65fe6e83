"""One order in the making for cost analysis: its Trade, and where its tapes stood as it came to them."""

from __future__ import annotations

from collections.abc import Sequence

from bus.enums import Side
from core.analytics.tca_trade import Interval, Trade
from core.app.tca_prices import Prices
from core.engine.orders import Order
from core.engine.state import State


class Track:
    """A Trade being made. ``instruments``: its own first, then those it may be routed to or was."""

    __slots__ = ("begun", "instruments", "is_parent", "trade", "volumes")

    def __init__(self, trade: Trade, instruments: list[int], *, is_parent: bool) -> None:
        self.trade = trade
        self.instruments = instruments
        self.is_parent = is_parent
        self.begun = False
        self.volumes: dict[int, tuple[int, float]] = {}  # lots and ticks x lots, at arrival

    def begin(self, state: State, now_ns: int) -> None:
        """It has reached the market."""
        self.begun, self.trade.start_ns = True, now_ns
        for i in self.instruments:
            self.count(state, i)

    def count(self, state: State, i: int) -> None:
        """Where the tape of one instrument stands as the order comes to it."""
        row = state.markets[i]
        self.volumes[i] = (int(row["volume_lots"]), float(row["turnover"]))

    def end_interval(self, state: State) -> None:
        """What its tapes have traded since."""
        self.trade.intervals = []
        for i in self.instruments if self.begun else ():
            spec, row, (lots, turnover) = state.specs[i], state.markets[i], self.volumes[i]
            traded = int(row["volume_lots"]) - lots
            value = (float(row["turnover"]) - turnover) * spec.tick_size * spec.lot_size if traded else 0.0
            volume = traded * spec.lot_size
            self.trade.intervals.append(Interval(symbol=spec.symbol, volume_qty=volume, turnover=value))


def blank(
    state: State, prices: Sequence[Prices], id: str, algo: str, instrument: int, sign: int, lots: int
) -> Trade:
    """A Trade of which only the order itself is known, and the market before it."""
    spec = state.specs[instrument]
    rate = state.fx(instrument)
    sigma, lots_per_s = prices[instrument].before(state.cold.now_ns)
    return Trade(
        id=id,
        algo=algo,
        symbol=spec.symbol,
        sign=sign,
        strategy="",
        purpose="",
        qty=spec.qty_of(lots),
        created_ns=state.cold.now_ns,
        inverse=spec.inverse,
        unit=spec.contract_value if spec.inverse else 1.0,
        settle_ccy=spec.settle,
        rate=rate if rate > 0.0 else None,
        sigma=sigma,
        volume_per_s=None if lots_per_s is None else lots_per_s * spec.lot_size,
    )


def touch(state: State, order: Order) -> float | None:
    """Best price on the other side, quote; None when there is none."""
    column = "ask_ticks" if order.side is Side.BUY else "bid_ticks"
    return int(state.markets[column][order.instrument]) * state.specs[order.instrument].tick_size or None
