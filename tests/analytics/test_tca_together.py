"""Orders taken together: groups, venues, the impact fit, the refit for the router, and a study's rows."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import numpy as np
import pytest

from core.analytics.errors import RiskInputError
from core.analytics.tca_compare import Run, rows_of
from core.analytics.tca_cost import Cost, cost_of
from core.analytics.tca_groups import by, by_venue
from core.analytics.tca_impact import fit, refit
from core.analytics.tca_refit import toml, venues
from core.analytics.tca_trade import Child, Execution, Trade
from tests.analytics.tca_made import trade


def test_groups_weigh_by_value_and_leave_out_what_is_not_known() -> None:
    big = cost_of(trade(qty=10.0))
    small = cost_of(trade(qty=1000.0))  # mostly unfilled: its value is a hundred times as large
    lost = cost_of(trade(decision_px=None))
    (row,) = by([big, small, lost], lambda cost: cost.algo)
    weights = np.array([big.notional_acct, small.notional_acct])
    expected = np.dot([big.shortfall_bps, small.shortfall_bps], weights) / weights.sum()
    assert (row.parents, row.without) == (3, 1)
    assert row.shortfall_bps == pytest.approx(expected)
    assert row.shortfall_median_bps == pytest.approx((big.shortfall_bps + small.shortfall_bps) / 2)
    parts = row.delay_bps + row.trading_bps + row.opportunity_bps + row.fees_bps
    assert parts == pytest.approx(row.shortfall_bps)


def test_a_venue_by_hand() -> None:
    one = trade()
    one.children += [
        Child(cl_ord_id="r", venue="v", symbol="S", kind="limit", qty=1.0, sent_ns=0, ack_ns=4_000_000, status="REJECTED"),
        Child(cl_ord_id="u", venue="v", symbol="S", kind="limit", qty=1.0, sent_ns=0, status="PENDING_UNKNOWN", unknown=True),
        Child(cl_ord_id="x", venue="v", symbol="S", kind="limit", qty=1.0, sent_ns=0, ack_ns=6_000_000, status="CANCELED"),
    ]  # fmt: skip
    (row,) = by_venue([one])
    assert (row.orders, row.fills, row.unanswered) == (4, 2, 1)
    assert (row.reject_ratio, row.cancel_ratio, row.unknown_ratio) == (0.25, 0.25, 0.25)
    assert row.maker_ratio == pytest.approx(0.6)
    assert row.taker_fee_bps == pytest.approx(0.4 / 404 * 1e4)
    assert row.maker_fee_bps == pytest.approx(-0.1 / 606 * 1e4)
    assert row.ack_p50_ms == pytest.approx(4.0)


def _many(n: int, y: float, seed: int, *, outliers: int = 0) -> tuple[list[Trade], list[Cost]]:
    """Orders whose cost is 1 bp + y sigma sqrt(Q / V), and the market's own move on top."""
    rng = np.random.default_rng(seed)
    trades = []
    for k in range(n):
        sigma, volume, qty, held_s = (
            rng.uniform(5e-5, 2e-4),
            rng.uniform(1, 5),
            rng.uniform(1, 50),
            rng.uniform(1, 9),
        )
        paid = 1e-4 + y * sigma * math.sqrt(qty / volume) + sigma * math.sqrt(held_s) * rng.normal()
        paid += 0.05 if k < outliers else 0.0
        order = trade(qty=qty, sigma=sigma, volume_per_s=volume, start_ns=1, ended_ns=int(held_s * 1e9) + 1)
        order.fills = [
            Execution(ts_ns=int(held_s * 1e9) + 1, cl_ord_id="c", venue="v", symbol="S", qty=qty, px=100 * (1 + paid),
                      fee=0.05 * qty, maker=False)
        ]  # fmt: skip
        trades.append(order)
    return trades, [cost_of(order) for order in trades]


def test_the_impact_fit_finds_what_was_put_in_and_says_how_surely() -> None:
    inside, widths = 0, []
    for seed in range(40):
        found = refit(*_many(300, 0.8, seed))["v"]
        assert not isinstance(found, str)
        inside += found.y_low <= 0.8 <= found.y_high
        widths.append(found.y_high - found.y_low)
    assert inside >= 34  # of 40: 95 % nominal; 34 has a chance of 1 in 200 to be missed by a right interval
    assert 0.05 < np.mean(widths) < 2.0


def test_a_few_mad_orders_do_not_move_the_fit() -> None:
    clean, spoilt = (refit(*_many(300, 0.8, 1, outliers=n))["v"] for n in (0, 10))
    assert not isinstance(clean, str) and not isinstance(spoilt, str)
    assert spoilt.y == pytest.approx(clean.y, abs=0.25)
    squares = np.polyfit(*_xy(300, 10), 1)[0]
    assert abs(squares - 0.8) > 2 * abs(spoilt.y - 0.8)  # least squares on the same orders is thrown off


def _xy(n: int, outliers: int) -> tuple[Any, Any]:
    trades, costs = _many(n, 0.8, 1, outliers=outliers)
    x = [t.sigma * math.sqrt(t.qty / t.volume_per_s) for t in trades]
    return np.array(x), np.array([c.arrival_slippage_bps / 1e4 for c in costs])


def test_too_few_orders_are_refused_with_the_count() -> None:
    found = refit(*_many(12, 0.8, 1))["v"]
    assert found == "12 orders with a known cost; a fit needs 30"
    with pytest.raises(RiskInputError, match="one size"):
        fit(np.full(40, 1e-4), np.full(40, 1e-4), np.full(40, 2.0))


def test_the_refit_is_a_settings_file_that_names_what_it_leaves_out() -> None:
    trades, costs = _many(60, 0.8, 1)
    rows = venues(trades, by_venue(trades), refit(trades, costs))
    text = toml(rows, "journal.db")
    keys = tomllib.loads(text)["router"]
    assert keys["fee_bps"]["v"] == pytest.approx(by_venue(trades)[0].taker_fee_bps, abs=1e-4)
    assert keys["latency_ms"]["v"] == pytest.approx(2.0)
    assert "60 orders" in text and "Y = " in text
    few = venues(trades[:5], by_venue(trades[:5]), refit(trades[:5], costs[:5]))
    said = toml(few, "journal.db")
    assert tomllib.loads(said)["router"] == {}
    assert "5 taker fills, 30 are needed" in said


# -- a study's rows -------------------------------------------------------------------------------------------------


def _run(algo: str, side: str, start: int, shortfall: float, rest: float = 0.0) -> Run:
    cost = cost_of(trade())
    cost.shortfall_bps = shortfall
    return Run(market="m", algo=algo, side=side, start_ns=start, cost=cost, trade=trade(), rest_bps=rest)


def test_moves_cancel_between_a_buy_and_a_sell_and_what_was_left_is_charged() -> None:
    runs = [_run("immediate", side, k, 5.0) for k in range(3) for side in ("buy", "sell")]
    runs += [_run("twap", "buy", k, 4.0 + 30 * k, 1.0) for k in range(3)]
    runs += [_run("twap", "sell", k, 4.0 - 30 * k, 1.0) for k in range(2)]  # the third never ran
    immediate, twap = rows_of(runs)
    assert (immediate.even_median_bps, immediate.over_immediate_q3_bps) == (5.0, 0.0)
    assert twap.even_q1_bps == twap.even_median_bps == twap.even_q3_bps == pytest.approx(5.0)
    assert twap.shortfall_median_bps == 4.0
    assert twap.over_immediate_median_bps == pytest.approx(0.0)
