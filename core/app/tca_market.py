"""Tapes made ready for a study: named venues, their fees, and two venues on one clock.

A tape of trades shows neither the book nor what it would have answered. ``core.adapters.tape_ticks`` makes a quote of
each trade (a buy has lifted the ask, a sell has hit the bid, one tick between them, the 90th percentile of trade sizes
shown on each side) and the simulated venue fills takers along a staircase of one tick for each size shown. So a study
says what scheduling and routing cost *on these minutes against this venue*, fees and latency stated; it cannot say what
one's own size would have done to the real book.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bus.instruments import InstrumentSpec
from core.adapters.tape import TapeError, open_tape
from core.kernels.tables import Table

SECOND_NS = 1_000_000_000
DAY_S = 86_400.0


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One ``--tape``: a file, and the venue it stands for."""

    path: Path
    venue: str
    symbol: str = ""
    maker_bps: float | None = None  # fee; None = the instrument's own
    taker_bps: float | None = None


class Market(msgspec.Struct, kw_only=True):
    """One or more tapes on one clock. Instrument ids index ``specs``."""

    name: str
    specs: tuple[InstrumentSpec, ...]
    rows: Table
    shifts: tuple[float, ...] = ()  # quote, added to each tape's prices

    @property
    def first_ns(self) -> int:
        """Time of the first row."""
        return int(self.rows["ts_ns"][0])

    @property
    def last_ns(self) -> int:
        """Time of the last row."""
        return int(self.rows["ts_ns"][-1])

    def last_row(self, instrument: int, now_ns: int) -> Any:
        """The instrument's last row at or before ``now_ns``. Raises ValueError when there is none."""
        end = int(np.searchsorted(self.rows["ts_ns"], now_ns, side="right"))
        here = np.flatnonzero(self.rows["instrument"][:end] == instrument)
        if not len(here):
            raise ValueError(
                f"{self.name}: no tick of {self.specs[instrument].symbol} before the first order"
            )
        return self.rows[here[-1]]

    def daily(self, instrument: int = 0) -> tuple[float, float]:
        """(base units a day, volatility as a fraction of price per square root of a day), scaled up from the tape."""
        rows = self.rows[self.rows["instrument"] == instrument]
        last = np.flatnonzero(np.diff(rows["ts_ns"] // SECOND_NS))
        length_s = (int(rows["ts_ns"][-1]) - int(rows["ts_ns"][0])) / SECOND_NS
        moves = np.diff(np.log((rows["bid_ticks"] + rows["ask_ticks"])[last]))
        volume = float(rows["last_lots"].sum()) * self.specs[instrument].lot_size
        return volume / length_s * DAY_S, math.sqrt(float(np.sum(moves**2)) / length_s * DAY_S)

    def shown(self, instrument: int) -> float:
        """Size displayed on each side, base units, as the tape was made."""
        rows = self.rows[self.rows["instrument"] == instrument]
        return float(np.median(rows["ask_lots"])) * self.specs[instrument].lot_size


def load(source: Source, settle: str = "") -> Market:
    """One tape as a market of its own. Raises TapeError on anything that is not one, or has several symbols."""
    tape = open_tape(source.path, source.symbol or None, settle=settle)
    if len(tape.specs) != 1:
        names = ", ".join(spec.symbol for spec in tape.specs[:8])
        raise TapeError(
            source.path, 0, f"has {len(tape.specs)} symbols; name one: FILE=VENUE:SYMBOL of {names}"
        )
    spec = msgspec.structs.replace(tape.specs[0], venue=source.venue)
    if source.maker_bps is not None:
        spec = msgspec.structs.replace(spec, fee_rate_maker=source.maker_bps / 1e4)
    if source.taker_bps is not None:
        spec = msgspec.structs.replace(spec, fee_rate_taker=source.taker_bps / 1e4)
    return Market(name=f"{spec.symbol} {source.venue}", specs=(spec,), rows=tape.rows)


def together(markets: Sequence[Market], *, align: bool = True) -> Market:
    """Two or more tapes of one thing, on the time they share. The finest lot stands first: it can count the others.

    With ``align`` every other tape is moved by the median difference of its mid to the first one's, in whole ticks: a
    perpetual stands above or below its spot for reasons that are not the router's doing, and buying where it is lower
    would be a position in the basis. Raises ValueError where the tapes do not trade one thing or share no time.
    """
    ordered = sorted(markets, key=lambda market: market.specs[0].lot_size)
    things = {(m.specs[0].base, m.specs[0].quote, m.specs[0].settle) for m in ordered}
    venues = [m.specs[0].venue for m in ordered]
    if len(things) > 1 or len(set(venues)) < len(venues):
        raise ValueError(
            "routing needs tapes of one thing (same base and quote) at venues of different names"
        )
    first_ns, last_ns = max(m.first_ns for m in ordered), min(m.last_ns for m in ordered)
    parts: list[Any] = []
    specs: list[Any] = []
    shifts: list[Any] = []
    for i, market in enumerate(ordered):
        rows = market.rows[(market.rows["ts_ns"] >= first_ns) & (market.rows["ts_ns"] <= last_ns)].copy()
        if not len(rows):
            raise ValueError(f"{market.name} shares no time with {ordered[0].name}")
        spec = market.specs[0]
        ticks = _basis_ticks(parts[0], specs[0], rows, spec) if align and i else 0
        for column in ("bid_ticks", "ask_ticks", "last_ticks"):
            rows[column] += ticks
        rows["instrument"] = i
        parts.append(rows)
        specs.append(msgspec.structs.replace(spec, symbol=f"{spec.symbol}@{spec.venue}"))
        shifts.append(ticks * spec.tick_size)
    rows = np.concatenate(parts)
    rows = rows[np.argsort(rows["ts_ns"], kind="stable")]
    name = f"{ordered[0].specs[0].symbol} {'+'.join(venues)}"
    return Market(name=name, specs=tuple(specs), rows=rows, shifts=tuple(shifts))


def _basis_ticks(base: Table, base_spec: InstrumentSpec, rows: Table, spec: InstrumentSpec) -> int:
    """Median of base mid - mid at each row's time, in ticks of ``spec``."""
    mids = 0.5 * (base["bid_ticks"] + base["ask_ticks"]) * base_spec.tick_size
    at = np.clip(np.searchsorted(base["ts_ns"], rows["ts_ns"], side="right") - 1, 0, len(base) - 1)
    own = 0.5 * (rows["bid_ticks"] + rows["ask_ticks"]) * spec.tick_size
    return round(float(np.median(mids[at] - own)) / spec.tick_size)


def starts_of(market: Market, *, over_s: float, count: int, warm_s: float, settle_s: float) -> list[int]:
    """``count`` evenly spaced times at which an order of ``over_s`` can begin and be seen to its end, ns UTC.

    Raises ValueError where the tape is too short.
    """
    first_ns = market.first_ns + int(warm_s * SECOND_NS)
    last_ns = market.last_ns - int((over_s + settle_s) * SECOND_NS)
    if last_ns < first_ns:
        lasts_s, need_s = (market.last_ns - market.first_ns) / SECOND_NS, warm_s + over_s + settle_s
        raise ValueError(
            f"{market.name} lasts {lasts_s:.0f} s; --over {over_s:g}s needs {need_s:.0f} s with what comes before and"
            " after: make it shorter"
        )
    return [int(ns) for ns in np.linspace(first_ns, last_ns, count)] if count > 1 else [first_ns]
