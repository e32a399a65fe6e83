"""Which limits an order meets: of every scope it falls under, the tightest, with the name of the scope that set it.

Scopes are the firm (``all``), the account, the venue, the strategy and the instrument. Each may set a limit in the
configuration, and a command may set it over the configured one in the same scope. A limit per order (a value, a collar)
has one tightest number; a limit on a sum (open orders, messages, exposure) is kept per scope, because each scope sums
something else. nan is the tightest of all: nothing compares with it, so everything is refused.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from core.engine.config import GateLimits, ScopeLimits, StrategyConfig
from core.engine.state import State

FIRM = "all"
Limit = tuple[float, str]  # value, scope

PER_ORDER = (
    "price_collar",
    "range_collar",
    "order_value_max",
    "order_lots_max",
    "concentration_max",
    "participation_max",
    "spread_bps_max",
    "data_age_max_s",
)
PER_SCOPE = ("open_orders_max", "messages_per_s", "exposure_max")
SCOPED = (*PER_ORDER, *PER_SCOPE)  # what any scope may set
ACCOUNT_WIDE = ("gross_leverage_max", "net_leverage_max", "margin_ratio_min", "var_max", "es_max")
ZERO_IS_OFF = ("range_collar", "order_lots_max", "participation_max", "spread_bps_max", "messages_per_s")


class Tight(NamedTuple):
    """Everything the layers compare with, for one strategy on one instrument."""

    price_collar: Limit
    range_collar: Limit
    order_value_max: Limit
    order_lots_max: Limit
    concentration_max: Limit
    participation_max: Limit
    spread_bps_max: Limit
    data_age_max_s: Limit
    open_orders: tuple[Limit, ...]
    messages: tuple[Limit, ...]
    exposures: tuple[Limit, ...]
    gross_leverage_max: float
    net_leverage_max: float
    margin_ratio_min: float
    var_max: float  # 0 = off
    es_max: float
    config: StrategyConfig | None  # of the strategy, where it is configured
    repeats: tuple[str, str]  # under which its executions count: buys, sells


def tight(state: State, strategy: str, instrument: int) -> Tight:
    """The limits of this pair; looked up, or resolved when they have changed or never been asked for."""
    key = (strategy, instrument)
    found: Tight | None = state.desk.limits.get(key)
    if found is None:
        found = state.desk.limits[key] = _resolve(state, strategy, instrument)
    return found


def scopes_of(state: State, strategy: str, instrument: int) -> tuple[str, ...]:
    """The five scopes of an order, widest first."""
    spec = state.specs[instrument]
    return (
        FIRM,
        f"account:{state.config.account}",
        f"venue:{spec.venue}",
        f"strategy:{strategy}",
        f"symbol:{spec.symbol}",
    )


def limit_key(name: str, scope: str) -> str:
    """Under which name a limit changed by command is remembered."""
    return name if scope == FIRM else f"{name}@{scope}"


def limit_in(state: State, name: str, scope: str) -> float | None:
    """What this scope sets: by command, else as configured; None = nothing."""
    changed = state.cold.limits.get(limit_key(name, scope))
    if changed is not None:
        return changed
    values = [_number(state.config.limits.get(scope), name)]
    if scope == FIRM:
        values.append(_number(state.config.gate, name))
    given = [value for value in values if value is not None]
    return _tightest(given) if given else None


def _resolve(state: State, strategy: str, instrument: int) -> Tight:
    scopes = scopes_of(state, strategy, instrument)
    single = [_single(state, name, scopes) for name in PER_ORDER]
    several = [_several(state, name, scopes) for name in PER_SCOPE]
    wide = [_wide(state, name, scopes[:2]) for name in ACCOUNT_WIDE]
    config = next((c for c in state.config.strategies if c.id == strategy), None)
    symbol = state.specs[instrument].symbol
    keys = repeat_key(strategy, symbol, "BUY"), repeat_key(strategy, symbol, "SELL")
    return Tight(*single, *several, *wide, config, keys)  # type: ignore[arg-type, call-arg]


def repeat_key(strategy: str, symbol: str, side: str) -> str:
    """Under which a strategy's executions on one side of one instrument are counted."""
    return f"{strategy}|{symbol}|{side}"


def _single(state: State, name: str, scopes: tuple[str, ...]) -> Limit:
    """The tightest of the scopes; infinite where none sets one."""
    best: Limit = (math.inf, FIRM)
    for limit in _several(state, name, scopes):
        if not limit[0] >= best[0] and not math.isnan(best[0]):
            best = limit
    return best


def _several(state: State, name: str, scopes: tuple[str, ...]) -> tuple[Limit, ...]:
    given = ((limit_in(state, name, scope), scope) for scope in scopes)
    return tuple((value, scope) for value, scope in given if value is not None)


def _wide(state: State, name: str, scopes: tuple[str, ...]) -> float:
    given = [value for value, _ in _several(state, name, scopes)]
    return max(given, key=_nan_first) if name.endswith("_min") else _tightest(given)


def _tightest(values: list[float]) -> float:
    return min(values, key=lambda value: -math.inf if math.isnan(value) else value)


def _nan_first(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _number(source: GateLimits | ScopeLimits | None, name: str) -> float | None:
    value = getattr(source, name, None)
    if value is None or (name in ZERO_IS_OFF and value == 0):
        return None
    return float(value)
