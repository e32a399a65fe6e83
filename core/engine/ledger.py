"""The exact ledger: every share's cash in whole numbers, and what it is worth in whole numbers.

Floats do not add up. The account's own tables are floats, made by another method (average cost), and parts of a
profit computed from them miss the whole by whatever rounding left. Here nothing is added that is not a whole number:

- **Cash is exact.** For each share (a strategy's part of a position, and each currency's free cash) the ledger keeps
  what its trades have paid and received, less fees, with funding: in attos, 1e-18 of the settlement currency. The
  price of *one lot* is rounded to an atto once and multiplied by lots, so that the shares of a fill, of a close among
  holders, of a cross-out, sum to it exactly. For linear contracts the price of a lot is a decimal number and no
  rounding happens at all.
- **Worth is a whole number of ledger units** (1e-9 of account currency; coarser for accounts beyond 2 million, see
  ``digits_for``): one rounding of cash + lots x mark, at the rate of the currency. It is never summed up from changes,
  so its rounding does not grow.
- **Parts are differences.** Before anything is booked the share is revalued at the mark (what moved is *price*) and at
  the rate (*fx*); then the trade is put in at its price and it is revalued again (*spread*: fill against mid), then the
  fee (*fees*). Each part is worth after less worth before, and the next one starts where it ended. Whatever a worth
  rounds to, the parts sum to the change of it, because nothing is ever thrown away between two of them.

Every cut (by symbol, holder, part, hour, day, session, factor) groups the same postings, so every cut sums to the
same total, exactly, always. And that total is held against the account's equity after each booking: what is between
the two is the *residual*, shown, bounded by ``core.engine.attribution``, and alarmed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import msgspec

from bus.instruments import InstrumentSpec
from core.kernels.attribution import FEES, FUNDING, FX, PARTS, PRICE, SPREAD, TRANSFER, UNITS_MAX

ATTO = 10**18
DIGITS = ((2e6, 9), (2e9, 6), (2e12, 3))  # (equity below, decimals of a ledger unit)
PART_NAMES = ("price", "spread", "fees", "funding", "fx", "transfer")
WHOLE_TICK = 1e-9  # a price this close to a whole number of ticks (in ticks) is meant to be one

__all__ = ["FEES", "FUNDING", "FX", "PARTS", "PRICE", "SPREAD", "TRANSFER"]


def nothing() -> list[int]:
    """A sum of each part, all zero."""
    return [0] * PARTS


class Entry(msgspec.Struct):
    """One share: what it holds, the cash of it, its worth as last posted and the parts posted so far."""

    holder: str
    instrument: int  # -1 = free cash
    ccy: str  # it is kept in
    lots: int = 0
    whole: int = 0  # settle, whole units of cash
    atto: int = 0  # 1e-18 settle, 0 <= atto < ATTO
    rate: float = 0.0  # acct per settle when last posted, 0 = never
    worth: int = 0  # ledger units
    parts: list[int] = msgspec.field(default_factory=nothing)  # ledger units
    at_day: int = 0  # ledger units: sum of the parts when the day began
    held_fees: float = 0.0  # settle, paid while the currency had no rate
    held_funding: float = 0.0  # settle, received then


class Bucket(msgspec.Struct):
    """What was made from ``start_ns`` until the next bucket."""

    start_ns: int
    parts: list[int]


class Day(msgspec.Struct):
    """One day of the configured zone, closed; ledger units. ``equity`` is the account's at its open."""

    start_ns: int
    equity: float
    parts: list[int]
    by_symbol: dict[str, int]
    by_holder: dict[str, int]


class Ledger(msgspec.Struct):
    """Everything, as it is kept over a restart. Amounts in ledger units unless a field says otherwise."""

    digits: int = 9  # a unit is 10^-digits of account currency
    opened: bool = False  # the account's cash has been taken in
    begun: bool = False  # equity has been a number: from here on it is measured
    entries: dict[str, Entry] = {}
    total: int = 0  # sum of every part of every entry
    bookings: int = 0
    scale: float = (
        0.0  # acct: the largest of equity, gross and cash so far; what rounding is measured against
    )
    residual_worst: float = 0.0  # acct: the largest residual seen
    alarmed: bool = False
    open_ns: int = 0  # of the bucket that is filling
    day_ns: int = 0  # of the day that is under way
    day_equity: float = 0.0
    now: list[int] = msgspec.field(default_factory=nothing)  # of the bucket that is filling
    today: list[int] = msgspec.field(default_factory=nothing)  # of the day's closed buckets
    hours: list[Bucket] = []
    before: list[int] = msgspec.field(default_factory=nothing)  # of hours no longer kept
    days: list[Day] = []
    earlier: list[int] = msgspec.field(default_factory=nothing)  # of days no longer kept
    sessions: dict[str, list[int]] = {}
    factors: dict[str, int] = {}  # factor -> what it explains of the price part
    samples: list[bytes] = []  # of all marks, f8, oldest first
    exposure: bytes = b""  # acct, f8, by instrument, when the last sample was taken
    sampled_ticks: int = 0  # ticks the account had seen by then


def cash_name(ccy: str) -> str:
    """What the free cash of a currency is called among symbols."""
    return f"cash.{ccy}"


def digits_for(equity: float) -> int:
    """Decimals of a ledger unit: as fine as leaves worths of such an account exact in a float (below 2^53 units)."""
    for limit, digits in DIGITS:
        if abs(equity) <= limit:
            return digits
    return 0


class Unit(NamedTuple):
    """A lot's price in attos, as fractions: ``num / den`` for each whole tick, ``px_*`` for each unit of quote."""

    tick_size: float
    inverse: bool
    num: int
    den: int
    px_num: int
    px_den: int


def unit_of(spec: InstrumentSpec) -> Unit:
    """The exact decimal sizes behind the spec's floats (0.01 means 1/100)."""
    tick, lot = Fraction(repr(spec.tick_size)), Fraction(repr(spec.lot_size))
    if spec.inverse:
        value = lot * Fraction(repr(spec.contract_value)) * ATTO
        each, per_px = value / tick, value
    else:
        each, per_px = tick * lot * ATTO, lot * ATTO
    return Unit(
        spec.tick_size, spec.inverse, each.numerator, each.denominator, per_px.numerator, per_px.denominator
    )


def lot_attos(unit: Unit, price: float) -> int:
    """What one lot bought at ``price`` (quote, > 0) adds to what is held, attos: inverse contracts negative."""
    ticks = price / unit.tick_size
    whole = round(ticks)
    if whole > 0 and abs(ticks - whole) <= WHOLE_TICK * max(1.0, ticks * 1e-6):
        if unit.inverse:
            return -divided(unit.num, unit.den * whole)
        return divided(unit.num * whole, unit.den)
    num, den = price.as_integer_ratio()
    if unit.inverse:
        return -divided(unit.px_num * den, unit.px_den * num)
    return divided(unit.px_num * num, unit.px_den * den)


def divided(num: int, den: int) -> int:
    """``num / den`` to the nearest whole number, halves up; ``den`` > 0."""
    return (2 * num + den) // (2 * den)


def attos(amount: float) -> int:
    """A float of settlement currency in attos, to the nearest."""
    num, den = amount.as_integer_ratio()
    return divided(num * ATTO, den)


def pay(entry: Entry, amount: int) -> None:
    """Add ``amount`` attos (negative: paid) to an entry's cash."""
    carry, entry.atto = divmod(entry.atto + amount, ATTO)
    entry.whole += carry


def worth(entry: Entry, each: float, rate: float, units: float) -> int | None:
    """Worth in ledger units, a lot worth ``each`` (settle): the kernel's formula, bit for bit. None: out of range."""
    value = ((entry.whole + entry.lots * each) + entry.atto / 1e18) * rate * units
    return round(value) if abs(value) < UNITS_MAX else None
