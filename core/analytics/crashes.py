"""Historical replays: what the book would have lost had a stretch of history come again.

A file of closes (``date`` or ``ts_ns``, then a column a series) or a tape of trades becomes a grid of prices;
every window of ``rows`` steps becomes one scenario row, its shocks the simple returns from the window's first
price to its last. The worst window for this book is what counts, so a short book finds its rally where a long
one finds its crash. A missing price is carried forward; a window that begins before a series does uses the
market column for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.analytics import scenarios
from core.analytics.book import Book, Floats
from core.analytics.errors import RiskInputError
from core.analytics.scenarios import FLOOR, Replay, Set, Shocks, joined, moved_rates
from core.kernels.risk.stress import TERMS

_TIMES = ("date", "ts_ns", "ts", "time")
WINDOWS_MAX = 20_000  # rows of one replay; more says that step_s is too fine


def compile(replay: Replay, folder: Path, book: Book) -> Shocks:
    """Every window of the file as one scenario of many rows. Raises RiskInputError."""
    frame = _frame(folder / replay.file, replay)
    moves, labels = _windows(frame, replay)
    columns = {name: k for k, name in enumerate(frame.columns)}
    market = _market(moves, columns, replay)
    prices = np.empty((len(moves), book.n))
    for i, symbol in enumerate(book.symbols):
        name = replay.columns.get(symbol, symbol)
        own = moves[:, columns[name]] if name in columns else np.full(len(moves), np.nan)
        proxy = market * book.betas[i] if market is not None else np.zeros(len(moves))
        if book.qty[i] and market is None and np.isnan(own).any():
            what = f"{replay.name}: {replay.file} has not all prices of {symbol}"
            raise RiskInputError("NO_HISTORY", f"{what}: map it under columns, or name a market column")
        prices[:, i] = np.where(np.isnan(own), proxy, own)
    floored = int((prices < FLOOR).sum())
    np.maximum(prices, FLOOR, out=prices)
    return Shocks(
        names=(replay.name,),
        texts=(replay.text or f"the worst {replay.rows} steps of {replay.file} come again",),
        group=np.zeros(len(prices), dtype=np.int64),
        labels=labels,
        prices=np.ascontiguousarray(prices),
        rates=moved_rates(book, prices, np.full((len(prices), len(book.currencies)), np.nan)),
        terms=_terms(len(prices), replay),
        floored=floored,
    )


def _terms(rows: int, replay: Replay) -> Any:
    terms = np.zeros(rows, dtype=TERMS)
    terms["spread"] = terms["depth"] = terms["volatility"] = 1.0
    terms["margin"] = replay.margin
    return terms


def _market(moves: Floats, columns: dict[str, int], replay: Replay) -> Floats | None:
    if not replay.market:
        return None
    if replay.market not in columns:
        known = ", ".join(list(columns)[:8])
        raise RiskInputError(
            "NO_COLUMN", f"{replay.name}: no column {replay.market!r} in {replay.file}; it has {known}"
        )
    return moves[:, columns[replay.market]]


def _frame(path: Path, replay: Replay) -> Any:
    """A pandas frame: sorted unique times as index, one float column a series."""
    import pandas as pd

    try:
        raw = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except OSError as error:
        raise RiskInputError("NO_FILE", f"{replay.name}: {path}: {error.strerror or error}") from None
    except (ValueError, ImportError) as error:
        raise RiskInputError("BAD_FILE", f"{replay.name}: {path}: {str(error).splitlines()[0]}") from None
    when = next((name for name in _TIMES if name in raw.columns), None)
    if when is None:
        raise RiskInputError("BAD_FILE", f"{replay.name}: {path}: no time column ({', '.join(_TIMES)})")
    try:
        raw.index = pd.to_datetime(raw.pop(when), utc=True)
    except ValueError as error:
        raise RiskInputError("BAD_FILE", f"{replay.name}: {path}: {str(error).splitlines()[0]}") from None
    closes = _grid(raw, replay) if {"price", "qty"} <= set(raw.columns) else raw.select_dtypes("number")
    if not closes.index.is_monotonic_increasing or closes.index.has_duplicates:
        raise RiskInputError(
            "UNSORTED_DATES", f"{replay.name}: {path}: times are not in order, or one stands twice"
        )
    try:
        return closes.loc[replay.start or None : replay.end or None].ffill()
    except (ValueError, TypeError, KeyError):
        span = f"{replay.start!r} to {replay.end!r}"
        raise RiskInputError(
            "BAD_DATE", f"{replay.name}: {span} is no span of dates: write 2020-02-01"
        ) from None


def _grid(trades: Any, replay: Replay) -> Any:
    """The last price of every step, a column a symbol (``price`` where the tape has no symbol column)."""
    import pandas as pd

    if not 0.001 <= replay.step_s <= 1e8:
        raise RiskInputError(
            "BAD_SCENARIO", f"{replay.name}: step_s is {replay.step_s:g}: must be 0.001 to 10^8 s"
        )
    step = pd.Timedelta(seconds=replay.step_s)
    if "symbol" not in trades.columns:
        return trades[["price"]].resample(step).last()
    return trades.groupby("symbol")["price"].resample(step).last().unstack(0)  # noqa: PD010  (nothing to aggregate)


def _windows(frame: Any, replay: Replay) -> tuple[Floats, tuple[str, ...]]:
    try:
        closes = frame.to_numpy(dtype=float)
    except (ValueError, TypeError):
        raise RiskInputError("BAD_FILE", f"{replay.name}: {replay.file}: a price is not a number") from None
    count = len(closes) - replay.rows
    if replay.rows < 1 or count < 1:
        raise RiskInputError(
            "TOO_FEW_ROWS",
            f"{replay.name}: {len(closes)} prices are too few for a window of {replay.rows} steps",
        )
    if count > WINDOWS_MAX:
        raise RiskInputError(
            "TOO_MANY",
            f"{replay.name}: {count:,} windows, at most {WINDOWS_MAX:,}: larger step_s, or start and end",
        )
    if (closes <= 0.0).any():
        raise RiskInputError("BAD_FILE", f"{replay.name}: {replay.file}: a price is not positive")
    labels = tuple(f"from {when:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for when in frame.index[:count])
    return closes[replay.rows :] / closes[:count] - 1.0, labels


def compile_set(chosen: Set, book: Book) -> Shocks:
    """Everything a scenario file says, for one book: scenarios first, then the replays of their files."""
    shocks = scenarios.compile(chosen.scenarios, book)
    for replay in chosen.replays:
        shocks = joined(shocks, compile(replay, chosen.folder, book))
    return shocks
