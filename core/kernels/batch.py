"""Market data in blocks: mark, sum, and test every switch after every tick.

``run_block`` applies rows one by one and stops after the first that needs a decision, so "after every tick" is
literally true however many ticks one call takes. Only the ticked instrument is revalued; its differences go up
into its currency and the account, O(1) a tick. Differences drift, so everything is summed afresh before each
``RESUM_TICKS``-th applied tick: that depends on the sequence of events alone, not on how it was cut into blocks,
and the same ticks in blocks of any size leave the same bytes.

Tests are written so that what is not a number trips: ``not (value < limit)``. Three outcomes ask for a decision:

- an armed account switch at or past its limit (``margin``: below it), an armed switch whose limit is nan included;
- ``position_loss``: a position's loss ratio at or past its own ``loss_limit``. Against cost only the ticked
  position can have moved. Against equity any can: every tick is compared with the highest equity at which some
  position would trip, and the book is scanned only at or below it;
- equity that is not finite: ``account.trip_instrument = UNPRICEABLE``. Reported when it begins; the account
  switches cannot be tested until it ends (position losses against cost still are).

The helpers take records and scalars only: a record is a pointer, LLVM inlines them, and the loop stays flat.
"""

from __future__ import annotations

import math

import numpy as np

from core.kernels._jit import kernel
from core.kernels.portfolio import (
    Row,
    loss_ratio,
    loss_ratios,
    ratios,
    rebase,
    total,
    value_at,
)
from core.kernels.tables import (
    SW_DAILY_LOSS,
    SW_DRAWDOWN,
    SW_EMERGENCY,
    SW_LEVERAGE,
    SW_MARGIN,
    SW_POSITION_LOSS,
    TICK_QUOTE,
    TICK_TRADE,
    Table,
)

RESUM_TICKS = 4096  # applied ticks between fresh sums: drift stays near 1e-12 of gross, cost below 2 ns a tick
NO_TRIP = -1  # account.trip_instrument: no position tripped
UNPRICEABLE = -2  # account.trip_instrument: equity is not a finite number
_SLACK = (
    1.0 + 1e-9
)  # the equity bound may be off by rounding; it only decides when to scan


@kernel
def accept(tick: Row, market: Row) -> bool:
    """Check the form of one tick and take it into the market row, mark included; False = refused, nothing but the count changed.

    Refused: no content, a negative number, both sides gone, a locked or crossed book, a trade without a price.
    """
    flags = tick["flags"]
    quote, trade = (flags & TICK_QUOTE) != 0, (flags & TICK_TRADE) != 0
    bid, ask = tick["bid_ticks"], tick["ask_ticks"]
    bad = not (quote or trade) or (
        trade and (tick["last_ticks"] <= 0 or tick["last_lots"] < 0)
    )
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
    market["ts_ns"] = tick["ts_ns"]
    market["ticks"] += 1
    return True


@kernel
def mark_of(market: Row, tick_size: float) -> float:
    """Mid of a two-sided book, else last trade, else the mark there was; quote."""
    bid, ask = market["bid_ticks"], market["ask_ticks"]
    if bid > 0 and ask > 0:
        return float(0.5 * (float(bid) + float(ask)) * tick_size)
    last = market["last_ticks"]
    return float(last * tick_size) if last > 0 else float(market["mark_px"])


@kernel
def _move(row: Row, instrument: Row, currency: Row, acct: Row, mark_px: float) -> None:
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
    row["loss_ratio"] = loss_ratio(
        row, 0, 1.0, 0.0
    )  # against cost; against equity the scan writes it
    rate = currency["rate"]
    acct["equity"] += rate * unrealized_change
    acct["unrealized"] += rate * unrealized_change
    acct["gross"] += rate * gross_change
    acct["net"] += rate * net_change
    acct["margin"] += rate * margin_change


@kernel
def _rerate(currency: Row, acct: Row, rate: float) -> None:
    """Move a currency from a known rate to ``rate`` and carry the difference into the account."""
    change = rate - currency["rate"]
    currency["rate"] = rate
    acct["equity"] += change * (currency["cash"] + currency["unrealized"])
    acct["unrealized"] += change * currency["unrealized"]
    acct["gross"] += change * currency["gross"]
    acct["net"] += change * currency["net"]
    acct["margin"] += change * currency["margin"]


@kernel
def _ceiling(switch: Row) -> float:
    """The limit of an armed switch; inf for one that is not tested."""
    return float(switch["limit"]) if switch["armed"] != 0 else np.inf


@kernel
def _trips(row: Row) -> bool:
    """Whether an open position's loss ratio is at or past its limit; an infinite limit never trips, nan always does."""
    limit = row["loss_limit"]
    return bool(
        row["qty_lots"] != 0 and limit != np.inf and not (row["loss_ratio"] < limit)
    )


@kernel
def _trip(switch: Row, value: float, ts_ns: int) -> int:
    """Mark a switch as tripped by ``value``."""
    switch["tripped"] = 1
    switch["ts_ns"] = ts_ns
    switch["value"] = value
    return 1


@kernel
def _test_account(acct: Row, switches: Table, ts_ns: int) -> int:
    """Test the five account switches and mark all that tripped; returns how many. nan trips."""
    count = 0
    for s in range(len(switches)):
        switch = switches[s]
        if switch["armed"] == 0 or s == SW_POSITION_LOSS:
            continue
        value = _value(s, acct)
        safe = value >= switch["limit"] if s == SW_MARGIN else value < switch["limit"]
        if not safe:
            count += _trip(switch, value, ts_ns)
    return count


@kernel
def _value(s: int, acct: Row) -> float:
    """The account column that switch row ``s`` tests; nan for a row that tests none."""
    if s == SW_DRAWDOWN:
        return float(acct["drawdown"])
    if s == SW_DAILY_LOSS:
        return float(acct["daily_loss"])
    if s == SW_EMERGENCY:
        return float(acct["emergency_loss"])
    if s == SW_LEVERAGE:
        return float(acct["leverage"])
    return float(acct["margin_ratio"]) if s == SW_MARGIN else np.nan


@kernel
def _decide(loser: int, positions: Table, account: Table, switches: Table) -> bool:
    """Look closely at a tick that was not calm: mark what tripped. ``loser`` = position past its limit or -1.

    True when the engine must decide now.
    """
    acct = account[0]
    ts_ns = acct["ts_ns"]
    count = 0
    if not math.isfinite(acct["equity"]):
        count += acct["trip_instrument"] != UNPRICEABLE
        acct["trip_instrument"] = UNPRICEABLE
    else:
        acct["trip_instrument"] = NO_TRIP
        count += _test_account(acct, switches, ts_ns)
    if loser >= 0:
        acct["trip_instrument"] = loser
        count += _trip(
            switches[SW_POSITION_LOSS], positions[loser]["loss_ratio"], ts_ns
        )
    return count > 0


@kernel
def _begin(acct: Row, switches: Table) -> None:
    """Forget the last call's trips and take in what the engine changed since (day open, peak, limits)."""
    for s in range(len(switches)):
        switches[s]["tripped"] = 0
    if acct["trip_instrument"] != UNPRICEABLE:
        acct["trip_instrument"] = NO_TRIP
    ratios(acct)


@kernel
def _end(
    instruments: Table,
    positions: Table,
    currencies: Table,
    account: Table,
    switches: Table,
) -> None:
    """Bring the switch values up to date (position_loss keeps the value of its last trip: see ``worst_loss``)."""
    if account[0]["basis_equity"] != 0:
        loss_ratios(instruments, positions, currencies, account)
    for s in range(len(switches)):
        if s != SW_POSITION_LOSS:
            switches[s]["value"] = _value(s, account[0])


@kernel
def _trip_equity(row: Row, rate: float) -> float:
    """The equity at or below which a position would trip against equity; inf when its limit is no limit."""
    limit = row["loss_limit"]
    if row["qty_lots"] == 0 or limit == np.inf:
        return -np.inf
    if not limit > 0.0:
        return np.inf
    return float(max(0.0, -row["unrealized"]) * rate / limit)


@kernel
def _scan(
    instruments: Table, positions: Table, currencies: Table, account: Table
) -> tuple[int, float]:
    """Against equity: write all loss ratios; returns (worst position past its limit or -1, highest trip equity)."""
    loss_ratios(instruments, positions, currencies, account)
    loser, bound = -1, -np.inf
    for i in range(len(positions)):
        row = positions[i]
        bound = max(
            bound, _trip_equity(row, currencies[instruments[i]["settle"]]["rate"])
        )
        if _trips(row) and (
            loser < 0 or row["loss_ratio"] > positions[loser]["loss_ratio"]
        ):
            loser = i
    return loser, bound


@kernel
def run_block(
    ticks: Table,
    start: int,
    instruments: Table,
    markets: Table,
    positions: Table,
    currencies: Table,
    account: Table,
    switches: Table,
) -> int:
    """Apply ``ticks[start:]`` and stop after the first row that needs a decision; returns rows consumed.

    Takes whole tables (TICK, INSTRUMENT, MARKET, POSITION, CURRENCY, ACCOUNT of one row, SWITCH of SWITCH_ROWS) and
    writes all but the first two. Stopped when the result is below ``len(ticks)``, or equal to it with a
    ``switches.tripped`` set or ``account.trip_instrument`` new. Rows must be in time order.
    """
    acct = account[0]
    _begin(acct, switches)
    drawdown_limit, daily_limit = (
        _ceiling(switches[SW_DRAWDOWN]),
        _ceiling(switches[SW_DAILY_LOSS]),
    )
    emergency_limit, leverage_limit = (
        _ceiling(switches[SW_EMERGENCY]),
        _ceiling(switches[SW_LEVERAGE]),
    )
    margin_limit = (
        switches[SW_MARGIN]["limit"] if switches[SW_MARGIN]["armed"] != 0 else -np.inf
    )
    test_positions, basis_equity = (
        switches[SW_POSITION_LOSS]["armed"] != 0,
        acct["basis_equity"] != 0,
    )
    bound = np.inf  # against equity: the first tick scans
    consumed = len(ticks)
    for k in range(start, len(ticks)):
        if acct["changed"] >= RESUM_TICKS:
            rebase(instruments, markets, positions, currencies, account)
        tick = ticks[k]
        i = tick["instrument"]
        if i < 0 or i >= len(markets) or not accept(tick, markets[i]):
            continue
        acct["ts_ns"] = tick["ts_ns"]
        acct["ticks"] += 1
        acct["changed"] += 1
        row, market, instrument = positions[i], markets[i], instruments[i]
        mark_px = mark_of(market, instrument["tick_size"])
        if mark_px != market["mark_px"]:
            market["mark_px"] = mark_px
            if row["qty_lots"] != 0:
                _move(row, instrument, currencies[instrument["settle"]], acct, mark_px)
            if instrument["fx_currency"] >= 0:
                if currencies[instrument["fx_currency"]]["rate"] > 0.0:
                    _rerate(currencies[instrument["fx_currency"]], acct, mark_px)
                else:
                    currencies[instrument["fx_currency"]]["rate"] = mark_px
                    total(currencies, account)
                bound = np.inf
            ratios(acct)
        loser = -1
        if not test_positions:
            pass
        elif not basis_equity:
            loser = i if _trips(row) else -1
        elif math.isfinite(acct["equity"]):
            bound = max(
                bound, _trip_equity(row, currencies[instrument["settle"]]["rate"])
            )
            if not acct["equity"] > bound * _SLACK:
                loser, bound = _scan(instruments, positions, currencies, account)
        calm = (
            loser < 0
            and acct["trip_instrument"] == NO_TRIP
            and abs(acct["equity"]) < np.inf
            and acct["drawdown"] < drawdown_limit
            and acct["daily_loss"] < daily_limit
            and acct["emergency_loss"] < emergency_limit
            and acct["leverage"] < leverage_limit
            and acct["margin_ratio"] >= margin_limit
        )
        if not calm and _decide(loser, positions, account, switches):
            consumed = k + 1
            break
    _end(instruments, positions, currencies, account, switches)
    return consumed


@kernel
def worst_loss(positions: Table) -> tuple[int, float]:
    """The open position with the largest loss ratio now: (instrument id or -1, ratio)."""
    worst, ratio = -1, 0.0
    for i in range(len(positions)):
        row = positions[i]
        if row["qty_lots"] != 0 and not (row["loss_ratio"] <= ratio):
            worst, ratio = i, row["loss_ratio"]
    return worst, ratio
