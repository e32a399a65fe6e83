"""Execution algorithms in the worlds: who asks for them, and what must be true of them.

I13  a parent never sends beyond itself: filled, open and unknown lots of its children, the new one counted, are at most
     what was asked for
I14  a child is never past the parent's limit, and none leaves in or after the step in which a kill covers the parent
I15  what a parent says has filled is what its children have, whatever the venue did in between
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from bus.effects import NewOrder
from bus.enums import OrdType, TradingState
from core.engine.algos.parent import ALGOS, Parent
from core.engine.config import AlgoLimits, EngineConfig
from core.engine.orders import Order
from core.engine.state import State

if TYPE_CHECKING:
    from .draw import Act
    from .world import World


def limits(rng: random.Random) -> AlgoLimits:
    """Settings of a world's algorithms."""
    return AlgoLimits(
        catch_up_max=rng.choice((0.0, 1.0, 3.0)),
        on_restart=rng.choice(("cancel", "resume")),
        denials_max=rng.choice((2, 5)),
        own_in_tape=False,
        daily_volume=rng.choice((0.0, 1e6)),
    )


def draw(rng: random.Random, config: EngineConfig) -> list[tuple[str, dict[str, Any]]]:
    """In two worlds of five somebody works orders over time: (what, data) of some acts."""
    acts: list[tuple[str, dict[str, Any]]] = []
    if rng.random() < 0.4:
        for _ in range(rng.randint(1, 4)):
            acts.append(("algo", _order(rng, config)))
            if rng.random() < 0.4:
                acts.append((rng.choice(("pause_algo", "resume_algo", "resume_algo", "cancel_algo")), {}))
    return acts


def _order(rng: random.Random, config: EngineConfig) -> dict[str, Any]:
    algo = rng.choice(ALGOS)
    params: dict[str, Any] = {}
    if algo not in ("sor", "iceberg"):
        params = {"over_s": rng.choice((1.0, 4.0, 12.0)), "slices": rng.choice((2, 5, 12))}
        params["style"] = rng.choice(("ioc", "market", "limit"))
        params |= {"jitter": 0.3} if rng.random() < 0.3 else {}
    params |= {"participation": 0.2} if algo == "pov" else {}
    limited = algo == "iceberg" or rng.random() < 0.5
    return {
        "symbol": rng.choice(config.instruments).symbol, "side": rng.choice(("buy", "sell")), "algo": algo,
        "algo_params": params, "share": rng.choice((0.02, 0.1, 0.3)), "reduce_only": rng.random() < 0.2,
        "type": "limit" if limited else "market", "away": rng.choice((-0.001, 0.0005, 0.01)),
        "strategy": rng.choice(("", config.strategies[0].id)), "parts": rng.choice((1, 4, 9)),
    }  # fmt: skip


def ask(world: World, act: Act) -> None:
    """Send what was drawn, with quantities and prices of the moment."""
    state, data = world.state, dict(act.data)
    if act.what != "algo":
        ids = list(state.cold.parents) or ["nobody"]
        world._command(act.what, {"id": world.rng.choice(ids)})
        return
    i = state.ids[data["symbol"]]
    spec, mark = state.specs[i], state.mark(i)
    unit = spec.lot_value(mark) * state.fx(i) if mark > 0.0 else 0.0
    lots = max(1, int(data.pop("share") * 100_000.0 / unit)) if unit > 0.0 else 1
    away, parts = data.pop("away") * (1 if data["side"] == "buy" else -1), data.pop("parts")
    if data["type"] == "limit":
        ticks = max(1, round(mark * (1.0 + away) / spec.tick_size))
        data["price"] = f"{ticks * spec.tick_size:.8f}"
    if data["algo"] == "iceberg":
        data["algo_params"] = {"display_qty": f"{-(-lots // parts) * spec.lot_size:.8f}"}
    world._command("submit_order", data | {"qty": f"{lots * spec.lot_size:.8f}"})


class ParentWatch:
    """Parents judged by the order table and the effects."""

    def __init__(self, owner) -> None:
        self._owner = owner  # has ``state``: a restart replaces it
        self.sent = 0

    @property
    def state(self) -> State:
        return self._owner.state

    def on_new(self, new: NewOrder, order: Order) -> str:
        """Why this child may not be sent, "" when it may."""
        parent = self.state.cold.parents.get(order.parent) if order.parent else None
        if parent is None:
            return ""
        self.sent += 1
        filled, open_ = self._counts(parent)
        if filled + open_ > parent.qty_lots:
            return f"{parent.id} sent up to {filled} + {open_} of {parent.qty_lots}"
        past = parent.limit_ticks and (new.price_ticks - parent.limit_ticks) * parent.side_sign > 0
        if parent.limit_ticks and (past or new.ord_type is not OrdType.LIMIT):
            return f"{parent.id} sent {new.price_ticks} past its limit {parent.limit_ticks}"
        return self._covered(parent, dict(self._owner.latches))

    def _covered(self, parent: Parent, held: dict[str, TradingState]) -> str:
        """``held``: kill key -> level, as written before this child left."""
        spec = self.state.specs[parent.instrument]
        scopes = ("all", f"venue:{spec.venue}", f"symbol:{spec.symbol}", f"strategy:{parent.strategy}")
        least = TradingState.HALTED if parent.reduce_only else TradingState.REDUCING
        over = [key for key, level in held.items() if key.partition("@")[2] in scopes and level >= least]
        return f"{parent.id} under {over}" if over else ""

    def _counts(self, parent: Parent) -> tuple[int, int]:
        """(filled, could still fill) in the parent's lots: a leg elsewhere may have lots of another size."""
        filled = open_ = 0
        for order in self.state.cold.orders.values():
            if order.parent == parent.id:
                leg = parent.legs[order.cl_ord_id]
                whole = lambda lots, leg=leg: -(-lots * leg.parent_lots // leg.qty_lots)
                filled += whole(order.filled_lots)
                open_ += whole(order.filled_lots + order.leaves_lots) - whole(order.filled_lots)
        return filled, open_

    def check(self) -> str:
        """After every step: the counts agree, and nobody that is stopped has a living status."""
        for id_ in self.state.cold.algos_live:
            parent = self.state.cold.parents[id_]
            filled, _ = self._counts(parent)
            if parent.filled_lots != filled:
                return f"{id_} says {parent.filled_lots} filled, its children {filled}"
            held = {kill.key: kill.level for kill in self.state.cold.kills.values()}
            if parent.status in ("RUNNING", "PAUSED") and (why := self._covered(parent, held)):
                return f"{why}, {parent.status}"
        return ""
