"""Four requests that a stop path must judge rightly; the same four that are put to the peer in submit_peer.

In each the answer is what our engine does when asked here and now, and ``RIGHT`` is what a person who holds the
position would want.
"""

from __future__ import annotations

import math

import msgspec

from bus.enums import OrdType, Purpose, Side, TimeInForce, TradingState
from core.engine import kill, oms
from core.engine.gate import Denial, Wish
from core.engine.state import State
from core.kernels.portfolio import apply_fill

RIGHT = {
    "halted_exact_close": True,  # the exit must be possible
    "reducing_nine_times": False,  # nine times the long is not a reduction
    "missing_price": False,  # value unknown
    "missing_limit": False,  # nobody has said how much is too much
}
HELD = 100  # lots


def judged(states: dict[str, State]) -> dict[str, bool]:
    """True = the order would leave. One fresh state a case."""
    halted, reducing = states["halted_exact_close"], states["reducing_nine_times"]
    _hold(halted)
    _hold(reducing)
    kill.pull(halted, "operator", "all", TradingState.HALTED, reason="bench")
    kill.pull(reducing, "operator", "all", TradingState.REDUCING, reason="bench")
    states["missing_price"].markets["mark_px"][0] = 0.0
    unlimited = states["missing_limit"]
    unlimited.cold.limits["order_value_max"] = math.nan
    return {
        "halted_exact_close": _leaves(halted, _market(Side.SELL, HELD, reduce_only=True)),
        "reducing_nine_times": _leaves(reducing, _market(Side.SELL, 9 * HELD)),
        "missing_price": _leaves(states["missing_price"], _market(Side.BUY, HELD)),
        "missing_limit": _leaves(unlimited, _market(Side.BUY, HELD)),
    }


def _hold(state: State) -> None:
    tables = state.instruments, state.markets, state.positions, state.currencies, state.account
    apply_fill(0, HELD, state.mark(0), 0.0, *tables)


def _market(side: Side, lots: int, *, reduce_only: bool = False) -> Wish:
    wish = Wish(
        cl_ord_id="case",
        instrument=0,
        side=side,
        qty_lots=lots,
        strategy="operator",
        purpose=Purpose.OPERATOR,
    )
    return msgspec.structs.replace(
        wish, ord_type=OrdType.MARKET, tif=TimeInForce.IOC, reduce_only=reduce_only
    )


def _leaves(state: State, wish: Wish) -> bool:
    return not isinstance(oms.submit(state, wish), Denial)
