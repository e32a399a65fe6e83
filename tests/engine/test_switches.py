"""Each switch: just before its threshold nothing, at it the level and the action; what re-arms it and what does not."""

from __future__ import annotations

import msgspec
import pytest

from bus.enums import KillPhase, ReportKind, Side, TradingState
from bus.events import Funding, JournalStatus, VenueStatus
from core.engine.config import SwitchLimits

from .kit import SPECS, Bench, config, only

R, H, F, X = TradingState.REDUCING, TradingState.HALTED, TradingState.FLATTENING, TradingState.SHUTDOWN
LONG = 1000  # lots at 100: 100,000 of value on 100,000 of equity

# name, limits, scope, level, the price of AAA that just does not trip, the one that does (equity falls 1,000 a unit)
NUMERIC = [
    ("drawdown", {"drawdown": 0.05}, "all", H, 95.01, 95.0),
    ("daily_loss", {"daily_loss": 0.10}, "all", H, 90.01, 90.0),
    ("emergency", {"emergency": 0.15}, "all", X, 85.01, 85.0),
    ("position_loss", {"position_loss": 0.02}, "symbol:AAA/USDT", F, 98.01, 98.0),
]


@pytest.mark.parametrize(
    ("name", "limits", "scope", "level", "before", "at"), NUMERIC, ids=[r[0] for r in NUMERIC]
)
def test_losses_trip_exactly_at_their_threshold(name, limits, scope, level, before, at) -> None:
    bench = Bench(config(switches=only(**limits)))
    bench.hold(0, LONG)
    bench.price(0, before)
    assert bench.kills() == {}
    bench.price(0, at)
    assert {key: lvl for key, (lvl, _) in bench.kills().items()} == {f"{name}@{scope}": level}
    held = bench.kill(f"{name}@{scope}")
    assert held.value == pytest.approx(limits[name]) and held.limit == limits[name]
    assert [record.record["latches"][0]["level"] for record in bench.latches()] == [level.name]


@pytest.mark.parametrize(
    ("name", "limits", "scope", "level", "before", "at"), NUMERIC, ids=[r[0] for r in NUMERIC]
)
def test_losses_trip_by_fills_too(name, limits, scope, level, before, at) -> None:
    """A fill far from the mark moves equity without a tick."""
    bench = Bench(config(switches=only(**limits)))
    order = bench.submit(0, Side.BUY, LONG)
    bench.report(order.cl_ord_id, ReportKind.ACK)
    bench.fill(order.cl_ord_id, LONG, 100.0 + (100.0 - at) * 1.3)
    assert {key: lvl for key, (lvl, _) in bench.kills().items()} == {f"{name}@{scope}": level}


@pytest.mark.parametrize(
    ("level", "limits"), [(F, {"drawdown_level": "flatten"}), (R, {"drawdown_level": "reduce"})]
)
def test_what_drawdown_does_is_configured(level, limits) -> None:
    bench = Bench(config(switches=only(drawdown=0.05, **limits)))
    bench.hold(0, LONG)
    bench.price(0, 95.0)
    assert bench.kills()["drawdown@all"][0] is level


def test_a_gap_through_every_threshold_trips_them_all_worst_first() -> None:
    bench = Bench(config(switches=msgspec.structs.replace(SwitchLimits(), stale_data_s=None)))
    bench.hold(0, LONG)
    bench.price(0, 80.0)
    levels = {key: level for key, (level, _) in bench.kills().items()}
    assert levels == {
        "emergency@all": X, "drawdown@all": H, "daily_loss@all": H, "position_loss@symbol:AAA/USDT": F
    }  # fmt: skip
    assert next(iter(levels)) == "emergency@all"


def test_position_loss_against_equity() -> None:
    bench = Bench(config(switches=only(position_loss=0.02, position_loss_basis="equity")))
    bench.hold(0, 100)  # a tenth of equity: 2 % of equity is 20 % of cost
    bench.price(0, 80.5)
    assert bench.kills() == {}
    bench.price(0, 79.5)
    assert bench.kills()["position_loss@symbol:AAA/USDT"][0] is F


def test_a_short_position_loses_when_prices_rise() -> None:
    bench = Bench(config(switches=only(position_loss=0.02)))
    bench.hold(0, -100)
    bench.price(0, 101.99)
    assert bench.kills() == {}
    bench.price(0, 102.0)
    assert "position_loss@symbol:AAA/USDT" in bench.kills()


def test_funding_can_trip() -> None:
    bench = Bench(config(switches=only(drawdown=0.05)))
    bench.hold(0, LONG)
    bench.do(Funding(bench.now, 0, 0.049))
    assert bench.kills() == {}
    bench.do(Funding(bench.now, 0, 0.0011))
    assert "drawdown@all" in bench.kills()


def test_a_new_day_forgets_yesterdays_loss_and_no_latch() -> None:
    opens = (Bench().now + 60 * 10**9,)
    bench = Bench(config(switches=only(daily_loss=0.10), day_opens_ns=opens))
    bench.hold(0, LONG)
    bench.price(0, 91.0)
    bench.wait(61.0)
    bench.price(0, 82.5)  # 9.3 % of the new day's opening equity
    assert bench.kills() == {}
    bench.price(0, 81.8)
    assert bench.kills()["daily_loss@all"][0] is H
    bench.finish_kill()
    bench.wait(2 * 86_400.0)
    assert bench.kills()["daily_loss@all"] == (H, KillPhase.LATCHED)


# --- leverage and margin: cut to the target, and only that ------------------------------------------------------------------


def levered(prices=(100.0, 100.0, 100.0), lots=(1000, 600, 400), **switches) -> Bench:
    bench = Bench(config(switches=only(**switches)))
    for i, quantity in enumerate(lots):
        bench.hold(i, quantity)
    for i, price in enumerate(prices):
        bench.price(i, price)
    return bench


def test_leverage_is_cut_largest_first_to_its_target() -> None:
    bench = levered(lots=(2000, 1600, 1300), leverage=5.0)
    assert bench.kills() == {}
    bench.price(2, 98.0)  # gross 487,400 on 97,400: 5.004
    assert bench.kills()["leverage@all"][0] is R
    bench.answer_open()
    bench.answer_positions()
    (cut,) = bench.sent()
    assert cut.instrument == 0 and cut.side is Side.SELL and cut.reduce_only
    bench.finish_kill()
    leverage = float(bench.state.account["leverage"][0])
    assert 4.49 < leverage <= 4.5
    assert [bench.state.qty(i) for i in (1, 2)] == [1600, 1300]


def test_a_ratio_past_its_limit_again_under_its_latch_is_cut_again() -> None:
    bench = levered(lots=(2000, 1600, 1300), leverage=5.0)
    bench.price(2, 98.0)
    bench.finish_kill()
    assert bench.kills()["leverage@all"] == (R, KillPhase.LATCHED)

    bench.price(1, 90.0)  # 5.19: past the limit again, with nobody re-arming
    assert bench.kills()["leverage@all"] == (R, KillPhase.CANCELLING)
    bench.finish_kill()

    assert bench.kills()["leverage@all"] == (R, KillPhase.LATCHED)
    assert 4.49 < float(bench.state.account["leverage"][0]) <= 4.5


def test_a_cut_goes_on_to_the_next_largest() -> None:
    bench = levered(lots=(300, 250, 180), leverage=0.75, leverage_target=0.2)
    bench.price(0, 120.0)
    bench.price(1, 125.0)
    assert bench.kills()["leverage@all"][0] is R
    bench.finish_kill(fill_price=120.0)
    assert (
        bench.state.qty(0) == 0
        and bench.state.qty(1) > 0
        and float(bench.state.account["leverage"][0]) <= 0.2
    )


def test_margin_is_restored_by_what_is_cheapest_to_close() -> None:
    specs = tuple(
        msgspec.structs.replace(s, margin_rate=rate) for s, rate in zip(SPECS, (0.2, 0.5, 0.5), strict=True)
    )
    bench = Bench(config(instruments=specs, switches=only(margin=1.2, margin_target=1.5)))
    for i, lots in enumerate((1000, 600, 600)):
        bench.hold(i, lots)
    bench.price(1, 100.0, bid=99.5, ask=100.5)  # dear to close
    assert bench.kills() == {}
    bench.price(0, 89.5)  # equity 89,500; margin 17,900 + 60,000: 1.149
    assert bench.kills()["margin@all"][0] is R
    bench.finish_kill()
    assert float(bench.state.account["margin_ratio"][0]) >= 1.5
    assert bench.state.qty(2) < 600 and bench.state.qty(1) == 600 and bench.state.qty(0) == 1000


def test_reducing_leaves_working_exits_alone_and_cancels_entries() -> None:
    bench = levered(leverage=2.0, lots=(1000, 300, 300))
    entry = bench.working(0, Side.BUY, 10, 97.0)
    leaving = bench.working(0, Side.SELL, 10, 103.0, reduce_only=True)
    bench.price(0, 165.0)
    bench.price(1, 150.0)
    bench.command("kill", {"scope": "all", "level": "reduce"})
    assert bench.cancelled(bench.all) == [entry.cl_ord_id] and leaving.is_open


def test_escalation_only_goes_up() -> None:
    bench = Bench(config(switches=only(drawdown=0.05, emergency=0.15)))
    bench.hold(0, LONG)
    bench.price(0, 94.0)
    bench.price(0, 84.0)
    assert {k: level for k, (level, _) in bench.kills().items()} == {"drawdown@all": H, "emergency@all": X}
    bench.command("kill", {"scope": "all", "level": "flatten"})
    bench.command("kill", {"scope": "all", "level": "halt"})
    assert bench.kills()["operator@all"][0] is F


# --- counts and times ------------------------------------------------------------------------------------------------------


def test_stale_data_where_something_is_at_stake() -> None:
    bench = Bench(config(switches=only(stale_data_s=30.0)))
    bench.hold(0, 10)
    bench.wait(29.0)
    bench.price(2, 100.0)
    assert bench.kills() == {}
    bench.wait(7.0)
    assert {k: level for k, (level, _) in bench.kills().items()} == {"stale_data@symbol:AAA/USDT": R}
    bench.finish_kill()
    bench.command("rearm", {"switch": "stale_data"})
    assert bench.replies()[-1].error_code == "STILL_HOLDS"
    bench.price(0, 100.0)
    bench.command("rearm", {"switch": "stale_data"})
    assert bench.kills() == {} and bench.replies()[-1].status == "done"


def test_venue_down_halts_after_its_grace_and_re_arms_when_up() -> None:
    bench = Bench(config(switches=only(venue_down_s=10.0)))
    bench.do(VenueStatus(bench.now, 0, up=False, reason="cable"))
    bench.wait(9.9)
    assert bench.kills() == {}
    bench.wait(0.2)
    assert bench.kills()["venue_down@venue:sim"][0] is H
    bench.finish_kill()
    bench.command("rearm", {"switch": "venue_down"})
    assert bench.replies()[-1].error_code == "STILL_HOLDS"
    bench.do(VenueStatus(bench.now, 0, up=True))
    bench.command("rearm", {"switch": "venue_down"})
    assert bench.kills() == {}


def test_a_venue_that_comes_back_in_time_trips_nothing() -> None:
    bench = Bench(config(switches=only(venue_down_s=10.0)))
    for _ in range(3):
        bench.do(VenueStatus(bench.now, 0, up=False))
        bench.wait(6.0)
        bench.do(VenueStatus(bench.now, 0, up=True))
        bench.wait(3.0)
    assert bench.kills() == {}


def submits(bench: Bench, count: int) -> None:
    for n in range(count):
        bench.command("submit_order", {"symbol": "AAA/USDT", "side": "buy", "type": "limit", "price": f"{90 + n * 0.01:.2f}",
                                       "qty": "1"})  # fmt: skip


def test_order_rate_counts_submits_and_cancels() -> None:
    bench = Bench(
        config(
            switches=only(order_rate_per_s=10.0),
            gate=msgspec.structs.replace(config().gate, price_collar=0.5),
        )
    )
    submits(bench, 8)
    for id in list(bench.state.working)[:2]:
        bench.command("cancel_order", {"cl_ord_id": id})
    assert bench.kills() == {}
    bench.command("cancel_order", {"cl_ord_id": list(bench.state.working)[5]})
    assert bench.kills()["order_rate@all"][0] is H
    bench.finish_kill()
    bench.command("rearm", {"switch": "order_rate"})
    assert bench.kills() == {}


@pytest.mark.parametrize("stop", ["kill", "cancel_all", "stop"])
def test_a_stops_own_cancels_do_not_count(stop) -> None:
    bench = Bench(
        config(
            switches=only(order_rate_per_s=10.0),
            gate=msgspec.structs.replace(config().gate, price_collar=0.5),
        )
    )
    for _ in range(4):
        submits(bench, 6)
        bench.wait(1.5)
    bench.command(stop, {})
    assert len(bench.cancelled()) == 24 and "order_rate@all" not in bench.kills()


def test_reject_rate_needs_enough_and_half() -> None:
    bench = Bench(config(switches=only(reject_rate=0.5)))
    for n in range(10):
        assert bench.kills() == {}
        order = bench.submit(0, Side.BUY, 1)
        bench.report(order.cl_ord_id, ReportKind.REJECTED if n % 2 else ReportKind.ACK)
    assert bench.kills()["reject_rate@all"][0] is H
    bench.finish_kill()
    bench.command("rearm", {"switch": "reject_rate"})
    assert bench.kills() == {} and bench.state.cold.verdicts == []


def test_the_journal() -> None:
    bench = Bench(config(switches=only(journal=True)))
    order = bench.working(0)
    bench.do(JournalStatus(bench.now, ok=False, reason="disk full"))
    assert bench.kills()["journal@all"][0] is H and bench.cancelled() == [order.cl_ord_id]
    bench.finish_kill()
    bench.command("rearm", {"switch": "journal"})
    assert bench.replies()[-1].error_code == "STILL_HOLDS"
    bench.do(JournalStatus(bench.now, ok=True))
    bench.command("rearm", {"switch": "journal"})
    assert bench.kills() == {}
