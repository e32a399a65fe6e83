"""Strategies on their grid: a picture in, wishes out, each through the gate.

The grid is UTC-aligned. A grid point that comes late is used once and the missed ones are counted, never queued.
A strategy is not asked while its scope is HALTED or worse, or before the start: whatever it wanted could only be
refused, and its working orders are being cancelled.
"""

from __future__ import annotations

import math

import numpy as np

from bus.enums import Purpose, Side, TradingState
from core.engine import announce, ladder, oms
from core.engine.config import SECOND_NS
from core.engine.gate import Denial, Wish
from core.engine.records import Host
from core.engine.state import State
from core.strategies.base import CancelRequest, OrderRequest, OwnOrder, Picture, Strategy
from core.strategies.registry import make


def build(state: State) -> None:
    """Make the configured strategies; their hosts keep counts over a restart."""
    for config in state.config.strategies:
        symbols = config.symbols or tuple(state.ids)
        known = tuple(symbol for symbol in symbols if symbol in state.ids)
        state.strategies[config.id] = make(
            config.kind,
            config.id,
            state.specs,
            known,
            config.notional,
            config.kelly_fraction,
            dict(config.params),
        )
        state.cold.hosts.setdefault(config.id, Host(config.id, config.enabled))


def first_grid(state: State) -> None:
    """Set the first appointment on the grid."""
    interval_ns = int(state.config.signal_interval_s * SECOND_NS)
    if state.strategies and interval_ns > 0:
        state.timer((state.cold.now_ns // interval_ns + 1) * interval_ns, "grid")


def on_grid(state: State, due_ns: int) -> None:
    """Ask every strategy once; count the grid points that were slept through."""
    interval_ns = int(state.config.signal_interval_s * SECOND_NS)
    grid = state.cold.now_ns // interval_ns
    missed = grid - due_ns // interval_ns
    state.timer((grid + 1) * interval_ns, "grid")
    for strategy in state.strategies.values():
        host = state.cold.hosts[strategy.id]
        host.skipped += missed
        if _may_run(state, host):
            _evaluate(state, strategy, host, grid)


def _may_run(state: State, host: Host) -> bool:
    if not host.enabled or not state.cold.started:
        return False
    return ladder.level_of(state.cold.kills, (f"strategy:{host.id}",)) < TradingState.HALTED


def _evaluate(state: State, strategy: Strategy, host: Host, grid: int) -> None:
    host.evaluations += 1
    host.last_ns = state.cold.now_ns
    for n, request in enumerate(strategy.on_grid(picture_of(state, strategy.id, grid))):
        if isinstance(request, CancelRequest):
            order = state.working.get(request.cl_ord_id)
            if order is not None and order.strategy == strategy.id and not order.list_id:
                oms.cancel(state, order)
        else:
            _submit(state, host, request, f"{grid}|{n}")


def _submit(state: State, host: Host, request: OrderRequest, occasion: str) -> None:
    intent = request.intent or f"{occasion}|{request.instrument}|{int(request.side)}"
    wish = Wish(
        cl_ord_id=oms.client_order_id(state.cold.epoch, host.id, intent),
        instrument=request.instrument,
        side=request.side,
        qty_lots=request.qty_lots,
        strategy=host.id,
        purpose=Purpose.STRATEGY,
        ord_type=request.ord_type,
        price_ticks=request.price_ticks,
        tif=request.tif,
        reduce_only=request.reduce_only,
        post_only=request.post_only,
    )
    sent = oms.submit(state, wish)
    if isinstance(sent, Denial):
        host.denied += 1
        host.note = f"{sent.layer.name} {sent.code}"
        announce.denied(state, wish, sent)
        return
    host.orders += 1
    if not sent.reduce_only:
        host.last_entry_ns[request.instrument] = state.cold.now_ns


def picture_of(state: State, strategy: str, grid: int) -> Picture:
    """What a strategy may see: copies, so that nothing it does can reach the tables."""
    markets = state.markets
    qty = np.zeros(len(state.specs), dtype=np.int64)
    for holding in state.cold.holdings.values():
        if holding.strategy == strategy:
            qty[holding.instrument] = holding.qty_lots
    age_ns = state.cold.now_ns - markets["ts_ns"]
    fresh = (markets["mark_px"] > 0.0) & (age_ns <= int(state.config.gate.data_age_max_s * SECOND_NS))
    equity = state.equity
    return Picture(
        ts_ns=state.cold.now_ns,
        grid=grid,
        equity=equity if math.isfinite(equity) else 0.0,
        instruments=state.specs,
        bid_ticks=markets["bid_ticks"].copy(),
        ask_ticks=markets["ask_ticks"].copy(),
        mark_px=markets["mark_px"].copy(),
        qty_lots=qty,
        fx_rate=state.currencies["rate"][state.instruments["settle"]],
        orders=tuple(
            OwnOrder(o.cl_ord_id, o.instrument, Side(o.side), o.price_ticks, o.leaves_lots)
            for o in state.working.values()
            if o.strategy == strategy and not o.list_id  # the legs of a list are its own
        ),
        fresh=fresh,
    )
