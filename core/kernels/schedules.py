"""Schedules of execution algorithms: how much of a parent should have been sent by the end of each slice.

Everything returns *cumulative* lots (i8, one a slice, never falling, the last one the whole parent), because a child is
then ``cumulative[i] - what is committed already``: rounding never accumulates and the total is exact to the lot.

TWAP           floor(X * i / N)
VWAP           floor(X * U_i), U the cumulative share of a volume curve; dynamic: remaining * u_i / sum of u_j, j >= i
POV            floor(rho / (1 - rho) * V), V the volume of others since the start: then ours is rho of ours and theirs
Almgren-Chriss floor(X - x_i); holdings x_j = X sinh(kappa (T - t_j)) / sinh(kappa T), which minimise E + lambda V
               (Almgren & Chriss, "Optimal execution of portfolio transactions", 2000, with linear impact):
                   eta~ = eta - gamma tau / 2,  kappa~^2 = lambda sigma^2 / eta~,
                   kappa = arccosh(1 + kappa~^2 tau^2 / 2) / tau
                   E = gamma X^2 / 2 + epsilon sum |n_k| + eta~ / tau * sum n_k^2,  V = sigma^2 tau sum x_j^2
Units of the latter are the caller's, if they are one system: time s, quantity base, price quote; then sigma is
quote / sqrt(s), eta quote s / base^2, gamma quote / base^2, epsilon quote / base, lambda 1 / quote, kappa 1 / s.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from core.kernels._jit import kernel

Lots = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
HOURS = 168  # of a week, Monday 00:00 UTC first
HOUR_NS = 3_600_000_000_000
EPOCH_HOUR = 72  # 1970-01-01 was a Thursday
NUDGE = 1e-9  # lots; a float that should have been a whole number is not floored to the one below


@kernel
def twap(lots: int, slices: int) -> Lots:
    """Equal parts. i8, one a slice."""
    out = np.empty(slices, np.int64)
    for i in range(slices):
        out[i] = lots * (i + 1) // slices
    return out


@kernel
def by_curve(lots: int, weights: Floats) -> Lots:
    """Parts in proportion to ``weights`` (f8, not negative; when they are not usable: equal parts). i8, one a slice."""
    slices = len(weights)
    total = 0.0
    for i in range(slices):
        if not weights[i] >= 0.0:
            return twap(lots, slices)
        total += weights[i]
    if not (total > 0.0 and math.isfinite(total)):
        return twap(lots, slices)
    out = np.empty(slices, np.int64)
    share, before = 0.0, 0
    for i in range(slices):
        share += weights[i]
        before = max(before, min(lots, math.floor(lots * (share / total) + NUDGE)))
        out[i] = before
    out[slices - 1] = lots
    return out


@kernel
def dynamic_child(remaining: int, weights: Floats, i: int) -> int:
    """What is left, spread over what is left of the curve: the part of slice ``i``, lots."""
    slices = len(weights)
    if remaining <= 0 or i >= slices - 1:
        return max(remaining, 0)
    ahead = 0.0
    for j in range(i, slices):
        ahead += weights[j]
    if not (ahead > 0.0 and weights[i] >= 0.0 and math.isfinite(ahead)):
        return remaining // (slices - i)
    part: int = math.floor(remaining * (weights[i] / ahead) + NUDGE)
    return min(remaining, part)


@kernel
def pov_lots(rate: float, others: int) -> int:
    """Lots that are ``rate`` (fraction, 0..1) of all volume when others traded ``others`` lots."""
    if not 0.0 < rate < 1.0 or others <= 0:
        return 0
    return math.floor(rate / (1.0 - rate) * others + NUDGE)


@kernel
def urgency(risk_aversion: float, sigma: float, eta: float, gamma: float, tau: float) -> float:
    """Kappa, 1 / time; 0 = evenly. nan when the model does not hold: impact within a slice not positive."""
    eta_tilde = eta - 0.5 * gamma * tau
    if not (eta_tilde > 0.0 and tau > 0.0 and risk_aversion >= 0.0 and sigma >= 0.0):
        return math.nan
    square = risk_aversion * sigma * sigma / eta_tilde
    return math.acosh(1.0 + 0.5 * square * tau * tau) / tau


@kernel
def holdings(quantity: float, slices: int, tau: float, kappa: float) -> Floats:
    """What is still to be done at t = 0, tau, ..., N tau: f8, ``slices + 1``, from ``quantity`` down to exactly 0."""
    out = np.empty(slices + 1)
    whole = kappa * tau * slices
    for j in range(slices + 1):
        left = kappa * tau * (slices - j)
        if whole < 1e-9:
            out[j] = quantity * (slices - j) / slices
        else:  # sinh(left) / sinh(whole), without overflow
            out[j] = quantity * math.exp(left - whole) * math.expm1(-2.0 * left) / math.expm1(-2.0 * whole)
    out[slices] = 0.0
    return out


@kernel
def expected_cost(held: Floats, tau: float, eta: float, gamma: float, epsilon: float) -> float:
    """E of a trajectory of holdings (f8, N + 1), quote: permanent, fixed and temporary impact."""
    squares, traded = 0.0, 0.0
    for j in range(1, len(held)):
        n = held[j - 1] - held[j]
        squares += n * n
        traded += abs(n)
    eta_tilde = eta - 0.5 * gamma * tau
    return float(0.5 * gamma * held[0] * held[0] + epsilon * traded + eta_tilde / tau * squares)


@kernel
def cost_deviation(held: Floats, tau: float, sigma: float) -> float:
    """Square root of V of a trajectory of holdings (f8, N + 1), quote."""
    squares = 0.0
    for j in range(1, len(held)):
        squares += held[j] * held[j]
    return sigma * math.sqrt(tau * squares)


@kernel
def by_holdings(lots: int, held: Floats) -> Lots:
    """Cumulative lots along a trajectory of holdings (f8, N + 1, any unit). i8, one a slice."""
    slices = len(held) - 1
    out = np.empty(slices, np.int64)
    before = 0
    for i in range(slices):
        done = 1.0 - held[i + 1] / held[0]
        before = max(before, min(lots, math.floor(lots * done + NUDGE)))
        out[i] = before
    out[slices - 1] = lots
    return out


@kernel
def merged(cumulative: Lots, lots_min: int) -> Lots:
    """The same schedule without children under ``lots_min``. i8, one a slice.

    Small ones wait for the next; a small last one takes its predecessor along.
    """
    slices = len(cumulative)
    out = np.empty(slices, np.int64)
    sent, last_at = 0, -1
    for i in range(slices):
        if cumulative[i] - sent >= lots_min:
            sent, last_at = cumulative[i], i
        out[i] = sent
    total = cumulative[slices - 1]
    if sent < total and last_at >= 0:  # the tail is too small alone: the last child waits for it
        before = out[last_at - 1] if last_at else 0
        for i in range(last_at, slices):
            out[i] = before
    out[slices - 1] = total
    return out


@kernel
def slice_weights(profile: Floats, start_ns: int, slice_ns: int, slices: int) -> Floats:
    """The share of an hour-of-week profile (f8[168], volume an hour) that falls into each slice: f8, one a slice."""
    out = np.zeros(slices)
    for i in range(slices):
        at, end = start_ns + i * slice_ns, start_ns + (i + 1) * slice_ns
        while at < end:
            hour = at // HOUR_NS
            stop = min(end, (hour + 1) * HOUR_NS)
            out[i] += profile[(hour + EPOCH_HOUR) % HOURS] * (stop - at) / HOUR_NS
            at = stop
    return out


@kernel
def shrunk(volume: Floats, seen: Floats, strength: float) -> Floats:
    """A learned profile drawn towards flat: (volume_h + k mean) / (seen_h + k), k = ``strength`` weeks. f8[168].

    Its mean is 1. ``volume``: what traded in each hour of the week, summed over the ``seen`` times it was watched.
    """
    out = np.ones(len(volume))
    total, hours = volume.sum(), seen.sum()
    if not (total > 0.0 and hours > 0.0 and math.isfinite(total)):
        return out
    mean = total / hours
    for h in range(len(volume)):
        out[h] = (volume[h] + strength * mean) / (seen[h] + strength) / mean
    out /= out.mean()
    return out
