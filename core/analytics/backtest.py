"""Was the VaR right? Forecasts made from the window before each day, held against the day.

An exception is a loss strictly beyond the VaR. Likelihood ratios use 0 log 0 = 0, so they exist without exceptions too.

    Kupiec (1995)          are there as many exceptions as alpha says; chi-square, 1 degree of freedom
    Christoffersen (1998)  do they come independently (1 df), and both at once (conditional coverage, 2 df)
    Basel (BCBS 1996)      green below 95 % cumulative probability of so few exceptions, red from 99.99 %, yellow
                           between; the plus factor is defined for 250 days at 1 % only
    Acerbi-Szekely (2014)  Z2 = 1 + sum of exceptions' returns / (T alpha ES): 0 expected, negative when ES was too
                           small. Its p-value is simulated under normal tails and right VaR: about 5 % at -0.7
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.component import thin
from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite, tail_probability
from core.analytics.var import METHODS, value_at_risk
from core.kernels.risk.normal import binomial_cdf, chi2_tail, normal_pdf, normal_quantile
from core.kernels.risk.order_stats import rolling_var_es, tail_count

PLUS_FACTORS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.40, 0.50, 0.65, 0.75, 0.85, 1.00)
ROLLING = tuple(name for name in METHODS if name != "monte_carlo")  # that one is normal with noise
REFIT = 21  # rows, a month of trading days
_Z2_DRAWS = 20_000


@dataclass(frozen=True)
class Ratio:
    """A likelihood ratio and the probability of one as large by chance."""

    lr: float
    p: float


@dataclass(frozen=True)
class Basel:
    """``cumulative`` is the probability of at most so many exceptions if the model is right."""

    zone: str
    cumulative: float
    plus_factor: float | None


@dataclass(frozen=True)
class Backtest:
    """``tests`` forecasts of VaR and ES at ``alpha`` by ``method``, each from the ``window`` rows before it."""

    tests: int
    exceptions: int
    expected: float
    alpha: float
    window: int
    method: str
    kupiec: Ratio
    independence: Ratio
    conditional: Ratio
    basel: Basel
    z2: float  # nan when a forecast of ES was no loss
    z2_p: float
    var: Floats  # (tests,) forecasts
    es: Floats
    hits: npt.NDArray[np.bool_]


def backtest(
    returns: npt.ArrayLike, alpha: float, window: int, method: str = "historical", *, refit: int = 1
) -> Backtest:
    """Forecast every row that has ``window`` rows before it, and judge the forecasts; ``refit`` as in ``forecasts``."""
    x = finite(returns)
    var, es = forecasts(x, alpha, window, method, refit=refit)
    realised = x[window:]
    hits = realised < -var
    tests, exceptions = len(hits), int(hits.sum())
    coverage, independence = kupiec(exceptions, tests, alpha), christoffersen(hits)
    z2 = acerbi_szekely(realised, var, es, alpha) if bool((es > 0.0).all()) else math.nan
    return Backtest(
        tests=tests,
        exceptions=exceptions,
        expected=alpha * tests,
        alpha=alpha,
        window=window,
        method=method,
        kupiec=coverage,
        independence=independence,
        conditional=_joint(coverage, independence),
        basel=basel(exceptions, tests, alpha),
        z2=z2,
        z2_p=z2_p_value(z2, tests, alpha) if math.isfinite(z2) else math.nan,
        var=var,
        es=es,
        hits=hits,
    )


def coverage(
    returns: npt.ArrayLike, alpha: float, windows: Sequence[int], methods: Sequence[str] | None = None
) -> list[Backtest]:
    """One backtest a method and window. The t, which takes milliseconds to fit, is fitted once in ``REFIT`` rows."""
    return [
        backtest(returns, alpha, window, method, refit=REFIT if method == "student" else 1)
        for window in windows
        for method in methods or ROLLING
    ]


def forecasts(
    returns: npt.ArrayLike, alpha: float, window: int, method: str, *, refit: int = 1
) -> tuple[Floats, Floats]:
    """(VaR, ES), each (n - window,): entry t is for row window + t and has seen the ``window`` rows before it only.

    ``refit`` above 1: computed afresh for every so many rows and held in between, as a desk does with a slow model.
    """
    x = finite(returns)
    tail_probability(alpha)
    if method not in ROLLING:
        raise RiskInputError(
            "BAD_METHOD", f"no rolling forecast by {method!r}; there are: {', '.join(ROLLING)}"
        )
    if not (isinstance(window, int) and window >= 2):
        raise RiskInputError("BAD_OPTION", f"window {window} is not a whole number from 2")
    if len(x) <= window:
        raise RiskInputError(
            "TOO_FEW_ROWS", f"{len(x)} rows leave nothing to test after a window of {window}"
        )
    if method != "historical":
        found = [value_at_risk(x[t : t + window], alpha, method) for t in range(0, len(x) - window, refit)]
        at = np.arange(len(x) - window) // refit
        return np.array([one.var for one in found])[at], np.array([one.es for one in found])[at]
    if tail_count(window, alpha)[1] < 1.0:
        raise thin(window, alpha)
    if longest_run(x[:-1]) >= window:
        raise RiskInputError(
            "ZERO_VARIANCE", f"all {window} values of a window are equal: no risk to measure"
        )
    both = np.empty((len(x) - window, 2))
    rolling_var_es(x[:-1], window, alpha, both)
    return both[:, 0].copy(), both[:, 1].copy()


def longest_run(x: Floats) -> int:
    """How many values in a row are equal, at most."""
    ends = np.concatenate([[-1], np.flatnonzero(np.diff(x) != 0.0), [len(x) - 1]])
    return int(np.diff(ends).max())


def kupiec(exceptions: int, tests: int, alpha: float) -> Ratio:
    """Proportion of failures: whether the rate of exceptions is ``alpha``."""
    if not (0 <= exceptions <= tests and tests >= 1):
        raise RiskInputError("BAD_OPTION", f"{exceptions} exceptions of {tests} tests")
    tail_probability(alpha)
    rate = exceptions / tests
    lr = _log_likelihood(exceptions, tests - exceptions, rate) - _log_likelihood(
        exceptions, tests - exceptions, alpha
    )
    return _ratio(2.0 * lr, 1)


def christoffersen(hits: npt.ArrayLike) -> Ratio:
    """Independence: whether an exception is as likely after an exception as after none; 0 without any."""
    h = np.asarray(hits, dtype=bool)
    if h.ndim != 1 or len(h) < 2:
        raise RiskInputError("TOO_FEW_ROWS", "independence needs at least 2 tests")
    before, after = h[:-1], h[1:]
    n01, n11 = int((~before & after).sum()), int((before & after).sum())
    n00, n10 = int((~before).sum()) - n01, int(before.sum()) - n11
    together = _log_likelihood(n01 + n11, n00 + n10, (n01 + n11) / len(before))
    apart = _log_likelihood(n01, n00, n01 / max(1, n00 + n01)) + _log_likelihood(
        n11, n10, n11 / max(1, n10 + n11)
    )
    return _ratio(2.0 * (apart - together), 1)


def conditional_coverage(hits: npt.ArrayLike, alpha: float) -> Ratio:
    """Right rate and independence at once: the sum of both ratios."""
    h = np.asarray(hits, dtype=bool)
    return _joint(kupiec(int(h.sum()), len(h), alpha), christoffersen(h))


def _joint(one: Ratio, other: Ratio) -> Ratio:
    return _ratio(one.lr + other.lr, 2)


def _log_likelihood(yes: int, no: int, p: float) -> float:
    return (yes * math.log(p) if yes else 0.0) + (no * math.log1p(-p) if no else 0.0)


def _ratio(lr: float, df: int) -> Ratio:
    lr = max(0.0, lr)  # rounding may leave -1e-17
    return Ratio(lr, chi2_tail(lr, df))


def basel(exceptions: int, tests: int, alpha: float) -> Basel:
    """The traffic light of ``exceptions`` in ``tests`` days."""
    if not (0 <= exceptions <= tests and tests >= 1):
        raise RiskInputError("BAD_OPTION", f"{exceptions} exceptions of {tests} tests")
    cumulative = binomial_cdf(exceptions, tests, tail_probability(alpha))
    zone = "green" if cumulative < 0.95 else "yellow" if cumulative < 0.9999 else "red"
    defined = tests == 250 and abs(alpha - 0.01) < 1e-12
    factor = PLUS_FACTORS[min(exceptions, len(PLUS_FACTORS) - 1)] if defined else None
    return Basel(zone, cumulative, factor)


def acerbi_szekely(returns: npt.ArrayLike, var: npt.ArrayLike, es: npt.ArrayLike, alpha: float) -> float:
    """Z2 of ES forecasts, each array (T,): 0 expected, below 0 when losses beyond VaR were more or larger."""
    x, v, e = (finite(values, rows_min=1, varies=False) for values in (returns, var, es))
    if not len(x) == len(v) == len(e):
        raise RiskInputError("BAD_SHAPE", f"{len(x)} returns, {len(v)} VaR, {len(e)} ES")
    if bool((e <= 0.0).any()):
        raise RiskInputError("NOT_POSITIVE", "an ES forecast is not a loss: Z2 is not defined for it")
    hits = x < -v
    return 1.0 + float((x[hits] / e[hits]).sum()) / (len(x) * tail_probability(alpha))


def z2_p_value(z2: float, tests: int, alpha: float, *, seed: int = 1) -> float:
    """Probability of a Z2 this low if VaR and ES are right and tails normal, from 20,000 simulated samples."""
    rng = np.random.default_rng(seed)
    counts = rng.binomial(tests, tail_probability(alpha), _Z2_DRAWS)
    shortfall = normal_pdf(normal_quantile(alpha)) / alpha
    levels = np.array(
        [-normal_quantile(alpha * (i + 0.5) / 4096) for i in range(4096)]
    )  # the tail's own quantiles
    draws = levels[rng.integers(0, len(levels), int(counts.sum()))] / shortfall
    sums = np.add.reduceat(np.append(draws, 0.0), np.concatenate([[0], np.cumsum(counts)[:-1]]))
    sums = np.where(counts > 0, sums, 0.0)
    as_low = int((1.0 - sums / (tests * alpha) <= z2).sum())
    return (as_low + 1) / (_Z2_DRAWS + 1)
