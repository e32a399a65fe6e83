"""What a series of returns was worth: forty measures of one kernel call.

Returns are simple, per period, fractions (0.01 = 1 %), oldest first. ``periods_per_year`` is said by the caller: BTC's
growth over the same days is -7.7 % a year at 252 and -10.9 % at 365. ``risk_free`` and ``mar`` (minimum acceptable
return) are per period too. Drawdowns compound, begin at the starting capital and are negative; ulcer and pain are
positive. Where nothing varies, or nothing was lost, what divides by it is nan.
"""

from __future__ import annotations

import math
from typing import TypeGuard

import msgspec
import numpy as np
import numpy.typing as npt

from core.analytics import measures as m
from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite
from core.kernels.risk.moments import autocorrelations
from core.kernels.risk.performance import measure

_ROUNDING = (
    1e-13  # a deviation below this part of the largest return is what arithmetic leaves of equal returns
)


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """Measures of one series. "a year" = annualised; everything else is per period, a fraction or a count."""

    n: int  # returns
    periods_per_year: float
    risk_free: float  # per period
    mar: float  # per period
    # growth
    total_return: float  # product of 1 + r, less 1
    cagr: float  # a year: (1 + total)^(periods_per_year / n) - 1
    mean: float  # arithmetic, per period
    mean_annual: float  # mean * periods_per_year
    best: float
    worst: float
    # spread and shape
    deviation: float  # sample, n - 1
    volatility: float  # a year: deviation * sqrt(periods_per_year)
    mean_absolute_deviation: float  # about the mean, divisor n (Bacon 2008)
    skew: float  # g1, biased (Joanes, Gill 1998)
    excess_kurtosis: float  # g2, biased, 0 for the normal (Joanes, Gill 1998)
    autocorrelation: float  # of neighbours, biased
    tail_ratio: float  # |95 % quantile| / |5 % quantile|, interpolated (Hyndman, Fan type 7)
    # reward for spread
    sharpe: float  # a year: (mean - risk_free) / deviation * sqrt(periods_per_year) (Sharpe 1994)
    sharpe_lo: float  # a year, annualised for first-order autocorrelation (Lo 2002)
    adjusted_sharpe: float  # a year, of compound returns, for skew and kurtosis (Pezier, White 2006)
    psr: float  # probability that the true Sharpe ratio is above 0 (Bailey, Lopez de Prado 2012)
    dsr: float  # the same against the best of the trials made (Bailey, Lopez de Prado 2014)
    # against the minimum acceptable return
    downside_deviation: float  # sqrt(mean(min(r - mar, 0)^2)), divisor n (Sortino, van der Meer 1991)
    upside_risk: float  # sqrt(mean(max(r - mar, 0)^2)) (Bacon 2008)
    upside_potential: float  # mean(max(r - mar, 0)) (Sortino, van der Meer, Plantinga 1999)
    downside_frequency: float  # part of the periods below mar
    upside_frequency: float  # part of the periods above mar
    sortino: (
        float  # a year: (mean - mar) / downside deviation * sqrt(periods_per_year) (Rollinger, Hoffman 2013)
    )
    omega: float  # sum above mar / sum below (Keating, Shadwick 2002); at 0 the Bernardo-Ledoit ratio
    # drawdowns
    max_drawdown: float  # <= 0 (Magdon-Ismail, Atiya 2004)
    average_drawdown: (
        float  # <= 0: mean of the depths of all spells under water, the open one included (Bacon 2008)
    )
    longest_drawdown: int  # periods under water in a row
    underwater: float  # part of the periods under water
    ulcer: float  # sqrt(mean(drawdown^2)), divisor n (Martin, McCann 1989)
    pain: float  # mean of |drawdown| (Becker 2006)
    calmar: float  # cagr / |max drawdown|, whole sample (Young 1991)
    martin: float  # (cagr - risk free a year) / ulcer (Martin, McCann 1989)
    pain_ratio: float  # (cagr - risk free a year) / pain (Becker 2006)
    recovery_factor: float  # total return / |max drawdown|, with its sign (Bacon 2008)
    # gains and losses, at zero
    profit_factor: float  # sum of gains / sum of losses
    gain_to_pain: float  # sum of returns / sum of losses (Schwager 2012)
    hit_rate: float  # gains among the periods that gained or lost
    average_win: float
    average_loss: float  # <= 0
    payoff: float  # average win / |average loss|
    exposure: float  # part of the periods that gained or lost

    def summary(self) -> dict[str, float | int]:
        """All measures by name, in order."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


def performance(
    returns: npt.ArrayLike,
    *,
    periods_per_year: float,
    risk_free: float = 0.0,
    mar: float = 0.0,
    trials: int = 1,
    trials_deviation: float | None = None,
) -> Performance:
    """All measures of ``returns`` (n >= 2, finite, >= -1). ``trials``: how many strategies were tried, for ``dsr``."""
    x = returns if _is_plain(returns) else finite(returns, varies=False)
    year = m.periods(periods_per_year)
    if not (math.isfinite(risk_free) and math.isfinite(mar)):
        raise RiskInputError("BAD_OPTION", "risk_free and mar are rates per period, as 0.0001")
    groups = measure(x, float(mar))
    if not math.isfinite(groups[0][1]):  # one sum over all of them has seen every nan and infinity
        finite(x, varies=False)
    if groups[1][7] < -1.0:
        raise RiskInputError(
            "BELOW_MINUS_ONE",
            f"a return of {groups[1][7]:g} loses more than everything; give fractions, as -0.01",
        )
    return _assemble(len(x), year, float(risk_free), float(mar), groups, trials, trials_deviation)


def lo_sharpe(returns: npt.ArrayLike, *, periods_per_year: float, lags: int, risk_free: float = 0.0) -> float:
    """Sharpe ratio a year with measured autocorrelations up to ``lags``, later ones taken as 0 (Lo 2002)."""
    x = finite(returns, rows_min=lags + 2, varies=False)
    if lags < 1:
        raise RiskInputError("BAD_OPTION", f"lags must be 1 or more, not {lags}")
    found = performance(x, periods_per_year=periods_per_year, risk_free=risk_free)
    if math.isnan(found.sharpe):
        return m.NAN
    rho = autocorrelations(x, found.mean, lags).tolist()
    return m.ratio(found.mean - risk_free, found.deviation) * m.lo_factor(rho, found.periods_per_year)


def _is_plain(returns: npt.ArrayLike) -> TypeGuard[Floats]:
    """Already what the kernel takes: then the check for nan is left to the kernel's own sums."""
    return (
        isinstance(returns, np.ndarray)
        and returns.dtype == np.float64
        and returns.ndim == 1
        and len(returns) > 1
        and returns.flags.c_contiguous
    )


_Groups = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]


def _assemble(
    n: int,
    year: float,
    risk_free: float,
    mar: float,
    groups: _Groups,
    trials: int,
    trials_deviation: float | None,
) -> Performance:
    """Ratios of the kernel's sums; the tuples are those of ``core.kernels.risk.performance.measure``.

    One flat call by name: half of what forty merged keyword arguments cost, at 10,000 returns a tenth of the whole.
    """
    mean, m2, m3, m4, size, neighbours, low, high = groups[0]
    up, down, up2, down2, above, below, best, worst, won, lost, wins, losses = groups[1]
    growth, deepest, falls, squares, depths, spells, longest, under = groups[2]
    ratio, root = m.ratio, math.sqrt(year)
    deviation, skew, kurtosis = _shape(n, m2, m3, m4, max(abs(best), abs(worst)))
    below_mar, ulcer, pain = math.sqrt(down2 / n), math.sqrt(squares / n), falls / n
    cagr = m.compound_annual(growth, n, year)
    excess = cagr - m.compound_annual(1.0 + risk_free, 1, year) if risk_free else cagr
    single = ratio(mean - risk_free, deviation)
    rho = ratio(neighbours, m2) if deviation > 0.0 else m.NAN
    psr = m.probabilistic_sharpe(single, n, skew, kurtosis)
    if trials == 1:
        dsr = psr
    else:
        dsr = m.deflated_sharpe(single, n, skew, kurtosis, trials=trials, trials_deviation=trials_deviation)
    return Performance(
        n=n, periods_per_year=year, risk_free=risk_free, mar=mar,
        total_return=growth - 1.0, cagr=cagr, mean=mean, mean_annual=mean * year, best=best, worst=worst,
        deviation=deviation, volatility=deviation * root, mean_absolute_deviation=size / n,
        skew=skew, excess_kurtosis=kurtosis, autocorrelation=rho, tail_ratio=ratio(abs(high), abs(low)),
        sharpe=single * root, sharpe_lo=single * m.lo_factor_first_order(rho, year),
        adjusted_sharpe=m.adjusted_sharpe(ratio(excess, deviation * root), skew, kurtosis), psr=psr, dsr=dsr,
        downside_deviation=below_mar, upside_risk=math.sqrt(up2 / n), upside_potential=up / n,
        downside_frequency=below / n, upside_frequency=above / n,
        sortino=ratio(mean - mar, below_mar) * root, omega=ratio(up, down),
        max_drawdown=deepest, average_drawdown=-depths / spells if spells else 0.0,
        longest_drawdown=int(longest), underwater=under / n, ulcer=ulcer, pain=pain,
        calmar=ratio(cagr, -deepest), martin=ratio(excess, ulcer), pain_ratio=ratio(excess, pain),
        recovery_factor=ratio(growth - 1.0, -deepest),
        profit_factor=ratio(won, lost), gain_to_pain=ratio(won - lost, lost), hit_rate=ratio(wins, wins + losses),
        average_win=ratio(won, wins), average_loss=-ratio(lost, losses),
        payoff=ratio(won * losses, lost * wins), exposure=(wins + losses) / n,
    )  # fmt: skip


def _shape(n: int, m2: float, m3: float, m4: float, largest: float) -> tuple[float, float, float]:
    """(deviation, skew, excess kurtosis); (0, nan, nan) for returns that are equal but for rounding."""
    deviation = math.sqrt(m2 / (n - 1))
    if not deviation > _ROUNDING * largest:
        return 0.0, m.NAN, m.NAN
    variance = m2 / n
    return deviation, m3 / n / variance**1.5, m4 / n / (variance * variance) - 3.0
