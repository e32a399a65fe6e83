"""What one tick does to the tables: its form is checked, the market row takes it, its differences go up.

Only records and scalars are passed, and every helper is inlined into the batch loop (``core.kernels.batch``).
"""

from __future__ import annotations

from core.kernels._jit import leaf
from core.kernels.portfolio import Row, loss_ratio, value_at
from core.kernels.tables import TICK_QUOTE, TICK_TRADE


@leaf
def accept(tick: Row, market: Row) -> bool:
    """Check the form of one tick and take it into the market row (not the mark); False = refused and counted.

    Refused: no content, a negative number, both sides gone, a locked or crossed book, a trade without a price.
    """
    flags = tick["flags"]
    quote, trade = (flags & TICK_QUOTE) != 0, (flags & TICK_TRADE) != 0
    bid, ask = tick["bid_ticks"], tick["ask_ticks"]
    bad = not (quote or trade) or (trade and (tick["last_ticks"] <= 0 or tick["last_lots"] < 0))
    if quote:
        bad = bad or bid < 0 or ask < 0 or tick["bid_lots"] < 0 or tick["ask_lots"] < 0
        bad = bad or (bid == 0 and ask == 0) or (bid > 0 and ask > 0 and bid >= ask)
    if bad:
        market["refused"] += 1
        return False
    if quote:
        market["bid_ticks"] = bid
        market["ask_ticks"] = ask
        market["bid_lots"] = tick["bid_lots"]
        market["ask_lots"] = tick["ask_lots"]
    if trade:
        market["last_ticks"] = tick["last_ticks"]
        market["volume_lots"] += tick["last_lots"]
        market["turnover"] += float(tick["last_ticks"]) * float(tick["last_lots"])
    market["ts_ns"] = tick["ts_ns"]
    market["ticks"] += 1
    return True


@leaf
def mark_of(market: Row, tick_size: float) -> float:
    """Mid of a two-sided book, else last trade, else the mark there was; quote."""
    bid, ask = market["bid_ticks"], market["ask_ticks"]
    if bid > 0 and ask > 0:
        return float(0.5 * (float(bid) + float(ask)) * tick_size)
    last = market["last_ticks"]
    return float(last * tick_size) if last > 0 else float(market["mark_px"])


@leaf
def move(row: Row, instrument: Row, currency: Row, acct: Row, mark_px: float) -> None:
    """Revalue one open position at ``mark_px`` and carry the differences into its currency and the account."""
    exposure, unrealized, margin = row["exposure"], row["unrealized"], row["margin"]
    value_at(row, instrument, mark_px)
    gross_change = abs(row["exposure"]) - abs(exposure)
    net_change = row["exposure"] - exposure
    unrealized_change = row["unrealized"] - unrealized
    margin_change = row["margin"] - margin
    currency["unrealized"] += unrealized_change
    currency["gross"] += gross_change
    currency["net"] += net_change
    currency["margin"] += margin_change
    row["loss_ratio"] = loss_ratio(row, 0, 1.0, 0.0)  # against cost; against equity the scan writes it
    rate = currency["rate"]
    acct["equity"] += rate * unrealized_change
    acct["unrealized"] += rate * unrealized_change
    acct["gross"] += rate * gross_change
    acct["net"] += rate * net_change
    acct["margin"] += rate * margin_change


@leaf
def rerate(currency: Row, acct: Row, rate: float) -> bool:
    """Move a currency to ``rate`` and carry the difference up; False when the old rate was none: sum afresh."""
    before = currency["rate"]
    currency["rate"] = rate
    if not before > 0.0:
        return False
    change = rate - before
    acct["equity"] += change * (currency["cash"] + currency["unrealized"])
    acct["unrealized"] += change * currency["unrealized"]
    acct["gross"] += change * currency["gross"]
    acct["net"] += change * currency["net"]
    acct["margin"] += change * currency["margin"]
    return True
