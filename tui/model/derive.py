"""What follows from a view at a moment: ages, staleness, distances to limits, kill progress. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from bus.views import OrderView, PositionView, SwitchView
from tui.model.view import Moment, View

SECOND_NS = 1_000_000_000
OLD_NS, DOUBTFUL_NS, STALE_NS = 1 * SECOND_NS, 3 * SECOND_NS, 10 * SECOND_NS
OPEN = frozenset(
    "PENDING_NEW NEW PARTIALLY_FILLED PENDING_CANCEL PENDING_UNKNOWN PENDING_REPLACE SUSPENDED".split()
)
KILL_PHASES = ("FLATTENING", "CANCELLING", "LATCHED")
STOPPED = frozenset({"REDUCING", "HALTED", "FLATTENING", "SHUTDOWN"})


def core_age_ns(view: View, moment: Moment) -> int | None:
    """How long the core has been silent by its own clock; everything on the screen is at least this old.

    Rows are sent when they change, so a row that was not repeated is as fresh as the last word of any kind: the
    link asks for a snapshot when a heartbeat shows that one went missing. None = nothing heard yet.
    """
    return max(0, moment.core_ns - view.core_ns) if view.core_ns else None


def mark_age_ns(row: PositionView, view: View, moment: Moment) -> int | None:
    """Age of the market price a position is valued at; None = there is no mark."""
    if row.mark is None or not row.mark_ns:
        return None
    return max(0, moment.core_ns - row.mark_ns, core_age_ns(view, moment) or 0)


def age_grade(age_ns: int | None) -> str:
    """fresh | old (> 1 s) | doubtful (> 3 s) | stale (> 10 s) | unknown."""
    if age_ns is None:
        return "unknown"
    if age_ns > STALE_NS:
        return "stale"
    if age_ns > DOUBTFUL_NS:
        return "doubtful"
    return "old" if age_ns > OLD_NS else "fresh"


def market_age_ns(view: View, moment: Moment) -> int | None:
    """Age of the oldest mark that values an open position; None = no open position or no mark at all."""
    ages = [mark_age_ns(p, view, moment) for p in view.positions.values() if p.qty_lots]
    known = [a for a in ages if a is not None]
    return max(known) if known else None


def open_orders(view: View) -> list[OrderView]:
    """Orders that may still fill, the unknown ones first, then newest first."""
    rows = [o for o in view.orders.values() if o.status in OPEN]
    rows.sort(key=lambda o: (o.status != "PENDING_UNKNOWN", -o.created_ns))
    return rows


def open_positions(view: View) -> list[PositionView]:
    return [p for p in view.positions.values() if p.qty_lots]


def switches_by_distance(view: View) -> list[SwitchView]:
    """Running and latched kills first, then the nearest to its limit; unknown headroom counts as near."""

    def order(s: SwitchView) -> tuple[int, float, str]:
        rank = KILL_PHASES.index(s.phase) if s.phase in KILL_PHASES else (4 if s.phase == "OFF" else 3)
        unknown = s.headroom is None and s.limit is not None
        return (rank, 0.5 if unknown else 2.0 if s.headroom is None else s.headroom, s.name)

    return sorted(view.switches.values(), key=order)


def use(switch: SwitchView) -> float | None:
    """How much of the limit is used: 1 = at the limit."""
    return None if switch.headroom is None else min(1.0, max(0.0, 1.0 - switch.headroom))


def minutes_to_limit(switch: SwitchView) -> float | None:
    """At the present rate of approach; None when it does not approach."""
    if switch.value is None or switch.limit is None or not switch.rate_per_min or switch.rate_per_min <= 0:
        return None
    return abs(switch.limit - switch.value) / switch.rate_per_min


def kills(view: View) -> list[SwitchView]:
    """Switches whose kill runs or is latched, the running ones first."""
    return [s for s in switches_by_distance(view) if s.phase in KILL_PHASES]


def kill_counts(switch: SwitchView) -> str:
    """``cancelled 12/50  flat 3/8  unconfirmed 1``; a part that has nothing to do is left out."""
    parts = []
    if switch.cancel_total:
        parts.append(f"cancelled {switch.cancelled}/{switch.cancel_total}")
    if switch.flat_total:
        parts.append(f"flat {switch.flat}/{switch.flat_total}")
    if switch.unconfirmed:
        parts.append(f"unconfirmed {switch.unconfirmed}")
    return "  ".join(parts) or "nothing was working"


@dataclass(frozen=True, slots=True)
class Day:
    """The account's day: P&L in account currency and as a fraction of the day's opening equity."""

    pnl: float | None
    fraction: float | None


def day(view: View) -> Day:
    account = view.account
    if account is None or account.equity is None or not account.equity_day_open:
        return Day(None, None)
    pnl = account.equity - account.equity_day_open
    return Day(pnl, pnl / account.equity_day_open)
