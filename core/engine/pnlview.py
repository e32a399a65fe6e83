"""The ledger as it stands this instant, cut every way; and the message that tells it. Reads only.

``attributed`` is in whole ledger units: each cut sums to ``total``. The message has account currency: each figure is a
unit count divided once, so ``round(figure / unit)`` gives the count back while it is below 2^53.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bus.daily import DailyView, DayRow
from bus.views import PnlView
from core.engine import attribution, buckets, factors
from core.engine.ledger import FX, PART_NAMES, PARTS, PRICE, nothing
from core.engine.state import State
from core.kernels.attribution import cut

PARTS_SHOWN = 64  # symbols with their parts; a larger book shows totals only
EARLIER = "earlier"
_DAYS_400Y, _DAY_NS, _MINUTE_NS = 146_097, 86_400 * 10**9, 60 * 10**9

Cut = dict[str, list[int]]


class Attributed(NamedTuple):
    """Ledger units; every list has one sum a part (PART_NAMES), ``factor`` and ``part`` have one number."""

    digits: int
    total: int
    symbol: Cut
    strategy: Cut
    hour: Cut
    day: Cut
    session: Cut
    factor: dict[str, int]
    part: dict[str, int]
    unpriced: int  # shares whose currency has no rate: not in here

    def totals(self, name: str) -> dict[str, int]:
        """One number a row of the cut ``name``."""
        rows = getattr(self, name)
        if name in ("factor", "part"):
            return dict(rows)
        return {key: sum(row) for key, row in rows.items()}


CUTS = ("symbol", "strategy", "hour", "day", "session", "factor", "part")


def attributed(state: State) -> Attributed:
    """Every cut, with what is pending since the last posting."""
    ledger, rows = state.cold.ledger, attribution.rows_of(state)
    if not ledger.begun:
        return Attributed(ledger.digits, 0, {}, {}, {}, {}, {}, {}, dict.fromkeys(PART_NAMES, 0), 0)
    _, unpriced, _ = attribution.pend(state)
    by_holder = np.zeros((len(rows.holders), PARTS), dtype=np.int64)
    total = int(
        cut(rows.table, rows.used, rows.parts, rows.pend, len(state.specs), rows.by_symbol, by_holder)
    )
    sums = by_holder.sum(axis=0).tolist()
    late = nothing()
    late[PRICE], late[FX] = (int(x) for x in rows.pend[: rows.used].sum(axis=0))
    return Attributed(
        digits=ledger.digits,
        total=total,
        symbol=_symbols(state),
        strategy={name: by_holder[k].tolist() for name, k in rows.holders.items()},
        hour=_hours(state, late),
        day=_days(state, late),
        session=_sessions(state, late),
        factor=_factors(state, sums),
        part=dict(zip(PART_NAMES, sums, strict=True)),
        unpriced=unpriced,
    )


def _symbols(state: State) -> Cut:
    """Rows in which anything was made, in one go: a book of 500 symbols is cut ten times a second."""
    rows = attribution.rows_of(state)
    made = np.flatnonzero(rows.by_symbol.any(axis=1))
    return dict(zip([rows.names[i] for i in made.tolist()], rows.by_symbol[made].tolist(), strict=True))


def _plus(parts: list[int], more: list[int]) -> list[int]:
    return [a + b for a, b in zip(parts, more, strict=True)]


def _hours(state: State, late: list[int]) -> Cut:
    ledger = state.cold.ledger
    result: Cut = {EARLIER: list(ledger.before)} if any(ledger.before) else {}
    for bucket in ledger.hours:
        key = stamp(bucket.start_ns)
        result[key] = _plus(result.get(key, nothing()), bucket.parts)
    key = stamp(ledger.open_ns)
    result[key] = _plus(result.get(key, nothing()), _plus(ledger.now, late))
    return result


def _days(state: State, late: list[int]) -> Cut:
    ledger = state.cold.ledger
    result: Cut = {EARLIER: list(ledger.earlier)} if any(ledger.earlier) else {}
    for day in ledger.days:
        result[stamp(day.start_ns)] = list(day.parts)
    result[stamp(ledger.day_ns)] = _plus(ledger.today, _plus(ledger.now, late))
    return result


def _sessions(state: State, late: list[int]) -> Cut:
    ledger = state.cold.ledger
    result = {name: list(parts) for name, parts in ledger.sessions.items()}
    name = buckets.session_of(state, ledger.open_ns)
    result[name] = _plus(result.get(name, nothing()), _plus(ledger.now, late))
    return result


def _factors(state: State, sums: list[int]) -> dict[str, int]:
    """Factors and what they leave of the price part; the other parts are not the market's doing."""
    explained = factors.explained(state)
    result = {f"factor.{name}": amount for name, amount in explained.items()}
    result[factors.REST] = sums[PRICE] - sum(explained.values())
    for part, name in enumerate(PART_NAMES):
        if part != PRICE:
            result[name] = sums[part]
    return result


def pnl_view(state: State) -> PnlView:
    """P&L since the account began, in every cut; what cuts and equity differ by is the residual."""
    found, equity, start = attributed(state), state.equity, state.cold.equity_start
    unit = 10.0**found.digits
    total, known = found.total / unit, math.isfinite(equity) and state.cold.ledger.begun
    shown = found.symbol if len(found.symbol) <= PARTS_SHOWN else {}
    return PnlView(
        equity_start=start,
        equity=equity if math.isfinite(equity) else None,
        realized=in_account(state, "realized"),
        unrealized=_finite(float(state.account["unrealized"][0])),
        fees=in_account(state, "fees"),
        funding=in_account(state, "funding"),
        residual=equity - start - total if known else None,
        by_symbol=_money(found.totals("symbol"), unit),
        by_strategy=_money(found.totals("strategy"), unit),
        total=total,
        unit=1.0 / unit,
        residual_bound=attribution.bound(state),
        as_of_ns=state.cold.now_ns,
        unpriced=found.unpriced,
        parts=list(PART_NAMES),
        by_part=_money(found.part, unit),
        by_hour=_money(found.totals("hour"), unit),
        by_day=_money(found.totals("day"), unit),
        by_session=_money(found.totals("session"), unit),
        by_factor=_money(found.factor, unit),
        symbol_parts={key: [n / unit for n in row] for key, row in shown.items()},
        strategy_parts={key: [n / unit for n in row] for key, row in found.strategy.items()},
    )


def daily_view(state: State) -> DailyView:
    """The closed days that are kept."""
    ledger, unit = state.cold.ledger, 10.0**state.cold.ledger.digits
    rows = [
        DayRow(
            start_ns=day.start_ns,
            equity=day.equity,
            pnl=sum(day.parts) / unit,
            by_symbol=_money(day.by_symbol, unit),
            by_strategy=_money(day.by_holder, unit),
        )
        for day in ledger.days
    ]
    return DailyView(ccy=state.config.ccy, days=rows)


def in_account(state: State, column: str) -> float:
    """Sum of a column of POSITION in account currency; nothing is nothing even where the rate is unknown."""
    rate = state.currencies["rate"][state.instruments["settle"]]
    values = state.positions[column]
    used = values != 0.0
    return float((values[used] * rate[used]).sum())


def _money(counts: dict[str, int], unit: float) -> dict[str, float]:
    return {key: count / unit for key, count in counts.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


@lru_cache(maxsize=512)
def stamp(ts_ns: int) -> str:
    """A time as ``2026-11-03T14:00Z``, seconds and less cut off. Days to date as in Hinnant's civil_from_days."""
    days, rest = divmod(ts_ns, _DAY_NS)
    shifted = days + 719_468
    era, of_era = divmod(shifted, _DAYS_400Y)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    hour, minute = divmod(rest // _MINUTE_NS, 60)
    return f"{year + era * 400 + (month <= 2):04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}Z"
