"""The short way through the gate, for the entry that nothing speaks against.

Nine layers with their reasons cost as much as the rest of an order's way together, and nearly every order gets no
reason at all. So what does not change from order to order (lists, symbols, venues, limits of all scopes) is resolved
once for a strategy on an instrument into a ``Lane``, what does change is looked at here, and all the numbers are
compared in one kernel call (``core.kernels.clear``).

Invariant: what is clear passes all nine layers. The short way never refuses, never counts, never forgives: an exit, an
order of a list, an amendment, a kill's order, a veto that is warming up or switched off and speaking, an override, a
limit of a rare kind: all of that goes the long way, and so does whatever is about to be refused. Tests and the worlds
of the simulation send every clear order down the long way as well and compare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import inf, nan
from typing import Any

import numpy as np

from bus.enums import OrdType, Purpose, Side
from core.engine.config import SECOND_NS
from core.engine.gate.authority import OPERATOR
from core.engine.gate.flow import likeness_of, room_in
from core.engine.gate.form import LOTS_MAX
from core.engine.gate.tight import FIRM, Tight, tight
from core.engine.gate.vetoes import SAMPLES_MIN
from core.engine.gate.wish import Wish
from core.engine.records import Host, VenueState
from core.engine.state import State
from core.kernels import clear as kernel
from core.kernels import facts
from core.kernels import tables as t
from core.kernels._jit import direct

LIMIT, MARKET = OrdType.LIMIT, OrdType.MARKET  # looked up once, not once an order
KILL, BY_PLAN, BY_HAND, BY_ALGO = Purpose.KILL, Purpose.STRATEGY, Purpose.OPERATOR, Purpose.ALGO
BUY, SELL = Side.BUY, Side.SELL
FULL = 1e15  # messages: more room than this is no limit
_OUT = np.empty(facts.COUNT)  # scratch: written and read within one call


class Lane:
    """What is fixed for one strategy on one instrument until a limit changes."""

    __slots__ = (
        "apart", "bounds", "counts", "host", "interval", "limits", "open", "rates", "repeat_max", "venue",
    )  # fmt: skip

    def __init__(self, state: State, strategy: str, instrument: int) -> None:
        spec, gate, config = state.specs[instrument], state.config.gate, state.config
        self.limits: Tight = tight(state, strategy, instrument)
        self.venue: VenueState = state.cold.venues[state.venue_ids[spec.venue]]
        self.host: Host | None = state.cold.hosts.get(strategy)
        limits = self.limits
        self.counts = [
            (limit, *_counter(state, scope, instrument, strategy)) for limit, scope in limits.open_orders
        ]
        self.rates = [
            (scope, rate / SECOND_NS, min(room_in(state, (rate, scope)), FULL))
            for rate, scope in limits.messages
        ]
        self.open = (
            spec.symbol not in config.restricted
            and spec.venue not in gate.venues_barred
            and limits.participation_max[0] == inf
            and not limits.exposures
            and limits.var_max == 0.0
            and limits.es_max == 0.0
            and not (config.switches.position_loss_basis == "equity" and gate.stress_move)
            and _its_own(limits, strategy, spec.symbol, spec.venue)
        )
        self.apart, self.repeat_max = gate.self_match, gate.repeat_max or inf
        self.interval = config.min_trade_interval_s > 0.0
        self.bounds = _bounds(state, limits, instrument)


def _its_own(limits: Tight, strategy: str, symbol: str, venue: str) -> bool:
    """A strategy without a Kelly cap on its own symbols and venues; or a person."""
    config = limits.config
    if config is None:
        return strategy == OPERATOR
    if config.edge or (config.symbols and symbol not in config.symbols):
        return False
    return not config.venues or venue in config.venues


def _counter(state: State, scope: str, instrument: int, strategy: str) -> tuple[dict[Any, int] | None, Any]:
    """Where the open orders of a scope are counted, and under what; None = all of them."""
    desk, kind = state.desk, scope.partition(":")[0]
    if kind == "venue":
        return desk.by_venue, state.venue_ids[state.specs[instrument].venue]
    if kind == "strategy":
        return desk.by_strategy, strategy
    return (desk.by_instrument, instrument) if kind == "symbol" else (None, FIRM)


def _bounds(state: State, limits: Tight, instrument: int) -> t.Table:
    spec, gate = state.specs[instrument], state.config.gate
    loss, lots_max = state.config.switches.position_loss, limits.order_lots_max[0]
    named = {
        "data_age_max_s": limits.data_age_max_s[0],
        "clock_skew_max_s": gate.clock_skew_max_s,
        "spread_bps_max": limits.spread_bps_max[0],
        "spread_ewma_max": gate.spread_ewma_max,
        "thin_max": gate.thin_max,
        "imbalance_max": gate.imbalance_max,
        "momentum_max": gate.momentum_max,
        "price_collar": limits.price_collar[0],
        "range_collar": limits.range_collar[0],
        "lots_min": spec.qty_lots_min,
        "lots_max": np.minimum(lots_max, spec.qty_lots_max),  # nan stays nan: nobody may
        "value_min": spec.notional_min,
        "value_max": limits.order_value_max[0],
        "concentration_max": limits.concentration_max[0],
        "gross_leverage_max": limits.gross_leverage_max,
        "net_leverage_max": limits.net_leverage_max,
        "margin_ratio_min": limits.margin_ratio_min,
        "stress_move": gate.stress_move,
        "loss_ratio_max": nan if loss is None else loss * (1.0 - gate.position_room_min),
        "samples_min": SAMPLES_MIN,
    }
    return np.array([float(named[name]) for name in kernel.BOUNDS])


def clear(state: State, wish: Wish) -> bool:
    """Whether the wish is an entry that passes all nine layers; False says nothing."""
    cold, i, strategy = state.cold, wish.instrument, wish.strategy
    if cold.kills or not cold.started or cold.lists or not _plain(wish) or not 0 <= i < len(state.specs):
        return False
    lane: Lane | None = state.desk.lanes.get((strategy, i))
    if lane is None:
        lane = state.desk.lanes[strategy, i] = Lane(state, strategy, i)
    venue, buys = lane.venue, wish.side is BUY
    if not lane.open or not venue.up or not venue.reconciled or not _may(lane.host, wish):
        return False
    if wish.cl_ord_id in cold.orders or not (_once(state, wish, lane) and _room(state, lane)):
        return False
    own = state.desk.best_ticks(i, SELL if buys else BUY) if lane.apart else 0
    limit = 1 if wish.ord_type is LIMIT else 0
    said = _entry()(
        i,
        1 if buys else -1,
        wish.qty_lots,
        wish.price_ticks,
        limit,
        own,
        cold.now_ns,
        lane.bounds,
        *state.book,
        _OUT,
    )
    return said == 1


def _plain(wish: Wish) -> bool:
    """FORM: a limit order with a price or a market order without, and nothing that is judged by more than itself."""
    kind, price = wish.ord_type, wish.price_ticks
    if wish.amends or wish.list_id or wish.reduce_only or wish.stop_ticks or wish.post_only:
        return False
    if type(wish.qty_lots) is not int or type(price) is not int or wish.purpose is KILL:
        return False
    return 0 < price < LOTS_MAX if kind is LIMIT else kind is MARKET and price == 0


def _may(host: Host | None, wish: Wish) -> bool:
    """AUTHORITY, as far as it can change: a person, or a strategy that is on."""
    purpose = wish.purpose
    if purpose is not BY_PLAN and wish.strategy == OPERATOR:
        return True
    return host is not None and (host.enabled or purpose is BY_HAND)


def _once(state: State, wish: Wish, lane: Lane) -> bool:
    """FLOW: no likeness just before, no repeats, no interval to keep."""
    cold, purpose = state.cold, wish.purpose
    if purpose is BY_ALGO:
        return True
    if cold.recent and likeness_of(wish) in cold.recent:
        return False
    if purpose is not BY_PLAN:
        return True
    if cold.repeats:
        times = cold.repeats.get(lane.limits.repeats[0 if wish.side is BUY else 1])
        if times is not None and len(times) >= lane.repeat_max:
            return False
    return not lane.interval


def _room(state: State, lane: Lane) -> bool:
    """FLOW: open orders and messages of every scope that limits them."""
    for limit, counted, key in lane.counts:
        if not (len(state.working) if counted is None else counted.get(key, 0)) < limit:
            return False
    buckets, now_ns = state.cold.buckets, state.cold.now_ns
    for (
        scope,
        per_ns,
        room,
    ) in lane.rates:  # what has leaked since may be more than was in it: that is room as well
        bucket = buckets.get(scope)
        used = 0.0 if bucket is None else bucket.used - (now_ns - bucket.ts_ns) * per_ns
        if not used + 1.0 <= room:
            return False
    return True


@cache
def _entry() -> Callable[..., int]:
    """The kernel without numba's type dispatch: the tables of a State have one type for ever."""
    tables = (t.zeros(t.INSTRUMENT, 1), t.zeros(t.MARKET, 1), t.zeros(t.POSITION, 1), t.zeros(t.CURRENCY, 1))
    account, switches = t.zeros(t.ACCOUNT, 1), t.zeros(t.SWITCH, t.SWITCH_ROWS)
    numbers = (0, 1, 1, 1, 1, 1, 1)
    return direct(kernel.clear, *numbers, np.empty(kernel.COUNT), *tables, account, switches, _OUT)
