"""Recommendations: an action, and its effect computed by the same ``profile`` that gave the score.

Only cuts are ever proposed, of one position or of the whole book. For each candidate the smallest cut (in whole
lots) that brings the next lower level is looked for; where no cut of that position reaches it, the cut that
helps most is taken. A proposal stands only if the score really falls and no measure of exposure rises by more
than the cost of the trade explains: cutting a hedge lowers gross exposure and raises the risk, and is never
recommended.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.analytics.book import Book, Floats
from core.analytics.profile import BOUNDS, Level, Profile, by_bounds, profile
from core.analytics.scenarios import Shocks
from core.analytics.stress import run, up_to_lot

EXPOSURES = ("leverage", "stress", "margin", "concentration", "value_at_risk", "liquidity")
_CANDIDATES = 6  # positions looked at: those that lose most in the worst scenario, and the largest
_STEPS = 14  # halvings: a cut to 1/16,000 of the position, then whole lots


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """One action with its effect."""

    symbol: str  # empty: every position
    side: str  # sell | buy | cut
    qty: float  # units to trade (of the symbol); for the whole book the fraction to cut
    cost: float  # fee and half spread, account currency
    score: float
    level: Level
    leverage: float
    margin_ratio: float
    worst_fraction: float
    text: str


def recommend(book: Book, shocks: Shocks, now: Profile, *, count: int = 5) -> tuple[Recommendation, ...]:
    """At most ``count``, best effect first. None for a book whose score is LOW, or that is UNKNOWN."""
    if now.level is Level.UNKNOWN or _goal(now) < 0.0:
        return ()
    found = [_whole_book(book, shocks, now)]
    found += [_one(book, shocks, now, i) for i in _candidates(book, shocks)]
    kept = sorted((r for r in found if r is not None), key=lambda r: (r.score, r.cost))
    return tuple(kept[:count])


def effect(book: Book, shocks: Shocks, share: Floats) -> Profile:
    """The profile after cutting ``share`` (n; 0 to 1) of each position."""
    return profile(book.cut(share), shocks)


def _candidates(book: Book, shocks: Shocks) -> list[int]:
    worst = run(book, shocks, details=1).worst
    losers = [name for name in (worst.by_symbol if worst else {}) if name in book.symbols][:_CANDIDATES]
    by_size = np.argsort(-np.abs(book.exposures()), kind="stable")[:_CANDIDATES]
    rows = [book.symbols.index(name) for name in losers] + [int(i) for i in by_size]
    return [i for i in dict.fromkeys(rows) if book.qty[i] != 0.0]


def _one(book: Book, shocks: Shocks, now: Profile, i: int) -> Recommendation | None:
    size = abs(float(book.qty[i]))

    def share_of(fraction: float) -> Floats:
        share = np.zeros(book.n)
        share[i] = min(1.0, up_to_lot(fraction * size, float(book.lots[i])) / size)
        return share

    found = _smallest(book, shocks, now, share_of)
    if found is None:
        return None
    share, after = found
    qty = float(share[i]) * size
    side, symbol = ("sell" if book.qty[i] > 0.0 else "buy"), book.symbols[i]
    action = f"close {symbol}" if share[i] == 1.0 else f"cut {symbol} by {_plain(qty)}"
    return _recommendation(book, share, after, action, symbol=symbol, side=side, qty=qty)


def _whole_book(book: Book, shocks: Shocks, now: Profile) -> Recommendation | None:
    found = _smallest(book, shocks, now, lambda fraction: np.full(book.n, fraction))
    if found is None:
        return None
    share, after = found
    fraction = float(share[0])
    action = "close everything" if fraction == 1.0 else f"cut every position by {fraction:.0%}"
    return _recommendation(book, share, after, action, symbol="", side="cut", qty=fraction)


def _smallest(book: Book, shocks: Shocks, now: Profile, share_of: object) -> tuple[Floats, Profile] | None:
    """The smallest cut that reaches the next lower level, else the best of three; None when none is an improvement."""
    assert callable(share_of)
    goal = _goal(now)

    def tried(fraction: float) -> tuple[Floats, Profile]:
        share = share_of(fraction)
        return share, effect(book, shocks, share)

    best = min((tried(f) for f in (1.0, 0.5, 0.25)), key=lambda pair: pair[1].score)
    if not _reached(best[1], goal):
        return best if _improves(book, now, *best) else None
    low, high, found = 0.0, float(np.max(best[0])), best
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        trial = tried(middle)
        if _reached(trial[1], goal) and _improves(book, now, *trial):
            high, found = middle, trial
        else:
            low = middle
    return found if _improves(book, now, *found) else None


def _goal(now: Profile) -> float:
    """The score to come down to: a point below the bound of its own level, or anything when a cut can end a trip."""
    if _curable(now):
        return now.score
    return BOUNDS.get(by_bounds(now.score), 0.0) - 1.0


def _reached(after: Profile, goal: float) -> bool:
    return after.score <= goal and not _curable(after)


def _curable(shown: Profile) -> bool:
    """Whether a switch has tripped that a cut can bring back; a drawdown stays where it is."""
    return any(name in shown.measures.trips for name in ("leverage", "margin"))


def _improves(book: Book, now: Profile, share: Floats, after: Profile) -> bool:
    equity = now.measures.equity
    slack = 1e-9 + (2.0 * book.cost_of_cut(share) / equity if equity > 0.0 else 0.0)
    before, behind = _values(now), _values(after)
    grown = any(behind[name] > before[name] * (1.0 + slack) + 1e-12 for name in EXPOSURES)
    return after.score < now.score and not grown


def _values(shown: Profile) -> dict[str, float]:
    return {driver.name: driver.value for driver in shown.drivers}


def _plain(qty: float) -> str:
    return f"{qty:,.6f}".rstrip("0").rstrip(".") if qty >= 1e-6 else f"{qty:.3g}"


def _recommendation(
    book: Book, share: Floats, after: Profile, action: str, *, symbol: str, side: str, qty: float
) -> Recommendation:
    seen = after.measures
    margin = "no margin" if math.isinf(seen.margin_ratio) else f"margin {seen.margin_ratio:.2f}"
    return Recommendation(
        symbol=symbol,
        side=side,
        qty=qty,
        cost=book.cost_of_cut(share),
        score=after.score,
        level=after.level,
        leverage=seen.leverage,
        margin_ratio=seen.margin_ratio,
        worst_fraction=after.worst_fraction,
        text=f"{action} → score {after.score:.0f} ({after.level.name}), leverage {seen.leverage:.1f}×, {margin},"
        f" worst {after.worst_fraction:+.1%}",
    )
