"""What people do with orders that work already: change them, and place lists. Called by the world with itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bus.enums import OrdType
from core.engine.orders import FACES

if TYPE_CHECKING:
    import random

    from core.engine.config import EngineConfig

    from .draw import Act
    from .world import World

EQUITY = 100_000.0


def draw(rng: random.Random, config: EngineConfig) -> list[tuple[float, str, dict[str, Any]]]:
    """Amendments, brackets and one-cancels-other, in two worlds of three: (when, of the active time; what; data)."""
    acts = []
    for _ in range(rng.choice((0, 4, 10))):
        what = rng.choice(("amend", "amend", "amend", "list", "list", "list", "oco", "trigger"))
        data = {
            "symbol": rng.choice(config.instruments).symbol,
            "side": rng.choice(("buy", "sell")),
            "type": rng.choice(("market", "limit", "stop")),
            "share": rng.choice((0.005, 0.05, 0.2)),
            "away": rng.choice((-0.002, 0.0, 0.001)),
            "take": rng.choice((0.0, 0.0005, 0.002, 0.01)),
            "loss": rng.choice((0.0, 0.0005, 0.001, 0.005, 0.02)),
            "factor": rng.choice((0.3, 0.8, 1.0, 1.0, 1.5, 4.0)),
            "nudge": rng.choice((-3, -1, 0, 1, 3)),
            "strategy": rng.choice(("operator", "operator", rng.choice(config.strategies).id)),
        }
        acts.append((rng.uniform(0.1, 1.0), what, data))
    return acts


def do(world: World, act: Act) -> None:
    """One of the above."""
    (submit_list if act.what in ("list", "oco") else amend)(world, act)


def submit_list(world: World, act: Act) -> None:
    """A bracket, or exits for what is held."""
    state, data = world.state, act.data
    i = state.ids[data["symbol"]]
    spec, mark = state.specs[i], state.mark(i)
    if not mark > 0.0:
        return
    ticks = lambda price: f"{max(1, round(price / spec.tick_size)) * spec.tick_size:.8f}"
    side = data["side"]
    lots = (
        max(1, int(data["share"] * EQUITY / (spec.lot_value(mark) * state.fx(i)))) if state.fx(i) > 0.0 else 1
    )
    if act.what == "oco":
        held = state.qty(i)
        side, lots = ("sell" if held > 0 else "buy"), max(1, min(lots, abs(held)))
    earns = 1.0 if (side == "buy") is (act.what == "list") else -1.0
    order: dict[str, Any] = {
        "kind": "bracket" if act.what == "list" else "oco",
        "symbol": spec.symbol,
        "side": side,
        "qty": f"{lots * spec.lot_size:.8f}",
        "type": data["type"],
        "strategy": data["strategy"],
    }
    middle = mark
    if data["type"] != "market" and act.what == "list":
        away = (
            abs(data["away"]) * (1.0 if side == "buy" else -1.0) if data["type"] == "stop" else data["away"]
        )
        middle = mark * (1.0 + away)
        order["price" if data["type"] == "limit" else "stop"] = ticks(middle)
    if data["take"]:
        order["take_profit"] = ticks(middle * (1.0 + earns * data["take"]))
    if data["loss"]:
        order["stop_loss"] = ticks(middle * (1.0 - earns * data["loss"]))
    world._command("submit_list", order)


def amend(world: World, act: Act) -> None:
    """Another quantity or price for one of the working orders; ``trigger``: of a stop."""
    state, data = world.state, act.data
    stops = act.what == "trigger"
    orders = [
        o for o in state.working.values() if o.status in FACES and (o.ord_type is OrdType.STOP) is stops
    ]
    if not orders:
        return
    order = world.list_rng.choice(orders)
    spec = state.specs[order.instrument]
    lots = max(1, round(order.qty_lots * data["factor"]))
    change: dict[str, Any] = {"cl_ord_id": order.cl_ord_id}
    if lots != order.qty_lots and not order.list_id:
        change["qty"] = f"{lots * spec.lot_size:.8f}"
    if data["nudge"]:
        base = order.stop_ticks if stops else order.price_ticks
        change["stop" if stops else "price"] = f"{max(1, base + data['nudge']) * spec.tick_size:.8f}"
    world._command("amend_order", change)
