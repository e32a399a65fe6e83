"""Our books against the venue's: three looks, one at a time, and whose word counts then."""

from __future__ import annotations

from bus.enums import Side, TradingState
from bus.events import Positions
from core.engine import pnlview

from .kit import Bench, config, only

H = TradingState.HALTED


def looks(bench: Bench, held: dict[int, int], times: int, apart: float = 0.6) -> None:
    for _ in range(times):
        bench.wait(apart)
        bench.answer_open(*[])
        bench.answer_positions(held)


def test_reconciliation_takes_three_looks_and_then_the_venues_word() -> None:
    bench = Bench(config(switches=only(reconciliation=True), account_check_interval_s=2.0))
    bench.hold(0, 10)
    bench.wait(2.1)
    looks(bench, {0: 17}, 2)
    assert bench.kills() == {} and bench.state.qty(0) == 10
    looks(bench, {0: 17}, 1)
    assert bench.kills()["reconciliation@venue:sim"][0] is H and bench.state.qty(0) == 17
    assert "AAA/USDT +7" in bench.alerts("RECONCILIATION")[-1].message
    assert pnlview.attributed(bench.state).strategy.keys() >= {"unexplained"}
    bench.finish_kill()
    bench.command("rearm", {"switch": "reconciliation"})
    assert bench.kills() == {}


def test_answers_of_one_moment_are_one_look() -> None:
    bench = Bench(config(switches=only(reconciliation=True), account_check_interval_s=2.0))
    bench.hold(0, 10)
    bench.wait(2.1)
    for _ in range(5):
        bench.answer_positions({0: 17})
    assert bench.kills() == {} and bench.state.qty(0) == 10


def test_a_difference_that_moves_is_a_fill_on_its_way() -> None:
    bench = Bench(config(switches=only(reconciliation=True), account_check_interval_s=2.0))
    bench.hold(0, 10)
    bench.wait(2.1)
    for lots in (11, 12, 13, 14, 15):
        looks(bench, {0: lots}, 1)
    assert bench.kills() == {} and bench.state.qty(0) == 10


def test_rechecks_do_not_multiply() -> None:
    bench = Bench(config(account_check_interval_s=1000.0))
    bench.hold(0, 10)
    bench.command("kill", {"scope": "all", "level": "flatten"})
    bench.command("kill", {"scope": "venue:sim", "level": "flatten"})
    before = bench.state.cold.requests
    for n in range(20):
        bench.answer_open()
        bench.answer_positions({0: 10 + n})
        bench.wait(0.6)
    assert bench.state.cold.requests - before < 400


def test_an_answer_nobody_asked_for_is_nothing() -> None:
    bench = Bench(config(switches=only(reconciliation=True)))
    bench.hold(0, 10)
    for n in range(9):
        bench.wait(1.0)
        bench.do(Positions(bench.now, 0, 10_000 + n, True, ()))
    assert bench.state.qty(0) == 10 and bench.kills() == {}


def test_an_execution_that_comes_after_all_is_not_booked_twice() -> None:
    bench = Bench(config(account_check_interval_s=2.0))
    order = bench.working(0, Side.BUY, 7)
    bench.wait(2.1)
    for _ in range(3):
        bench.wait(0.6)
        bench.answer_positions({0: 7})
    assert bench.state.qty(0) == 7
    bench.fill(order.cl_ord_id, 7, 99.0)
    assert bench.state.qty(0) == 7 and bench.state.cold.adjusted[0] == 0


def test_an_order_made_later_explains_nothing() -> None:
    bench = Bench(config(account_check_interval_s=2.0))
    bench.wait(2.1)
    for _ in range(3):
        bench.wait(0.6)
        bench.answer_positions({0: -7})
    assert bench.state.qty(0) == -7
    bench.price(0, 100.0)
    bench.hold(0, -5)
    assert bench.state.qty(0) == -12
