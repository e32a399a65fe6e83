"""Layer 8, EXPOSURE: what the book would be if everything that can fill does."""

from __future__ import annotations

from core.engine.gate.wish import Refusal, Wish
from core.engine.state import State
from core.kernels.exposure import worst_case


def check(state: State, wish: Wish, reducing: bool) -> Refusal | None:
    """Concentration, gross and net leverage, margin; a number that cannot be computed refuses."""
    if reducing:
        return None
    equity = state.equity
    if not equity > 0.0:
        return "NO_EQUITY", None, None, "equity is unknown or gone"
    buys, sells = (wish.qty_lots, 0) if wish.side_sign > 0 else (0, wish.qty_lots)
    own, gross, net, margin = worst_case(
        wish.instrument, buys, sells, state.instruments, state.markets, state.positions, state.currencies
    )
    for code, value, limit in _ratios(state, equity, own, gross, net):
        if not value <= limit:
            return code, value, limit, "with every working order filled"
    if margin > 0.0:
        floor = _limit(state, "margin_ratio_min", state.config.gate.margin_ratio_min)
        if not equity / margin >= floor:
            return "MARGIN", equity / margin, floor, "equity / margin required, every working order filled"
    return None


def _ratios(
    state: State, equity: float, own: float, gross: float, net: float
) -> tuple[tuple[str, float, float], ...]:
    gate = state.config.gate
    return (
        ("CONCENTRATION", own / equity, _limit(state, "concentration_max", gate.concentration_max)),
        ("GROSS_LEVERAGE", gross / equity, _limit(state, "gross_leverage_max", gate.gross_leverage_max)),
        ("NET_LEVERAGE", net / equity, _limit(state, "net_leverage_max", gate.net_leverage_max)),
    )


def _limit(state: State, name: str, configured: float) -> float:
    """A limit changed by command stands before the configured one."""
    return state.cold.limits.get(name, configured)
