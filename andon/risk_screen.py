"""Stress and profile as one screen of text: the worst that can happen and the nearest limit stand first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from andon import output
from andon.output import UNKNOWN, clean, number, percent

if TYPE_CHECKING:
    from core.analytics.advice import Recommendation
    from core.analytics.book import Book
    from core.analytics.profile import Profile
    from core.analytics.stress import Outcome, Stress

_SEVERITY = ("emergency", "drawdown", "daily_loss", "position_loss", "leverage", "margin")
_ROWS_MAX = 20


def show_notes(book: Book, result: Stress) -> None:
    """What was assumed, one line each."""
    notes = [f"assumed: {note}" for note in book.assumed]
    if result.floored:
        notes.append(f"{result.floored} price shocks were held at -99 %")
    if notes:
        output.line()
    for note in notes:
        output.line(clean(note))


def show_profile(book: Book, result: Stress, profile: Profile, advice: tuple[Recommendation, ...]) -> None:
    source = book.source if len(book.source) <= 60 else f"…{book.source[-59:]}"
    output.line(clean(f"RISK {profile.level.name}  score {_plain(profile.score, 0)} of 100   {source}"))
    _show_first(book, result)
    output.line()
    output.table(
        ("driver", "value", "limit", "use", "share"),
        [
            (d.name, _plain(d.value, 3), _plain(d.reference, 3), _percent(d.use, 0), _percent(d.share, 0))
            for d in profile.drivers
        ],
    )
    output.line()
    for rank, recommendation in enumerate(advice, 1):
        output.line(clean(f"{rank}. {recommendation.text}"))
    if not advice:
        output.line("nothing to recommend")


def show_stress(book: Book, result: Stress) -> None:
    _show_first(book, result)
    output.line()
    output.table(
        ("scenario", "P&L", "of equity", "equity after", "leverage", "margin", "trips"),
        [_stress_row(outcome) for outcome in result.outcomes[:_ROWS_MAX]],
    )
    if len(result.outcomes) > _ROWS_MAX:
        output.line(f"and {len(result.outcomes) - _ROWS_MAX} milder ones: --json has them all")
    worst = result.worst
    if worst is not None and worst.sells:
        output.line()
        output.line(clean(f"after {worst.name} the switches would trade"))
        rows = [(name, f"{change:+,.10g}") for name, change in list(worst.sells.items())[:_ROWS_MAX]]
        output.table(("position", "qty"), rows)


def _show_first(book: Book, result: Stress) -> None:
    """What a tired person must see: the worst that can happen, and the limit that is nearest."""
    from core.analytics.profile import nearest_limit

    worst, now = result.worst, result.before
    if worst is not None:
        lost = f"{_plain(worst.pnl)} {book.ccy} ({_percent(worst.pnl_fraction, 1)} of equity)"
        output.line(clean(f"worst    {_label(worst)}: {lost}"))
        hit = ", ".join(worst.after.trips) or "no switch"
        output.line(clean(f"         trips {hit}"))
    name, left = nearest_limit(book.limits, now)
    tripped = f"   TRIPPED: {', '.join(now.trips)}" if now.trips else ""
    output.line(f"nearest  {name or 'no limit'}, {_percent(left, 0)} of its way left{tripped}")
    output.line(
        clean(
            f"now      equity {_plain(now.equity)} {book.ccy}, leverage {_plain(now.leverage)}x,"
            f" margin {_margin(now.margin_ratio)}, drawdown {_percent(now.drawdown)}"
        )
    )


def _stress_row(outcome: Outcome) -> tuple[str, ...]:
    after = outcome.after
    return (
        _label(outcome)[:34],
        _plain(outcome.pnl),
        _percent(outcome.pnl_fraction, 1),
        _plain(after.equity),
        _plain(after.leverage),
        _margin(after.margin_ratio),
        _hits(after.trips),
    )


def _hits(trips: tuple[str, ...]) -> str:
    """The most severe switch, and how many others."""
    if not trips:
        return "-"
    first = min(trips, key=_SEVERITY.index)
    return first if len(trips) == 1 else f"{first} +{len(trips) - 1}"


def _label(outcome: Outcome) -> str:
    return f"{outcome.name} ({outcome.label})" if outcome.label else outcome.name


def _plain(value: float, digits: int = 2) -> str:
    return "inf" if value == math.inf else number(value if math.isfinite(value) else None, digits)


def _percent(value: float, digits: int = 2) -> str:
    return percent(value, digits) if math.isfinite(value) else UNKNOWN


def _margin(ratio: float) -> str:
    return "none" if ratio == math.inf else _plain(ratio)
