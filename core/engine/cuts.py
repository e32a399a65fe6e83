"""Where a closing kill wants each position to end.

flatten     zero
strategy    the account's position without the strategy's share, as far as that makes it smaller
leverage    largest exposure first, until gross <= target x equity
margin      cheapest to close first (spread plus fee per unit of margin freed), until equity / margin >= target
"""

from __future__ import annotations

import math

from bus.enums import Switch, TradingState
from core.engine.ladder import Kill
from core.engine.state import State


def has_cut(switch: str) -> bool:
    """Reducing switches that also cut positions."""
    return switch in (Switch.LEVERAGE, Switch.MARGIN)


def targets(state: State, kill: Kill, instruments: list[int]) -> dict[int, int]:
    """Instrument -> signed lots to end at, for every instrument in scope that is held."""
    held = [i for i in instruments if state.qty(i)]
    if kill.scope.startswith("strategy:"):
        return _strategy_targets(state, kill, instruments)
    if kill.level >= TradingState.FLATTENING:
        return dict.fromkeys(held, 0)
    if kill.switch == Switch.LEVERAGE:
        return _leverage_targets(state, held)
    return _margin_targets(state, held)


def gap(qty: int, target: int) -> int:
    """Signed lots to sell (buy, when negative) until no more than the target's size is held, on either side.

    Smaller than wanted is fine, and a position that a late fill has turned is cut on its new side: what is sent
    can only ever reduce.
    """
    excess = abs(qty) - abs(target)
    return 0 if excess <= 0 else int(math.copysign(excess, qty))


def still_over(state: State, switch: str) -> bool:
    """Whether the ratio that tripped the switch is still beyond its target, with something left to cut."""
    limits = state.config.switches
    if not any(state.qty(i) for i in range(len(state.specs))):
        return False
    if switch == Switch.LEVERAGE:
        return not float(state.account["leverage"][0]) <= limits.leverage_target
    return not float(state.account["margin_ratio"][0]) >= limits.margin_target


def _strategy_targets(state: State, kill: Kill, instruments: list[int]) -> dict[int, int]:
    """Closing a share that offsets others would enlarge the account's position: that part stays, and is named."""
    name = kill.scope.removeprefix("strategy:")
    result: dict[int, int] = {}
    kill.left_lots = 0
    for i in instruments:
        share = state.holding(name, i).qty_lots
        net = state.qty(i)
        closable = min(abs(share), abs(net)) if share * net > 0 else 0
        kill.left_lots += abs(share) - closable
        result[i] = net - int(math.copysign(closable, net))
    return result


def _lot_value(state: State, i: int) -> float:
    return state.lots_value(i, 1, state.mark(i))


def _leverage_targets(state: State, held: list[int]) -> dict[int, int]:
    """Without a usable equity or price everything goes: the safe reading of "too much"."""
    equity = state.equity
    result = {i: state.qty(i) for i in held}
    if not equity > 0.0 or any(not _lot_value(state, i) > 0.0 for i in held):
        return dict.fromkeys(held, 0)
    excess = sum(abs(state.qty(i)) * _lot_value(state, i) for i in held)
    excess -= state.config.switches.leverage_target * equity
    for i in sorted(held, key=lambda i: (-abs(state.qty(i)) * _lot_value(state, i), i)):
        if excess <= 0.0:
            break
        cut = min(abs(state.qty(i)), math.ceil(excess / _lot_value(state, i)))
        excess -= cut * _lot_value(state, i)
        result[i] = state.qty(i) - int(math.copysign(cut, state.qty(i)))
    return result


def _margin_targets(state: State, held: list[int]) -> dict[int, int]:
    equity, goal = state.equity, state.config.switches.margin_target
    result = {i: state.qty(i) for i in held}
    if not equity > 0.0 or any(not _lot_value(state, i) > 0.0 for i in held):
        return dict.fromkeys(held, 0)
    excess = float(state.account["margin"][0]) - equity / goal
    for i in sorted(held, key=lambda i: (_cost_per_margin(state, i), i)):
        if excess <= 0.0:
            break
        per_lot = _lot_value(state, i) * float(state.instruments["margin_rate"][i])
        cut = min(abs(state.qty(i)), math.ceil(excess / per_lot)) if per_lot > 0.0 else 0
        excess -= cut * per_lot
        result[i] = state.qty(i) - int(math.copysign(cut, state.qty(i)))
    return result


def _cost_per_margin(state: State, i: int) -> float:
    """Half the spread plus the taker fee, per unit of margin a close frees; a one-sided book is dear."""
    bid, ask = int(state.markets["bid_ticks"][i]), int(state.markets["ask_ticks"][i])
    half_spread = (ask - bid) / (ask + bid) if 0 < bid < ask else 1.0
    rate = float(state.instruments["margin_rate"][i])
    return (half_spread + state.specs[i].fee_rate_taker) / rate if rate > 0.0 else math.inf
