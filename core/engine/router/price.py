"""All-in price: what a unit really costs at a venue, for one who takes it now.

    buy:  price x (1 + fee) + drift        sell:  price x (1 - fee) - drift
    drift = price x (flight + age),   flight = lambda sigma sqrt(latency),   age = kappa sigma sqrt(age of the book)

While a request flies, and while the book we look at grew old, the price has moved with standard deviation
sigma sqrt(t). A limit order taken then is missed or cut short when the move was against us and gains nothing when it
was for us, so about E[max(0, N)] = 1 / sqrt(2 pi) = 0.4 of that deviation is lost: the default of both weights.

What is expected is corrected by what has happened: fee, latency and slippage are the configured expectation until own
executions say otherwise, weighted as ``PRIOR`` of them (core.engine.costs keeps the record). Learnt slippage is what
was paid beyond the book's price at sending, in flight and by others' doing, so it takes the flight term's place.
"""

from __future__ import annotations

import math

from core.engine.config import SECOND_NS
from core.engine.state import State
from core.engine.venuecost import VenueCost

PRIOR = 20.0  # observations that the expectation is worth
YEAR_S = 365.0 * 86_400.0
SAMPLES_MIN = 30  # of the mark, before its own volatility is believed
LATENCY_MS = 50.0  # expected where nothing is configured
_NONE = VenueCost()


def taker_fee(state: State, instrument: int) -> float:
    """Fraction of value; configured expectation and what own executions paid."""
    spec, limits = state.specs[instrument], state.config.router
    expected = limits.fee_bps.get(spec.venue)
    prior = spec.fee_rate_taker if expected is None else expected * 1e-4
    cost = state.cold.costs.get(instrument, _NONE)
    return _blend(prior, cost.fee_taker, cost.takes)


def drift(state: State, instrument: int, age_ns: int) -> float:
    """Fraction of price expected to be lost on the way there and to the book's age."""
    spec, limits = state.specs[instrument], state.config.router
    sigma = volatility(state, instrument)
    cost = state.cold.costs.get(instrument, _NONE)
    expected_ms = limits.latency_ms.get(spec.venue, LATENCY_MS)
    latency_s = max(_blend(expected_ms, cost.ack_ms, cost.acks), 0.0) * 1e-3
    slip_bps = limits.slip_bps.get(spec.venue)
    flight = limits.latency_weight * sigma * math.sqrt(latency_s) if slip_bps is None else slip_bps * 1e-4
    flight = max(_blend(flight, cost.slip, cost.slips), 0.0)
    return flight + limits.stale_weight * sigma * math.sqrt(age_ns / SECOND_NS)


def volatility(state: State, instrument: int) -> float:
    """Fraction of price per root second: as the instrument's own marks have moved lately, else as configured."""
    if state.markets["samples"].item(instrument) >= SAMPLES_MIN:
        return math.sqrt(state.markets["variance_rate"].item(instrument))
    return state.config.router.volatility / math.sqrt(YEAR_S)


def _blend(prior: float, seen: float, count: int) -> float:
    return (PRIOR * prior + count * seen) / (PRIOR + count)
