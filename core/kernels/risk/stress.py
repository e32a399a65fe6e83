"""A book under many scenarios at once: full revaluation, then the engine's own ratios.

A scenario is one row of price shocks (one per position), one row of rate shocks (one per currency) and a few scalars.
Each row revalues every position at its shocked mark, so inverse contracts lose more falling than they gain rising, and
sums them as ``core.kernels.portfolio`` does:

    linear    exposure = u m        unrealised = u (m - a)
    inverse   exposure = u / m      unrealised = u (1/a - 1/m)
    equity    = sum over currencies of rate (cash + unrealised) - exit cost - funding - borrowing

with ``u`` the signed units of a position (quantity times value per unit). Peak, drawdown, leverage and margin ratio are
written by ``portfolio.ratios``, the function that the kill switches read: a scenario cannot trip by another definition.

Exit cost of a share ``x`` of a position worth V (account currency) is half its spread and square-root impact,

    x V (h s + Y vol sqrt(x V / (adv d)))        h half spread, s and d the scenario's multipliers, Y = 1

(Almgren, Thum, Hauptmann, Li 2005, with the exponent that later studies agree on). Nothing raises and nothing is
allocated: the caller hands the output tables in. What is not known makes its row nan.
"""

from __future__ import annotations

import math

import numpy as np

from core.kernels._jit import background, leaf
from core.kernels.portfolio import Row, ratios
from core.kernels.tables import Table

ASSET = np.dtype(
    [
        ("units", "f8"),  # linear: base held; inverse: quote held; signed
        ("cost", "f8"),  # settle, absolute value at average cost
        ("mark", "f8"),  # quote
        ("margin_rate", "f8"),  # fraction of exposure
        ("half_spread", "f8"),  # fraction of price
        ("volatility", "f8"),  # a day, fraction
        ("adv", "f8"),  # account currency a day
        ("inverse", "i4"),  # 0 linear, 1 inverse
        ("settle", "i4"),  # currency row
    ]
)

TERMS = np.dtype(
    [
        ("spread", "f8"),  # multiplier of spreads
        ("depth", "f8"),  # multiplier of daily volume
        ("volatility", "f8"),  # multiplier of volatility, in the impact
        ("liquidate", "f8"),  # fraction of each position that must be sold, charged as exit cost
        ("margin", "f8"),  # multiplier of margin rates
        ("funding", "f8"),  # fraction of exposure that longs pay over the horizon
        ("borrow", "f8"),  # fraction of gross beyond equity paid over the horizon
    ]
)

EXTRA = np.dtype(
    [
        ("exit_cost", "f8"),  # account currency
        ("funding", "f8"),  # account currency, positive = paid
        ("borrowing", "f8"),  # account currency
        ("loss_ratio", "f8"),  # the worst position's use of the position_loss switch
        ("loser", "i8"),  # its row, -1 none
    ]
)


@leaf
def _exposure(asset: Row, shock: float) -> float:
    """Signed value (settle) after its price moved by ``shock`` (fraction)."""
    mark = asset["mark"] * (1.0 + shock)
    return float(asset["units"] * mark if asset["inverse"] == 0 else asset["units"] / mark)


@leaf
def _unrealized(asset: Row, exposure: float) -> float:
    """Unrealised profit (settle) of a position now worth ``exposure``."""
    cost = asset["cost"] if asset["units"] > 0.0 else -asset["cost"]
    return float(exposure - cost if asset["inverse"] == 0 else cost - exposure)


@leaf
def _exit_cost(asset: Row, value: float, terms: Row) -> float:
    """Cost of selling the scenario's share of a position worth ``value`` (account currency, absolute)."""
    sold = value * terms["liquidate"]
    if sold == 0.0:
        return 0.0
    impact = asset["volatility"] * terms["volatility"] * math.sqrt(sold / (asset["adv"] * terms["depth"]))
    return float(sold * (asset["half_spread"] * terms["spread"] + impact))


@leaf
def _finish(acct: Row, extra: Row, borrow: float, basis_equity: int) -> None:
    """Borrowing, the account's ratios, and position loss against equity where that is the basis."""
    financed = acct["gross"] - acct["equity"]
    if financed > 0.0 and borrow != 0.0:
        extra["borrowing"] = financed * borrow
        acct["equity"] -= extra["borrowing"]
    ratios(acct)
    if basis_equity != 0 and extra["loser"] >= 0:
        extra["loss_ratio"] = np.inf if acct["equity"] <= 0.0 else extra["loss_ratio"] / acct["equity"]


@background
def revalue(
    assets: Table,
    cash: Table,
    prices: Table,
    rates: Table,
    terms: Table,
    basis_equity: int,
    accounts: Table,
    extras: Table,
) -> None:
    """Fill ``accounts`` (ACCOUNT, S rows) and ``extras`` (EXTRA, S rows), one row a scenario.

    ``assets`` ASSET of n rows; ``cash`` f8 of c; ``prices`` f8 (S, n) shocks as fractions; ``rates`` f8 (S, c) absolute
    rates after the shock, account currency a unit; ``terms`` TERMS of S rows; all C-contiguous. The caller sets
    ``equity_peak`` and ``equity_day_open`` of every account row. O(S n).
    """
    for s in range(len(terms)):
        acct, extra, term = accounts[s], extras[s], terms[s]
        equity = unrealized = gross = net = margin = exit_cost = funding = worst = 0.0
        loser = -1
        for c in range(len(cash)):
            if cash[c] != 0.0:
                equity += cash[c] * rates[s, c]
        for i in range(len(assets)):
            asset = assets[i]
            if asset["units"] == 0.0:
                continue
            rate = rates[s, asset["settle"]]
            exposure = _exposure(asset, prices[s, i])
            profit = _unrealized(asset, exposure)
            value = abs(exposure) * rate
            unrealized += profit * rate
            gross += value
            net += exposure * rate
            margin += value * asset["margin_rate"]
            exit_cost += _exit_cost(asset, value, term)
            funding += exposure * rate * term["funding"]
            if profit < 0.0:
                ratio = -profit * rate if basis_equity != 0 else -profit / asset["cost"]
                if ratio > worst:
                    worst, loser = ratio, i
        acct["equity"] = equity + unrealized - exit_cost - funding
        acct["unrealized"] = unrealized
        acct["gross"] = gross
        acct["net"] = net
        acct["margin"] = margin * term["margin"]
        extra["exit_cost"] = exit_cost
        extra["funding"] = funding
        extra["borrowing"] = 0.0
        extra["loss_ratio"] = worst
        extra["loser"] = loser
        _finish(acct, extra, term["borrow"], basis_equity)
