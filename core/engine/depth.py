"""Books beyond the best, as venues tell them: what the router and the vetoes look into.

A book that cannot be (unsorted, not positive, crossed) is not repaired and not half believed: it changes nothing, an
alarm says so, and what was known before grows old until nobody trusts it.
"""

from __future__ import annotations

from bus.events import Depth
from core.engine import alarms
from core.engine.gate.form import LOTS_MAX
from core.engine.state import State

LEVELS_MAX = 50  # kept of each side; deeper ones are cut off

Levels = tuple[tuple[int, int], ...]  # (price ticks, lots), best first


def on_depth(state: State, event: Depth) -> None:
    """Replace what was known of one instrument's book, if the new one can be."""
    if not 0 <= event.instrument < len(state.specs):
        alarms.raise_alert(state, "ANOMALY", "depth", f"book of unknown instrument {event.instrument}")
        return
    if why := trouble(event):
        symbol = state.specs[event.instrument].symbol
        alarms.raise_alert(state, "ANOMALY", f"depth.{symbol}", f"{symbol}: book {why}: ignored")
        return
    if len(event.bids) > LEVELS_MAX or len(event.asks) > LEVELS_MAX:
        event = Depth(event.ts_ns, event.instrument, event.bids[:LEVELS_MAX], event.asks[:LEVELS_MAX])
    state.cold.depths[event.instrument] = event


def trouble(event: Depth) -> str:
    """What is wrong with a book, "" when nothing is."""
    for name, levels, sign in (("bids", event.bids, -1), ("asks", event.asks, 1)):
        last = 0
        for ticks, lots in levels:
            if not (0 < ticks < LOTS_MAX and 0 < lots < LOTS_MAX):
                return f"{name} not positive"
            if last and (ticks - last) * sign <= 0:
                return f"{name} out of order"
            last = ticks
    if event.bids and event.asks and event.bids[0][0] >= event.asks[0][0]:
        return "crossed"
    return ""


def on_boot(state: State) -> None:
    """What another process saw of a book is history."""
    state.cold.depths.clear()


def age_ns(state: State, instrument: int) -> int:
    """How old the known book is; far past when there is none."""
    known = state.cold.depths.get(instrument)
    return state.cold.now_ns - known.ts_ns if known is not None else 1 << 62
