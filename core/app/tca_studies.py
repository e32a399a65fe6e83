"""A whole study: every market by itself, every set of tapes of one thing routed over, and what it rests on, said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from config.settings import Settings
from core.analytics.tca_compare import Row, Run, rows_of
from core.app.tca_ask import Ask
from core.app.tca_market import Market, together
from core.app.tca_routing import ROUTED, Routing, compare
from core.app.tca_study import study


class Studies(msgspec.Struct, kw_only=True):
    """Rows by market and algorithm, routing comparisons, and the terms in words."""

    rows: list[Row]
    runs: list[Run]
    routings: list[Routing]
    stated: list[str]


def studies(
    markets: Sequence[Market],
    settings: Settings,
    algos: Sequence[str],
    terms: dict[str, Any],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Studies:
    """Run it. ``terms``: qty or participation, over_s, slices, starts, sides, tau_s, seed, latency_ms, align, params.

    Raises ValueError in one line where a tape is too short, too small or alone.
    """
    plain = [algo for algo in algos if algo != ROUTED]
    groups = _groups(markets) if ROUTED in algos else []
    if list(algos) == [ROUTED] and not groups:
        raise ValueError("sor routes over venues: give two tapes of one thing, FILE=VENUE each")
    together_ = [together(group, align=terms["align"]) for group in groups]
    sides, starts = terms["sides"], terms["starts"]
    ways = sum(len(group) + 1 for group in groups)
    total, done = (len(markets) * len(plain) + ways) * starts * len(sides), 0

    def told() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    runs: list[Run] = []
    stated = [_stated(terms)]
    for market in markets if plain else ():
        ask = _ask(market, terms, market.specs[0].lot_size)
        stated.append(_said(market, ask))
        runs += study(market, settings, ask, plain, starts=starts, sides=sides, progress=told)
    routings = []
    for market in together_:
        ask = _ask(market, terms, max(spec.lot_size for spec in market.specs))
        stated.append(_said(market, ask))
        routings.append(compare(market, settings, ask, starts=starts, sides=sides, progress=told))
    return Studies(rows=rows_of(runs), runs=runs, routings=routings, stated=stated)


def _groups(markets: Sequence[Market]) -> list[list[Market]]:
    """Tapes of one thing at different venues."""
    things: dict[tuple[str, str], list[Market]] = {}
    for market in markets:
        spec = market.specs[0]
        things.setdefault((spec.base, spec.quote), []).append(market)
    return [group for group in things.values() if len(group) > 1]


def _ask(market: Market, terms: dict[str, Any], lot: float) -> Ask:
    """The order's size in whole lots of ``lot``. Raises ValueError when that is none."""
    qty, share = terms["qty"], terms["participation"]
    if qty is None:
        volumes = [market.daily(i)[0] / 86_400.0 * terms["over_s"] for i in range(len(market.specs))]
        qty = share * min(volumes)  # of the smaller venue, where there are several
    lots = round(qty / lot)
    if lots < 1:
        raise ValueError(f"{market.name}: {qty:.8g} is less than one lot of {lot:g}; ask for more")
    return Ask(
        qty=lots * lot,
        over_s=terms["over_s"],
        slices=terms["slices"],
        params=terms["params"],
        participation=share if share is not None else 0.1,
        tau_s=terms["tau_s"],
        seed=terms["seed"],
        latency_ms=terms["latency_ms"],
        jitter_ms=terms["latency_ms"] / 2.0,
    )


def _stated(terms: dict[str, Any]) -> str:
    low = terms["latency_ms"]
    return (
        f"simulated venue: {low:g} to {1.5 * low:g} ms each way; takers get the size shown at the touch and pay one"
        f" tick more for each further such size; quotes are made from trades; kill switches and vetoes off;"
        f" {terms['starts']} starts x {len(terms['sides'])} sides"
    )


def _said(market: Market, ask: Ask) -> str:
    """One market's terms."""
    venues = "; ".join(
        f"{s.venue} {1e4 * s.fee_rate_maker:g}/{1e4 * s.fee_rate_taker:g} bps maker/taker, tick {s.tick_size:g},"
        f" shown {market.shown(i):g}"
        for i, s in enumerate(market.specs)
    )
    moved = (
        ""
        if not any(market.shifts)
        else f"; prices moved by {', '.join(f'{s:g}' for s in market.shifts)} to one level"
    )
    length_s = (market.last_ns - market.first_ns) / 1e9
    return f"{market.name}: {ask.qty:.8g} over {ask.over_s:g} s of {length_s:.0f} s; {venues}{moved}"
