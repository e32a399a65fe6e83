"""Hours, sessions and days of the ledger: when one ends, and what is written down then.

Borders: every ``bucket_s`` of UTC, every start of a session, every opening of a day of the configured zone. A bucket
lies between two of them, so an hour's buckets sum to sessions and to days without a rest. Hours and days are kept for a
while; what is no longer kept is still in the sums (``before``, ``earlier``).
"""

from __future__ import annotations

from bisect import bisect_right

from core.engine.config import DAY_NS, SECOND_NS
from core.engine.ledger import Bucket, Day, cash_name, nothing
from core.engine.state import State

HOURS_MAX = 48
DAYS_MAX = 92
NAMES_MAX = 200  # symbols named in a closed day; the smallest of the others are summed
OTHERS = "others"
ALL_DAY = "all"  # the one session where none is configured


def border_after(state: State, now_ns: int) -> int:
    """The next border, ns UTC, later than ``now_ns``."""
    config = state.config.attribution
    bucket_ns = max(int(config.bucket_s * SECOND_NS), SECOND_NS)
    due = min((now_ns // bucket_ns + 1) * bucket_ns, day_after(state, now_ns))
    midnight = now_ns // DAY_NS * DAY_NS
    for hour in config.sessions.values():
        start = midnight + int(hour * 3600) * SECOND_NS
        due = min(due, start if start > now_ns else start + DAY_NS)
    return due


def day_after(state: State, now_ns: int) -> int:
    """The next opening of a day."""
    opens = state.config.day_opens_ns
    at = bisect_right(opens, now_ns)
    return opens[at] if at < len(opens) else (now_ns // DAY_NS + 1) * DAY_NS


def session_of(state: State, ts_ns: int) -> str:
    """The session that is on at ``ts_ns``: the one that began last."""
    sessions = state.config.attribution.sessions
    if not sessions:
        return ALL_DAY
    hour = ts_ns % DAY_NS / (3600 * SECOND_NS)
    begun = sorted((start, name) for name, start in sessions.items())
    return ([name for start, name in begun if start <= hour] or [begun[-1][1]])[-1]


def close(state: State, now_ns: int) -> None:
    """End the bucket that is filling, and the day when that is over; the next begins at the border before now."""
    ledger = state.cold.ledger
    if any(ledger.now):
        add(ledger.sessions.setdefault(session_of(state, ledger.open_ns), nothing()), ledger.now)
        add(ledger.today, ledger.now)
        ledger.hours.append(Bucket(ledger.open_ns, ledger.now))
        ledger.now = nothing()
        if len(ledger.hours) > HOURS_MAX:
            add(ledger.before, ledger.hours.pop(0).parts)
    if day_after(state, ledger.day_ns) <= now_ns:
        _close_day(state, now_ns)
    ledger.open_ns = max(_border_before(state, now_ns), ledger.day_ns)


def _border_before(state: State, now_ns: int) -> int:
    bucket_ns = max(int(state.config.attribution.bucket_s * SECOND_NS), SECOND_NS)
    start = now_ns // bucket_ns * bucket_ns
    while (later := border_after(state, start)) <= now_ns:
        start = later
    return start


def _close_day(state: State, now_ns: int) -> None:
    ledger = state.cold.ledger
    by_symbol, by_holder = of_day(state)
    if any(ledger.today):
        named = dict(sorted(by_symbol.items(), key=lambda row: -abs(row[1]))[:NAMES_MAX])
        if others := sum(by_symbol.values()) - sum(named.values()):
            named[OTHERS] = named.get(OTHERS, 0) + others
        ledger.days.append(Day(ledger.day_ns, ledger.day_equity, ledger.today, named, by_holder))
        ledger.today = nothing()
        if len(ledger.days) > DAYS_MAX:
            add(ledger.earlier, ledger.days.pop(0).parts)
    for entry in ledger.entries.values():
        entry.at_day = sum(entry.parts)
    start = ledger.day_ns
    while (later := day_after(state, start)) <= now_ns:
        start = later
    ledger.day_ns = start
    if state.equity == state.equity:
        ledger.day_equity = state.equity


def of_day(state: State) -> tuple[dict[str, int], dict[str, int]]:
    """What each symbol and each holder has made since the day began, as posted; ledger units."""
    by_symbol: dict[str, int] = {}
    by_holder: dict[str, int] = {}
    for entry in state.cold.ledger.entries.values():
        made = sum(entry.parts) - entry.at_day
        if made:
            symbol = name_of(state, entry.instrument, entry.ccy)
            by_symbol[symbol] = by_symbol.get(symbol, 0) + made
            by_holder[entry.holder] = by_holder.get(entry.holder, 0) + made
    return by_symbol, by_holder


def name_of(state: State, instrument: int, ccy: str) -> str:
    """A symbol, or the name cash goes by."""
    return state.specs[instrument].symbol if instrument >= 0 else cash_name(ccy)


def add(to: list[int], parts: list[int]) -> None:
    """Add one list of parts to another."""
    for part, amount in enumerate(parts):
        to[part] += amount
