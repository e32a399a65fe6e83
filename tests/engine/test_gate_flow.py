"""Layer 7: rates, likenesses, counts by scope, self-match, the interval."""

from __future__ import annotations

import msgspec
import pytest

from bus.enums import OrdType, Purpose, ReportKind, Side
from core.engine import oms, snapshot
from core.engine.config import ScopeLimits
from core.engine.gate import Denial

from .kit import WIDE, Bench, config, strategy

BUY, SELL = Side.BUY, Side.SELL


def bench(scope: str = "", *, strategies=(), **named) -> Bench:
    limits = {scope: ScopeLimits(owner="desk", **named)} if scope else {}
    firm = {} if scope else named
    return Bench(config(gate=msgspec.structs.replace(WIDE, **firm), limits=limits, strategies=strategies))


def code(sent) -> str:
    return sent.code if isinstance(sent, Denial) else "OK"


SCOPES = ("all", "account:paper", "venue:sim", "strategy:operator", "symbol:AAA/USDT")


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_has_a_budget_of_messages_and_is_named(scope) -> None:
    at = bench(scope, messages_per_s=10.0)
    room = 8 if scope.startswith("venue") else 10  # a fifth of a venue's is left to a kill
    said = [at.submit(0, BUY, 1 + n, price_ticks=9_900) for n in range(12)]
    assert [code(one) for one in said] == ["OK"] * room + ["RATE"] * (12 - room)
    assert ("limit of" in said[-1].detail) == (scope != "all")
    at.wait(0.35)  # three more have leaked away
    assert [code(at.submit(0, BUY, 50 + n, price_ticks=9_900)) for n in range(4)] == ["OK"] * 3 + ["RATE"]


def test_cancels_and_amendments_count_and_are_never_refused() -> None:
    at = bench(messages_per_s=4.0)
    orders = [at.working(0, BUY, 5, 99.0) for _ in range(2)]
    for order in orders:
        at.command("cancel_order", {"cl_ord_id": order.cl_ord_id})
    assert all(order.cancels for order in orders)
    assert code(at.submit()) == "RATE"
    oms.cancel(at.state, orders[0])
    assert orders[0].cancels == 2 and at.state.cold.buckets["all"].used == 5.0


def test_a_kills_cancels_cost_nothing_of_the_budget() -> None:
    at = bench("venue:sim", messages_per_s=10.0)
    for n in range(5):
        at.working(0, BUY, 1 + n, 99.0)
    at.command("kill", {"scope": "all", "level": "halt"})
    assert at.state.cold.buckets["venue:sim"].used == 5.0


def test_exits_are_counted_and_never_refused_for_their_number() -> None:
    at = bench(messages_per_s=1.0)
    at.hold(0, 10)
    assert code(at.submit(1)) == "RATE"
    assert [code(at.submit(0, SELL, 1)) for _ in range(4)] == ["OK"] * 4
    assert at.state.cold.buckets["all"].used == 5.0


def test_budgets_survive_a_restart() -> None:
    at = bench(messages_per_s=3.0, duplicate_window_ms=250.0)
    for n in range(3):
        at.submit(0, BUY, 1 + n)
    at.state = snapshot.load(snapshot.save(at.state))
    assert code(at.submit(0, BUY, 9)) == "RATE"
    assert at.state.desk.by_strategy["operator"] == 3


@pytest.mark.parametrize("scope", SCOPES)
def test_open_orders_are_counted_by_scope(scope) -> None:
    at = bench(scope, open_orders_max=2)
    orders = [at.working(0, BUY, 1, 99.0 + n / 100) for n in range(2)]
    assert code(at.submit()) == "OPEN_ORDERS"
    outside = {"symbol:AAA/USDT": {"instrument": 1}, "strategy:operator": {"strategy": "other"}}.get(
        scope, {}
    )
    if "instrument" in outside:
        assert code(at.submit(**outside)) == "OK"
    at.report(orders[0].cl_ord_id, ReportKind.CANCELED)
    assert code(at.submit()) == "OK"


# --- twice ---------------------------------------------------------------------------------------------------------


def test_the_same_order_again_within_the_window_is_one_too_many() -> None:
    at = bench(duplicate_window_ms=250.0)
    wish = {"instrument": 0, "side": BUY, "lots": 10, "price_ticks": 9_900}
    assert code(at.submit(**wish)) == "OK"
    assert code(at.submit(**wish)) == "REPEATED_ORDER"
    for other in (
        {"lots": 11},
        {"price_ticks": 9_901},
        {"side": SELL, "price_ticks": 10_100},
        {"instrument": 1},
    ):
        assert code(at.submit(**wish | other)) == "OK"
    at.wait(0.26)
    assert code(at.submit(**wish)) == "OK"


def test_children_and_exits_are_not_likenesses() -> None:
    at = bench(duplicate_window_ms=250.0)
    for _ in range(2):
        assert code(at.submit(0, BUY, 10, purpose=Purpose.ALGO)) == "OK"
    at.state.positions["qty_lots"][1] = 20
    for _ in range(2):
        assert code(at.submit(1, SELL, 10)) == "OK"


def test_the_same_id_is_a_duplicate_whoever_sends_it() -> None:
    at = bench()
    at.state.positions["qty_lots"][0] = 20
    for purpose in (Purpose.ALGO, Purpose.OPERATOR):
        at.submit(0, SELL, 1, cl_ord_id="same", purpose=purpose)
        assert code(at.submit(0, SELL, 1, cl_ord_id="same", purpose=purpose)) == "DUPLICATE"


# --- against ourselves ---------------------------------------------------------------------------------------------


def test_an_entry_that_would_trade_with_our_own_order_is_denied() -> None:
    at = bench()
    at.working(0, SELL, 5, 100.02)
    at.working(0, SELL, 5, 100.05)
    assert code(at.submit(0, BUY, 1, price_ticks=10_001)) == "OK"
    denial = at.submit(0, BUY, 1, price_ticks=10_002)
    assert code(denial) == "SELF_MATCH" and (denial.value, denial.limit) == (10_002.0, 10_002.0)
    assert code(at.submit(1, BUY, 1, price_ticks=10_002)) == "OK", "another instrument"


def test_a_market_order_reaches_the_touch_and_no_further() -> None:
    at = bench()
    deep = at.working(0, SELL, 5, 100.05)
    assert code(at.submit(0, BUY, 1)) == "OK", "ours stands behind the best ask"
    at.working(0, SELL, 5, 100.01)
    assert code(at.submit(0, BUY, 1)) == "SELF_MATCH"
    assert deep.is_open


def test_an_order_being_cancelled_can_still_trade_and_one_that_is_gone_cannot() -> None:
    at = bench()
    order = at.working(0, SELL, 5, 100.01)
    oms.cancel(at.state, order)
    assert code(at.submit(0, BUY, 1)) == "SELF_MATCH"
    at.report(order.cl_ord_id, ReportKind.CANCELED)
    assert code(at.submit(0, BUY, 1)) == "OK"


def test_an_exit_is_not_kept_in_by_our_own_quote() -> None:
    at = bench()
    at.hold(0, 10)
    at.working(0, BUY, 5, 99.99)
    assert code(at.submit(0, SELL, 10)) == "OK"
    assert code(at.submit(0, SELL, 1)) == "SELF_MATCH", "the second would turn it: an entry"


def test_a_filled_quote_is_no_longer_ours_to_meet() -> None:
    at = bench()
    order = at.working(0, SELL, 5, 100.01)
    at.fill(order.cl_ord_id, 4)
    assert code(at.submit(0, BUY, 20)) == "SELF_MATCH"
    at.fill(order.cl_ord_id, 1)
    assert code(at.submit(0, BUY, 20)) == "OK"


def test_switched_off_or_resting_as_a_stop_it_passes() -> None:
    at = bench(self_match=False)
    at.working(0, SELL, 5, 100.01)
    assert code(at.submit(0, BUY, 1)) == "OK"
    at = bench()
    at.working(0, SELL, 5, 100.01)
    assert code(at.submit(0, BUY, 1, ord_type=OrdType.STOP, stop_ticks=10_100)) == "OK"


def test_the_interval_survives_a_restart() -> None:
    at = Bench(config(strategies=(strategy(symbols=()),), min_trade_interval_s=5.0))
    at.state.cold.hosts["hold-1"].last_entry_ns[0] = at.now
    at.state = snapshot.load(snapshot.save(at.state))
    mine = {"purpose": Purpose.STRATEGY, "strategy": "hold-1"}
    assert code(at.submit(**mine)) == "TRADE_INTERVAL"
    assert code(at.submit(**mine | {"purpose": Purpose.ALGO})) == "OK"
