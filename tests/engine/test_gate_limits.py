"""Limits by scope: the tightest counts, the refusal names whose it is, a command changes one and a restart keeps it."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from bus.effects import Publish
from bus.enums import Purpose, Side
from bus.events import RiskResult
from bus.instruments import InstrumentSpec
from core.engine import gateview, snapshot
from core.engine.config import ScopeLimits
from core.engine.gate import Denial
from core.engine.gate.tight import PER_ORDER, tight
from core.engine.market import Ticks
from core.kernels.tables import TICK, TICK_TRADE

from .kit import WIDE, Bench, config, only, strategy

BUY, SELL = Side.BUY, Side.SELL
SCOPES = ("all", "account:paper", "venue:sim", "strategy:operator", "symbol:AAA/USDT")


def limited(**scopes: dict) -> Bench:
    named = {key: ScopeLimits(owner="desk", **given) for key, given in scopes.items()}
    return Bench(config(limits=named))


def code(sent) -> str:
    return sent.code if isinstance(sent, Denial) else "OK"


@pytest.mark.parametrize("scope", SCOPES)
def test_any_scope_may_be_the_tightest_and_is_named(scope) -> None:
    values = dict.fromkeys(SCOPES, 2_000.0) | {scope: 1_500.0}
    at = limited(**{name: {"order_value_max": value} for name, value in values.items()})
    denial = at.submit(0, BUY, 16)
    assert code(denial) == "VALUE_MAX" and denial.limit == 1_500.0
    assert denial.detail.endswith(f"limit of {scope}") or scope == "all"
    assert code(at.submit(0, BUY, 15)) == "OK"


@pytest.mark.parametrize("name", PER_ORDER)
def test_nan_is_the_tightest_of_all(name) -> None:
    at = limited(**{"all": {name: 1e9}, "venue:sim": {name: math.nan}, "symbol:AAA/USDT": {name: 1.0}})
    assert math.isnan(getattr(tight(at.state, "operator", 0), name)[0])
    assert not math.isnan(getattr(tight(Bench(config()).state, "operator", 0), name)[0])


def test_a_narrower_scope_cannot_loosen_the_firms() -> None:
    at = Bench(
        config(
            gate=msgspec.structs.replace(WIDE, order_value_max=1_000.0),
            limits={"symbol:AAA/USDT": ScopeLimits(order_value_max=1e9, owner="desk")},
        )
    )
    assert code(at.submit(0, BUY, 11)) == "VALUE_MAX"


def test_margin_takes_the_highest_floor() -> None:
    at = Bench(config(gate=msgspec.structs.replace(WIDE, margin_ratio_min=1.2)))
    at.command("set_limit", {"name": "margin_ratio_min", "scope": "account:paper", "value": "999"})
    assert tight(at.state, "operator", 0).margin_ratio_min == 999.0
    assert code(at.submit(0, BUY, 11)) == "MARGIN"


# --- commands ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
def test_a_limit_set_by_command_holds_at_once_and_after_a_restart(scope) -> None:
    at = Bench()
    assert code(at.submit(0, BUY, 10)) == "OK"
    at.command("set_limit", {"name": "order_value_max", "scope": scope, "value": "500"}, id="set")
    assert at.replies("set")[-1].data["value"] == 500.0
    assert code(at.submit(0, BUY, 10)) == "VALUE_MAX"
    at.state = snapshot.load(snapshot.save(at.state))
    denial = at.submit(0, BUY, 10)
    assert code(denial) == "VALUE_MAX" and denial.limit == 500.0
    said = [e.data for e in at.all if isinstance(e, Publish) and e.type == "audit"]
    assert [(a.who, a.target) for a in said if a.what == "set_limit order_value_max"] == [("alice", scope)]


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        ({"name": "nonsense", "value": "1"}, "BAD_LIMIT"),
        ({"name": "order_value_max", "scope": "symbol:ZZZ", "value": "1"}, "BAD_SCOPE"),
        ({"name": "order_value_max", "scope": "account:other", "value": "1"}, "BAD_SCOPE"),
        ({"name": "gross_leverage_max", "scope": "venue:sim", "value": "1"}, "BAD_LIMIT"),
        ({"name": "order_rate_per_s", "scope": "account:paper", "value": "1"}, "BAD_LIMIT"),
        ({"name": "order_value_max", "value": "nan"}, "BAD_NUMBER"),
        ({"name": "order_value_max", "value": "-1"}, "BAD_VALUE"),
        ({"name": "order_value_max"}, "BAD_NUMBER"),
    ],
)
def test_a_limit_that_makes_no_sense_changes_nothing(data, refused) -> None:
    at = Bench()
    at.command("set_limit", data, id="set")
    assert at.replies("set")[-1].error_code == refused and at.state.cold.limits == {}


def test_the_gates_health_tells_what_was_refused_changed_and_who_answers() -> None:
    at = limited(**{"symbol:AAA/USDT": {"order_value_max": 500.0}})
    at.submit(0, BUY, 10)
    at.command("set_limit", {"name": "open_orders_max", "value": "7"})
    view = gateview.gate_view(at.state)
    assert view.values["denied"] == {"SIZE.VALUE_MAX": 1} and view.status == "ok"
    assert view.values["limits_changed"] == {"open_orders_max": 7.0}
    assert view.values["owners"] == {"symbol:AAA/USDT": "desk"}


# --- exposure ------------------------------------------------------------------------------------------------------


def test_an_asset_is_all_its_instruments_and_a_hedge_neither_hides_nor_doubles() -> None:
    specs = tuple(
        InstrumentSpec(symbol=symbol, base=base, lot_size=1.0)
        for symbol, base in (("AAA/USDT", "AAA"), ("AAA-PERP", "AAA"), ("BBB/USDT", "BBB"))
    )
    at = Bench(config(instruments=specs, gate=msgspec.structs.replace(WIDE, concentration_max=0.30)))
    at.hold(0, 200)
    denial = at.submit(1, BUY, 110)
    assert code(denial) == "CONCENTRATION" and denial.value == pytest.approx(0.31)
    assert code(at.submit(2, BUY, 110)) == "OK", "another asset"
    at.hold(1, -200)
    assert code(at.submit(1, SELL, 100)) == "OK", "shorts and longs are summed apart"
    assert code(at.submit(1, SELL, 10)) == "CONCENTRATION"


def test_a_strategys_exposure_is_its_own_holdings_and_orders() -> None:
    at = Bench(
        config(
            strategies=(strategy(symbols=()), strategy("hold-2", symbols=())),
            limits={"strategy:hold-1": ScopeLimits(exposure_max=3_000.0, owner="desk")},
        )
    )
    mine = {"purpose": Purpose.STRATEGY, "strategy": "hold-1"}
    at.hold(0, 10, **mine)
    at.hold(1, -5, **mine)
    at.working(1, SELL, 5, 100.02, **mine)
    at.hold(2, 50, purpose=Purpose.STRATEGY, strategy="hold-2")
    denial = at.submit(2, BUY, 11, **mine)
    assert code(denial) == "EXPOSURE_MAX" and denial.value == pytest.approx(3_100.0)
    assert code(at.submit(2, BUY, 10, **mine)) == "OK"
    assert code(at.submit(2, BUY, 11, purpose=Purpose.STRATEGY, strategy="hold-2")) == "OK"


def test_participation_is_measured_against_what_was_traded() -> None:
    at = Bench(config(gate=msgspec.structs.replace(WIDE, participation_max=0.1, window_s=10.0)))
    for _ in range(25):
        at.now += 10**9
        rows = np.zeros(1, dtype=TICK)
        rows["ts_ns"], rows["flags"], rows["last_ticks"], rows["last_lots"] = at.now, TICK_TRADE, 10_000, 10
        at.do(Ticks(rows))
    denial = at.submit(0, BUY, 30)
    assert code(denial) == "PARTICIPATION" and 0.1 < denial.value < 0.31
    assert code(at.submit(0, BUY, 10)) == "OK"


def test_kelly_caps_what_a_strategy_may_hold() -> None:
    edge = {
        "edge": 0.001,
        "edge_horizon_s": 3600.0,
        "kelly_fraction": 0.5,
        "notional": 50_000.0,
        "symbols": (),
    }
    at = Bench(config(strategies=(strategy(**edge),)))
    mine = {"purpose": Purpose.STRATEGY, "strategy": "hold-1"}
    at.state.markets["samples"][0], at.state.markets["variance_rate"][0] = 100, (0.05**2) / 3600.0
    # 0.5 x mu' / sigma2 of 100,000 at 100 a lot, with mu' = mu shrunk by mu2 / (mu2 + sigma2 / 100)
    shrunk = 0.001 * 1e-6 / (1e-6 + 0.0025 / 100)
    limit = int(0.5 * shrunk / 0.0025 * 100_000 / 100)
    assert limit == 7
    assert code(at.submit(0, BUY, limit, **mine)) == "OK"
    denial = at.submit(0, BUY, 1, **mine)
    assert code(denial) == "KELLY" and (denial.value, denial.limit) == (8.0, 7.0), "what is pending counts"
    assert code(at.submit(0, BUY, 1)) == "OK", "an order by hand has no stated edge"


# --- losses --------------------------------------------------------------------------------------------------------


def test_pending_orders_share_one_budget() -> None:
    """Each of three bids of 20,000 could lose 1,000 of the 2,500 that are left; all three cannot."""
    at = Bench(config(switches=only(drawdown=0.025), gate=msgspec.structs.replace(WIDE, stress_move=0.05)))
    bids = [at.submit(0, BUY, 200, price_ticks=9_900 - n) for n in range(3)]
    assert [code(one) for one in bids] == ["OK", "OK", "DRAWDOWN_BUDGET"]
    assert bids[2].value == pytest.approx(3_000.0) and bids[2].limit == pytest.approx(2_500.0)


def test_a_filled_order_is_no_longer_pending() -> None:
    at = Bench(config(switches=only(drawdown=0.025), gate=msgspec.structs.replace(WIDE, stress_move=0.05)))
    for lots, left in ((400, 2_500.0), (400, 2_500.0)):
        at.hold(0, lots)
        assert at.state.account["drawdown"][0] == 0.0 and left
    assert code(at.submit(0, BUY, 400)) == "OK"


def test_what_has_been_lost_is_no_longer_there_to_lose() -> None:
    at = Bench(config(switches=only(drawdown=0.05), gate=msgspec.structs.replace(WIDE, stress_move=0.05)))
    at.hold(0, 400)
    limits = []
    for price in (100.0, 98.0, 95.0):
        at.price(0, price)
        limits.append(at.submit(1, BUY, 1_100).limit)
    assert limits == pytest.approx([5_000.0, 4_200.0, 3_000.0])
    assert all(a > b for a, b in pairwise(limits))


def test_a_position_near_its_loss_limit_is_not_added_to() -> None:
    at = Bench(config(switches=only(position_loss=0.02)))
    at.hold(0, 100)
    at.price(0, 98.30)
    assert code(at.submit(0, BUY, 1)) == "OK"
    at.price(0, 98.15)
    assert code(at.submit(0, BUY, 1)) == "POSITION_ROOM"
    assert code(at.submit(1, BUY, 1)) == "OK" and code(at.submit(0, SELL, 100)) == "OK"


def test_against_equity_a_positions_budget_is_money() -> None:
    at = Bench(
        config(
            switches=only(position_loss=0.02, position_loss_basis="equity"),
            gate=msgspec.structs.replace(WIDE, stress_move=0.05),
        )
    )
    at.hold(0, 100)
    assert code(at.submit(0, BUY, 400)) == "OK"
    assert code(at.submit(0, BUY, 1)) == "POSITION_BUDGET"


def test_var_after_the_trade_is_the_careful_estimate() -> None:
    at = Bench(config(gate=msgspec.structs.replace(WIDE, var_max=0.02)))
    data = {"var": 500.0, "es": 700.0, "alpha": 0.01, "n": 500, "unit": {"AAA/USDT": 0.03, "BBB/USDT": 0.05}}
    at.state.cold.risk["var"] = RiskResult(at.now, "var", at.now, data)
    at.working(1, BUY, 100, 99.0)  # 10,000 pending elsewhere, at the worst unit there is
    denial = at.submit(0, BUY, 400)
    assert code(denial) == "VAR_MAX" and denial.value == pytest.approx((500 + 1_200 + 500) / 100_000)
    assert code(at.submit(0, BUY, 330)) == "OK"
