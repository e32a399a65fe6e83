"""What the analyst of a running core computes from one copy of the tables: plain dictionaries, ready to be journalled.

    profile     score, level, drivers, nearest limit; recommendations when asked for
    stress      every scenario, worst first, with the switches it trips
    var         VaR and ES of the book held now, revalued in full under every row of its instruments' history
    factors     beta of each symbol to the market column, and its daily volatility
    what_if     the profile before and after orders or a scenario, nothing done

Numbers that cannot be known are None with a ``note`` ("n=12 of 60 needed"), never an estimate from nothing. Figures are
rounded to nine digits: they are journalled every few seconds, and noise does not compress.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.analytics import covariance
from core.analytics.advice import Recommendation, recommend
from core.analytics.bars import History
from core.analytics.book import Book, Floats
from core.analytics.book_tables import Copy, Facts, Rows, from_tables, traded
from core.analytics.crashes import compile_set
from core.analytics.errors import RiskInputError
from core.analytics.plain import Data, measures_data
from core.analytics.profile import Level, Profile, profile
from core.analytics.scenarios import Scenario, Set, Shocks, check, moved_rates
from core.analytics.scenarios import compile as compile_scenarios
from core.analytics.stress import Outcome, run, under
from core.analytics.tail import summary
from core.analytics.var import METHODS, value_at_risk
from core.kernels.risk.normal import normal_pdf, normal_quantile
from core.kernels.risk.order_stats import tail_count, var_es
from core.kernels.tables import Table

DAY_S = 86_400.0
_OUTCOMES_MAX, _SYMBOLS_MAX, _DIGITS = 20, 8, 9
_PARTICIPATION = 0.1
_PATHS = 20_000  # of Monte Carlo, full revaluation: a band of +-3 % of VaR


def volatility_day(history: History) -> Floats | None:
    """Daily volatility of each instrument; nan without enough of its own history; None without any."""
    if not history.enough():
        return None
    x = history.returns
    whole = np.isfinite(x).all(axis=0)
    out = np.full(x.shape[1], np.nan)
    out[whole] = x[:, whole].std(axis=0, ddof=1) * math.sqrt(DAY_S / history.period_s)
    return np.where(out > 0.0, out, np.nan)


def profile_data(
    book: Book, shocks: Shocks, previous: Level, *, advise: bool
) -> tuple[Data, Profile, tuple[Recommendation, ...] | None]:
    """The profile as published, and as computed."""
    seen = profile(book, shocks, previous)
    advice = recommend(book, shocks, seen, count=3) if advise else None
    row: Data = {
        "level": seen.level.name,
        "score": _number(seen.score),
        "driver": seen.drivers[0].name,
        "drivers": {d.name: [_number(d.value), _number(d.reference), _number(d.use)] for d in seen.drivers},
        "nearest": seen.nearest,
        "headroom": _number(seen.headroom),
        "worst": seen.worst_scenario,
        "worst_fraction": _number(seen.worst_fraction),
        "value_at_risk": _number(seen.value_at_risk),
        "exit_cost": _number(seen.exit_cost),
        "exit_days": _number(_exit_days(book)),
        "hhi": _number(seen.hhi),
        "trips": list(seen.measures.trips),
        "equity": _number(seen.measures.equity),
        "positions": book.n,
        "assumed": list(book.assumed),
    }
    return row, seen, advice


def _exit_days(book: Book) -> float:
    """Days until the slowest position is gone at a tenth of its daily volume (told, or assumed: see ``assumed``)."""
    return float((np.abs(book.exposures()) / (_PARTICIPATION * book.assets["adv"])).max(initial=0.0))


def advice_data(advice: tuple[Recommendation, ...]) -> list[Data]:
    """Actions with their effect."""
    return [
        {
            "text": one.text,
            "symbol": one.symbol,
            "side": one.side,
            "qty": _number(one.qty),
            "score": _number(one.score),
            "level": one.level.name,
        }
        for one in advice
    ]


def stress_data(book: Book, shocks: Shocks) -> Data:
    """Scenarios, worst first: P&L, what the account looks like after it, which switches trip."""
    result = run(book, shocks, details=_OUTCOMES_MAX, keep=_OUTCOMES_MAX)
    return {
        "ccy": book.ccy,
        "equity": _number(result.before.equity),
        "scenarios": [_outcome(one) for one in result.outcomes],
        "floored": result.floored,
    }


def _outcome(one: Outcome) -> Data:
    worst = dict(list(one.by_symbol.items())[:_SYMBOLS_MAX])
    return {
        "name": one.name,
        "pnl": _number(one.pnl),
        "pnl_fraction": _number(one.pnl_fraction),
        "equity": _number(one.after.equity),
        "leverage": _number(one.after.leverage),
        "margin_ratio": _number(one.after.margin_ratio),
        "drawdown": _number(one.after.drawdown),
        "trips": list(one.after.trips),
        "by_symbol": {name: _number(value) for name, value in worst.items()},
    }


def var_data(
    known: Facts, copy: Copy, history: History, *, alpha: float, horizon_s: float, method: str, seed: int = 1
) -> Data:
    """VaR and ES of the book held now over ``horizon_s``, by every method; keys: ``engine.riskresults``."""
    row: Data = {"var": None, "es": None, "alpha": alpha, "n": history.rows, "need": history.need}
    row |= {"horizon_s": horizon_s, "method": method, "source": history.source, "note": history.note()}
    row |= {"marginal": {}, "unit": {}, "component": {}, "methods": {}}
    if not history.enough():
        return row
    whole = np.asarray(np.isfinite(history.returns).all(axis=0))
    rows = _exposed(copy)
    missing = [known.symbols[i] for i in rows if not whole[i]]
    scale = math.sqrt(horizon_s / history.period_s)
    if missing:
        return row | {"note": f"{history.note()}; no whole history of {', '.join(missing[:5])}"}
    book = from_tables(known, copy, rows)
    if not np.isfinite(book.exposures()).all():
        return row | {"note": "a mark or a rate of what is held is not known"}
    row |= _parts(known, book, rows, history.returns, whole, alpha, scale)
    return row | _by_methods(book, history.returns[:, rows], alpha, scale, method, seed)


def _exposed(copy: Copy) -> Rows:
    """Instruments that are held, and those whose marks give the rate of a currency that we have something in."""
    used = copy.currencies["cash"] != 0.0
    used[copy.instruments["settle"][copy.held]] = True
    rates = copy.instruments["fx_currency"]
    return np.flatnonzero((copy.positions["qty_lots"] != 0) | ((rates >= 0) & used[np.maximum(rates, 0)]))


def _by_methods(book: Book, moves: Floats, alpha: float, scale: float, method: str, seed: int) -> Data:
    """The book revalued under every row of history, and what each method makes of the P&L."""
    if not book.n:
        return {"var": 0.0, "es": 0.0, "note": "flat"}
    pnl = under(book, moves, moved_rates(book, moves, np.full((len(moves), len(book.currencies)), np.nan)))
    methods: Data = {}
    for name in METHODS:
        try:
            if name == "monte_carlo":
                found = _monte_carlo(book, moves, alpha, seed)
            else:
                result = value_at_risk(pnl, alpha, name)
                found = (result.var, result.es)
            methods[name] = [_number(value * scale) for value in found]
        except RiskInputError as error:
            methods[name] = error.code
    tail = _rounded(summary(pnl, alpha, scale))
    chosen = methods[method]
    if isinstance(chosen, str):
        return {
            "methods": methods,
            "tail": tail,
            "note": f"n={len(moves)}: {method} has no answer ({chosen})",
        }
    return {"var": chosen[0], "es": chosen[1], "methods": methods, "tail": tail}


def _monte_carlo(book: Book, moves: Floats, alpha: float, seed: int) -> tuple[float, float]:
    """Normal moves with the shrunk covariance of history, every path revalued in full."""
    from core.analytics.simulation import simulate

    matrix, _ = covariance.ledoit_wolf(moves)

    def revalue(block: Floats) -> Floats:
        shocks = np.ascontiguousarray(np.maximum(block, -0.99))
        return under(
            book, shocks, moved_rates(book, shocks, np.full((len(shocks), len(book.currencies)), np.nan))
        )

    found = simulate(
        np.zeros(book.n), matrix, np.ones(book.n), alpha, paths=_PATHS, seed=seed, revalue=revalue
    )
    return found.var, found.es


def _parts(
    known: Facts, book: Book, rows: Rows, returns: Floats, whole: Table, alpha: float, scale: float
) -> Data:
    """Marginal and component VaR of signed exposure, normal with the shrunk covariance; ES of a unit alone.

    ``breakdown``: the same VaR when every correlation becomes 1, and when every position moves against the book.
    """
    at = np.flatnonzero(whole)
    x = np.ascontiguousarray(returns[:, at])
    sd = x.std(axis=0, ddof=1)
    z = -normal_quantile(alpha) * scale
    weights = np.zeros(len(whole))
    weights[rows] = book.exposures()
    coins = book.fx_currency >= 0
    weights[rows[coins]] += (book.cash * book.rates)[book.fx_currency[coins]]
    w = weights[at]
    marginal = z * sd  # of a flat book: any side adds its own
    broken: Data = {}
    if w.any():
        matrix, _ = covariance.ledoit_wolf(x)
        side = matrix @ w
        variance = float(w @ side)
        marginal = z * side / math.sqrt(variance) if variance > 0.0 else marginal
        sds = np.sqrt(np.diag(matrix))
        broken = {"all_ones": _number(abs(z * float(w @ sds))), "worst": _number(z * float(np.abs(w) @ sds))}
    names = [known.symbols[i] for i in at]
    return {
        "marginal": {name: _number(v) for name, v in zip(names, marginal, strict=True)},
        "unit": {name: _number(v) for name, v in zip(names, _alone(x, sd, alpha) * scale, strict=True)},
        "breakdown": broken,
        "component": {n: _number(v) for n, v, e in zip(names, marginal * w, w, strict=True) if e},
    }


def _alone(x: Floats, sd: Floats, alpha: float) -> Floats:
    """ES of one unit of each column (n, m), held or shorted, the worst of both sides, of normal and of historical."""
    normal = sd * normal_pdf(normal_quantile(alpha)) / alpha
    if tail_count(len(x), alpha)[1] < 1.0:
        return np.asarray(normal)
    sides = [
        [var_es(np.ascontiguousarray(side * column), alpha)[1] for column in x.T] for side in (1.0, -1.0)
    ]
    return np.asarray(np.maximum(normal, np.max(sides, axis=0)))


def factors_data(known: Facts, history: History, market: str) -> Data:
    """Least-squares beta of each symbol to ``market``; none without enough history of both."""
    row: Data = {"market": market, "n": history.rows, "need": history.need, "note": history.note()}
    row |= {"betas": {}, "volatility_day": {}}
    spread = volatility_day(history)
    if spread is None:
        return row
    row["volatility_day"] = {
        name: _number(v)
        for name, v in zip(known.symbols, spread, strict=True)
        if v == v  # noqa: PLR0124
    }
    if market not in known.symbols:
        return row
    x = history.returns
    whole = np.asarray(np.isfinite(x).all(axis=0))
    base = known.symbols.index(market)
    if not whole[base] or not x[:, base].std() > 0.0:
        return row | {"note": f"{history.note()}; {market} has no whole history that varies"}
    centred = x[:, whole] - x[:, whole].mean(axis=0)
    own = x[:, base] - x[:, base].mean()
    betas = centred.T @ own / float(own @ own)
    names = [known.symbols[i] for i in np.flatnonzero(whole)]
    return row | {"betas": {name: _number(beta) for name, beta in zip(names, betas, strict=True)}}


def what_if(
    known: Facts,
    copy: Copy,
    chosen: Set,
    orders: list[tuple[int, float, float]],
    scenario: dict[str, Any],
    volatility: Floats | None,
) -> Data:
    """The profile before and after. ``orders`` (instrument, signed qty, price or 0 = the mark). Raises RiskInputError.

    Orders are taken as filled whole, at their price (the far side of the spread when it is the mark), with the taker's
    fee. A ``scenario`` then happens to the book after them.
    """
    wanted = np.array(sorted({*copy.held.tolist(), *(i for i, _, _ in orders)}), dtype=np.intp)
    before = from_tables(known, copy, wanted, volatility)
    after, told = before, []
    for instrument, qty, price in orders:
        after, line = filled(after, int(np.searchsorted(wanted, instrument)), qty, price)
        told.append(line)
    return compared(before, after, chosen, scenario) | {"orders": told}


def compared(before: Book, after: Book, chosen: Set, scenario: dict[str, Any]) -> Data:
    """Profiles of two books, and what a scenario would do to both."""
    first, one, _ = profile_data(before, compile_set(chosen, before), Level.UNKNOWN, advise=False)
    then, other, _ = profile_data(after, compile_set(chosen, after), Level.UNKNOWN, advise=False)
    row: Data = {"before": first | {"measures": _rounded(measures_data(one.measures))}}
    row["after"] = then | {"measures": _rounded(measures_data(other.measures))}
    row["new_trips"] = [name for name in other.measures.trips if name not in one.measures.trips]
    if scenario:
        wanted = (scenario_of(scenario, chosen),)
        row["scenario"] = {
            "before": stress_data(before, compile_scenarios(wanted, before))["scenarios"][0],
            "after": stress_data(after, compile_scenarios(wanted, after))["scenarios"][0],
        }
    return row


def filled(book: Book, row: int, qty: float, price: float) -> tuple[Book, Data]:
    """The book after one order filled whole, and the order as told; ``price`` 0 = the far side of the spread."""
    mark, half = float(book.assets["mark"][row]), float(book.assets["half_spread"][row])
    paid = price or mark * (1.0 + math.copysign(half, qty))
    if not paid > 0.0:
        raise RiskInputError("NO_MARK", f"{book.symbols[row]} has no price yet: give one")
    line = {"symbol": book.symbols[row], "qty": _number(qty), "price": _number(paid)}
    return traded(book, row, qty, paid), line


def scenario_of(given: dict[str, Any], chosen: Set) -> Scenario:
    """A scenario by its name alone, or from its fields. Raises RiskInputError("BAD_SCENARIO")."""
    import msgspec

    if set(given) == {"name"}:
        for known in chosen.scenarios:
            if known.name == given["name"]:
                return known
        names = ", ".join(s.name for s in chosen.scenarios)
        raise RiskInputError("BAD_SCENARIO", f"no scenario {str(given['name'])[:40]!r}: {names}")
    try:
        found = msgspec.convert(given, Scenario, strict=False)
    except msgspec.ValidationError as error:
        raise RiskInputError("BAD_SCENARIO", str(error)) from None
    check(found)
    return found


def _rounded(row: Data) -> Data:
    return {name: _number(v) if isinstance(v, float) else v for name, v in row.items()}


def _number(value: float) -> float | None:
    """Nine digits; None when it is no number."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
