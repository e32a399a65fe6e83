"""The market's recent past: range, volatility and usual spread, for the collar and the vetoes.

There is no timer. Each tick carries its own time into the recent past of its instrument (``core.kernels.recent``), so a
silent instrument costs nothing and a tape is not cut into seconds. What is left to do here: how long a window is.
"""

from __future__ import annotations

from core.engine.config import SECOND_NS
from core.engine.state import State


def on_boot(state: State) -> None:
    """The configuration may have changed since the snapshot: windows as configured from now on."""
    state.instruments["window_ns"] = int(state.config.gate.window_s * SECOND_NS)
    state.desk.forget_limits()
