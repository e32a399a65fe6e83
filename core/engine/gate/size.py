"""Layer 6, SIZE: not too small for the venue, not too large for us, the market, or what is known of the edge."""

from __future__ import annotations

from math import inf

from bus.enums import Purpose
from core.engine.config import StrategyConfig
from core.engine.gate.case import Case
from core.engine.gate.wish import Refusal, Shown
from core.kernels.sizing import kelly_lots

BY_PLAN = Purpose.STRATEGY  # looked up once, not once an order


def check(case: Case) -> Refusal | None:
    """Venue minimum and maximum, own caps on lots and value, participation, Kelly."""
    wish, limits = case.wish, case.limits
    spec = case.state.specs[wish.instrument]
    lots = wish.qty_lots
    if lots > spec.qty_lots_max:
        return "TOO_LARGE", float(lots), float(spec.qty_lots_max), "above the instrument's maximum (lots)"
    if case.reducing:
        return None
    if lots < spec.qty_lots_min:
        return "TOO_SMALL", float(lots), float(spec.qty_lots_min), "below the instrument's minimum (lots)"
    value = case.facts.value
    if spec.notional_min and value < spec.notional_min * case.state.fx(wish.instrument):
        return "NOTIONAL_MIN", value, spec.notional_min, "below the venue's minimum notional"
    refusal = None
    lots_max, scope = limits.order_lots_max
    if not lots <= lots_max:
        refusal = case.refuse("LOTS_MAX", float(lots), lots_max, "above the lots cap (lots)", scope)
    cap, scope = limits.order_value_max
    if refusal is None and not value <= cap:
        text = "order value above the cap (account currency)"
        refusal = case.refuse("VALUE_MAX", value, cap, text, scope)
    return refusal or _participation(case) or _kelly(case)


def _participation(case: Case) -> Refusal | None:
    """Beside what the market has traded in the window; where nothing is known of that, nothing is let in."""
    limit, scope = case.limits.participation_max
    if limit == inf:
        return None
    traded = case.facts.window_lots
    if not traded > 0.0:
        return "NO_VOLUME", None, limit, "no traded volume is known to take part in"
    share = case.wish.qty_lots / traded
    if share <= limit:
        return None
    return case.refuse("PARTICIPATION", share, limit, "of the volume traded in the window (fraction)", scope)


def _kelly(case: Case) -> Refusal | None:
    """A strategy whose expected edge is stated may hold what Kelly gives it, no more; pending orders counted."""
    state, wish = case.state, case.wish
    if wish.purpose is not BY_PLAN:
        return None
    config = case.limits.config
    if config is None or not config.edge:
        return None
    limit = _kelly_lots(case, config)
    if limit is None:
        return "NO_EDGE", None, None, "Kelly needs a volatility, a price and an equity"
    holding = state.cold.holdings.get(f"{wish.strategy}|{wish.instrument}")
    held = (holding.qty_lots if holding else 0) * wish.side_sign
    pending = state.desk.pending_lots(wish.strategy, wish.instrument, wish.side)
    after = float(held + pending + case.added_lots)
    if after <= limit:
        return None
    return case.refuse("KELLY", after, float(limit), "more than Kelly gives its edge (lots)")


def _kelly_lots(case: Case, config: StrategyConfig) -> int | None:
    """Lots that the stated edge deserves against the measured volatility; None when something is missing."""
    f = case.facts
    variance = f.variance_rate * config.edge_horizon_s
    if not (f.samples > 0.0 and variance > 0.0 and f.equity > 0.0 and f.lot_value > 0.0):
        return None
    return int(
        kelly_lots(
            abs(config.edge),
            variance,
            config.edge_samples,
            config.kelly_fraction,
            f.equity,
            f.lot_value,
            config.notional,
        )
    )


def shown(case: Case) -> Shown:
    return case.facts.value, case.limits.order_value_max[0], "order value (account currency)"
