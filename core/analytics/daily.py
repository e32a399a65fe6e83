"""Performance by strategy and by symbol, from the days that a core has closed.

A day's return is what was made over the account's equity at its open; a strategy's return is what *it* made over the
same equity, so the strategies' returns of a day sum to the account's, and linked (Carino) to the compounded one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from core.analytics.errors import RiskInputError
from core.analytics.linking import Floats, cumulative, link

DAYS_MIN = 2


class DailyReturns(msgspec.Struct, frozen=True, kw_only=True):
    """``account`` f8[days] and one series for each name, fractions of the account's equity at the day's open."""

    start_ns: list[int]
    account: Floats
    by: dict[str, Floats]
    linked: dict[str, float]  # what each added to the compounded return
    total: float  # compounded


def so_far(pnl: Mapping[str, Any], by: str) -> list[dict[str, Any]]:
    """What was made since the start, from a ``pnl`` message: rows (name, equity at its open, pnl, return).

    ``by`` "day": each day over the equity it opened with, the open day too; they compound to the account's. "strategy",
    "symbol": each over the equity at the start; they sum to the account's. The account is the last row.
    """
    opened = float(pnl["equity_start"])
    rows = []
    for name, made in pnl[f"by_{by}"].items():
        rows.append(_made(name, opened, made))
        opened += made if by == "day" else 0.0
    return [*rows, _made("account", float(pnl["equity_start"]), pnl["total"])]


def _made(name: str, opened: float, made: float) -> dict[str, Any]:
    return {"name": name, "equity": opened, "pnl": made, "return": made / opened if opened > 0.0 else None}


def daily_returns(days: Sequence[Mapping[str, Any]], by: str) -> DailyReturns:
    """From ``daily`` rows (start_ns, equity, pnl, by_symbol, by_strategy); ``by`` is "strategy" or "symbol".

    Raises RiskInputError: TOO_FEW closed days, NO_EQUITY for a day that opened with nothing.
    """
    if len(days) < DAYS_MIN:
        raise RiskInputError(
            "TOO_FEW", f"{len(days)} closed days: performance by {by} needs at least {DAYS_MIN}"
        )
    equity = np.array([float(day["equity"]) for day in days])
    if not (equity > 0.0).all():
        raise RiskInputError("NO_EQUITY", "a day opened without equity: no return can be made of it")
    names = sorted({name for day in days for name in day[f"by_{by}"]})
    made = np.array([[day[f"by_{by}"].get(name, 0.0) for name in names] for day in days]).reshape(
        len(days), len(names)
    )
    account = np.array([float(day["pnl"]) for day in days]) / equity
    rows = made / equity[:, None]
    linked = link(rows, account)
    return DailyReturns(
        start_ns=[int(day["start_ns"]) for day in days],
        account=account,
        by={name: rows[:, k].copy() for k, name in enumerate(names)},
        linked={name: float(linked.by[k]) for k, name in enumerate(names)},
        total=cumulative(account),
    )
