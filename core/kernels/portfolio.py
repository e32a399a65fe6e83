"""The book's arithmetic: fills, funding, marks, currencies, account.

One position is valued in the currency it settles in, one currency sums its positions, the account sums its
currencies at their rates:

    linear    exposure = q v m        unrealised = q v (m - a)
    inverse   exposure = q v / m      unrealised = q v (1/a - 1/m)
    equity    = sum over currencies of rate (cash + unrealised)

with ``q`` signed lots, ``v`` lot value, ``m`` mark, ``a`` average cost (arithmetic, for inverse contracts harmonic:
then cost is additive in both). A position that was filled before its first mark is valued at cost: the fill is
the only price there is.

Whatever is not known makes equity nan, never 0: a used currency whose rate is nan or not positive. The callers
treat an equity that is not finite as "stop". Fills sum their currency afresh, so a book that is flat is
exactly zero in every sum and not 1e-12; ticks update the sums by differences and are summed afresh every
``RESUM_TICKS`` ticks (see ``core.kernels.batch``).

Kernels never raise and never allocate. Rows are taken as records (``positions[i]``): numba passes a record as a
bare pointer, while handing a whole array to a helper costs 45 ns in reference counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.kernels._jit import kernel, leaf
from core.kernels.tables import Table

Row = Any  # one record of a table; numpy.void when the JIT is off


@leaf
def cost_of(qty_lots: int, avg_px: float, instrument: Row) -> float:
    """Absolute value of ``qty_lots`` (signed) at ``avg_px`` (quote), settle; 0 when flat."""
    if qty_lots == 0:
        return 0.0
    value = abs(qty_lots) * instrument["lot_value"]
    return float(value * avg_px if instrument["inverse"] == 0 else value / avg_px)


@leaf
def value_at(row: Row, instrument: Row, mark_px: float) -> None:
    """Write exposure, unrealized and margin (settle) of a row at ``mark_px`` (quote; 0 = never marked)."""
    qty_lots = row["qty_lots"]
    if qty_lots == 0:
        row["avg_px"] = 0.0
        row["cost"] = 0.0
        row["exposure"] = 0.0
        row["margin"] = 0.0
        row["unrealized"] = 0.0
        row["loss_ratio"] = 0.0
        return
    avg_px = row["avg_px"]
    mark = mark_px if mark_px > 0.0 else avg_px
    value = qty_lots * instrument["lot_value"]
    cost = row["cost"] if qty_lots > 0 else -row["cost"]
    linear = instrument["inverse"] == 0
    exposure = value * mark if linear else value / mark
    row["exposure"] = exposure
    row["unrealized"] = exposure - cost if linear else cost - exposure
    row["margin"] = abs(exposure) * instrument["margin_rate"]


@leaf
def loss_ratio(row: Row, basis_equity: int, rate: float, equity: float) -> float:
    """Unrealised loss over its basis: cost (settle), or with ``basis_equity`` the account's equity (acct).

    0 in profit or flat; inf when there is a loss and no basis left to carry it; nan when the basis is unknown.
    """
    unrealized = row["unrealized"]
    loss = 0.5 * (abs(unrealized) - unrealized)  # exact, and no branch: its sign is a coin toss, 9 ns a tick
    basis = row["cost"]
    if basis_equity != 0:
        loss *= rate
        basis = equity
    if basis <= 0.0:
        return np.inf if loss > 0.0 else 0.0
    return float(loss / basis)


@leaf
def ratios(acct: Row) -> None:
    """Peak, drawdown, daily and emergency loss, leverage, margin ratio from the totals in the account row.

    With nan equity each ratio is nan, except leverage and margin ratio of a book that holds nothing.
    """
    equity = acct["equity"]
    if equity > acct["equity_peak"] and equity < np.inf:  # an infinite peak could never be left again
        acct["equity_peak"] = equity
    peak = acct["equity_peak"]
    drawdown = (peak - equity) / peak if peak > 0.0 else _loss_of_nothing(peak - equity)
    day_open = acct["equity_day_open"]
    daily = (day_open - equity) / day_open if day_open > 0.0 else _loss_of_nothing(day_open - equity)
    if daily < 0.0:  # not max(): numba and Python treat nan in it differently
        daily = 0.0
    acct["drawdown"] = drawdown
    if drawdown > acct["drawdown_max"]:
        acct["drawdown_max"] = drawdown
    acct["daily_loss"] = daily
    acct["emergency_loss"] = daily if daily > drawdown else drawdown
    gross = acct["gross"]
    if gross == 0.0:
        acct["leverage"] = 0.0
    else:
        acct["leverage"] = np.inf if equity <= 0.0 else gross / equity
    margin = acct["margin"]
    acct["margin_ratio"] = np.inf if margin == 0.0 else equity / margin


@leaf
def _loss_of_nothing(loss: float) -> float:
    """A loss measured against nothing: none is 0, any is infinite, unknown is nan."""
    if loss > 0.0:
        return np.inf
    return 0.0 if loss <= 0.0 else np.nan


@leaf
def _clear(currency: Row) -> None:
    """Zero the sums of one currency."""
    currency["unrealized"] = 0.0
    currency["gross"] = 0.0
    currency["net"] = 0.0
    currency["margin"] = 0.0


@leaf
def _add(currency: Row, row: Row) -> None:
    """Add one position to the sums of the currency it settles in."""
    currency["unrealized"] += row["unrealized"]
    currency["gross"] += abs(row["exposure"])
    currency["net"] += row["exposure"]
    currency["margin"] += row["margin"]


@kernel
def sum_currency(c: int, instruments: Table, positions: Table, currencies: Table) -> None:
    """Sum afresh the positions that settle in currency ``c``; O(instruments)."""
    currency = currencies[c]
    _clear(currency)
    for i in range(len(positions)):
        row = positions[i]
        if row["qty_lots"] != 0 and instruments[i]["settle"] == c:
            _add(currency, row)


@kernel
def total(currencies: Table, account: Table) -> None:
    """Account totals and ratios from the currency sums; a used currency without a positive rate makes them nan."""
    equity = unrealized = gross = net = margin = 0.0
    for c in range(len(currencies)):
        currency = currencies[c]
        if currency["cash"] == 0.0 and currency["gross"] == 0.0 and currency["unrealized"] == 0.0:
            continue
        rate = currency["rate"] if currency["rate"] > 0.0 else np.nan
        equity += rate * (currency["cash"] + currency["unrealized"])
        unrealized += rate * currency["unrealized"]
        gross += rate * currency["gross"]
        net += rate * currency["net"]
        margin += rate * currency["margin"]
    acct = account[0]
    acct["equity"] = equity
    acct["unrealized"] = unrealized
    acct["gross"] = gross
    acct["net"] = net
    acct["margin"] = margin
    ratios(acct)


@kernel
def loss_ratios(instruments: Table, positions: Table, currencies: Table, account: Table) -> None:
    """Write every position's loss ratio at the account's present equity and rates; O(instruments)."""
    basis_equity, equity = account[0]["basis_equity"], account[0]["equity"]
    for i in range(len(positions)):
        row = positions[i]
        rate = currencies[instruments[i]["settle"]]["rate"]
        row["loss_ratio"] = loss_ratio(row, basis_equity, rate, equity)


@kernel
def rebase(instruments: Table, markets: Table, positions: Table, currencies: Table, account: Table) -> None:
    """Compute everything derived afresh from quantities, average costs, cash and marks.

    Takes INSTRUMENT, MARKET and POSITION of n rows, CURRENCY of any, ACCOUNT of one. An fx instrument that is marked
    gives its currency's rate; one that is not leaves it. Writes all but ``markets`` and ``instruments``.
    """
    for c in range(len(currencies)):
        _clear(currencies[c])
    for i in range(len(positions)):
        row, instrument, mark_px = positions[i], instruments[i], markets[i]["mark_px"]
        if instrument["fx_currency"] >= 0 and mark_px > 0.0:
            currencies[instrument["fx_currency"]]["rate"] = mark_px
        row["cost"] = cost_of(row["qty_lots"], row["avg_px"], instrument)
        value_at(row, instrument, mark_px)
        if row["qty_lots"] != 0:
            row["loss_ratio"] = loss_ratio(row, 0, 1.0, 0.0)
            _add(currencies[instrument["settle"]], row)
    total(currencies, account)
    if account[0]["basis_equity"] != 0:
        loss_ratios(instruments, positions, currencies, account)
    account[0]["changed"] = 0


@kernel
def _book(row: Row, instrument: Row, signed_lots: int, px: float) -> float:
    """Average cost: add to, reduce, close or turn one position; returns the realised part, settle."""
    held, lot_value = row["qty_lots"], instrument["lot_value"]
    inverse, avg_px = instrument["inverse"], row["avg_px"]
    after = held + signed_lots
    realized = 0.0
    if held != 0 and (held > 0) != (signed_lots > 0):
        closed = min(abs(held), abs(signed_lots)) * (1.0 if held > 0 else -1.0)
        edge = px - avg_px if inverse == 0 else 1.0 / avg_px - 1.0 / px
        realized = closed * lot_value * edge
        if after != 0 and (after > 0) != (held > 0):
            avg_px = px  # through zero: what is left was opened by this fill
    elif held == 0:
        avg_px = px
    elif inverse == 0:
        avg_px = (held * avg_px + signed_lots * px) / after
    else:
        avg_px = after / (held / avg_px + signed_lots / px)
    row["qty_lots"] = after
    row["avg_px"] = avg_px
    if after != 0:
        row["cost"] = abs(after) * lot_value * (avg_px if inverse == 0 else 1.0 / avg_px)
    return realized


@kernel
def _settle(i: int, instruments: Table, positions: Table, currencies: Table, account: Table) -> None:
    """Carry a change of position ``i`` or of its currency's cash up to the account."""
    settle = instruments[i]["settle"]
    sum_currency(settle, instruments, positions, currencies)
    total(currencies, account)
    acct = account[0]
    if acct["basis_equity"] != 0:
        loss_ratios(instruments, positions, currencies, account)
    else:
        positions[i]["loss_ratio"] = loss_ratio(positions[i], 0, 1.0, acct["equity"])


@kernel
def apply_fill(
    i: int,
    signed_lots: int,
    px: float,
    fee: float,
    instruments: Table,
    markets: Table,
    positions: Table,
    currencies: Table,
    account: Table,
) -> float:
    """Book one execution of ``signed_lots`` (buys positive) at ``px`` > 0 (quote), ``fee`` in settle, positive = paid.

    Returns the realised profit, settle, before the fee. Crossing zero closes the old position and opens the rest
    at ``px``. A flat position keeps exactly 0.0 in every derived column.
    """
    row = positions[i]
    realized = 0.0 if signed_lots == 0 else _book(row, instruments[i], signed_lots, px)
    row["realized"] += realized
    row["fees"] += fee
    currencies[instruments[i]["settle"]]["cash"] += realized - fee
    value_at(row, instruments[i], markets[i]["mark_px"])
    _settle(i, instruments, positions, currencies, account)
    return realized


@kernel
def apply_funding(
    i: int,
    rate: float,
    instruments: Table,
    markets: Table,
    positions: Table,
    currencies: Table,
    account: Table,
) -> float:
    """Pay or receive ``rate`` of the exposure at mark (positive = longs pay); returns what was received, settle."""
    row = positions[i]
    value_at(row, instruments[i], markets[i]["mark_px"])
    payment = 0.0 if row["qty_lots"] == 0 else -row["exposure"] * rate
    row["funding"] += payment
    currencies[instruments[i]["settle"]]["cash"] += payment
    _settle(i, instruments, positions, currencies, account)
    return payment
