"""Load every kernel before trading starts: a first call costs 0.1 s to compile, 2 ms from the cache, never a breach."""

from __future__ import annotations

import numpy as np

from core.kernels import attribution, batch, clear, factors, facts, matching, portfolio, schedules, sizing
from core.kernels.tables import (
    ACCOUNT,
    CURRENCY,
    INSTRUMENT,
    LEDGER,
    MARKET,
    POSITION,
    SWITCH,
    SWITCH_ROWS,
    TICK,
    TICK_QUOTE,
    Table,
    zeros,
)


def warm() -> int:
    """Call each kernel once on tables of one row; returns how many. The caller holds the clock."""
    instruments, markets, positions = zeros(INSTRUMENT, 1), zeros(MARKET, 1), zeros(POSITION, 1)
    currencies, account, switches = zeros(CURRENCY, 1), zeros(ACCOUNT, 1), zeros(SWITCH, SWITCH_ROWS)
    instruments["tick_size"] = instruments["lot_value"] = 1.0
    instruments["fx_currency"] = -1
    currencies["rate"] = currencies["cash"] = 1.0
    positions["loss_limit"] = 1.0
    book = (instruments, markets, positions, currencies, account)
    portfolio.rebase(*book)
    portfolio.apply_fill(0, 1, 1.0, 0.0, *book)
    portfolio.apply_funding(0, 0.0, *book)
    batch.worst_loss(positions)
    facts.measure(0, 1, 1, 1, 0, 0, 1, *book, switches, np.empty(facts.COUNT))
    bounds = np.zeros(clear.COUNT)
    clear.clear(0, 1, 1, 1, 1, 0, 1, bounds, *book, switches, np.empty(facts.COUNT))
    facts.left_of(account[0], switches, 0)
    sizing.shrink(0.0, 1.0, 1.0)
    sizing.kelly_fraction(0.0, 1.0, 1.0, 1.0)
    sizing.kelly_lots(0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    resting = zeros(matching.BOOK, 1)
    for ticks in _blocks():
        batch.run_block(ticks, 0, *book, switches)
        matching.advance(ticks, 0, 1, resting)
        matching.first_touch(ticks, 1, resting, resting["buy_reach"].copy(), resting["sell_reach"].copy())
    _ledger(instruments, markets, positions, currencies)
    _schedules()
    return 28


def _schedules() -> None:
    flat, held = np.ones(schedules.HOURS), schedules.holdings(1.0, 2, 1.0, 0.1)
    schedules.by_curve(1, schedules.slice_weights(schedules.shrunk(flat, flat, 1.0), 0, 1, 1))
    schedules.merged(schedules.twap(1, 1), 1)
    schedules.by_holdings(1, held)
    schedules.dynamic_child(1, flat, 0)
    schedules.pov_lots(0.1, 1)
    schedules.urgency(0.0, 1.0, 1.0, 0.0, 1.0)
    schedules.expected_cost(held, 1.0, 1.0, 0.0, 0.0)
    schedules.cost_deviation(held, 1.0, 1.0)


def _ledger(instruments: Table, markets: Table, positions: Table, currencies: Table) -> None:
    rows, parts, pend = (
        zeros(LEDGER, 1),
        np.zeros((1, attribution.PARTS), np.int64),
        np.zeros((1, 2), np.int64),
    )
    attribution.pending(rows, 1, instruments, markets, positions, currencies, 1.0, pend)
    attribution.cut(rows, 1, parts, pend, 1, parts.copy(), parts.copy())
    prices, weights, out = np.ones((3, 1)), np.ones((1, 1)), np.zeros(1)
    factors.factor_returns(np.frombuffer(prices[0].tobytes()), prices[1].copy(), weights, out)
    factors.betas(np.frombuffer(prices.tobytes()).reshape(3, 1), weights, 1, weights.copy())


def _blocks() -> tuple[Table, Table]:
    """One tick, writable and read-only: to numba two types, and journals hand out the second."""
    ticks = zeros(TICK, 1)
    ticks["flags"], ticks["bid_ticks"], ticks["ask_ticks"] = TICK_QUOTE, 1, 3
    fixed = ticks.copy()
    fixed.flags.writeable = False
    return ticks, fixed


def warm_risk() -> int:
    """The same for the analyst's kernels, called in its own thread after the core is ready; returns how many."""
    from core.kernels.risk import covariance, montecarlo, order_stats, stress, student

    assets, terms = zeros(stress.ASSET, 1), zeros(stress.TERMS, 2)
    accounts, extras = zeros(ACCOUNT, 2), zeros(stress.EXTRA, 2)
    one, rows, x = np.ones(1), np.zeros((2, 1)), np.linspace(-1.0, 1.0, 128)
    stress.revalue(assets, one, rows, rows, terms, 0, accounts, extras)
    order_stats.var_es(x, 0.05)
    order_stats.smallest(x, 8)
    covariance.ewma_variance(x, 0.94, np.empty(len(x) + 1))
    student.t_location_scale(x, 4.0, 0.0, 1.0)
    montecarlo.fill_normals(1, 0, np.empty((8, 1)))
    return 6
