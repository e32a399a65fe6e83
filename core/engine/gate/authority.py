"""Layer 2, AUTHORITY: who may trade what, where."""

from __future__ import annotations

from bus.enums import Purpose
from core.engine.config import StrategyConfig
from core.engine.gate.case import Case
from core.engine.gate.wish import Refusal, Shown

OPERATOR = "operator"  # the strategy that orders by hand belong to when nobody else is named
BY_HAND, BY_PLAN = Purpose.OPERATOR, Purpose.STRATEGY  # looked up once, not once an order


def check(case: Case) -> Refusal | None:
    """Restricted list, barred venues, and strategies: known, enabled, on their own instruments and venues."""
    if case.reducing:
        return None
    state, wish = case.state, case.wish
    spec = state.specs[wish.instrument]
    if spec.symbol in state.config.restricted:
        return "RESTRICTED", None, None, "the instrument is on the restricted list"
    if spec.venue in state.config.gate.venues_barred:
        return "VENUE_BARRED", None, None, f"nobody may enter at {spec.venue}"
    if wish.strategy == OPERATOR and wish.purpose is not BY_PLAN:
        return None
    host = state.cold.hosts.get(wish.strategy)
    if host is None:
        code = "STRATEGY_OFF" if wish.purpose is BY_PLAN else "UNKNOWN_STRATEGY"
        return code, None, None, f"there is no strategy {wish.strategy}"
    if not host.enabled and wish.purpose is not BY_HAND:
        return "STRATEGY_OFF", None, None, f"strategy {wish.strategy} is not enabled"
    return _of_strategy(case.limits.config, wish.strategy, spec.symbol, spec.venue)


def _of_strategy(config: StrategyConfig | None, strategy: str, symbol: str, venue: str) -> Refusal | None:
    """Its own symbols and venues, where it has any."""
    if config is None:
        return "STRATEGY_OFF", None, None, f"strategy {strategy} is not configured any more"
    if config.symbols and symbol not in config.symbols:
        return "NOT_ITS_SYMBOL", None, None, f"{strategy} does not trade {symbol}"
    if config.venues and venue not in config.venues:
        return "NOT_ITS_VENUE", None, None, f"{strategy} does not trade at {venue}"
    return None


def shown(case: Case) -> Shown:
    return None, None, f"strategy {case.wish.strategy}"
