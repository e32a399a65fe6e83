"""Surveillance over own flow: patterns that a venue, or its supervisor, would ask about first.

Four detectors, each a pure function over own orders, own executions and marks (``surveillance_flow``): given the same
rows they find the same things, live, on a journal, and on a replay. They look at what was *done*, never at intent, so a
finding is a question to answer, with its evidence, and not a verdict. What each counts is in its own file:

    wash          own buys meet own sells at the same price            surveillance_trades.py
    close         aggression that moves the mark before the day ends    surveillance_trades.py
    layering      size shown on one side, an execution on the other,    surveillance_orders.py
                  then the size is withdrawn
    stuffing      bursts of orders that are cancelled and never fill    surveillance_orders.py

Thresholds are the operator's (``[surveillance]``); the defaults are ours and no regulator's. Cancels that a kill or a
person's stop asked for are not evidence of anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.analytics import surveillance_orders as of_orders
from core.analytics import surveillance_trades as of_trades
from core.analytics.surveillance_flow import Finding, Flow
from core.analytics.surveillance_limits import Thresholds

KINDS = ("wash", "close", "layering", "stuffing")
__all__ = ["KINDS", "Finding", "Flow", "Thresholds", "inspect"]


def inspect(flow: Flow, thresholds: Thresholds, kinds: Sequence[str] = KINDS) -> list[Finding]:
    """Everything found in ``flow``, by time. Raises ValueError for a kind that is none of KINDS."""
    detectors = {
        "wash": of_trades.wash,
        "close": of_trades.marking_the_close,
        "layering": of_orders.layering,
        "stuffing": of_orders.stuffing,
    }
    unknown = set(kinds) - set(detectors)
    if unknown:
        raise ValueError(f"no detector {', '.join(sorted(unknown))}: {', '.join(KINDS)}")
    found = [finding for kind in kinds for finding in detectors[kind](flow, thresholds)]
    return sorted(found, key=lambda finding: (finding.from_ns, finding.kind, finding.symbol, finding.who))


def as_rows(found: Sequence[Finding]) -> list[dict[str, object]]:
    """Findings as plain maps, for JSON and events."""
    rows: list[dict[str, object]] = msgspec.to_builtins(list(found))
    return rows
