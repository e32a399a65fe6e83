"""The embedded market's generator: one common factor, a component for each coin, regimes, jumps and crashes.

An instrument's price is a pure function of a few shared components, so everything that names the same coin agrees:

    log price = log start + beta (F + S) + X[component] + euro * X[euro component]

F is the common factor, X the components: mean-reverting (so a long demo does not wander off) with Gaussian
steps whose size a two-state Markov regime multiplies; F also jumps. S is what ``crash`` has taken: it falls in a
straight line and stays. Each tick picks an instrument by its activity and shows a quote, wider and thinner in
the stressed regime, and often a trade on it. Random numbers are splitmix64 in the state table: the same seed
gives the same bytes on any platform, at any block size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.kernels._jit import kernel
from core.kernels.tables import TICK_BUY, TICK_QUOTE, TICK_SELL, TICK_TRADE, Table

Row = Any  # one record of a table

LISTING = np.dtype(
    [
        ("start_ticks", "f8"),  # ticks, price when all components are 0
        ("beta", "f8"),  # ratio, loading on the common factor
        ("euro", "f8"),  # ratio, loading on the euro component
        ("half_spread", "f8"),  # fraction of price, calm
        ("depth_lots", "f8"),  # lots, mean displayed, calm
        ("activity", "f8"),  # cumulative probability that a tick is this instrument's or an earlier one's
        ("component", "i8"),  # row of COMPONENT
        ("noise", "f8"),  # log, of each quote around the component's price; 0 draws nothing
    ]
)
COMPONENT = np.dtype(
    [
        ("value", "f8"),  # log
        ("ts_ns", "i8"),  # ns UTC of the last step
        ("sigma", "f8"),  # log per root second, calm
    ]
)
GENERATOR = np.dtype(
    [
        ("random", "u8"),  # splitmix64 state
        ("ts_ns", "i8"),  # ns UTC of the next tick
        ("opened", "i8"),  # count of instruments that have shown their first quote
        ("gap_ns", "f8"),  # ns, mean time between ticks
        ("speed", "f8"),  # ratio, process seconds per clock second
        ("stress", "f8"),  # ratio by which volatility and spread are multiplied now
        ("stress_high", "f8"),  # ratio in the stressed regime
        ("to_stress", "f8"),  # per second
        ("to_calm", "f8"),  # per second
        ("jumps", "f8"),  # per second
        ("jump_sigma", "f8"),  # log
        ("reversion", "f8"),  # per second
        ("factor", "f8"),  # log, F
        ("factor_sigma", "f8"),  # log per root second, calm
        ("factor_ns", "i8"),  # ns UTC of F's last step
        ("crash", "f8"),  # log, S
        ("crash_left", "f8"),  # log still to fall, negative
        ("crash_left_ns", "f8"),  # ns in which to fall it
    ]
)
_GAMMA, _MIX1, _MIX2 = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53


@kernel
def _uniform(state: Row) -> float:
    """In [0, 1)."""
    state["random"] += _GAMMA
    z = state["random"]
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    z = z ^ (z >> _S31)
    return float(z >> _S11) * _UNIT


@kernel
def _normal(state: Row) -> float:
    """Standard normal (Box-Muller, one of the pair)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - _uniform(state)))
    return radius * math.cos(2.0 * math.pi * _uniform(state))


@kernel
def _step_factor(state: Row, ts_ns: int) -> None:
    """Move regime, common factor and crash to ``ts_ns``."""
    passed_ns = float(ts_ns - state["factor_ns"])
    seconds = passed_ns * 1e-9 * state["speed"]
    state["factor_ns"] = ts_ns
    calm = state["stress"] == 1.0
    if _uniform(state) < seconds * (state["to_stress"] if calm else state["to_calm"]):
        state["stress"] = state["stress_high"] if calm else 1.0
    step = state["factor_sigma"] * math.sqrt(seconds) * state["stress"] * _normal(state)
    if _uniform(state) < seconds * state["jumps"]:
        step += state["jump_sigma"] * _normal(state)
    state["factor"] += step - state["factor"] * min(1.0, state["reversion"] * seconds)
    if state["crash_left"] != 0.0:
        part = min(1.0, passed_ns / max(1.0, state["crash_left_ns"]))
        fall = state["crash_left"] * part
        state["crash"] += fall
        state["crash_left"] = 0.0 if part == 1.0 else state["crash_left"] - fall
        state["crash_left_ns"] -= passed_ns
        state["stress"] = state["stress_high"]


@kernel
def _step_component(state: Row, component: Row, ts_ns: int) -> float:
    """Move one component to ``ts_ns``; its value."""
    seconds = float(ts_ns - component["ts_ns"]) * 1e-9 * state["speed"]
    component["ts_ns"] = ts_ns
    step = component["sigma"] * math.sqrt(seconds) * state["stress"] * _normal(state)
    component["value"] += step - component["value"] * min(1.0, state["reversion"] * seconds)
    return float(component["value"])


@kernel
def _pick(state: Row, listings: Table) -> int:
    """Which instrument ticks: each once at the opening, then by activity."""
    if state["opened"] < len(listings):
        state["opened"] += 1
        return int(state["opened"] - 1)
    u = _uniform(state)
    for i in range(len(listings)):
        if u < listings[i]["activity"]:
            return i
    return len(listings) - 1


@kernel
def _lots(state: Row, mean: float) -> int:
    """Exponential, at least 1."""
    return 1 + int(-mean * math.log(1.0 - _uniform(state)))


@kernel
def _show(state: Row, row: Row, listing: Row, log_move: float) -> None:
    """Write quote and trade for an efficient price at ``log_move`` from the start."""
    price = max(2.0, listing["start_ticks"] * math.exp(log_move))
    half = price * listing["half_spread"] * state["stress"]
    bid = max(1, math.floor(price - half))
    row["bid_ticks"] = bid
    row["ask_ticks"] = max(bid + 1, math.ceil(price + half))
    depth = listing["depth_lots"] / state["stress"]
    row["bid_lots"], row["ask_lots"] = _lots(state, depth), _lots(state, depth)
    row["flags"], row["last_ticks"], row["last_lots"], row["spare"] = TICK_QUOTE, 0, 0, 0
    u = _uniform(state)
    if u < 0.4:
        buy = u < 0.2
        row["flags"] = TICK_QUOTE | TICK_TRADE | (TICK_BUY if buy else TICK_SELL)
        row["last_ticks"] = row["ask_ticks"] if buy else row["bid_ticks"]
        row["last_lots"] = _lots(state, 0.25 * listing["depth_lots"])


@kernel
def generate(rows: Table, until_ns: int, state: Table, components: Table, listings: Table) -> int:
    """Fill ``rows`` (TICK) with the ticks up to and including ``until_ns``; how many, at most ``len(rows)``.

    ``state`` is one GENERATOR row, ``components`` COMPONENT rows (the last is the euro), ``listings`` LISTING rows.
    """
    s = state[0]
    euro = components[len(components) - 1]
    for k in range(len(rows)):
        ts_ns = s["ts_ns"]
        if ts_ns > until_ns:
            return k
        i = _pick(s, listings)
        listing = listings[i]
        _step_factor(s, ts_ns)
        log_move = listing["beta"] * (s["factor"] + s["crash"])
        log_move += _step_component(s, components[listing["component"]], ts_ns)
        if listing["euro"] != 0.0:
            log_move += listing["euro"] * _step_component(s, euro, ts_ns)
        if listing["noise"] != 0.0:
            log_move += listing["noise"] * _normal(s)
        rows[k]["ts_ns"], rows[k]["instrument"] = ts_ns, i
        _show(s, rows[k], listing, log_move)
        if s["opened"] >= len(listings):
            s["ts_ns"] = ts_ns + 1 + int(-s["gap_ns"] * math.log(1.0 - _uniform(s)))
        else:
            s["ts_ns"] = ts_ns + 1
    return len(rows)
