# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "numpy==2.4.6", "pandas==3.1.1", "scipy==1.17.1", "scikit-learn==1.9.1", "statsmodels==0.15.0",
#   "riskfolio-lib==7.4.0", "skfolio==1.12.2", "empyrical-reloaded==0.7.1",
# ]
# ///
"""What other libraries say of the same files: numbers only, recorded, so that no test needs the libraries.

    uv run tests/analytics/oracles/make.py ../shared/data > tests/analytics/oracles/recorded.json

Student and Pareto fits: the libraries' optimisers stop at about 1e-6, so their answers start a root search of
the score equations (scipy.special, scipy.optimize), which knows nothing of the way the project finds them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import skfolio.measures as skfolio
import statsmodels.api as sm
from riskfolio.src.RiskFunctions import CVaR_Hist, VaR_Hist
from scipy import integrate, optimize, special, stats
from sklearn.covariance import LedoitWolf

ALPHAS = (0.01, 0.025, 0.05)
DATA = Path(sys.argv[1])


def series() -> dict[str, np.ndarray]:
    stocks = pd.read_csv(DATA / "stocks_20_daily_pypfopt.csv", index_col=0)
    closes = {
        "spy": pd.read_csv(DATA / "spy_daily_lean.csv.gz").c,
        "btc": pd.read_csv(DATA / "btcusd_daily_coinbase_lean.csv.gz").c,
        **{name: stocks[name].dropna() for name in ("AAPL", "GOOG", "AMD", "BABA")},
    }
    return {name: close.pct_change().dropna().to_numpy() for name, close in closes.items()}


def normal_below(z: float, alpha: float) -> float:
    """Mean of a standard normal below ``z``, by quadrature."""
    return (
        integrate.quad(lambda v: v * stats.norm.pdf(v), -40, z, epsabs=1e-15, points=[z - 4, z - 1])[0]
        / alpha
    )


def tails(x: np.ndarray) -> dict[str, dict[str, float]]:
    out = {}
    for alpha in ALPHAS:
        z = stats.norm.ppf(alpha)
        out[str(alpha)] = {
            "numpy_inverted_cdf_var": -np.quantile(x, alpha, method="inverted_cdf"),
            "riskfolio_var": VaR_Hist(x, alpha=alpha),
            "riskfolio_es": CVaR_Hist(x, alpha=alpha),
            "skfolio_var": skfolio.value_at_risk(x, beta=1 - alpha),
            "skfolio_es": skfolio.cvar(x, beta=1 - alpha),
            "empyrical_var": -empyrical.value_at_risk(x, alpha),
            "empyrical_es": -empyrical.conditional_value_at_risk(x, alpha),
            "normal_var": -(x.mean() + z * x.std(ddof=1)),
            "normal_es": -(x.mean() + x.std(ddof=1) * normal_below(z, alpha)),
        }
    return out


def student(x: np.ndarray) -> dict[str, float]:
    def score(p):
        df, loc, scale = np.exp(p[0]), p[1] * x.std(), np.exp(p[2])
        u = (x - loc) / scale
        d = u * u
        w = (df + 1) / (df + d)
        by_df = 0.5 * (
            special.digamma((df + 1) / 2) - special.digamma(df / 2) - 1 / df - np.log1p(d / df) + w * d / df
        )
        return [by_df.mean(), (w * u).mean(), (w * d - 1).mean()]

    df, loc, scale = stats.t.fit(x)
    found = optimize.root(score, [np.log(df), loc / x.std(), np.log(scale)], tol=1e-15)
    df, loc, scale = np.exp(found.x[0]), found.x[1] * x.std(), np.exp(found.x[2])
    t = stats.t.ppf(0.01, df)
    mean_below = integrate.quad(lambda p: stats.t.ppf(p, df), 0, 0.01, epsabs=1e-13, limit=500)[0] / 0.01
    return {
        "df": df,
        "location": loc,
        "scale": scale,
        "var": -(loc + scale * t),
        "es": -(loc + scale * mean_below),
    }


def pareto(x: np.ndarray, k: int) -> dict[str, float]:
    losses = np.sort(-x)[::-1]
    y = losses[:k] - losses[k]

    def score(p):
        xi, beta = p[0], np.exp(p[1]) * y.mean()
        v = 1 + xi * y / beta
        return [(np.log(v) / xi - (1 + xi) * (y / beta) / v).mean(), ((1 + xi) * (y / beta) / v - 1).mean()]

    xi, _, beta = stats.genpareto.fit(y, floc=0)
    found = optimize.root(score, [xi, np.log(beta / y.mean())], tol=1e-15)
    xi, beta = found.x[0], np.exp(found.x[1]) * y.mean()
    law = stats.genpareto(xi, 0, beta)
    alpha = 0.01
    return {"k": k, "xi": xi, "beta": beta, "var": losses[k] + law.ppf(1 - alpha * len(x) / k)}


def moments(x: np.ndarray) -> dict[str, float]:
    return {
        "skew": stats.skew(x),
        "excess_kurtosis": stats.kurtosis(x),
        "sd": x.std(ddof=1),
        "mean": x.mean(),
    }


def panel() -> dict[str, object]:
    x = pd.read_csv(DATA / "stocks_20_daily_pypfopt.csv", index_col=0).dropna().pct_change().dropna()
    lw = LedoitWolf().fit(x.to_numpy())
    line = sm.OLS(x["AAPL"].to_numpy(), sm.add_constant(x["JPM"].to_numpy())).fit()
    ewm = x.to_numpy()
    weights = 0.06 * 0.94 ** np.arange(len(ewm) - 1, -1, -1)
    weights[0] = 0.94 ** (len(ewm) - 1)
    return {
        "rows": len(x),
        "sample_first_row": np.cov(x.to_numpy().T)[0].tolist(),
        "ledoit_wolf_shrinkage": lw.shrinkage_,
        "ledoit_wolf_first_row": lw.covariance_[0].tolist(),
        "ewma_first_row": ((ewm * weights[:, None]).T @ ewm)[0].tolist(),
        "beta": line.params[1], "alpha": line.params[0], "beta_error": line.bse[1],
        "r_squared": line.rsquared, "residual_sd": float(np.sqrt(line.mse_resid)),
    }  # fmt: skip


def distributions() -> dict[str, list[list[float]]]:
    ps = (1e-10, 1e-6, 1e-4, 0.01, 0.025, 0.05, 0.3, 0.5, 0.9, 0.999)
    return {
        "normal_quantile": [[p, stats.norm.ppf(p)] for p in ps],
        "normal_cdf": [[x, stats.norm.cdf(x)] for x in (-30.0, -8.0, -2.33, -0.1, 0.0, 1.5, 6.0)],
        "t_quantile": [[p, df, stats.t.ppf(p, df)] for p in ps for df in (0.7, 1.0, 2.5, 4.0, 30.0, 1000.0) if p != 0.5],
        "t_cdf": [[x, df, stats.t.cdf(x, df)] for x in (-50.0, -3.0, -0.2, 0.7, 4.0) for df in (0.7, 3.0, 12.5, 800.0)],
        "chi2_tail": [[x, df, stats.chi2.sf(x, df)] for x in (0.01, 1.0, 3.84, 20.0, 90.0) for df in (1, 2, 3, 4, 7)],
        "binomial_cdf": [[k, n, p, stats.binom.cdf(k, n, p)] for k, n, p in
                         ((0, 250, 0.01), (4, 250, 0.01), (9, 250, 0.01), (30, 5000, 0.01), (80, 1000, 0.05))],
        "incomplete_beta": [[a, b, x, special.betainc(a, b, x)] for a in (0.3, 2.0, 50.0) for b in (0.5, 7.0)
                            for x in (0.001, 0.2, 0.5, 0.97)],
        "digamma": [[x, special.digamma(x)] for x in (0.25, 1.0, 2.5, 11.0, 500.0)],
    }  # fmt: skip


def main() -> None:
    given = series()
    recorded = {
        "tails": {name: tails(x) for name, x in given.items()},
        "tails_first_237": {name: tails(x[:237]) for name, x in given.items()},
        "tails_first_1000": {name: tails(x[:1000]) for name, x in given.items()},
        "student": {name: student(x) for name, x in given.items()},
        "pareto": {name: pareto(x, len(x) // 20) for name, x in given.items()},
        "moments": {name: moments(x) for name, x in given.items()},
        "panel": panel(),
        "distributions": distributions(),
    }
    json.dump(recorded, sys.stdout, indent=1, sort_keys=True, default=float)
    print()


if __name__ == "__main__":
    main()
