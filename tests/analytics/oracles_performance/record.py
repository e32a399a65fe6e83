# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "empyrical-reloaded==0.7.1", "quantstats==0.0.86", "scipy==1.17.1", "bottleneck==1.6.0", "pandas==3.1.1",
#   "numpy==2.4.6",
# ]
# ///
"""What other libraries say about real series: numbers only, written to numbers.json beside this file.

    uv run --script tests/analytics/oracles_performance/record.py ../shared/data

Runs in an environment of its own: none of these libraries is a dependency of the project. The tests read the JSON.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path

import bottleneck as bn
import empyrical as ep
import numpy as np
import pandas as pd
import quantstats.stats as qs
from scipy import stats as ss

warnings.simplefilter("ignore")
WINDOW = 63
EVERY = 487  # rows between the recorded values of a rolling measure


def main(data: Path) -> None:
    found = {name: record(returns, year) for name, (returns, year) in series(data).items()}
    beside = pair(data)
    versions = {m.__name__.split(".")[0]: m.__version__ for m in (bn, ep, np, pd)}
    text = json.dumps({"versions": versions, "series": found, "pair": beside}, indent=1)
    (Path(__file__).parent / "numbers.json").write_text(text + "\n")


def series(data: Path) -> dict[str, tuple[pd.Series, int]]:
    spy = pd.read_csv(data / "spy_daily_lean.csv.gz")["c"]
    btc = pd.read_csv(data / "btcusd_daily_coinbase_lean.csv.gz")["c"]
    stocks = pd.read_csv(data / "stocks_20_daily_pypfopt.csv").drop(columns="date")
    out = {"SPY": (returns_of(spy), 252), "BTC": (returns_of(btc), 365)}
    for name in stocks:
        out[name] = (returns_of(stocks[name]), 252)
    return out


def returns_of(closes: pd.Series) -> pd.Series:
    """Returns of the closes that are there, in order: a hole is stepped over, as ``missing="drop"`` does."""
    kept = closes.dropna().to_numpy()
    days = pd.date_range("2000-01-03", periods=len(kept) - 1, freq="B")
    return pd.Series(kept[1:] / kept[:-1] - 1.0, index=days)


def record(r: pd.Series, year: int) -> dict[str, object]:
    x, mar = r.to_numpy(), 0.0005
    rolled = {
        "sharpe_pandas": r.rolling(WINDOW).mean() / r.rolling(WINDOW).std() * math.sqrt(year),
        "sharpe_bottleneck": pd.Series(
            bn.move_mean(x, WINDOW) / bn.move_std(x, WINDOW, ddof=1) * math.sqrt(year)
        ),
        "volatility_pandas": r.rolling(WINDOW).std() * math.sqrt(year),
        "drawdown_apply": r.rolling(WINDOW).apply(ep.max_drawdown, raw=True),
        "ew_variance_pandas": (r**2).ewm(alpha=0.06, adjust=False).mean(),
    }
    return {
        "n": len(x),
        "mar": mar,
        "year": year,
        "empyrical": {
            "sharpe": ep.sharpe_ratio(r, annualization=year),
            "sortino": ep.sortino_ratio(r, annualization=year),
            "sortino_mar": ep.sortino_ratio(r, required_return=mar, annualization=year),
            "calmar": ep.calmar_ratio(r, annualization=year),
            "omega": ep.omega_ratio(r),
            "omega_mar": ep.omega_ratio(r, required_return=mar, annualization=1),
            "max_drawdown": ep.max_drawdown(r),
            "cagr": ep.cagr(r, annualization=year),
            "volatility": ep.annual_volatility(r, annualization=year),
            "downside": ep.downside_risk(r, required_return=mar, annualization=year),
            "tail_ratio": ep.tail_ratio(r),
            "total_return": ep.cum_returns_final(r),
        },
        "quantstats": {
            "sharpe": qs.sharpe(r, periods=year),
            "sortino": qs.sortino(r, periods=year),
            "max_drawdown": qs.max_drawdown(r),
            "ulcer": qs.ulcer_index(r),
            "profit_factor": qs.profit_factor(r),
            "gain_to_pain": qs.gain_to_pain_ratio(r),
            "payoff": qs.payoff_ratio(r),
            "win_rate": qs.win_rate(r),
            "skew": qs.skew(r),
            "kurtosis": qs.kurtosis(r),
            "psr": qs.probabilistic_sharpe_ratio(r, periods=year, annualize=False),
            "volatility": qs.volatility(r, periods=year),
        },
        "scipy": {"skew": float(ss.skew(x)), "excess_kurtosis": float(ss.kurtosis(x))},
        "pandas": {"autocorrelation": r.autocorr(), "skew_g1": float(r.skew()), "kurt_g2": float(r.kurt())},
        "numpy": {"mean": float(x.mean()), "deviation": float(x.std(ddof=1))},
        "rolling": {
            name: [[int(i), float(v.iloc[i])] for i in range(WINDOW - 1, len(x), EVERY)]
            for name, v in rolled.items()
        },
    }


def pair(data: Path) -> dict[str, object]:
    """AAPL beside GE, days with both."""
    closes = pd.read_csv(data / "stocks_20_daily_pypfopt.csv")[["AAPL", "GE"]].dropna().to_numpy()
    both = closes[1:] / closes[:-1] - 1.0
    x, y = pd.Series(both[:, 0]), pd.Series(both[:, 1])
    fit = ss.linregress(y, x)
    beta = x.rolling(WINDOW).cov(y) / y.rolling(WINDOW).var()
    return {
        "beta_empyrical": ep.beta(x, y),
        "beta_linregress": float(fit.slope),
        "alpha_linregress": float(fit.intercept) * 252,
        "correlation": float(fit.rvalue),
        "information_ratio": float(qs.information_ratio(x, y)),
        "tracking_error": float((x - y).std() * math.sqrt(252)),
        "rolling_beta": [[i, float(beta.iloc[i])] for i in range(WINDOW - 1, len(x), EVERY)],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
