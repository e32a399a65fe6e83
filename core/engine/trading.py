"""Orders by hand: from decimal strings to a wish, through the gate, and what became of it."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any

from bus.enums import OrdType, Purpose, Side, TimeInForce
from bus.events import Command
from bus.instruments import InstrumentSpec, decimals
from core.engine import announce, oms
from core.engine.gate import Denial, Wish, inspect
from core.engine.orders import Order
from core.engine.refusals import Refused
from core.engine.state import State

DIGITS_MAX = 40  # of a decimal string; longer ones are not numbers anybody meant
TYPES = {"market": OrdType.MARKET, "limit": OrdType.LIMIT, "stop": OrdType.STOP}
TIFS = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}


def number(value: Any, name: str) -> float:
    """A finite number from a decimal string (or an int/float); Refused otherwise."""
    return float(_decimal(value, name))


def _decimal(value: Any, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or len(str(value)) > DIGITS_MAX:
        raise Refused("BAD_NUMBER", f"{name} must be a decimal number, as a string")
    try:
        number_ = Decimal(str(value))
    except InvalidOperation:
        raise Refused("BAD_NUMBER", f"{name} is not a number: {value!r}") from None
    if not number_.is_finite() or abs(number_.adjusted()) > 18:
        raise Refused("BAD_NUMBER", f"{name} is not a usable number: {value!r}")
    return number_


def instrument_of(state: State, data: dict[str, Any]) -> int:
    """Instrument id of ``data["symbol"]``."""
    symbol = str(data.get("symbol", ""))
    if symbol not in state.ids:
        raise Refused("UNKNOWN_SYMBOL", f"no instrument {symbol!r}: {', '.join(list(state.ids)[:12])}")
    return state.ids[symbol]


def _steps(value: Decimal, step: float, name: str) -> int:
    """How many steps; exact, or Refused."""
    exact = value / Decimal(f"{step:.{decimals(step)}f}")
    if exact != exact.to_integral_value():
        raise Refused("OFF_STEP", f"{name} {value} is not a multiple of {step:.{decimals(step)}f}")
    return int(exact)


def lots_of(value: Any, spec: InstrumentSpec) -> int:
    """Whole lots of a quantity in base units."""
    return _steps(_decimal(value, "qty"), spec.lot_size, "qty")


def ticks_of(value: Any, spec: InstrumentSpec, name: str) -> int:
    """Whole ticks of a price."""
    return _steps(_decimal(value, name), spec.tick_size, name)


def wish_of(state: State, command: Command) -> Wish:
    """The typed wish of a ``submit_order``."""
    data = command.data
    i = instrument_of(state, data)
    spec = state.specs[i]
    side = {"buy": Side.BUY, "sell": Side.SELL}.get(str(data.get("side", "")).lower())
    kind = TYPES.get(str(data.get("type", "market")).lower())
    tif = TIFS.get(str(data.get("tif") or "gtc").lower())
    if side is None or kind is None or tif is None:
        raise Refused("BAD_ORDER", "side is buy|sell, type is market|limit|stop, tif is gtc|ioc|fok")
    price = ticks_of(data.get("price"), spec, "price") if kind is OrdType.LIMIT else 0
    stop = ticks_of(data.get("stop"), spec, "stop") if kind is OrdType.STOP else 0
    strategy = str(data.get("strategy") or "operator")[:32]
    intent = str(data.get("intent") or command.id)[:128]
    return Wish(
        cl_ord_id=oms.client_order_id(state.cold.epoch, strategy, intent),
        instrument=i,
        side=side,
        qty_lots=lots_of(data.get("qty"), spec),
        strategy=strategy,
        purpose=Purpose.OPERATOR,
        ord_type=kind,
        price_ticks=price,
        stop_ticks=stop,
        tif=TimeInForce.IOC if kind is OrdType.MARKET else tif,
        reduce_only=data.get("reduce_only") is True,
        post_only=data.get("post_only") is True,
    )


def closing_wish(state: State, command: Command) -> Wish:
    """What a ``close_position`` asks for; Refused when there is nothing to close."""
    i = instrument_of(state, command.data)
    if state.qty(i) == 0:
        raise Refused("FLAT", f"{state.specs[i].symbol} is flat already")
    return close_of(state, command.id, i)


def close_of(state: State, intent: str, instrument: int) -> Wish:
    """The order that exactly closes what is held: passes in every state, because it can only lower risk."""
    held = state.qty(instrument)
    return Wish(
        cl_ord_id=oms.client_order_id(state.cold.epoch, "operator", intent),
        instrument=instrument,
        side=Side.SELL if held > 0 else Side.BUY,
        qty_lots=min(abs(held), state.specs[instrument].qty_lots_max),
        strategy="operator",
        purpose=Purpose.OPERATOR,
        tif=TimeInForce.IOC,
        reduce_only=True,
    )


def decisions(state: State, wish: Wish) -> list[dict[str, Any]]:
    """Each layer's decision, for printing."""
    return [
        {
            "layer": v.layer,
            "ok": v.ok,
            "code": v.code,
            "value": _finite(v.value),
            "limit": _finite(v.limit),
            "detail": v.detail,
        }
        for v in inspect(state, wish)
    ]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def send(state: State, command: Command, wish: Wish, shown: list[dict[str, Any]]) -> Order:
    """Through the gate; Refused with the denial and every layer's decision when it does not pass."""
    sent = oms.submit(state, wish, command=command.id)
    if isinstance(sent, Denial):
        announce.denied(state, wish, sent)
        text = f"{sent.layer.name}: {sent.detail}" if sent.detail else sent.layer.name
        raise Refused(sent.code, text, {"decisions": shown})
    announce.audit(state, command.operator, command.type, sent.cl_ord_id, "sent", command.reason)
    return sent


def outcome(state: State, order: Order) -> dict[str, Any]:
    """What became of an order."""
    spec = state.specs[order.instrument]
    return {
        "cl_ord_id": order.cl_ord_id,
        "status": order.status.name,
        "filled": spec.qty_of(order.filled_lots),
        "avg_px": order.filled_value / order.filled_lots if order.filled_lots else None,
        "reason": order.reason,
    }
