"""Bars say nothing between them, so what a live core does every minute is done once a bar.

A tape of daily bars covers decades: evaluated each minute of each night it would never end, and its every weekend would
be a feed that has gone silent. A tape of trades is left alone: a silence there may be just what one wants to see.
"""

from __future__ import annotations

import msgspec
import numpy as np

from core.adapters.tape import Tape
from core.engine.config import EngineConfig

BAR_ROWS = 4  # ticks made of one bar
HOUR_S, DAY_S = 3_600.0, 86_400.0
SESSION_BAR_S = 4 * 3600.0  # longer bars do not say in which session of the day they moved


def at_its_pace(tape: Tape, config: EngineConfig) -> EngineConfig:
    """``config`` with the clockwork of a tape of bars: never faster than the bars, never shorter than its pauses."""
    if tape.kind != "bars":
        return config
    bar_s, pause_s = _lengths_s(tape)
    switches = config.switches
    if switches.stale_data_s is not None:
        switches = msgspec.structs.replace(switches, stale_data_s=max(switches.stale_data_s, pause_s))
    return msgspec.structs.replace(
        config,
        switches=switches,
        gate=msgspec.structs.replace(config.gate, data_age_max_s=max(config.gate.data_age_max_s, bar_s)),
        signal_interval_s=max(config.signal_interval_s, bar_s),
        account_check_interval_s=max(config.account_check_interval_s, bar_s),
        attribution=msgspec.structs.replace(
            config.attribution,
            bucket_s=max(config.attribution.bucket_s, min(bar_s, DAY_S)),
            sample_s=max(config.attribution.sample_s, bar_s) if config.attribution.sample_s else 0.0,
            sessions=config.attribution.sessions if bar_s < SESSION_BAR_S else {},
        ),
        algos=msgspec.structs.replace(config.algos, learn_hours=bar_s < HOUR_S),
    )


def _lengths_s(tape: Tape) -> tuple[float, float]:
    """(usual time from bar to bar, longest silence of any symbol), s."""
    bars, pauses = [0], [0]
    for i in range(len(tape.specs)):
        times = tape.rows["ts_ns"][tape.rows["instrument"] == i]
        if len(times) > BAR_ROWS:
            bars.append(int(np.median(np.diff(times[::BAR_ROWS]))))
            pauses.append(int(np.diff(times).max()))
    return max(bars) / 1e9, max(pauses) / 1e9
