"""The ledger revalued: what marks and rates have done to every share since it was last posted, and the sums of it.

A share is worth, in whole ledger units,

    worth = rint((whole + lots x lot worth + rest) x rate x units)     lot worth = v m, inverse contracts -v / m

(a lot's worth up to a constant: the cash its trades paid and received stands in ``whole`` and ``rest``). Every part is
a difference of two such whole numbers, the later one the next one's start, so parts telescope: whatever rounding is
inside a worth, the parts sum to the change of it exactly. ``core.engine.ledger`` has the argument.

An instrument that never had a mark is valued at the account's average cost, as the account itself is; held by nobody
in sum, any common price gives the same sum. A currency without a rate has no worth yet: its rows are counted, not
valued.
"""

from __future__ import annotations

import numpy as np

from core.kernels._jit import kernel, leaf
from core.kernels.portfolio import Row
from core.kernels.tables import Table

PRICE, SPREAD, FEES, FUNDING, FX, TRANSFER = range(6)
PARTS = 6
UNITS_MAX = float(1 << 62)  # |worth| beyond this is not posted: the row counts as beyond the ledger's range


@leaf
def lot_worth(instrument: Row, mark_px: float, avg_px: float) -> float:
    """What one lot adds to equity, settle, up to a constant; at average cost (quote) without a mark."""
    px = mark_px if mark_px > 0.0 else avg_px
    if not px > 0.0:
        px = 1.0
    value = instrument["lot_value"]
    return float(value * px if instrument["inverse"] == 0 else -value / px)


@kernel
def pending(
    rows: Table,
    used: int,
    instruments: Table,
    markets: Table,
    positions: Table,
    currencies: Table,
    units: float,
    out: Table,
) -> tuple[int, int, int]:
    """Write what each of the first ``used`` LEDGER rows has made since it was posted: ``out`` i8[rows, 2], units.

    Column 0 by price at the old rate, column 1 by the rate at the new price (old rate x change of worth + new
    worth x change of rate: exact, nothing crosses). ``units`` = ledger units in one of account currency. Returns
    (sum of it all, rows whose currency has no rate, rows beyond UNITS_MAX); the latter two kinds are left at 0.
    """
    total = unpriced = beyond = 0
    for k in range(used):
        row = rows[k]
        out[k, 0] = out[k, 1] = 0
        rate, old, i = currencies[row["currency"]]["rate"], row["rate"], row["instrument"]
        each = lot_worth(instruments[i], markets[i]["mark_px"], positions[i]["avg_px"]) if i >= 0 else 0.0
        settle = (row["whole"] + row["lots"] * each) + row["rest"]
        if not rate > 0.0:
            unpriced += settle != 0.0
            continue
        if not old > 0.0:
            old = rate
        moved, now = np.rint(settle * old * units), np.rint(settle * rate * units)
        if not (abs(moved) < UNITS_MAX and abs(now) < UNITS_MAX):
            beyond += 1
            continue
        out[k, 0] = int(moved) - row["worth"]
        out[k, 1] = int(now) - int(moved)
        total += int(now) - row["worth"]
    return total, unpriced, beyond


@kernel
def cut(
    rows: Table, used: int, parts: Table, pend: Table, cash_from: int, by_symbol: Table, by_holder: Table
) -> int:
    """Sum parts and what is pending by instrument and by holder; returns the total, ledger units.

    ``parts`` i8[rows, PARTS], ``pend`` as ``pending`` writes it. ``by_symbol`` i8[instruments + currencies, PARTS]
    (free cash of currency c at ``cash_from`` + c) and ``by_holder`` i8[holders, PARTS] are overwritten.
    """
    by_symbol[:] = 0
    by_holder[:] = 0
    total = 0
    for k in range(used):
        i, holder = rows[k]["instrument"], rows[k]["holder"]
        if i < 0:
            i = cash_from + rows[k]["currency"]
        for part in range(PARTS):
            amount = parts[k, part]
            if part == PRICE:
                amount += pend[k, 0]
            elif part == FX:
                amount += pend[k, 1]
            by_symbol[i, part] += amount
            by_holder[holder, part] += amount
            total += amount
    return total
