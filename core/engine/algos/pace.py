"""How much, when: the schedule of a parent when it is made, and what the present slice may send.

The plan is cumulative, so what did not trade in a slice is simply still due in the next. That is rolled with a cap: a
slice sends its own part and at most ``catch_up_max`` of a slice more, because a parent that was held up for nine
minutes must not do in the tenth what was meant for all ten.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

from core.engine.algos import counts, tape
from core.engine.algos.parent import Parent
from core.engine.config import DAY_NS, SECOND_NS
from core.engine.state import State
from core.kernels import schedules as k

MODEL = "almgren-chriss-2000-linear"


def plan(state: State, parent: Parent, profile: list[float]) -> str:
    """Fill schedule, weights and estimate of a sliced parent; returns why it cannot be planned, or ""."""
    slices = int(parent.params["slices"])
    if parent.algo == "pov":
        parent.schedule = []
        return ""
    if parent.algo == "vwap":
        hours = np.array(profile) if profile else tape.profile(state, parent.instrument)
        weights = k.slice_weights(hours, parent.start_ns, parent.slice_ns, slices)
        parent.weights = weights.tolist()
        lots = k.by_curve(parent.qty_lots, weights)
    elif parent.algo == "is":
        held = _trajectory(state, parent, slices)
        if held is None:
            return "the cost model needs a price, a daily volume, and eta large enough beside gamma: give daily_volume"
        lots = k.by_holdings(parent.qty_lots, held)
    else:
        lots = k.twap(parent.qty_lots, slices)
    parent.schedule = k.merged(lots, child_min(state, parent)).tolist()
    return ""


def _trajectory(state: State, parent: Parent, slices: int) -> k.Floats | None:
    """Almgren-Chriss holdings in base units; the estimate is kept with the model's name and every input."""
    price, p = state.mark(parent.instrument), parent.params
    unit = base_of_lot(state, parent.instrument)
    daily = p["daily_volume"] or tape.daily_lots(state, parent.instrument) * unit
    if not (daily > 0.0 and price > 0.0):
        return None
    day_s, tau_s = DAY_NS / SECOND_NS, parent.slice_ns / SECOND_NS
    sigma = p["sigma"] * price / math.sqrt(day_s)  # quote / sqrt(s)
    eta = p["eta"] * price * day_s / daily  # quote s / base^2
    gamma = p["gamma"] * price / daily  # quote / base^2
    epsilon, quantity = p["epsilon"] * price, parent.qty_lots * unit  # quote / base; base
    kappa = k.urgency(p["risk_aversion"], sigma, eta, gamma, tau_s)
    if not math.isfinite(kappa):
        return None
    held = k.holdings(quantity, slices, tau_s, kappa)
    parent.model = MODEL
    parent.estimate = {
        "kappa_per_s": kappa,
        "cost_quote": float(k.expected_cost(held, tau_s, eta, gamma, epsilon)),
        "cost_sd_quote": float(k.cost_deviation(held, tau_s, sigma)),
        "cost_bps": float(k.expected_cost(held, tau_s, eta, gamma, epsilon)) / (quantity * price) * 1e4,
        "sigma_quote_per_sqrt_s": sigma,
        "eta_quote_s_per_base2": eta,
        "gamma_quote_per_base2": gamma,
        "epsilon_quote_per_base": epsilon,
        "risk_aversion_per_quote": p["risk_aversion"],
        "daily_volume_base": daily,
    }
    return held


def base_of_lot(state: State, instrument: int) -> float:
    """Base units a lot stands for at the mark; 0 when an inverse contract has no price."""
    spec, price = state.specs[instrument], state.mark(instrument)
    if not spec.inverse:
        return spec.lot_size
    return spec.lot_value(price) if price > 0.0 else 0.0


def child_min(state: State, parent: Parent) -> int:
    """The smallest child a venue takes, lots; 1 when no price says more."""
    spec = state.specs[parent.instrument]
    value = spec.lot_value(price) if (price := state.mark(parent.instrument)) > 0.0 else 0.0
    by_value = math.ceil(spec.notional_min / value) if value > 0.0 and spec.notional_min > 0.0 else 1
    return max(spec.qty_lots_min, by_value, int(parent.params.get("min_lots", 0)), 1)


def slices_of(parent: Parent) -> int:
    return int(parent.params["slices"])


def slice_at(state: State, parent: Parent) -> int:
    """The slice that the present moment falls into."""
    return min(max((state.cold.now_ns - parent.start_ns) // parent.slice_ns, 0), slices_of(parent) - 1)


def begins_ns(parent: Parent, i: int) -> int:
    """When slice ``i`` sends: its begin, and a little later when jitter is wanted, the same in every replay."""
    at = parent.start_ns + i * parent.slice_ns
    share = parent.params.get("jitter", 0.0)
    if not share:
        return at
    digest = hashlib.blake2b(f"{parent.id}|{i}".encode(), digest_size=8).digest()
    return at + int(parent.slice_ns * share * (int.from_bytes(digest) / 2**64))


def open_slice(state: State, parent: Parent, i: int) -> bool:
    """Set what may be committed by the end of slice ``i`` and how much it may send; False when it is open already.

    A parent paused or restarted within a slice comes back to the same plan: what the slice has sent it has sent.
    """
    if i == parent.slice:
        return False
    parent.slice, parent.next_slice, parent.slice_lots = i, i + 1, 0
    if parent.algo == "pov":
        tape.look(state, parent)
        ours = min(k.pov_lots(parent.params["participation"], parent.others_lots), parent.qty_lots)
        planned = unit = ours - parent.target_lots
        parent.target_lots = ours
    else:
        before = parent.schedule[i - 1] if i else 0
        planned = parent.schedule[i] - before
        unit = max(planned, -(-parent.qty_lots // slices_of(parent)))
        parent.target_lots = parent.schedule[i]
        if parent.weights and parent.params.get("dynamic"):
            parent.target_lots = _dynamic(state, parent, i)
    parent.cap_lots = planned + int(parent.params["catch_up_max"] * unit)
    if most := int(parent.params.get("max_lots", 0)):
        parent.cap_lots = min(parent.cap_lots, most)
    parent.caught_up += parent.target_lots - counts.committed(state, parent) > parent.cap_lots
    return True


def _dynamic(state: State, parent: Parent, i: int) -> int:
    """What is left, spread over what is left of the curve; small parts wait, so that no child is under the minimum."""
    done = counts.committed(state, parent)
    part = int(k.dynamic_child(parent.qty_lots - done, np.array(parent.weights[i:]), 0))
    last = i == slices_of(parent) - 1
    return done + part if last or part >= child_min(state, parent) else max(done, parent.schedule[i])


def left_lots(state: State, parent: Parent) -> int:
    """What may still be sent at all."""
    return max(parent.qty_lots - counts.committed(state, parent), 0)


def due_lots(state: State, parent: Parent) -> int:
    """What should be sent now: never more than is left of the parent, nor than this slice may send."""
    due = min(parent.target_lots, parent.qty_lots) - counts.committed(state, parent)
    return max(min(due, parent.cap_lots - parent.slice_lots), 0)


def lag_slices(parent: Parent) -> float:
    """How many slices the fills are behind what should have traded before the present slice."""
    if not parent.schedule or parent.slice <= 0:
        return 0.0
    return (parent.schedule[parent.slice - 1] - parent.filled_lots) * slices_of(parent) / parent.qty_lots
