"""Each algorithm's own way, and what a request for it may and may not say."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest

from bus.enums import OrdType, TimeInForce
from core.kernels import schedules as k
from core.kernels.schedules import HOUR_NS
from tests.engine.kit import SECOND, T0, Bench, config

from .kit import AlgoLimits, K, ask, bench, children, drop_all, fill_all, parent, sent, trade
from .lives import TWO


def test_pov_follows_the_volume_of_others() -> None:
    b = bench(own_in_tape=False)
    p = parent(b, "pov", qty=1000, participation="0.2")
    assert not children(b)
    trade(b, 40)
    assert sent(b.wait(1.0)) == [10]  # 10 of 50 is a fifth
    fill_all(b)
    assert sent(b.wait(1.0)) == []  # nobody traded
    trade(b, 3)
    trade(b, 5)
    assert sent(b.wait(1.0)) == [2]
    fill_all(b)
    b.wait(20.0)
    assert (p.status, p.filled_lots) == ("DONE", 12)


def test_pov_does_not_chase_its_own_volume() -> None:
    b = bench(own_in_tape=True)
    parent(b, "pov", qty=1000, participation="0.2")
    trade(b, 40)
    assert sent(b.wait(1.0)) == [10]
    fill_all(b)
    trade(b, 10)  # our own print
    assert sent(b.wait(1.0)) == []
    b.hold(0, 4)
    trade(b, 4)  # another order of ours is no stranger either
    assert sent(b.wait(1.0)) == []
    trade(b, 8)
    assert sent(b.wait(1.0)) == [2]


def test_pov_keeps_to_its_largest_and_smallest_child() -> None:
    b = bench(own_in_tape=False, catch_up_max=0.0)
    parent(b, "pov", qty=1000, participation="0.5", max_qty="6", min_qty="3")
    trade(b, 50)
    assert sent(b.wait(1.0)) == [6]
    fill_all(b)
    trade(b, 2)
    assert sent(b.wait(1.0)) == []


def test_vwap_follows_the_profile_it_is_given() -> None:
    b = bench()
    profile = [1.0] * 168
    first = ((T0 // HOUR_NS) + 72) % 168
    profile[first] = 9.0
    left_s = HOUR_NS * (T0 // HOUR_NS + 1) - T0
    over_s = 2 * left_s / SECOND
    p = parent(b, "vwap", over_s=str(over_s), slices=2, profile=profile, dynamic=0)
    assert p.schedule[1] == 100
    assert 80 <= p.schedule[0] <= 90


def test_a_dynamic_curve_spreads_what_is_left() -> None:
    b = bench(catch_up_max=10.0)
    parent(b, "vwap")
    drop_all(b)  # the first ten lots found nobody
    assert sent(b.wait(1.0)) == [11]  # a ninth of what is left
    fill_all(b)
    assert sent(b.wait(1.0)) == [11]


def test_volume_is_learned_by_the_hour_of_the_week() -> None:
    b = bench()
    b.wait(3600.0)  # to the next full hour and beyond: the hour of the start does not count
    quiet = b.state.cold.tapes[0]
    for n in range(3):
        trade(b, 100 * (n + 1))
        b.wait(3600.0)
    assert sorted(quiet.volume.values()) == [100.0, 200.0, 300.0]
    assert set(quiet.seen.values()) == {1.0}
    b.agree()
    b.price(0, 100.0)
    learned = k.shrunk(*_rows(quiet), 4.0)
    p = parent(b, "vwap", over_s="7200", slices=2)
    assert p.weights == k.slice_weights(learned, p.start_ns, p.slice_ns, 2).tolist()
    assert learned.max() > 1.0 > learned.min()


def _rows(tape):
    volume, seen = np.zeros(k.HOURS), np.zeros(k.HOURS)
    for hour, lots in tape.volume.items():
        volume[hour], seen[hour] = lots, tape.seen[hour]
    return volume, seen


def test_shortfall_keeps_the_model_and_its_inputs_with_the_estimate() -> None:
    b = Bench(config(algos=AlgoLimits(daily_volume=1e6, risk_aversion=1e-2)))
    p = parent(b, "is", qty=10_000, over_s="3600")
    assert p.model == "almgren-chriss-2000-linear"
    assert p.estimate["kappa_per_s"] > 0.0
    assert p.estimate["daily_volume_base"] == 1e6
    assert p.estimate["cost_bps"] == pytest.approx(p.estimate["cost_quote"] / 1e6 * 1e4)
    parts = [after - before for before, after in zip([0, *p.schedule], p.schedule, strict=False)]
    assert all(before + 1 >= after for before, after in pairwise(parts))
    assert parts[0] > 1_000


def test_shortfall_without_any_volume_is_refused() -> None:
    said = ask(bench(), "is")
    assert (said.status, said.error_code) == ("rejected", "BAD_ALGO")
    assert "daily_volume" in said.error_message


def test_shortfall_takes_the_volume_that_the_tape_has_shown() -> None:
    b = bench()
    b.wait(100.0)
    trade(b, 864)
    b.price(0, 100.0)
    p = parent(b, "is")
    assert p.estimate["daily_volume_base"] == pytest.approx(864 / 100 * 86_400, rel=1e-6)


def test_an_iceberg_shows_its_part_and_the_next_when_it_is_gone() -> None:
    b = bench()
    p = parent(b, "iceberg", qty=25, price=99.5, display_qty="10")
    (first,) = children(b)
    assert (first.qty_lots, first.price_ticks, first.tif) == (10, 9_950, TimeInForce.GTC)
    b.report(first.cl_ord_id, K.ACK)
    b.fill(first.cl_ord_id, 9)
    assert len(children(b)) == 1
    b.fill(first.cl_ord_id, 1)
    assert sent(b.effects) == [10]
    fill_all(b)
    assert [o.qty_lots for o in children(b, open=True)] == [5]
    fill_all(b)
    assert (p.status, p.filled_lots) == ("DONE", 25)


def test_an_iceberg_whose_part_was_taken_away_waits_before_it_shows_another() -> None:
    b = bench()
    parent(b, "iceberg", qty=25, price=99.5, display_qty="10")
    drop_all(b)
    assert sent(b.effects) == []
    assert sent(b.wait(1.0)) == [10]


def test_sor_goes_to_the_cheaper_venue_and_is_over_when_its_legs_are() -> None:
    b = Bench(config(instruments=TWO, venues=("sim", "alt")))
    b.price(0, 100.0)
    b.price(1, 99.5)
    p = parent(b, "sor", qty=20)
    legs = children(b)
    assert [(o.instrument, o.qty_lots, o.tif) for o in legs] == [
        (1, 4, TimeInForce.IOC)
    ]  # a lot there is five here
    b.fill(legs[0].cl_ord_id, 3, 99.5)
    assert (p.filled_lots, p.status) == (15, "RUNNING")
    b.report(legs[0].cl_ord_id, K.CANCELED)
    assert (p.filled_lots, p.status, p.reason) == (15, "DONE", "5.0 not done")


def test_routed_slices_count_in_the_parents_lots() -> None:
    b = Bench(config(instruments=TWO, venues=("sim", "alt")))
    b.price(0, 100.0)
    b.price(1, 99.5)
    p = parent(b, qty=100, slices=2, venues="all")
    (leg,) = children(b)
    assert (leg.instrument, leg.qty_lots) == (1, 10)
    b.report(leg.cl_ord_id, K.UNKNOWN)
    b.wait(4.0)
    b.price(0, 100.0)
    b.price(1, 99.5)
    b.wait(1.0)
    at_home = [o for o in children(b) if o.instrument == 0]
    assert [o.qty_lots for o in at_home] == [
        50
    ]  # the venue that does not answer is out, its fifty are spoken for
    assert p.filled_lots == 0


def test_a_dry_run_shows_the_plan_and_sends_nothing() -> None:
    b = bench()
    said = ask(b, data={"dry_run": True})
    assert said.data["schedule"] == [10.0 * (n + 1) for n in range(10)]
    assert said.data["decisions"][0]["ok"]
    assert not b.state.cold.parents
    assert not sent(b.all)


@pytest.mark.parametrize(
    ("algo", "params", "hint"),
    [
        ("twapp", {}, "twap"),
        ("twap", {"over": "10"}, "did you mean over_s"),
        ("twap", {"over_s": "0"}, "over_s"),
        ("twap", {"over_s": "nan"}, "over_s"),
        ("twap", {"over_s": "1e9"}, "over_s"),
        ("twap", {"slices": 0}, "slices"),
        ("twap", {"slices": 5000}, "slices"),
        ("twap", {"style": "fast"}, "style"),
        ("twap", {"venues": "nowhere"}, "nowhere"),
        ("twap", {"venues": "all", "style": "limit"}, "limit"),
        ("twap", {"jitter": "2"}, "jitter"),
        ("twap", {"catch_up_max": "-1"}, "catch_up_max"),
        ("pov", {}, "participation"),
        ("pov", {"participation": "1.5"}, "participation"),
        ("vwap", {"profile": [1, 2]}, "168"),
        ("vwap", {"profile": [0] * 168}, "all zero"),
        ("iceberg", {"display_qty": "1"}, "limit price"),
        ("sor", {"over_s": "5"}, "over_s"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(algo, params, hint) -> None:
    b = bench()
    said = ask(b, algo, **params)
    assert (said.status, said.error_code[:3]) == ("rejected", "BAD")
    assert hint in said.error_message
    assert "\n" not in said.error_message
    assert not b.state.cold.parents


def test_an_iceberg_needs_its_display() -> None:
    assert "display_qty" in ask(bench(), "iceberg", price=99.0).error_message


@pytest.mark.parametrize("order", ["restricted", "stopped", "not_started", "not_reducing"])
def test_what_could_never_be_sent_is_refused_at_once(order) -> None:
    b = Bench(config(restricted=("AAA/USDT",) if order == "restricted" else ()), start=order != "not_started")
    if order == "stopped":
        b.command("kill", {"level": "reduce"})
    said = ask(b, data={"reduce_only": order == "not_reducing"})
    codes = {
        "restricted": "RESTRICTED",
        "stopped": "REDUCING",
        "not_started": "NOT_STARTED",
        "not_reducing": "NOT_REDUCING",
    }
    assert (said.status, said.error_code) == ("rejected", codes[order])
    assert not b.state.cold.parents


@pytest.mark.parametrize(
    ("command", "before", "code"),
    [
        ("cancel_algo", "", "UNKNOWN_ALGO"),
        ("pause_algo", "", "UNKNOWN_ALGO"),
        ("resume_algo", "RUNNING", "NOT_PAUSED"),
        ("pause_algo", "PAUSED", "NOT_RUNNING"),
        ("cancel_algo", "DONE", "ENDED"),
    ],
)
def test_commands_that_make_no_sense_are_refused(command, before, code) -> None:
    b = bench()
    id_ = "nobody"
    if before:
        p = parent(b, qty=10, slices=1)
        id_ = p.id
        if before == "PAUSED":
            b.command("pause_algo", {"id": id_})
        if before == "DONE":
            fill_all(b)
        assert p.status == before
    b.command(command, {"id": id_})
    assert b.replies()[-1].error_code == code


def test_a_coin_margined_contract_has_its_base_from_the_price() -> None:
    btc = msgspec.structs.replace(
        TWO[0], symbol="BTC/USD:BTC", settle="BTC", inverse=True, lot_size=1.0, contract_value=10.0
    )
    usd = msgspec.structs.replace(TWO[0], symbol="BTC/USDT", base="BTC", fx_for="BTC")
    b = Bench(config(instruments=(btc, usd), algos=AlgoLimits(daily_volume=1000.0)))
    p = parent(b, "is", qty=100, data={"symbol": "BTC/USD:BTC"})
    assert p.estimate["cost_quote"] > 0.0
    assert children(b)[0].ord_type is OrdType.LIMIT
