"""A book from what a running core publishes: ``account``, ``position.*``, ``quote.*`` and ``switch.*``.

The messages say how much is held, what it is worth and what a contract is. An older core did not say the last:
then it comes from the instruments' specs where they are at hand, and otherwise from the symbol in the usual notation
(``BTC/USD:BTC`` settles in BTC and is inverse, ``ETH/EUR`` settles in EUR) with the unit's value and the
currency's rate solved from the published exposure. Either way the book is revalued and compared with the
published equity: a book that does not add up is refused, by name. Daily volatilities are the core's, once it has them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bus.instruments import InstrumentSpec
from core.analytics.book import Assumptions, Book, Holding, Limits, make
from core.analytics.errors import RiskInputError

Row = Mapping[str, Any]
_AGREE = 1e-3  # of gross: messages of one snapshot may be some ticks apart, a contract misread is far off
_SWITCHES = ("drawdown", "position_loss", "daily_loss", "emergency", "leverage", "margin")


def from_messages(
    messages: Mapping[str, Row],
    *,
    specs: Iterable[InstrumentSpec] = (),
    betas: Mapping[str, float] | None = None,
    limits: Limits | None = None,
    assumptions: Assumptions | None = None,
) -> Book:
    """The book in ``messages`` (topic -> data). Raises RiskInputError("NO_ACCOUNT" | "DOES_NOT_ADD_UP" | …).

    ``limits`` gives what switches do not publish (targets, the gate's); published limits stand before it.
    """
    account = messages.get("account")
    if account is None:
        raise RiskInputError("NO_ACCOUNT", "the core has published no account yet: try again in a second")
    by_symbol: dict[str, InstrumentSpec] = {spec.symbol: spec for spec in specs}
    quotes = {topic[6:]: row for topic, row in messages.items() if topic.startswith("quote.")}
    rows = {t[9:]: row for t, row in messages.items() if t.startswith("position.")}
    held = {name: row for name, row in rows.items() if row.get("qty")}
    by_symbol |= {name: _spec(name, row) for name, row in rows.items() if row.get("settle")}
    margin_rate = _margin_rate(account)
    rates = _rates(account, held, quotes, by_symbol)
    holdings = [
        _holding(
            name, row, by_symbol.get(name), quotes.get(name, {}), rates, margin_rate, (betas or {}).get(name)
        )
        for name, row in sorted(held.items())
    ]
    measured = (messages.get("risk", {}).get("factors") or {}).get("volatility_day", {})
    book = make(
        [replace(one, volatility_day=measured.get(one.symbol)) for one in holdings],
        cash={name: float(value) for name, value in account.get("cash", {}).items()},
        ccy=str(account["ccy"]),
        rates={name: rate for name, rate in rates.items() if rate > 0.0},
        equity_peak=account.get("equity_peak"),
        equity_day_open=account.get("equity_day_open"),
        limits=_limits(messages, limits or Limits()),
        assumptions=assumptions,
        source=f"account {account.get('account', '?')} of a running core",
    )
    _must_add_up(book, account)
    return book


def _spec(symbol: str, row: Row) -> InstrumentSpec:
    """What a position's own message says of its contract."""
    return InstrumentSpec(
        symbol=symbol,
        base=str(row.get("base") or ""),
        settle=str(row["settle"]),
        inverse=bool(row.get("inverse")),
        contract_value=float(row.get("contract_value") or 1.0),
        lot_size=float(row.get("lot") or 0.0),
        margin_rate=0.10 if row.get("margin_rate") is None else float(row["margin_rate"]),
        fee_rate_taker=0.0005 if row.get("fee_rate") is None else float(row["fee_rate"]),
        fx_for=str(row.get("fx_for") or ""),
    )


def _settle(symbol: str, spec: InstrumentSpec | None) -> tuple[str, str, bool]:
    """(base, settlement currency, inverse) by the spec, else by the notation."""
    if spec is not None:
        return spec.base, spec.settle, spec.inverse
    pair, _, settle = symbol.partition(":")
    base, _, quote = pair.partition("/")
    settle = settle.partition("-")[0] or quote
    return base, settle, bool(settle) and settle == base


def _rates(
    account: Row, held: Mapping[str, Row], quotes: Mapping[str, Row], specs: Mapping[str, InstrumentSpec]
) -> dict[str, float]:
    """Rates of the currencies in use: 1, as told, a mark against the account's, or solved from a linear exposure."""
    ccy = str(account["ccy"])
    told = {
        row["settle"]: float(row["fx"])
        for row in held.values()
        if row.get("settle") and row.get("fx") and row.get("exposure") is not None
    }
    rates = {**told, ccy: 1.0}
    wanted = dict.fromkeys([*account.get("cash", {}), *(_settle(name, specs.get(name))[1] for name in held)])
    for name in wanted:
        if name not in rates:
            rates[name] = _market_rate(f"{name}/{ccy}", held, quotes)
    for symbol, row in held.items():
        _, settle, inverse = _settle(symbol, specs.get(symbol))
        if not inverse and not rates.get(settle, math.nan) > 0.0 and row.get("exposure") and row.get("mark"):
            rates[settle] = row["exposure"] / (row["qty"] * row["mark"])
    return rates


def _market_rate(symbol: str, held: Mapping[str, Row], quotes: Mapping[str, Row]) -> float:
    mark = held.get(symbol, {}).get("mark")
    if mark:
        return float(mark)
    bid, ask = quotes.get(symbol, {}).get("bid"), quotes.get(symbol, {}).get("ask")
    return (bid + ask) / 2.0 if bid and ask else math.nan


def _margin_rate(account: Row) -> float:
    """Account-wide: margin required over gross; the views say no more."""
    gross, margin = account.get("gross"), account.get("margin_required")
    return margin / gross if gross and margin else 0.10


def _holding(
    symbol: str,
    row: Row,
    spec: InstrumentSpec | None,
    quote: Row,
    rates: Mapping[str, float],
    margin_rate: float,
    beta: float | None,
) -> Holding:
    base, settle, inverse = _settle(symbol, spec)
    mark = float(
        row.get("mark") or row.get("avg_px") or math.nan
    )  # never marked: valued at cost, as the engine does
    ccy_rate = rates.get(settle, math.nan)
    contract = spec.contract_value if spec else 1.0
    if inverse and spec is None and row.get("exposure"):
        contract = row["exposure"] * mark / (row["qty"] * ccy_rate)
    lots = row.get("qty_lots") or 0
    bid, ask = quote.get("bid"), quote.get("ask")
    return Holding(
        symbol=symbol,
        qty=float(row["qty"]),
        mark=mark,
        avg_px=row.get("avg_px"),
        inverse=inverse,
        contract_value=contract if contract > 0.0 else 1.0,
        settle=settle,
        base=base,
        lot=spec.lot_size if spec else abs(row["qty"] / lots) if lots else 0.0,
        margin_rate=spec.margin_rate if spec else margin_rate,
        fee_rate=spec.fee_rate_taker if spec else 0.0005,
        spread_bps=(ask - bid) / (ask + bid) * 2e4 if bid and ask and 0.0 < bid <= ask else None,
        beta=beta,
        fx_for=spec.fx_for if spec else "",
    )


def _limits(messages: Mapping[str, Row], base: Limits) -> Limits:
    """Published limits of the six switches; one that is published without a limit is off."""
    seen = {
        name: messages[f"switch.{name}"].get("limit") for name in _SWITCHES if f"switch.{name}" in messages
    }
    changes: dict[str, Any] = dict(seen)
    return replace(base, **changes)


def _must_add_up(book: Book, account: Row) -> None:
    published = account.get("equity")
    if published is None:
        return  # unknown there, and unknown here
    used = book.cash != 0.0
    unrealized = book.in_account(book.in_settle()[1])
    equity = float((book.cash * book.rates)[used].sum() + unrealized.sum())
    gross = float(np.abs(book.exposures()).sum())
    if not abs(equity - published) <= _AGREE * gross + 1e-9 * abs(published):
        raise RiskInputError(
            "DOES_NOT_ADD_UP",
            f"the positions seen are worth {equity:,.2f} {book.ccy} and the core says {published:,.2f}:"
            " messages of different instants, or an instrument this build does not know; try again, or use --book",
        )
