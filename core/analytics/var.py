"""Value at risk and expected shortfall of one series of returns.

Losses are positive. ``alpha`` is the probability of the tail: 0.01 is what others call 99 %. The sum of returns is
not annualised or scaled: VaR is for one period of the series (``over_periods`` scales, and says what that assumes).

    historical           order statistic x_(ceil(alpha n)), ES with fractional boundary (core.kernels.risk.order_stats)
    normal               -(m + z s), -(m - s phi(z) / alpha); s with divisor n - 1; mean="zero" for m = 0
    student              t with location, scale and degrees of freedom by maximum likelihood; with ``df`` given,
                         the sample mean and a scale that matches the sample variance
    cornish_fisher       normal quantile corrected by skewness g1 and excess kurtosis g2 (Zangari 1996; Favre, Galeano
                         2002); ES is the exact mean of the corrected quantile below alpha. Where the correction is
                         not monotonic (Maillard 2012) it is no quantile function: then historical, and ``fallback``
                         says so
    ewma                 normal with mean zero and the EWMA volatility forecast, decay 0.94 (RiskMetrics 1996)
    filtered_historical  returns over their volatility forecast, times today's (Barone-Adesi et al. 1999), then the
                         order statistic
    monte_carlo          simulated paths of the normal model, seeded; the band is what sampling alone would explain

Bad input is a RiskInputError, see core.analytics.errors; alpha n < 1 is TAIL_TOO_THIN for all that count observations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from core.analytics.component import thin
from core.analytics.covariance import DECAY, ewma_days, ewma_volatility
from core.analytics.errors import RiskInputError
from core.analytics.parametric import DF_MAX, cornish_fisher, fit_student, is_monotonic, normal_var_es
from core.analytics.series import Floats, finite, tail_probability
from core.kernels.risk.normal import t_quantile, t_shortfall
from core.kernels.risk.order_stats import tail_count, var_es

_SHAPE, _FEW = 10, 30  # rows: for anything beyond two moments; for any estimate without a word about it


@dataclass(frozen=True)
class VarResult:
    """``var`` and ``es`` in the unit of the returns; ``n`` rows went in. Anything unusual is in ``notes``."""

    var: float
    es: float
    alpha: float
    n: int
    method: str
    notes: tuple[str, ...] = ()
    fallback: str = ""  # the method that was used instead, where the one asked for has no answer
    parameters: dict[str, float] = field(default_factory=dict)
    band: tuple[float, float] | None = None  # of var, 95 %: what another seed would give


@dataclass(frozen=True)
class Options:
    """What the methods can be told; each reads its own."""

    mean: str = "sample"  # or "zero": normal, cornish_fisher, student with df, monte_carlo
    df: float | None = None  # student; None = estimate
    decay: float = DECAY  # ewma, filtered_historical
    burn_in: int | None = (
        None  # filtered_historical: forecasts not used; None = those with over 1 % of the start in them
    )
    paths: int = 100_000  # monte_carlo
    seed: int = 1  # monte_carlo


def value_at_risk(
    returns: npt.ArrayLike, alpha: float, method: str = "historical", **options: float | str | None
) -> VarResult:
    """VaR and ES of ``returns`` (n,) at tail probability ``alpha``, by one of ``METHODS`` with its ``Options``."""
    if method not in METHODS:
        raise RiskInputError("BAD_METHOD", f"no method {method!r}; there are: {', '.join(METHODS)}")
    try:
        chosen = Options(**options)  # type: ignore[arg-type]  # names and values are checked here and in the method
    except TypeError:
        known = ", ".join(Options.__dataclass_fields__)
        raise RiskInputError("BAD_OPTION", f"no option {', '.join(options)}; there are: {known}") from None
    x = finite(returns)
    found = METHODS[method](x, tail_probability(alpha), chosen)
    if len(x) < _FEW and method not in ("historical", "filtered_historical"):
        return replace(
            found, notes=(*found.notes, f"{len(x)} rows are few to estimate from: {_FEW} are usual")
        )
    return found


def _historical(x: Floats, alpha: float, _: Options) -> VarResult:
    var, es = historical(x, alpha)
    return VarResult(var, es, alpha, len(x), "historical")


def historical(x: Floats, alpha: float) -> tuple[float, float]:
    """(VaR, ES) by order statistic of checked ``x``; TAIL_TOO_THIN when alpha n < 1."""
    if tail_count(len(x), alpha)[1] < 1.0:
        raise thin(len(x), alpha)
    var, es = var_es(x, alpha)
    return float(var), float(es)


def _moments(x: Floats, options: Options) -> tuple[float, float]:
    """(mean as asked for, standard deviation with divisor n - 1)."""
    if options.mean not in ("sample", "zero"):
        raise RiskInputError("BAD_OPTION", f"mean is 'sample' or 'zero', not {options.mean!r}")
    return (float(x.mean()) if options.mean == "sample" else 0.0), float(x.std(ddof=1))


def _enough(x: Floats) -> None:
    if len(x) < _SHAPE:
        raise RiskInputError(
            "TOO_FEW_ROWS", f"{len(x)} rows say nothing of a tail's shape: at least {_SHAPE}"
        )


def _normal(x: Floats, alpha: float, options: Options) -> VarResult:
    mean, sd = _moments(x, options)
    var, es = normal_var_es(mean, sd, alpha)
    return VarResult(var, es, alpha, len(x), "normal", parameters={"mean": mean, "sd": sd})


def _student(x: Floats, alpha: float, options: Options) -> VarResult:
    notes: tuple[str, ...] = ()
    if options.df is None:
        _enough(x)
        location, scale, df = fit_student(x)
        if df >= DF_MAX:
            notes = (f"tails no heavier than normal: degrees of freedom at {DF_MAX:g}",)
    else:
        df = float(options.df)
        if not df > 2.0:
            raise RiskInputError(
                "BAD_OPTION", f"df {df:g} has no variance to match; give more than 2, or none"
            )
        location, sd = _moments(x, options)
        scale = sd * math.sqrt((df - 2.0) / df)
    if df <= 1.0:
        notes = ("tails so heavy that they have no mean: ES is infinite",)
    var = -(location + scale * t_quantile(alpha, df))
    es = -location + scale * t_shortfall(alpha, df)
    fitted = {"location": location, "scale": scale, "df": df}
    return VarResult(var, es, alpha, len(x), "student", notes, parameters=fitted)


def _cornish_fisher(x: Floats, alpha: float, options: Options) -> VarResult:
    _enough(x)
    mean, sd = _moments(x, options)
    centred = x - x.mean()
    second = float((centred**2).mean())
    skew = float((centred**3).mean()) / second**1.5
    excess = float((centred**4).mean()) / second**2 - 3.0
    parameters = {"mean": mean, "sd": sd, "skew": skew, "excess_kurtosis": excess}
    if not is_monotonic(skew, excess):
        var, es = historical(x, alpha)
        note = f"skewness {skew:.3g} and excess kurtosis {excess:.3g} are outside the correction's domain: historical"
        return VarResult(var, es, alpha, len(x), "cornish_fisher", (note,), "historical", parameters)
    quantile, shortfall = cornish_fisher(alpha, skew, excess)
    var, es = -(mean + sd * quantile), -(mean - sd * shortfall)
    return VarResult(var, es, alpha, len(x), "cornish_fisher", parameters=parameters)


def _ewma(x: Floats, alpha: float, options: Options) -> VarResult:
    sd = float(ewma_volatility(x, options.decay)[-1])
    var, es = normal_var_es(0.0, sd, alpha)
    return VarResult(var, es, alpha, len(x), "ewma", parameters={"sd": sd, "decay": options.decay})


def _filtered_historical(x: Floats, alpha: float, options: Options) -> VarResult:
    volatility = ewma_volatility(x, options.decay)
    burn = ewma_days(options.decay, 0.01) if options.burn_in is None else int(options.burn_in)
    if not 0 <= burn < len(x):
        raise RiskInputError("TOO_FEW_ROWS", f"{len(x)} rows do not outlast a burn-in of {burn}")
    before, now = volatility[burn:-1], float(volatility[-1])
    if bool((before == 0.0).any()) or now == 0.0:
        raise RiskInputError(
            "ZERO_VARIANCE", "the volatility forecast is 0 on some days: nothing to divide by"
        )
    var, es = historical(finite(x[burn:] / before * now), alpha)
    notes = (f"{burn} rows of burn-in",) if burn else ()
    return VarResult(
        var, es, alpha, len(x), "filtered_historical", notes, parameters={"sd": now, "decay": options.decay}
    )


def _monte_carlo(x: Floats, alpha: float, options: Options) -> VarResult:
    from core.analytics.simulation import simulate

    mean, sd = _moments(x, options)
    found = simulate([mean], [[sd * sd]], [1.0], alpha, paths=options.paths, seed=options.seed)
    parameters = {"mean": mean, "sd": sd, "paths": float(options.paths), "seed": float(options.seed)}
    return VarResult(
        found.var, found.es, alpha, len(x), "monte_carlo", parameters=parameters, band=found.band
    )


METHODS: dict[str, Callable[[Floats, float, Options], VarResult]] = {
    "historical": _historical,
    "normal": _normal,
    "student": _student,
    "cornish_fisher": _cornish_fisher,
    "ewma": _ewma,
    "filtered_historical": _filtered_historical,
    "monte_carlo": _monte_carlo,
}


def weighted_var_es(
    outcomes: npt.ArrayLike, probabilities: npt.ArrayLike, alpha: float
) -> tuple[float, float]:
    """(VaR, ES) of P&L ``outcomes`` (n,) that have ``probabilities`` (n,), which add up to 1 within 1e-9."""
    x, p = finite(outcomes, rows_min=1, varies=False), finite(probabilities, rows_min=1, varies=False)
    tail_probability(alpha)
    if len(x) != len(p) or bool((p < 0.0).any()) or abs(math.fsum(p) - 1.0) > 1e-9:
        raise RiskInputError("BAD_OPTION", "one probability for each outcome, none negative, 1 in total")
    total, left = 0.0, alpha
    for i in np.argsort(x, kind="stable"):
        taken = min(float(p[i]), left)
        total += taken * float(x[i])
        left -= taken
        if left <= 1e-12 * alpha:
            return -float(x[i]), -total / alpha
    raise AssertionError("probabilities add up to 1, so the tail was filled")


def over_periods(value: float, periods: float) -> float:
    """VaR or ES over ``periods`` by the square root of time: right for independent returns with mean zero only."""
    return value * math.sqrt(periods)
