"""State to published rows: pure projections, called by the publisher between steps. Unknown is None, never 0."""

from __future__ import annotations

import math

from bus.enums import OrdType
from bus.views import (
    AccountView,
    OrderView,
    PositionView,
    QuoteView,
    StrategyView,
)
from core.engine import ladder
from core.engine.orders import Order
from core.engine.pnlview import in_account
from core.engine.state import State


def account_view(state: State) -> AccountView:
    """The account as a whole, account currency."""
    row = state.account[0]
    equity = _num(row["equity"])
    return AccountView(
        account=state.config.account,
        env=state.config.env,
        ccy=state.config.ccy,
        equity=equity,
        equity_peak=_num(row["equity_peak"]),
        equity_day_open=_num(row["equity_day_open"]),
        realized=in_account(state, "realized"),
        unrealized=_num(row["unrealized"]),
        fees=in_account(state, "fees"),
        funding=in_account(state, "funding"),
        gross=_num(row["gross"]),
        net=_num(row["net"]),
        leverage=_num(row["leverage"]),
        margin_required=_num(row["margin"]),
        margin_ratio=_num(row["margin_ratio"]),
        drawdown=_num(row["drawdown"]),
        daily_loss=_num(row["daily_loss"]),
        cash={name: float(state.currencies["cash"][i]) for name, i in state.currencies_ids.items()},
        working_orders=len(state.working),
        open_positions=int((state.positions["qty_lots"] != 0).sum()),
    )


def position_view(state: State, i: int) -> PositionView:
    """One position."""
    spec, row, market = state.specs[i], state.positions[i], state.markets[i]
    rate, equity = state.fx(i), state.equity
    exposure = _num(float(row["exposure"]) * rate)
    qty_lots = int(row["qty_lots"])
    holders = {
        h.strategy: spec.qty_of(h.qty_lots)
        for h in state.cold.holdings.values()
        if h.instrument == i and h.qty_lots
    }
    return PositionView(
        symbol=spec.symbol,
        venue=spec.venue,
        qty=spec.qty_of(qty_lots),
        qty_lots=qty_lots,
        avg_px=float(row["avg_px"]) if qty_lots else None,
        mark=float(market["mark_px"]) or None,
        mark_ns=int(market["ts_ns"]),
        exposure=exposure,
        unrealized=_num(float(row["unrealized"]) * rate),
        realized=_zero(float(row["realized"]), rate),
        fees=_zero(float(row["fees"]), rate),
        funding=_zero(float(row["funding"]), rate),
        equity_share=_num(abs(exposure) / equity) if exposure is not None and equity > 0 else None,
        loss_ratio=_num(row["loss_ratio"]),
        working_buy=spec.qty_of(int(row["work_buy_lots"])),
        working_sell=spec.qty_of(int(row["work_sell_lots"])),
        strategies=holders,
        base=spec.base,
        settle=spec.settle,
        inverse=spec.inverse,
        contract_value=spec.contract_value if spec.inverse else None,
        lot=spec.lot_size,
        margin_rate=spec.margin_rate,
        fee_rate=spec.fee_rate_taker,
        fx=_num(rate),
        fx_for=spec.fx_for,
    )


def order_view(state: State, order: Order) -> OrderView:
    """One order."""
    spec = state.specs[order.instrument]
    limit = order.ord_type is OrdType.LIMIT
    return OrderView(
        cl_ord_id=order.cl_ord_id,
        symbol=spec.symbol,
        venue=spec.venue,
        side=order.side.name.lower(),
        type=order.ord_type.name.lower(),
        tif=order.tif.name,
        qty=spec.qty_of(order.qty_lots),
        filled=spec.qty_of(order.filled_lots),
        price=spec.price_of(order.price_ticks) if limit else None,
        avg_px=order.filled_value / order.filled_lots if order.filled_lots else None,
        status=order.status.name,
        strategy=order.strategy,
        purpose=order.purpose.name.lower(),
        reduce_only=order.reduce_only,
        created_ns=order.created_ns,
        updated_ns=order.updated_ns,
        reason=order.reason,
        stop=spec.price_of(order.stop_ticks) if order.stop_ticks else None,
        unknown_ns=order.unknown_ns,
        unknown_ms=(state.cold.now_ns - order.unknown_ns) / 1e6 if order.unknown_ns else 0.0,
        list_id=order.list_id,
        protects=order.protects,
        revision=order.revision,
        wanted_qty=spec.qty_of(order.want_lots) if order.want_lots else None,
    )


def quote_view(state: State, i: int, first_px: float) -> QuoteView:
    """Best bid and offer of one instrument; ``first_px`` is what the change is measured from, quote, 0 unknown."""
    spec, row = state.specs[i], state.markets[i]
    mark = float(row["mark_px"])
    return QuoteView(
        symbol=spec.symbol,
        bid=spec.price_of(int(row["bid_ticks"])) or None,
        ask=spec.price_of(int(row["ask_ticks"])) or None,
        last=spec.price_of(int(row["last_ticks"])) or None,
        ts_ns=int(row["ts_ns"]),
        change=mark / first_px - 1.0 if first_px > 0.0 and mark > 0.0 else None,
    )


def strategy_view(state: State, id_: str) -> StrategyView:
    """One strategy and what it holds."""
    host = state.cold.hosts[id_]
    own = [h for h in state.cold.holdings.values() if h.strategy == id_ and h.qty_lots]
    value = sum(state.lots_value(h.instrument, h.qty_lots, state.mark(h.instrument)) for h in own)
    level = ladder.level_of(state.cold.kills, (f"strategy:{id_}",))
    word = level.name if level else ("READY" if not state.cold.started else "RUNNING")
    return StrategyView(
        id=id_,
        enabled=host.enabled,
        state=word if host.enabled else "OFF",
        evaluations=host.evaluations,
        skipped=host.skipped,
        orders=host.orders,
        denied=host.denied,
        fills=host.fills,
        position_value=value if math.isfinite(value) else 0.0,
        last_ns=host.last_ns,
        note=host.note,
    )


def _num(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _zero(value: float, rate: float) -> float:
    """A flow in account currency; nothing is nothing even where the rate is unknown."""
    return value * rate if value else 0.0
