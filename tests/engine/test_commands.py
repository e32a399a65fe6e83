"""Commands, timers and time: once is once, bad input changes nothing, the clock never runs back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bus.effects import NewOrder, Reply
from bus.enums import ReportKind, Side
from bus.events import Boot, Funding, Noise, OpenOrders, Positions, Timer, VenueStatus
from core.engine import snapshot
from core.engine.market import Ticks
from core.kernels.tables import TICK

from .kit import SECOND, T0, Bench, config, only, quote, strategy

BUY = {"symbol": "AAA/USDT", "side": "buy", "qty": "10"}


def ending(bench: Bench, id: str) -> list[str]:
    return [r.status for r in bench.replies(id) if r.status in ("done", "failed", "rejected")]


@pytest.mark.parametrize(
    ("type", "data", "code"),
    [
        ("dance", {}, "UNSUPPORTED"),
        ("kill", {"level": "gently"}, "BAD_LEVEL"),
        ("kill", {"scope": "symbol:QQQ"}, "BAD_SCOPE"),
        ("kill", {"scope": "everything"}, "BAD_SCOPE"),
        ("submit_order", BUY | {"symbol": "QQQ"}, "UNKNOWN_SYMBOL"),
        ("submit_order", BUY | {"side": "hold"}, "BAD_ORDER"),
        ("submit_order", BUY | {"qty": "nan"}, "BAD_NUMBER"),
        ("submit_order", BUY | {"qty": "-10"}, "BAD_QUANTITY"),
        ("submit_order", BUY | {"qty": "0"}, "BAD_QUANTITY"),
        ("submit_order", BUY | {"qty": "1e300"}, "BAD_NUMBER"),
        ("submit_order", BUY | {"qty": True}, "BAD_NUMBER"),
        ("submit_order", BUY | {"qty": "1.5"}, "OFF_STEP"),
        ("submit_order", BUY | {"type": "limit", "price": "inf"}, "BAD_NUMBER"),
        ("submit_order", BUY | {"type": "limit", "price": "99.001"}, "OFF_STEP"),
        ("submit_order", BUY | {"type": "limit", "price": "1e18"}, "BAD_PRICE"),
        ("submit_order", BUY | {"reduce_only": True}, "NOT_REDUCING"),
        ("cancel_order", {"cl_ord_id": "nobody"}, "UNKNOWN_ORDER"),
        ("close_position", {"symbol": "AAA/USDT"}, "FLAT"),
        ("set_limit", {"name": "order_value_max", "value": "nan"}, "BAD_NUMBER"),
        ("set_limit", {"name": "gravity", "value": "1"}, "BAD_LIMIT"),
        ("stop_strategy", {"strategy": "nobody"}, "UNKNOWN_STRATEGY"),
    ],
)
def test_bad_commands_are_refused_by_name_and_change_nothing(type, data, code) -> None:
    bench = Bench()
    bench.command(type, data, id="x")
    (reply,) = bench.replies("x")
    assert (reply.status, reply.error_code) == ("rejected", code) and reply.error_message
    assert not bench.state.working and bench.kills() == {} and not bench.sent()


def test_the_same_id_again_returns_its_ending_and_does_nothing() -> None:
    bench = Bench()
    bench.command("submit_order", BUY, id="x")
    (order,) = bench.sent()
    bench.command("submit_order", BUY, id="x")
    assert [type(e) for e in bench.effects] == [Reply] and bench.effects[0].status == "accepted"
    bench.report(order.cl_ord_id, ReportKind.ACK)
    assert ending(bench, "x") == ["done"]
    bench.command("submit_order", BUY, id="x")
    assert [type(e) for e in bench.effects] == [Reply] and ending(bench, "x") == ["done", "done"]
    assert sum(isinstance(e, NewOrder) for e in bench.all) == 1


def test_the_same_id_after_a_restart_is_still_the_same_command() -> None:
    bench = Bench()
    bench.command("submit_order", BUY, id="x")
    bench.state = snapshot.load(snapshot.save(bench.state), bench.config)
    bench.do(Boot(bench.now, 2, clean=True, autostart=True))
    bench.command("submit_order", BUY, id="x")
    assert not bench.sent() and bench.effects[0].status == "accepted"
    bench.report(next(iter(bench.state.working)), ReportKind.ACK)
    assert ending(bench, "x") == ["done"]


def test_an_order_refused_by_the_venue_fails_its_command() -> None:
    bench = Bench()
    bench.command("submit_order", BUY, id="x")
    bench.report(bench.sent()[0].cl_ord_id, ReportKind.REJECTED, reason="no money")
    (reply,) = [r for r in bench.replies("x") if r.status == "failed"]
    assert "no money" in reply.error_message


def test_cancel_all_ends_when_the_venue_has_ended_them_all() -> None:
    bench = Bench()
    orders = [bench.working(i) for i in range(3)]
    bench.command("cancel_all", id="x")
    for order in orders[:2]:
        bench.report(order.cl_ord_id, ReportKind.CANCELED)
    assert ending(bench, "x") == []
    bench.fill(orders[2].cl_ord_id, 10)
    assert ending(bench, "x") == ["done"]


def test_two_commands_that_wait_for_the_same_orders_end_once_each() -> None:
    bench = Bench()
    bench.hold(0, 20)
    order = bench.working(0, Side.SELL, 10, 101.0)
    bench.command("close_position", {"symbol": "AAA/USDT"}, id="close")
    bench.command("stop", id="stop")
    bench.report(order.cl_ord_id, ReportKind.CANCELED)
    for left in list(bench.state.working.values()):
        bench.fill(left.cl_ord_id, left.leaves_lots)
    assert ending(bench, "close") == ["done"] and ending(bench, "stop") == ["done"]
    assert bench.state.qty(0) == 0


def test_a_dry_run_shows_the_layers_and_sends_nothing() -> None:
    bench = Bench()
    bench.command("submit_order", BUY | {"dry_run": True}, id="x")
    assert not bench.sent() and ending(bench, "x") == ["done"]


def test_a_limit_set_by_command_stands_before_the_configured_one() -> None:
    bench = Bench()
    bench.command("set_limit", {"name": "order_value_max", "value": "500"})
    bench.command("submit_order", BUY)
    assert bench.replies()[-1].error_code == "VALUE_MAX"


# --- time --------------------------------------------------------------------------------------------------------------


def test_the_clock_never_runs_back() -> None:
    bench = Bench()
    bench.wait(10.0)
    now = bench.state.cold.now_ns
    bench.do(Noise(T0, "old", 1))
    assert bench.state.cold.now_ns == now and bench.alerts("CLOCK")
    bench.do(quote(T0, 0, 101.0))
    assert bench.state.cold.now_ns == now
    bench.do(Timer(T0))
    assert bench.state.cold.now_ns == now


def test_a_jump_ahead_fires_every_timer_once_and_grid_points_are_counted_not_queued() -> None:
    bench = Bench(config(strategies=(strategy(),), signal_interval_s=1.0))
    host = bench.state.cold.hosts["hold-1"]
    bench.do(Timer(T0 + 3600 * SECOND))
    assert host.evaluations == 1 and host.skipped >= 3598
    assert bench.state.next_due_ns() > T0 + 3600 * SECOND


def test_timers_fire_in_their_order_whatever_the_step() -> None:
    def life(step_s: float) -> list[str]:
        bench = Bench(config(strategies=(strategy(),), signal_interval_s=1.0, account_check_interval_s=3.0))
        for _ in range(round(12 / step_s)):
            bench.wait(step_s)
        return [type(e).__name__ for e in bench.all]

    assert life(0.25) == life(3.0)


# --- garbage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        Funding(T0, 0, math.nan),
        Funding(T0, 0, math.inf),
        Funding(T0, 0, -5.0),
        Funding(T0, 99, 0.01),
        Funding(T0, -1, 0.01),
        VenueStatus(T0, 9, up=False),
        VenueStatus(T0, -1, up=False),
        OpenOrders(T0, 9, 1, True, ()),
        OpenOrders(T0, 0, 10**9, True, ()),
        Positions(T0, -1, 1, True, ()),
        Positions(T0, 0, 10**9, True, ()),
    ],
    ids=str,
)
def test_nonsense_changes_no_book_and_no_limit(event) -> None:
    bench = Bench(config(switches=only(drawdown=0.05, emergency=0.15)))
    bench.hold(0, 100)
    tables = [
        bench.state.positions.copy(),
        bench.state.currencies.copy(),
        bench.state.account["equity"].copy(),
    ]
    bench.do(event)
    assert (bench.state.positions == tables[0]).all() and bench.kills() == {} and not bench.sent()
    assert (
        bench.state.currencies.tobytes() == tables[1].tobytes() and bench.state.account["equity"] == tables[2]
    )


@pytest.mark.parametrize(
    "sides", [{"bid": -1.0}, {"ask": -1.0}, {"bid": 101.0, "ask": 99.0}, {"bid": 0.0, "ask": 0.0}], ids=str
)
def test_bad_ticks_are_counted_and_move_nothing(sides) -> None:
    bench = Bench(config(switches=only(drawdown=0.05)))
    bench.hold(0, 1000)
    bench.price(0, 50.0, **sides)
    assert (
        bench.state.mark(0) == 100.0 and bench.kills() == {} and int(bench.state.markets["refused"][0]) == 1
    )


@pytest.mark.parametrize("instrument", [-1, 3, 1 << 30])
def test_ticks_of_unknown_instruments_are_passed_over(instrument) -> None:
    bench = Bench()
    rows = np.zeros(1, dtype=TICK)
    rows["ts_ns"], rows["instrument"], rows["flags"] = bench.now, instrument, 1
    bench.do(Ticks(rows))
    assert bench.state.consumed == 1


def test_equity_that_cannot_be_told_halts_once_and_flattens_nothing() -> None:
    bench = Bench(
        config(switches=only(drawdown=0.05, daily_loss=0.1, emergency=0.15, leverage=5.0, margin=1.2))
    )
    order = bench.submit(0, Side.BUY, 100)
    bench.state.currencies["rate"][0] = math.nan
    bench.fill(order.cl_ord_id, 100)
    assert {key: level.name for key, (level, _) in bench.kills().items()} == {"drawdown@all": "HALTED"}
    assert bench.alerts("UNPRICEABLE")
    bench.finish_kill()
    bench.command("rearm", {"switch": "drawdown"})
    assert bench.replies()[-1].error_code == "STILL_HOLDS"
