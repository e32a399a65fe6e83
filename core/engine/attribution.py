"""Where the money came from: every change of equity, in the parts that made it, posted to the exact ledger.

    price      marks moved while something was held
    spread     fills away from the mid at that moment: paid by a taker (half the spread and the impact), earned by a
               maker; a later paper that corrects the price of a fill booked before corrects it here
    fees       as reported
    funding    carry of perpetuals
    fx         rates moved while profit, cash or positions were kept in another currency
    transfer   shares that changed hands inside: cross-outs, and what was taken on the venue's word. Zero over the
               account, unless the paper that came later names another price than the word was taken at

Invariant: in every cut, the parts sum to the ledger's change since the first price, unit for unit (tests/sim holds it
after every step), and that differs from the change of the account's float equity by less than ``bound``: rounding. A
larger difference is an error of the books, on whichever side, and raises ATTRIBUTION.

Posting happens where the books are written (``core.engine.books`` calls ``book`` and ``fund``) and at the borders
of hours, sessions and days. Between two postings nothing is written: what marks have done meanwhile is computed by a
kernel when somebody looks (``pend``), so ticks cost nothing and a replay posts at the same instants as the day it
repeats.
"""

from __future__ import annotations

import math

from core.engine import alarms, buckets
from core.engine.ledger import (
    FEES,
    FUNDING,
    FX,
    PRICE,
    SPREAD,
    Entry,
    attos,
    digits_for,
    lot_attos,
    nothing,
    pay,
    worth,
)
from core.engine.ledger_rows import LedgerRows
from core.engine.state import State
from core.kernels.attribution import pending

ROUNDING = 1e-12  # of the account's scale: what a million float bookings may leave between books and ledger
PER_BOOKINGS = 1e6
CASH = "cash"  # holder of what lies in currencies other than the account's


def rows_of(state: State) -> LedgerRows:
    """The ledger's tables, made again after a restart."""
    rows = state.ledger_rows
    if rows is None or rows.source is not state.cold.ledger:
        rows = state.ledger_rows = LedgerRows(state.cold.ledger, state.specs, state.currencies_ids)
    return rows


def on_boot(state: State) -> None:
    """Take in the opening cash once; a bucket that ended while nobody was running is closed; set the next border."""
    _open(state)
    ledger, now_ns = state.cold.ledger, state.cold.now_ns
    if ledger.begun and buckets.border_after(state, ledger.open_ns) <= now_ns:
        buckets.close(state, now_ns)
    state.timer(buckets.border_after(state, now_ns), "bucket")


def _open(state: State) -> None:
    ledger = state.cold.ledger
    if ledger.opened:
        return
    ledger.opened = True
    for name, c in state.currencies_ids.items():
        amount = float(state.currencies["cash"][c])
        if c and amount and math.isfinite(amount):  # the account's own currency is worth what it is
            entry = Entry(CASH, -1, name)
            pay(entry, attos(amount))
            ledger.entries[f"{CASH}|{name}"] = entry
            rows_of(state).put(f"{CASH}|{name}", entry)


def begin(state: State) -> None:
    """The first equity that is a number: from here on it is measured. What came before is in the start."""
    _open(state)
    ledger = state.cold.ledger
    ledger.begun, ledger.digits = True, digits_for(state.equity)
    ledger.open_ns = ledger.day_ns = state.cold.now_ns
    ledger.day_equity = state.equity
    rows = rows_of(state)
    rows.units = 10.0**ledger.digits
    for key, entry in ledger.entries.items():
        rate = float(state.currencies["rate"][state.currencies_ids[entry.ccy]])
        entry.worth, entry.rate, entry.parts = 0, 0.0, nothing()
        entry.held_fees = entry.held_funding = 0.0
        start = worth(entry, each_of(state, entry.instrument), rate, rows.units) if rate > 0.0 else None
        if start is not None:
            entry.worth, entry.rate = start, rate
        rows.put(key, entry)


def each_of(state: State, instrument: int) -> float:
    """What one lot adds to equity now, settle; 0 for cash. The kernel's ``lot_worth``, without its dispatch."""
    if instrument < 0:
        return 0.0
    px = state.mark(instrument)
    if not px > 0.0:
        px = float(state.positions["avg_px"][instrument]) or 1.0
    value = float(state.instruments["lot_value"][instrument])
    return -value / px if state.specs[instrument].inverse else value * px


def book(
    state: State, holder: str, instrument: int, signed_lots: int, price: float, fee: float, part: int = SPREAD
) -> None:
    """A share of an execution: ``signed_lots`` at ``price`` (quote), ``fee`` in settle; the account's row has moved."""
    key, entry = _entry(state, holder, instrument)
    rows, ledger = rows_of(state), state.cold.ledger
    ledger.bookings += 1
    each, rate = _revalued(state, entry)
    entry.lots += signed_lots
    pay(entry, -signed_lots * lot_attos(rows.lots[instrument], price) if signed_lots else 0)
    _post(state, entry, part, worth(entry, each, rate, rows.units) if rate else None)
    if fee:
        pay(entry, -attos(fee))
        entry.held_fees += 0.0 if rate else fee
        _post(state, entry, FEES, worth(entry, each, rate, rows.units) if rate else None)
    rows.put(key, entry)


def fund(state: State, holder: str, instrument: int, amount: float) -> None:
    """A share of a funding payment, settle, positive = received."""
    key, entry = _entry(state, holder, instrument)
    state.cold.ledger.bookings += 1
    each, rate = _revalued(state, entry)
    pay(entry, attos(amount))
    entry.held_funding += 0.0 if rate else amount
    _post(state, entry, FUNDING, worth(entry, each, rate, rows_of(state).units) if rate else None)
    rows_of(state).put(key, entry)


def _entry(state: State, holder: str, instrument: int) -> tuple[str, Entry]:
    key = f"{holder}|{instrument}"
    entry = state.cold.ledger.entries.get(key)
    if entry is None:
        entry = state.cold.ledger.entries[key] = Entry(holder, instrument, state.specs[instrument].settle)
    return key, entry


def _revalued(state: State, entry: Entry) -> tuple[float, float]:
    """Post what mark and rate have done to a share; returns (lot worth, rate), rate 0 = nothing can be posted yet."""
    each, rate = each_of(state, entry.instrument), state.fx(entry.instrument)
    if not (state.cold.ledger.begun and 0.0 < rate < math.inf):
        return each, 0.0
    units = rows_of(state).units
    if entry.rate == 0.0:
        entry.rate = rate
        _release(state, entry, rate, units)
    _post(state, entry, PRICE, worth(entry, each, entry.rate, units))
    if rate != entry.rate:
        _post(state, entry, FX, worth(entry, each, rate, units))
        entry.rate = rate
    return each, rate


def _release(state: State, entry: Entry, rate: float, units: float) -> None:
    """The currency has its first rate: fees and funding that waited for it; what is left is price."""
    for part, amount in ((FEES, -entry.held_fees), (FUNDING, entry.held_funding)):
        _post(state, entry, part, entry.worth + round(amount * rate * units))
    entry.held_fees = entry.held_funding = 0.0


def _post(state: State, entry: Entry, part: int, now: int | None) -> None:
    """Move an entry's worth to ``now`` and say why. None: there is no worth to move to; the next posting catches up."""
    if now is None or now == entry.worth:
        return
    amount, ledger = now - entry.worth, state.cold.ledger
    entry.worth = now
    entry.parts[part] += amount
    ledger.now[part] += amount
    ledger.total += amount


def pend(state: State) -> tuple[int, int, int]:
    """Revalue every row without posting: (sum, rows without a rate, rows out of range); the rows' own in ``pend``."""
    rows = rows_of(state)
    found = pending(
        rows.table,
        rows.used,
        state.instruments,
        state.markets,
        state.positions,
        state.currencies,
        rows.units,
        rows.pend,
    )
    return int(found[0]), int(found[1]), int(found[2])


def mark_all(state: State) -> None:
    """Post what is pending in every row: the border of an hour or a day."""
    pend(state)
    rows, ledger = rows_of(state), state.cold.ledger
    for key, k in rows.index.items():
        price, fx = rows.pend[k].tolist()
        entry = ledger.entries[key]
        rate = float(state.currencies["rate"][rows.table["currency"][k]])
        if not rate > 0.0 or (rate == entry.rate and not price and not fx):
            continue
        if entry.rate == 0.0:
            _release(state, entry, rate, rows.units)
            price = int(rows.table["worth"][k]) + price - entry.worth
        _post(state, entry, PRICE, entry.worth + price)
        _post(state, entry, FX, entry.worth + fx)
        entry.rate = rate
        rows.put(key, entry)


def on_border(state: State) -> None:
    """An hour, a session or a day has ended."""
    if state.cold.ledger.begun:
        mark_all(state)
        buckets.close(state, state.cold.now_ns)
        check(state)
    state.timer(buckets.border_after(state, state.cold.now_ns), "bucket")


def after(state: State) -> None:
    """After every step that booked a fill, funding or an adjustment: books and ledger must agree."""
    if state.cold.ledger.begun:
        check(state)


def residual(state: State, pending_units: int) -> float:
    """Change of the account's equity less the ledger's, account currency."""
    made = (state.cold.ledger.total + pending_units) / rows_of(state).units
    return (state.equity - state.cold.equity_start) - made


def bound(state: State) -> float:
    """How large rounding may make the residual by now, account currency.

    The account's floats round each booking to 1e-16 of what they hold, and so does each difference a tick carries
    up: ROUNDING of the largest sums so far for each million bookings. Each worth may be half a unit off.
    """
    ledger = state.cold.ledger
    floats = ROUNDING * max(ledger.scale, 1.0) * (1.0 + ledger.bookings / PER_BOOKINGS)
    return floats + (len(ledger.entries) + 1) / rows_of(state).units


def check(state: State) -> None:
    """Alarm when books and ledger differ by more than rounding."""
    ledger, acct = state.cold.ledger, state.account[0]
    equity = state.equity
    if not math.isfinite(equity):
        return
    ledger.scale = max(ledger.scale, abs(equity) + float(acct["gross"]) + abs(float(acct["unrealized"])))
    units, unpriced, beyond = pend(state)
    if unpriced:
        return
    off = residual(state, units)
    ledger.residual_worst = max(ledger.residual_worst, abs(off))
    wrong = beyond > 0 or not abs(off) <= bound(state)
    if wrong and not ledger.alarmed:
        text = (
            f"equity and its parts differ by {off:.9g} {state.config.ccy}, rounding allows {bound(state):.3g}"
        )
        beyond_text = f"{beyond} positions are worth more than the ledger can hold"
        alarms.raise_alert(state, "ATTRIBUTION", "ledger", beyond_text if beyond else text)
    elif ledger.alarmed and not wrong:
        alarms.clear_alert(state, "ATTRIBUTION", "ledger")
    ledger.alarmed = wrong
