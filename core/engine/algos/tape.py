"""What the tape tells about volume: how much others trade, how much in a day, and in which hours of the week."""

from __future__ import annotations

import numpy as np

from core.engine.algos.parent import Parent, Tape
from core.engine.config import DAY_NS, SECOND_NS
from core.engine.state import State
from core.kernels.schedules import EPOCH_HOUR, HOUR_NS, HOURS, Floats, shrunk

WATCHED_MAX = 64  # instruments whose hours are learned; of a longer catalogue, those that parents have traded
LEARN_NS = 10 * SECOND_NS  # watched shorter than this, a rate of volume is a guess


def volume_lots(state: State, instrument: int) -> int:
    """Lots traded on the tape since its first tick."""
    return int(state.markets["volume_lots"][instrument])


def turnover(state: State, instrument: int) -> float:
    """Ticks x lots traded since the first tick."""
    return float(state.markets["turnover"][instrument])


def on_boot(state: State) -> None:
    """Nobody watched while we were away: the present hour does not count, the rate starts anew."""
    wanted = range(len(state.specs)) if len(state.specs) <= WATCHED_MAX else list(state.cold.tapes)
    for i in wanted:
        _begin(state, i)
    if state.config.algos.learn_hours:
        state.timer((state.cold.now_ns // HOUR_NS + 1) * HOUR_NS, "algo")


def watch(state: State, instrument: int) -> None:
    """Learn this one from now on."""
    if instrument not in state.cold.tapes and len(state.cold.tapes) < WATCHED_MAX:
        _begin(state, instrument)


def _begin(state: State, instrument: int) -> None:
    tape = state.cold.tapes.setdefault(instrument, Tape())
    tape.since_ns, tape.since_lots = state.cold.now_ns, volume_lots(state, instrument)
    tape.hour_lots = -1


def on_hour(state: State) -> None:
    """An hour is over: what traded in it belongs to that hour of the week."""
    hour = state.cold.now_ns // HOUR_NS
    before = int((hour - 1 + EPOCH_HOUR) % HOURS)
    for i, tape in state.cold.tapes.items():
        now_lots = volume_lots(state, i)
        if tape.hour_lots >= 0:
            tape.volume[before] = tape.volume.get(before, 0.0) + (now_lots - tape.hour_lots)
            tape.seen[before] = tape.seen.get(before, 0.0) + 1.0
        tape.hour_lots = now_lots
    state.timer((hour + 1) * HOUR_NS, "algo")


def profile(state: State, instrument: int) -> Floats:
    """Volume of each hour of the week, learned and drawn towards flat: f8[168], mean 1."""
    tape = state.cold.tapes.get(instrument)
    if tape is None or not tape.seen:
        return np.ones(HOURS)
    volume = np.array([tape.volume.get(h, 0.0) for h in range(HOURS)])
    seen = np.array([tape.seen.get(h, 0.0) for h in range(HOURS)])
    return shrunk(volume, seen, state.config.algos.profile_weeks)


def daily_lots(state: State, instrument: int) -> float:
    """Lots a day: of the whole hours seen, else by the rate since watched; 0 when nothing is known."""
    tape = state.cold.tapes.get(instrument)
    if tape is None:
        return 0.0
    hours = sum(tape.seen.values())
    if hours >= 1.0 and (learned := sum(tape.volume.values())) > 0.0:
        return learned / hours * 24.0
    watched_ns = state.cold.now_ns - tape.since_ns
    if watched_ns < LEARN_NS:
        return 0.0
    return (volume_lots(state, instrument) - tape.since_lots) / watched_ns * DAY_NS


def look(state: State, parent: Parent) -> None:
    """Add what others have traded since the last look; our own executions are not others'."""
    now_lots = volume_lots(state, parent.instrument)
    parent.others_lots += max(now_lots - parent.seen_lots - parent.own_lots, 0)
    parent.seen_lots, parent.own_lots = now_lots, 0
