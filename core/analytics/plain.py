"""Results as plain dictionaries: what `--json`, the bus and the gateway say, in one place. Unknown is None, never 0."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from core.analytics.advice import Recommendation
from core.analytics.book import Book
from core.analytics.profile import Profile
from core.analytics.stress import Measures, Outcome, Stress

Data = dict[str, Any]


def stress_data(book: Book, result: Stress) -> Data:
    """Scenarios worst first; money in ``ccy``."""
    return {
        "source": book.source,
        "ccy": book.ccy,
        "before": measures_data(result.before),
        "worst": result.worst.name if result.worst else None,
        "scenarios": [outcome_data(outcome) for outcome in result.outcomes],
        "assumed": list(book.assumed),
        "floored": result.floored,
    }


def outcome_data(outcome: Outcome) -> Data:
    """One scenario; ``sells`` are signed quantities to trade."""
    row = known(asdict(outcome))
    row["after"] = measures_data(outcome.after)
    return row


def measures_data(measures: Measures) -> Data:
    """The account at one instant; a margin ratio of None beside a margin of 0 is "none required"."""
    return known(asdict(measures))


def profile_data(book: Book, profile: Profile, advice: tuple[Recommendation, ...]) -> Data:
    """Score, level, drivers (largest first) and recommendations with their effects."""
    row = known(asdict(profile))
    row["level"] = profile.level.name
    row["measures"] = measures_data(profile.measures)
    row["drivers"] = [known(asdict(driver)) for driver in profile.drivers]
    row["recommendations"] = [known(asdict(r)) | {"level": r.level.name} for r in advice]
    return {"source": book.source, "ccy": book.ccy, **row, "assumed": list(book.assumed)}


def known(row: Data) -> Data:
    """Floats that are no numbers become None."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }
