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

from core.kernels._jit import kernel, leaf
from core.kernels.intake import accept, mark_of, move, rerate
from core.kernels.portfolio import Row, loss_ratios, ratios, rebase, total
from core.kernels.recent import note
from core.kernels.tables import (
    SW_DAILY_LOSS,
    SW_DRAWDOWN,
    SW_EMERGENCY,
    SW_LEVERAGE,
    SW_MARGIN,
    SW_POSITION_LOSS,
    Table,
)

RESUM_TICKS = (
    4096  # applied ticks between fresh sums: drift stays near 1e-12 of gross, cost below 2 ns a tick
)
NO_TRIP = -1  # account.trip_instrument: no position tripped
UNPRICEABLE = -2  # account.trip_instrument: equity is not a finite number
_SLACK = 1.0 + 1e-9  # the equity bound may be off by rounding; it only decides when to scan


@kernel
def _limits(switches: Table) -> tuple[tuple[float, float, float, float], float]:
    """Limits of (drawdown, daily, emergency, leverage) and of margin; infinite where a switch is not armed."""
    margin = switches[SW_MARGIN]
    ceilings = (
        _ceiling(switches[SW_DRAWDOWN]),
        _ceiling(switches[SW_DAILY_LOSS]),
        _ceiling(switches[SW_EMERGENCY]),
        _ceiling(switches[SW_LEVERAGE]),
    )
    return ceilings, float(margin["limit"]) if margin["armed"] != 0 else -np.inf


@leaf
def _ceiling(switch: Row) -> float:
    return float(switch["limit"]) if switch["armed"] != 0 else np.inf


@leaf
def _trips(row: Row) -> bool:
    """Whether an open position is at or past its loss limit; an infinite limit never trips, nan always does."""
    limit = row["loss_limit"]
    return bool(row["qty_lots"] != 0 and limit != np.inf and not (row["loss_ratio"] < limit))


@leaf
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


@leaf
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
        count += _trip(switches[SW_POSITION_LOSS], positions[loser]["loss_ratio"], ts_ns)
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


@leaf
def _trip_equity(row: Row, rate: float) -> float:
    """The equity at or below which a position would trip against equity; inf when its limit is no limit."""
    limit = row["loss_limit"]
    if row["qty_lots"] == 0 or limit == np.inf:
        return -np.inf
    if not limit > 0.0:
        return np.inf
    return float(max(0.0, -row["unrealized"]) * rate / limit)


@kernel
def _scan(instruments: Table, positions: Table, currencies: Table, account: Table) -> tuple[int, float]:
    """Against equity: write all loss ratios; returns (worst position past its limit or -1, highest trip equity)."""
    loss_ratios(instruments, positions, currencies, account)
    loser, bound = -1, -np.inf
    for i in range(len(positions)):
        row = positions[i]
        bound = max(bound, _trip_equity(row, currencies[instruments[i]["settle"]]["rate"]))
        if _trips(row) and (loser < 0 or row["loss_ratio"] > positions[loser]["loss_ratio"]):
            loser = i
    return loser, bound


@leaf
def _calm(acct: Row, ceilings: tuple[float, float, float, float], margin_floor: float) -> bool:
    """Whether nothing on the account asks for a closer look; whatever is not a number is not calm."""
    return bool(
        acct["trip_instrument"] == NO_TRIP
        and abs(acct["equity"]) < np.inf
        and acct["drawdown"] < ceilings[0]
        and acct["daily_loss"] < ceilings[1]
        and acct["emergency_loss"] < ceilings[2]
        and acct["leverage"] < ceilings[3]
        and acct["margin_ratio"] >= margin_floor
    )


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
    writes all but the first two. A decision is asked for by a ``switches.tripped`` or by
    ``account.trip_instrument`` at UNPRICEABLE when it was not. Rows must be in time order and C-contiguous.
    """
    acct = account[0]
    _begin(acct, switches)
    ceilings, margin_floor = _limits(switches)
    test_positions, basis_equity = switches[SW_POSITION_LOSS]["armed"] != 0, acct["basis_equity"] != 0
    bound = np.inf  # against equity: the highest at which a position trips; at first unknown
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
        settle, fx = instrument["settle"], instrument["fx_currency"]
        mark_px = mark_of(market, instrument["tick_size"])
        if mark_px != market["mark_px"]:
            market["mark_px"] = mark_px
            if row["qty_lots"] != 0:
                move(row, instrument, currencies[settle], acct, mark_px)
            if fx >= 0:
                bound = np.inf  # losses in this currency have moved too
                if not rerate(currencies[fx], acct, mark_px):
                    total(currencies, account)
            ratios(acct)
        note(market, instrument["window_ns"], tick["ts_ns"])
        loser = -1
        if test_positions and not basis_equity:
            loser = i if _trips(row) else -1
        elif test_positions and math.isfinite(acct["equity"]):
            bound = max(bound, _trip_equity(row, currencies[settle]["rate"]))
            if acct["equity"] <= bound * _SLACK:
                loser, bound = _scan(instruments, positions, currencies, account)
        calm = loser < 0 and _calm(acct, ceilings, margin_floor)
        if not calm and _decide(loser, positions, account, switches):
            _end(instruments, positions, currencies, account, switches)
            return k + 1
    _end(instruments, positions, currencies, account, switches)
    return len(ticks)


@kernel
def worst_loss(positions: Table) -> tuple[int, float]:
    """The open position with the largest loss ratio now: (instrument id or -1, ratio)."""
    worst, ratio = -1, 0.0
    for i in range(len(positions)):
        row = positions[i]
        if row["qty_lots"] != 0 and not (row["loss_ratio"] <= ratio):
            worst, ratio = i, row["loss_ratio"]
    return worst, ratio
