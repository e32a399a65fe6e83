"""A bench with one parent on it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from bus.effects import NewOrder, Publish
from bus.enums import ReportKind
from core.engine.algos.parent import Parent
from core.engine.config import AlgoLimits as AlgoLimits
from core.engine.market import Ticks
from core.engine.orders import Order
from core.kernels.tables import TICK, TICK_BUY, TICK_TRADE
from tests.engine.kit import SPECS, Bench, config

K = ReportKind


def bench(*, specs=SPECS, **limits: Any) -> Bench:
    """The engine's bench with the given settings of algorithms."""
    return Bench(config(instruments=specs, algos=AlgoLimits(**limits)))


def spec(**named: Any):
    """The first instrument, changed."""
    return (msgspec.structs.replace(SPECS[0], **named), *SPECS[1:])


def ask(b: Bench, algo: str = "twap", qty: int = 100, side: str = "buy", *, price: float = 0.0, **named: Any):
    """Send a ``submit_order`` with an algorithm; parameters by name, plain fields in ``data``."""
    data = named.pop("data", {})
    if algo in ("twap", "vwap", "pov", "is"):
        named = {"over_s": "10", "slices": 10} | named
    order = {"symbol": "AAA/USDT", "side": side, "qty": str(qty), "algo": algo, "algo_params": named} | data
    if price:
        order |= {"type": "limit", "price": f"{price:.2f}"}
    b.command("submit_order", order)
    return b.replies()[-1]


def parent(b: Bench, *args: Any, **named: Any) -> Parent:
    """Ask, and return the parent that came of it."""
    known = set(b.state.cold.parents)
    said = ask(b, *args, **named)
    made = [p for key, p in b.state.cold.parents.items() if key not in known]
    assert made, said
    return made[0]


def children(b: Bench, *, open: bool | None = None) -> list[Order]:
    rows = [o for o in b.state.cold.orders.values() if o.parent]
    return rows if open is None else [o for o in rows if o.is_open is open]


def fill_all(b: Bench, price: float = 100.0) -> None:
    """Every open child fills whole."""
    for order in children(b, open=True):
        b.fill(order.cl_ord_id, order.leaves_lots, price)


def drop_all(b: Bench) -> None:
    """Every open child ends at the venue, with what it has."""
    for order in children(b, open=True):
        b.report(order.cl_ord_id, K.CANCELED)


def sent(effects) -> list[int]:
    return [e.qty_lots for e in effects if isinstance(e, NewOrder)]


def views(b: Bench) -> list[Any]:
    return [e.data for e in b.all if isinstance(e, Publish) and e.type == "algo"]


def trade(b: Bench, lots: int, price: float = 100.0, instrument: int = 0) -> None:
    """A print on the tape."""
    b.now += 1000
    rows = np.zeros(1, dtype=TICK)
    rows["ts_ns"], rows["instrument"], rows["flags"] = b.now, instrument, TICK_TRADE | TICK_BUY
    rows["last_ticks"], rows["last_lots"] = round(price * 100), lots
    b.do(Ticks(rows))
