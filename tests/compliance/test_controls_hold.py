"""The regulatory controls, one row each, end to end through the engine: what docs/controls.md points to."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from bus import trail
from bus.effects import CancelOrder, NewOrder, Publish, Reply
from bus.enums import Purpose, ReportKind, Role, TradingState
from bus.events import Boot, Command
from bus.views import AlertView, AuditView, FillView
from core.engine.config import ScopeLimits, StrategyConfig
from core.engine.orders import Order
from core.engine.trail import lines
from tests.engine.kit import WIDE, Bench, config, only

BUY = {"symbol": "AAA/USDT", "side": "buy", "qty": "10", "type": "limit", "price": "99.5"}


def gated(**limits: Any) -> Bench:
    return Bench(config(gate=msgspec.structs.replace(WIDE, **limits)))


def answer(bench: Bench) -> str:
    """The code of the last refusal, "" when there was none."""
    return next((e.error_code for e in reversed(bench.effects) if isinstance(e, Reply) and e.error_code), "")


def ordered(bench: Bench, **changed: Any) -> str:
    bench.command("submit_order", BUY | changed)
    return answer(bench)


def test_c6_collar_per_order_per_instrument_and_over_time() -> None:
    bench = gated(price_collar=0.05)
    assert ordered(bench, price="94.9") == "COLLAR"
    assert ordered(bench, price="95.1") == ""
    tight = config(
        gate=msgspec.structs.replace(WIDE, price_collar=0.05),
        limits={"symbol:BBB/USDT": ScopeLimits(price_collar=0.01)},
    )
    bench = Bench(tight)
    assert ordered(bench, symbol="BBB/USDT", price="98.5") == "COLLAR"
    assert ordered(bench, symbol="AAA/USDT", price="98.5") == ""
    bench.state.markets["mark_px"][2] = 0.0  # as before its first tick
    assert ordered(bench, symbol="CCC/USDT") == "NO_PRICE", "a missing reference is a refusal"


@pytest.mark.parametrize("value", ["nan", "-5", "0", "1e400", ""])
def test_c7_a_quantity_that_is_none_never_reaches_a_limit(value: str) -> None:
    bench = gated()
    assert ordered(bench, qty=value) in ("BAD_NUMBER", "BAD_QUANTITY") and not bench.sent()


def test_c7_c8_value_and_volume_and_no_limit_is_no_order() -> None:
    bench = gated(order_value_max=1_000.0, order_lots_max=50)
    assert ordered(bench, qty="11", price="99.9") == "VALUE_MAX"
    assert ordered(bench, qty="9") == ""
    assert ordered(gated(order_lots_max=5), qty="6") == "LOTS_MAX"
    assert ordered(gated(order_value_max=math.nan)) == "VALUE_MAX", "a limit that is no number refuses"


def test_c9_submits_amends_and_cancels_count_and_a_kills_cancels_always_go() -> None:
    bench = gated(messages_per_s=4.0)
    assert [ordered(bench, price=str(97 + n)) for n in range(2)] == ["", ""]
    for key in list(bench.state.working):
        bench.report(key, ReportKind.ACK)
        bench.command("cancel_order", {"cl_ord_id": key})
    assert ordered(bench, price="95") == "RATE", "two orders and two cancels were the second's four messages"
    bench.command("kill", {"scope": "all", "level": "halt"})
    assert {e.cl_ord_id for e in bench.effects if isinstance(e, CancelOrder)} == set(bench.state.working)


def test_c10_what_is_sent_counts_before_anybody_has_answered() -> None:
    bench = gated(concentration_max=0.02)  # 2,000 of 100,000: twenty lots at 100
    assert ordered(bench, price="99") == "" and ordered(bench, price="99.1") == ""
    assert ordered(bench, price="99.2") == "CONCENTRATION"
    assert not any(isinstance(e, Publish) and isinstance(e.data, FillView) for e in bench.all)


def repeating(bench: Bench, count: int) -> None:
    for _ in range(count):
        order = bench.submit(0, lots=1, strategy="s", purpose=Purpose.STRATEGY)
        if isinstance(order, Order):
            bench.report(order.cl_ord_id, ReportKind.ACK)
            bench.fill(order.cl_ord_id, 1)


def test_c11_repeated_execution_stops_its_strategy_until_a_person_re_enables_it() -> None:
    named = {"strategies": (StrategyConfig(id="s", kind="hold"),), "signal_interval_s": 0.0}
    bench = Bench(config(gate=msgspec.structs.replace(WIDE, repeat_max=5), **named))
    repeating(bench, 5)
    key = "repeated_execution@strategy:s"
    assert bench.kill(key) is not None and bench.kill(key).level is TradingState.REDUCING
    bench.agree()
    bench.wait(3_600)
    bench.agree()
    assert bench.kill(key) is not None, "no timer leads out"
    bench.command("rearm", {"switch": "repeated_execution"}, reason="")
    assert answer(bench) == "NO_REASON"
    bench.command("rearm", {"switch": "repeated_execution"}, reason="the feed was doubled", who="ann")
    assert bench.kill(key) is None


def test_c12_c13_limits_stand_at_every_scope_and_name_their_owner() -> None:
    scopes = {
        "strategy:operator": ScopeLimits(
            order_value_max=500.0, owner="risk desk", rationale="new", date="2026-11-01"
        )
    }
    bench = Bench(config(limits=scopes, restricted=("CCC/USDT",)))
    assert ordered(bench) == "VALUE_MAX" and ordered(bench, qty="5") == ""
    assert ordered(bench, symbol="CCC/USDT") == "RESTRICTED"


def test_c14_an_override_needs_two_people_ends_by_itself_and_is_audited() -> None:
    bench = gated(order_value_max=500.0)
    assert ordered(bench) == "VALUE_MAX"
    wanted = {"code": "VALUE_MAX", "scope": "all", "value": "2000", "minutes": "5"}
    bench.command("request_override", wanted, who="ann", reason="a hedge that is due")
    id_ = next(iter(bench.state.cold.overrides))
    assert ordered(bench, price="99.4") == "VALUE_MAX", "asked for is not granted"
    for who, role, refused in (
        ("ann", Role.ADMIN, "SAME_PERSON"),
        ("bob", Role.OPERATOR, "NOT_PERMITTED"),
        ("bob", Role.ADMIN, ""),
    ):
        bench.do(Command(bench.now, f"g{who}{role}", who, role, "grant_override", {"id": id_}, "yes"))
        assert answer(bench) == refused
    said = [
        e.data
        for e in bench.all
        if isinstance(e, Publish) and isinstance(e.data, AuditView) and "override" in e.data.what
    ]
    assert {view.who for view in said} >= {"ann", "bob"}
    assert ordered(bench, price="99.3") == ""
    bench.wait(6 * 60)
    bench.price(0, 100.0)
    assert ordered(bench, price="99.2") == "VALUE_MAX", "its time is over"


def test_c16_a_book_that_differs_from_the_venues_stops() -> None:
    bench = Bench(config(switches=only(reconciliation=True)))
    bench.hold(0, 10)
    for _ in range(4):
        bench.answer_positions({0: 7})
        bench.wait(2.0)
    assert any("reconciliation" in key for key in bench.state.cold.kills)


def test_c21_the_same_intent_and_the_same_order_twice_are_one() -> None:
    bench = gated(duplicate_window_ms=1_000.0)
    assert ordered(bench, intent="the hedge") == ""
    assert ordered(bench, intent="the hedge") == "DUPLICATE"
    assert ordered(bench) == "REPEATED_ORDER"
    bench.wait(1.1)
    bench.price(0, 100.0)
    assert ordered(bench) == ""


def test_c22_every_execution_is_told_at_once() -> None:
    bench = gated()
    assert ordered(bench) == ""
    key = next(iter(bench.state.working))
    bench.fill(key, 10, 99.5)
    fills = [e.data for e in bench.effects if isinstance(e, Publish) and isinstance(e.data, FillView)]
    assert [(fill.cl_ord_id, fill.qty, fill.price) for fill in fills] == [(key, 10.0, 99.5)]


def test_c24_self_match_is_refused() -> None:
    bench = gated()
    assert ordered(bench, side="sell", price="100.5") == ""
    assert ordered(bench, side="buy", price="100.5") == "SELF_MATCH"


def test_c25_stale_and_crossed_data_refuse_entries_and_no_exit() -> None:
    bench = gated(data_age_max_s=5.0)
    bench.hold(0, 10)
    bench.wait(6.0)
    assert ordered(bench) == "STALE"
    assert ordered(bench, side="sell", type="market", reduce_only=True) == ""
    bench = gated()
    bench.state.markets["bid_ticks"][0] = 10_101  # the mark still stands, the book does not
    assert ordered(bench) == "CROSSED"


@pytest.mark.parametrize("level", ["reduce", "halt", "flatten", "shutdown"])
def test_c26_c27_every_rung_accepts_cancels_and_refuses_entries(level: str) -> None:
    bench = gated()
    assert ordered(bench) == ""
    bench.report(next(iter(bench.state.working)), ReportKind.ACK)
    bench.command("kill", {"scope": "symbol:BBB/USDT", "level": level})
    key = next(iter(bench.state.working))
    bench.command("kill", {"scope": "symbol:AAA/USDT", "level": level})
    bench.command("cancel_order", {"cl_ord_id": key})
    assert answer(bench) == "" and any(isinstance(e, CancelOrder) for e in bench.effects)
    assert ordered(bench) != "" and not [e for e in bench.effects if isinstance(e, NewOrder)]


def test_k1_every_epoch_says_which_build_and_configuration_it_runs() -> None:
    bench = gated()
    boot = Boot(bench.now, 2, True, config_sha256="c" * 64, build_sha256="b" * 64)
    said = trail.decode(lines(bench.state, boot, bench.do(boot)))
    assert {(line.target, line.result) for line in said} >= {("configuration", "c" * 64), ("build", "b" * 64)}


def test_k5_every_alarm_says_who_must_do_what_by_when() -> None:
    bench = gated()
    bench.command("kill", {"scope": "all", "level": "halt"})
    alerts = [e.data for e in bench.all if isinstance(e, Publish) and isinstance(e.data, AlertView)]
    assert alerts and all(each.action and each.act_within_s and each.priority for each in alerts)
