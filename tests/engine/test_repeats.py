"""Repeated execution: what counts, what starts afresh, what stops it, and who lets it go on."""

from __future__ import annotations

import msgspec

from bus.enums import KillPhase, Purpose, Side, TradingState
from core.engine import snapshot
from core.engine.gate import Denial

from .kit import WIDE, Bench, config, strategy

BUY, SELL = Side.BUY, Side.SELL
MINE = {"purpose": Purpose.STRATEGY, "strategy": "hold-1"}
KEY = "repeated_execution@strategy:hold-1"


def bench(limit: int = 3) -> Bench:
    both = strategy(symbols=()), strategy("hold-2", symbols=())
    return Bench(
        config(
            strategies=both,
            account_check_interval_s=1e6,
            gate=msgspec.structs.replace(WIDE, repeat_max=limit, repeat_window_s=60.0),
        )
    )


def bought(at: Bench, times: int, lots: int = 1, **named) -> None:
    for _ in range(times):
        at.hold(0, lots, **MINE | named)


def test_too_many_in_a_row_reduce_the_strategy_and_nobody_else() -> None:
    at = bench()
    bought(at, 2)
    assert at.kill(KEY) is None
    bought(at, 1)
    assert at.kill(KEY).level is TradingState.REDUCING and at.kill(KEY).value == 3.0
    denial = at.submit(1, **MINE)
    assert isinstance(denial, Denial) and denial.code == "REDUCING"
    assert not isinstance(at.submit(0, SELL, 3, **MINE), Denial), "its exit"
    assert not isinstance(at.submit(1, **MINE | {"strategy": "hold-2"}), Denial)
    assert not isinstance(at.submit(1), Denial)


def test_prints_of_one_order_are_one_execution() -> None:
    at = bench()
    order = at.submit(0, BUY, 10, **MINE)
    for _ in range(10):
        at.fill(order.cl_ord_id, 1)
    assert at.kill(KEY) is None and len(at.state.cold.repeats["hold-1|AAA/USDT|BUY"]) == 1


def test_an_execution_the_other_way_starts_afresh() -> None:
    at = bench()
    bought(at, 2)
    bought(at, 1, -1)
    bought(at, 2)
    assert at.kill(KEY) is None
    bought(at, 1)
    assert at.kill(KEY) is not None


def test_the_window_forgets_before_the_latch_and_never_after() -> None:
    at = bench()
    bought(at, 2)
    at.wait(61.0)
    for i in range(3):
        at.price(i, 100.0)
    bought(at, 2)
    assert at.kill(KEY) is None
    slow = at.submit(1, BUY, 1, **MINE)
    late = at.working(0, BUY, 1, 99.0, **MINE)
    bought(at, 1)
    at.finish_kill()
    at.wait(3_600.0)
    assert at.kill(KEY).phase is KillPhase.LATCHED
    at.fill(late.cl_ord_id, 1)
    at.fill(slow.cl_ord_id, 1)
    at.state.cold.kills.clear()  # even if the kill were lost, the gate remembers
    at.price(0, 100.0)
    denial = at.submit(0, BUY, 1, **MINE)
    assert isinstance(denial, Denial) and denial.code == "REPEATED_EXECUTION"


def test_by_hand_and_by_plan_of_a_parent_are_not_counted() -> None:
    at = bench()
    bought(at, 5, purpose=Purpose.OPERATOR)
    bought(at, 5, purpose=Purpose.ALGO)
    assert at.state.cold.repeats == {}


def test_only_a_named_person_re_arms_it_and_it_counts_from_nothing() -> None:
    at = bench()
    bought(at, 3)
    at.finish_kill()
    at.state = snapshot.load(snapshot.save(at.state))
    at.command("rearm", {"switch": "repeated_execution"}, who="")
    assert at.kill(KEY) is not None
    at.command("rearm", {"switch": "repeated_execution"}, reason="looked at it", who="bob")
    assert at.kill(KEY) is None and at.state.cold.repeats == {}
    at.command("start")
    bought(at, 2)
    assert at.kill(KEY) is None
