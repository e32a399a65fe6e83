"""What a study asks for, as the operator would: ``submit_order`` commands, and the depth a feed would have shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from bus.events import Depth
from bus.instruments import decimals
from core.analytics.tca_compare import IMMEDIATE
from core.app.tca_market import SECOND_NS, Market

SLICED = "sliced"  # market orders by hand at even times
STYLE = "market"  # of sliced algorithms without ``:style``: what is due trades, as it does for ``immediate``
LEVELS = 50  # of depth told


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What each algorithm is asked for."""

    qty: float  # base units
    over_s: float
    slices: int = 10
    participation: float = 0.1  # for pov
    params: dict[str, dict[str, Any]] = {}  # algorithm -> more of its parameters
    tau_s: float = 5.0
    seed: int = 1
    latency_ms: float = 20.0
    jitter_ms: float = 10.0


def commands(
    market: Market, ask: Ask, algo: str, side: str, start_ns: int, instrument: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(when, ``submit_order`` data): one command, or one a slice where an operator slices by hand."""
    spec = market.specs[instrument]
    lots = round(ask.qty / spec.lot_size)
    base: dict[str, Any] = {"symbol": spec.symbol, "side": side, "type": "market", "strategy": "operator"}
    if algo == SLICED:
        for k in range(ask.slices):
            part = lots * (k + 1) // ask.slices - lots * k // ask.slices
            at_ns = start_ns + int(ask.over_s * SECOND_NS) * k // ask.slices
            if part:
                yield at_ns, base | {"qty": _decimal(spec.qty_of(part), spec.lot_size), "intent": f"s{k}"}
        return
    algo, _, style = algo.partition(":")
    data = base | {"qty": _decimal(spec.qty_of(lots), spec.lot_size)}
    if algo != IMMEDIATE:
        data |= {"algo": algo, "algo_params": _params(market, ask, algo, style)}
    if algo == "iceberg":  # it rests: joins the near side as it is when it begins
        row = market.last_row(instrument, start_ns)
        near = row["bid_ticks"] if side == "buy" else row["ask_ticks"]
        data |= {"type": "limit", "tif": "gtc", "price": _decimal(spec.price_of(int(near)), spec.tick_size)}
    yield start_ns, data


def _params(market: Market, ask: Ask, algo: str, style: str) -> dict[str, Any]:
    """Parameters of ``algo``: those of the study that it has, and those given for it by name."""
    timed: dict[str, Any] = {"over_s": ask.over_s}
    sliced = timed | {"slices": ask.slices, "style": style or STYLE}
    volume, sigma = market.daily()
    lot = market.specs[0].lot_size
    params: dict[str, dict[str, Any]] = {
        "twap": sliced,
        "vwap": sliced,
        "pov": sliced | {"participation": ask.participation},
        "is": sliced | {"daily_volume": volume, "sigma": sigma},
        "iceberg": timed | {"display_qty": max(round(ask.qty / ask.slices / lot), 1) * lot},
        "sor": {"venues": [spec.venue for spec in market.specs]},
    }
    return params.get(algo, timed) | ask.params.get(algo, {})


def depths(market: Market, now_ns: int) -> Iterator[Depth]:
    """The simulated venue's staircase as a depth feed would show it: the displayed size again at each further tick."""
    for i in range(len(market.specs)):
        row = market.last_row(i, now_ns)
        bid, ask, lots = int(row["bid_ticks"]), int(row["ask_ticks"]), int(row["ask_lots"])
        bids = tuple((bid - k, lots) for k in range(LEVELS) if bid > k)
        yield Depth(now_ns, i, bids, tuple((ask + k, lots) for k in range(LEVELS)))


def _decimal(value: float, step: float) -> str:
    return f"{value:.{decimals(step)}f}"
