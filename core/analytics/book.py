"""A book: one account at one instant, as plain arrays. What stress, profile and sizing are computed from.

Nothing here knows the engine. A book is made from a file (``book_read``), from a running core's messages
(``book_bus``), or by hand. Required numbers that are not known are nan and travel as nan into every result
("unknown", never 0); numbers that a venue rarely tells (volatility, spread, daily volume, beta) may be
assumed, and every assumption made is named in ``Book.assumed``, which each report prints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.kernels.risk.stress import ASSET
from core.kernels.tables import Table

Floats = npt.NDArray[np.float64]
_LARGEST = 1e15  # quantities and prices beyond it are slips, and their products would overflow
FIAT = frozenset("USD EUR GBP JPY CHF AUD CAD NZD SGD HKD CNY KRW TRY BRL USDT USDC DAI TUSD FDUSD".split())


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What stands in for market facts that nobody has told. Overridden by ``[assumptions]`` of a scenario file."""

    volatility_day: float = 0.04  # fraction a day: a large coin in an ordinary year (76 % a year)
    spread_bps: float = 10.0  # of price, full spread
    adv: float = 10_000_000.0  # account currency traded a day
    correlation: float = 0.6  # between any two symbols, for value at risk
    beta: float = 1.0  # to the market; 0 for currencies


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the kill switches, as the engine has them; None = switched off. Fractions and ratios."""

    drawdown: float | None = 0.05
    position_loss: float | None = 0.02
    daily_loss: float | None = 0.10
    emergency: float | None = 0.15
    leverage: float | None = 5.0
    leverage_target: float = 4.5
    margin: float | None = 1.2
    margin_target: float = 1.5
    position_loss_basis: str = "cost"  # cost | equity
    concentration: float = 0.25  # of equity, per symbol: the gate's
    order_value: float = 250_000.0  # account currency: the gate's


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One position, as a person would write it down. ``None`` = not known; see ``Assumptions``."""

    symbol: str
    qty: float  # base units, contracts for inverse; signed
    mark: float  # quote
    avg_px: float | None = None  # quote; None = the mark
    inverse: bool = False
    contract_value: float = 1.0  # quote a contract, inverse only
    settle: str = ""  # currency; empty = the account's
    base: str = ""  # empty = the part of the symbol before the slash
    lot: float = 0.0  # smallest step of qty, 0 = any
    margin_rate: float = 0.10  # fraction of exposure
    fee_rate: float = 0.0005  # taker, fraction of value
    beta: float | None = None
    volatility_day: float | None = None  # fraction
    spread_bps: float | None = None  # of price, full spread
    adv: float | None = None  # account currency a day
    duration: float = 0.0  # years: price falls by duration x change of the interest rate
    factors: dict[str, float] = field(default_factory=dict)  # factor or sector -> loading
    fx_for: str = ""  # the currency whose rate this mark gives


@dataclass(frozen=True, kw_only=True)
class Book:
    """Arrays by position (n), by currency (c). ``assets`` is what the kernel reads."""

    ccy: str
    symbols: tuple[str, ...]
    qty: Floats
    lots: Floats  # smallest step of qty, 0 = any
    fee_rates: Floats  # fraction of value
    betas: Floats
    durations: Floats  # years
    bases: tuple[str, ...]
    factors: tuple[dict[str, float], ...]
    fx_currency: npt.NDArray[np.int64]  # currency whose rate this mark gives, -1 none
    assets: Table
    currencies: tuple[str, ...]
    rates: Floats  # account currency a unit; nan unknown
    cash: Floats  # units
    equity_peak: float  # account currency; nan = the equity now
    equity_day_open: float
    limits: Limits
    assumptions: Assumptions
    assumed: tuple[str, ...]  # what was assumed, for people
    source: str = "a book made by hand"
    units: Floats | None = None  # (n,) of value one unit of qty is: 1, or the contract's value; None = 1

    @property
    def n(self) -> int:
        """Count of positions, flat ones included."""
        return len(self.symbols)

    def cut(self, share: Floats) -> Book:
        """The book after selling ``share`` (n; 0 to 1) of each position at its mark, fee and half the spread paid.

        What was unrealised becomes cash, so equity changes by the cost alone. Raises RiskInputError("NOT_A_CUT").
        """
        if not ((share >= 0.0) & (share <= 1.0)).all():
            raise RiskInputError("NOT_A_CUT", "a share to cut is not between 0 and 1")
        assets, cash, rows = self.assets.copy(), self.cash.copy(), self.assets
        value, profit = self.in_settle()
        flows = share * (profit - np.abs(value) * (rows["half_spread"] + self.fee_rates))
        np.add.at(cash, rows["settle"], flows)
        left = 1.0 - share
        assets["units"] *= left
        assets["cost"] *= left
        return replace(self, qty=self.qty * left, assets=assets, cash=cash)

    def cost_of_cut(self, share: Floats) -> float:
        """Fee and half the spread of ``cut``, account currency."""
        return float((share * np.abs(self.exposures()) * (self.assets["half_spread"] + self.fee_rates)).sum())

    def in_settle(self) -> tuple[Floats, Floats]:
        """(signed value at mark, unrealised profit), settle currency, shape (n,)."""
        rows = self.assets
        held, linear = rows["units"] != 0.0, rows["inverse"] == 0
        mark = np.where(held, rows["mark"], 1.0)
        value = np.where(linear, rows["units"] * mark, rows["units"] / mark)
        cost = np.copysign(rows["cost"], rows["units"])
        return value, np.where(linear, value - cost, cost - value)

    def in_account(self, settle: Floats) -> Floats:
        """Amounts in each position's settle currency as account currency; a flat position is 0 at any rate."""
        rate = np.where(self.assets["units"] != 0.0, self.rates[self.assets["settle"]], 0.0)
        return settle * rate

    def exposures(self) -> Floats:
        """Signed values at mark, account currency, shape (n,)."""
        return self.in_account(self.in_settle()[0])


def make(
    holdings: list[Holding],
    *,
    cash: dict[str, float],
    ccy: str = "USDT",
    rates: dict[str, float] | None = None,
    equity_peak: float | None = None,
    equity_day_open: float | None = None,
    limits: Limits | None = None,
    assumptions: Assumptions | None = None,
    source: str = "a book made by hand",
) -> Book:
    """A book from its parts. Raises RiskInputError where no honest number could follow.

    Rates of currencies come from ``rates``, else from a holding whose ``fx_for`` names the currency, else are unknown.
    """
    given = assumptions or Assumptions()
    names = [
        ccy,
        *cash,
        *(rates or {}),
        *(h.settle or ccy for h in holdings),
        *(h.fx_for for h in holdings if h.fx_for),
    ]
    currencies = tuple(dict.fromkeys(names))
    _check(holdings, cash, rates or {})
    _check_account(limits or Limits(), equity_peak, equity_day_open)
    marks_rates = {h.fx_for: h.mark for h in holdings if h.fx_for}
    known = {ccy: 1.0, **marks_rates, **(rates or {})}
    values = np.array([known.get(name, np.nan) for name in currencies])
    return Book(
        ccy=ccy,
        symbols=tuple(h.symbol for h in holdings),
        qty=np.array([h.qty for h in holdings], dtype=float),
        lots=np.array([h.lot for h in holdings], dtype=float),
        fee_rates=np.array([h.fee_rate for h in holdings], dtype=float),
        betas=np.array([_beta(h, given) for h in holdings], dtype=float),
        durations=np.array([h.duration for h in holdings], dtype=float),
        bases=tuple(_base(h) for h in holdings),
        factors=tuple(h.factors for h in holdings),
        fx_currency=np.array(
            [currencies.index(h.fx_for) if h.fx_for else -1 for h in holdings], dtype=np.int64
        ),
        assets=_assets(holdings, currencies, ccy, given),
        currencies=currencies,
        rates=np.where(values > 0.0, values, np.nan),
        cash=np.array([cash.get(name, 0.0) for name in currencies], dtype=float),
        equity_peak=np.nan if equity_peak is None else equity_peak,
        equity_day_open=np.nan if equity_day_open is None else equity_day_open,
        limits=limits or Limits(),
        assumptions=given,
        assumed=_assumed(holdings, given),
        source=source,
        units=np.array([h.contract_value if h.inverse else 1.0 for h in holdings], dtype=float),
    )


def _base(holding: Holding) -> str:
    return holding.base or holding.symbol.partition("/")[0]


def _beta(holding: Holding, given: Assumptions) -> float:
    if holding.beta is not None:
        return holding.beta
    return 0.0 if _base(holding) in FIAT else given.beta


def _assets(holdings: list[Holding], currencies: tuple[str, ...], ccy: str, given: Assumptions) -> Table:
    rows = np.zeros(len(holdings), dtype=ASSET)
    for row, h in zip(rows, holdings, strict=True):
        units = h.qty * (h.contract_value if h.inverse else 1.0)
        entry = h.mark if h.avg_px is None else h.avg_px
        row["units"], row["mark"], row["inverse"] = units, h.mark, int(h.inverse)
        if units:
            row["cost"] = abs(units) / entry if h.inverse else abs(units) * entry
        row["settle"] = currencies.index(h.settle or ccy)
        row["margin_rate"] = h.margin_rate
        row["half_spread"] = (given.spread_bps if h.spread_bps is None else h.spread_bps) / 2e4
        row["volatility"] = given.volatility_day if h.volatility_day is None else h.volatility_day
        row["adv"] = given.adv if h.adv is None else h.adv
    return rows


def _assumed(holdings: list[Holding], given: Assumptions) -> tuple[str, ...]:
    """One sentence a kind of fact that was not told."""
    held = [h for h in holdings if h.qty]
    kinds: list[tuple[str, list[Holding], str]] = [
        ("volatility", [h for h in held if h.volatility_day is None], f"{given.volatility_day:.1%} a day"),
        ("spread", [h for h in held if h.spread_bps is None], f"{given.spread_bps:g} bps"),
        ("daily volume", [h for h in held if h.adv is None], f"{given.adv:,.0f}"),
        ("beta", [h for h in held if h.beta is None], f"{given.beta:g} (currencies 0)"),
        ("entry price", [h for h in held if h.avg_px is None], "the mark"),
    ]
    return tuple(
        f"{what} of {len(missing)} of {len(held)} positions taken as {value}"
        for what, missing, value in kinds
        if missing
    )


def _check(holdings: list[Holding], cash: dict[str, float], rates: dict[str, float]) -> None:
    seen: dict[str, None] = {}
    for h in holdings:
        if h.symbol in seen:
            raise RiskInputError("DUPLICATE_SYMBOL", f"{h.symbol} stands twice in the book: add the two up")
        seen[h.symbol] = None
        _check_holding(h)
    for kind, values in (("cash", cash), ("rate", rates)):
        for name, value in values.items():
            if math.isinf(value) or (kind == "rate" and value <= 0.0):
                raise RiskInputError("NOT_FINITE", f"{kind} of {name} is {value}: give a finite number")


def _check_account(limits: Limits, equity_peak: float | None, equity_day_open: float | None) -> None:
    for name, value in {"equity_peak": equity_peak, "equity_day_open": equity_day_open}.items():
        if value is not None and math.isinf(value):
            raise RiskInputError("NOT_FINITE", f"{name} is {value}: give a finite number")
    for name, value in vars(limits).items():
        if isinstance(value, int | float) and not 0.0 < value < math.inf:
            raise RiskInputError(
                "OUT_OF_RANGE", f"limit {name} is {value:g}: must be more than 0 (false = off)"
            )
    if limits.position_loss_basis not in {"cost", "equity"}:
        raise RiskInputError(
            "OUT_OF_RANGE", f"position_loss_basis is {limits.position_loss_basis!r}: cost or equity"
        )


def _check_holding(h: Holding) -> None:
    for name, value in {"qty": h.qty, "mark": h.mark}.items():
        if abs(value) > _LARGEST or (name == "qty" and math.isnan(value)):
            raise RiskInputError(
                "NOT_FINITE", f"{h.symbol}: {name} is {value}: give a finite number below 10^15"
            )
    if h.qty and not h.mark > 0.0 and not math.isnan(h.mark):
        raise RiskInputError(
            "NO_MARK", f"{h.symbol}: mark is {h.mark:g}: a held position needs a positive price"
        )
    _positive(h, ("avg_px", "adv", "contract_value"), zero=False)
    _positive(h, ("margin_rate", "volatility_day", "spread_bps", "lot", "fee_rate"), zero=True)
    for name, fact in {"beta": h.beta, "duration": h.duration, **h.factors}.items():
        if fact is not None and not math.isfinite(fact):
            raise RiskInputError("NOT_FINITE", f"{h.symbol}: {name} is {fact}: give a finite number")


def _positive(h: Holding, names: tuple[str, ...], *, zero: bool) -> None:
    for name in names:
        value: Any = getattr(h, name)
        if value is not None and not (math.isfinite(value) and (value > 0.0 or (zero and value == 0.0))):
            need = "0 or more" if zero else "more than 0"
            raise RiskInputError("OUT_OF_RANGE", f"{h.symbol}: {name} is {value:g}: must be {need}")
