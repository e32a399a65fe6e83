"""Fills and funding into positions, strategies' holdings and the account. The only writer of quantities."""

from __future__ import annotations

from bus.effects import Publish
from bus.enums import Purpose, Side
from bus.events import Funding, Report
from bus.views import FillView
from core.engine import alarms, attribution
from core.engine.ledger import SPREAD, TRANSFER
from core.engine.orders import Order
from core.engine.state import Holding, State
from core.kernels.portfolio import apply_fill, apply_funding

UNEXPLAINED = "unexplained"  # the holder of what the venue says we hold and no execution explains


def book_fill(state: State, order: Order, report: Report, lots: int, *, late: bool, known: int = 0) -> None:
    """One execution: exact lots, average cost, fee, strategy share; published at once.

    ``known`` lots of it are in the position already, taken earlier on the venue's word: they only change hands.
    """
    i = order.instrument
    sign = 1 if order.side is Side.BUY else -1
    price = report.px_ticks * float(state.instruments["tick_size"][i])
    realized = move(state, i, sign * (lots - known), price, report.fee)
    if known:
        share(state, state.holding(UNEXPLAINED, i), -sign * known, price, 0.0, TRANSFER)
    allocate(state, order, sign * lots, price, report.fee)
    spec = state.specs[i]
    host = state.cold.hosts.get(order.strategy)
    if host is not None:
        host.fills += 1
    state.emit(
        Publish(
            "fill",
            "fill",
            FillView(
                exec_id=report.exec_id,
                cl_ord_id=order.cl_ord_id,
                symbol=spec.symbol,
                side=order.side.name.lower(),
                qty=spec.qty_of(lots),
                price=price,
                fee=report.fee,
                fee_ccy=spec.settle,
                maker=report.maker,
                realized=realized,
                strategy=order.strategy,
                late=late,
            ),
        )
    )


def allocate(state: State, order: Order, signed: int, price: float, fee: float) -> None:
    """To whom a fill belongs: its strategy; a closing order of the engine or an operator closes the holders' shares."""
    i = order.instrument
    of_strategy = order.purpose is Purpose.STRATEGY or (
        order.purpose is Purpose.ALGO and order.strategy != "operator"
    )
    of_strategy = of_strategy or (order.list_id != "" and not order.reduce_only)  # what its exits will guard
    if of_strategy or (order.purpose is Purpose.KILL and order.strategy != "kill"):
        share(state, state.holding(order.strategy, i), signed, price, fee)
        return
    left = signed
    holders = [h for h in state.cold.holdings.values() if h.instrument == i and h.qty_lots * signed < 0]
    own = order.strategy if order.list_id else ""  # a list's exits close its own strategy's share first
    for holding in sorted(holders, key=lambda h: (h.strategy != own, -abs(h.qty_lots), h.strategy)):
        part = min(abs(left), abs(holding.qty_lots)) * (1 if signed > 0 else -1)
        if part == 0:
            break
        share(state, holding, part, price, fee * abs(part) / abs(signed))
        left -= part
    if left:
        share(state, state.holding(order.strategy, i), left, price, fee * abs(left) / abs(signed))
    if state.qty(i) == 0:
        _cross_out(state, i, price)


def _cross_out(state: State, instrument: int, price: float) -> None:
    """The account is flat: shares that offset each other are closed against each other at the same price."""
    for holding in state.cold.holdings.values():
        if holding.instrument == instrument and holding.qty_lots:
            share(state, holding, -holding.qty_lots, price, 0.0, TRANSFER)


def adjust(state: State, instrument: int, signed_lots: int, price: float) -> None:
    """Take the venue's word for a quantity no execution explains; the execution is recognised if it still comes."""
    move(state, instrument, signed_lots, price, 0.0)
    share(state, state.holding(UNEXPLAINED, instrument), signed_lots, price, 0.0, TRANSFER)
    waiting = state.cold.adjusted
    waiting[instrument] = waiting.get(instrument, 0) + signed_lots
    state.cold.adjusted_ns[instrument] = state.cold.now_ns


def reprice(state: State, order: Order, signed: int, old_px: float, report: Report) -> None:
    """``signed`` lots of a fill were booked at ``old_px`` (quote) before its paper came: price and fee as it says."""
    i, fee = order.instrument, report.fee * abs(signed) / report.last_lots
    price = report.px_ticks * float(state.instruments["tick_size"][i])
    holding = state.holding(order.strategy, i)
    for lots, px, cost in ((-signed, old_px, 0.0), (signed, price, fee)):
        move(state, i, lots, px, cost)
        share(state, holding, lots, px, cost)


def move(state: State, instrument: int, signed_lots: int, price: float, fee: float) -> float:
    """Change the account's position; returns what was realised, settle currency. Zero lots still pay their fee."""
    state.dirty_positions[instrument] = None
    state.touched[instrument] = None
    return float(
        apply_fill(
            instrument,
            signed_lots,
            price,
            fee,
            state.instruments,
            state.markets,
            state.positions,
            state.currencies,
            state.account,
        )
    )


def share(
    state: State, holding: Holding, signed_lots: int, price: float, fee: float, part: int = SPREAD
) -> None:
    """The strategy's own average-cost book, same rules as the account's; ``part``: what the ledger calls the trade."""
    attribution.book(state, holding.strategy, holding.instrument, signed_lots, price, fee, part)
    spec = state.specs[holding.instrument]
    held = holding.qty_lots
    holding.fees += fee
    closing = (
        0 if held * signed_lots >= 0 else min(abs(signed_lots), abs(held)) * (1 if signed_lots > 0 else -1)
    )
    if closing:
        unit = spec.lot_size * (spec.contract_value if spec.inverse else 1.0)
        per_lot = unit * (1 / holding.avg_px - 1 / price) if spec.inverse else unit * (price - holding.avg_px)
        holding.realized += -closing * per_lot
    opening = signed_lots - closing
    if opening:
        base = held + closing
        if spec.inverse:
            inv = (abs(base) / holding.avg_px if base else 0.0) + abs(opening) / price
            holding.avg_px = (abs(base) + abs(opening)) / inv
        else:
            holding.avg_px = (abs(base) * holding.avg_px + abs(opening) * price) / (abs(base) + abs(opening))
    holding.qty_lots = held + signed_lots
    if holding.qty_lots == 0:
        holding.avg_px = 0.0


def on_funding(state: State, event: Funding) -> None:
    """Longs pay a positive rate; strategies carry their share by quantity."""
    if not 0 <= event.instrument < len(state.specs):
        return
    if not abs(event.rate) < 1.0:  # nan too: it would make the cash, and so every limit, unknown for good
        source = state.specs[event.instrument].symbol
        alarms.raise_alert(state, "ANOMALY", source, f"funding at {event.rate:g} of exposure: ignored")
        return
    held = state.qty(event.instrument)
    if held == 0:
        return
    paid = float(
        apply_funding(
            event.instrument,
            event.rate,
            state.instruments,
            state.markets,
            state.positions,
            state.currencies,
            state.account,
        )
    )
    state.dirty_positions[event.instrument] = None
    state.touched[event.instrument] = None
    for holding in state.cold.holdings.values():
        if holding.instrument == event.instrument and holding.qty_lots:
            part = paid * holding.qty_lots / held
            holding.funding += part
            attribution.fund(state, holding.strategy, event.instrument, part)
