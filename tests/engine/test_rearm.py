"""Leaving a stop: by name, with a reason, after confirmation, when the condition is over; then READY, then start."""

from __future__ import annotations

import pytest

from bus.enums import KillPhase, Side, TradingState
from bus.events import Boot, LatchStored
from core.engine import ladder
from core.engine.gate import Denial

from .kit import Bench, config, only, strategy


def killed(level: str = "halt", **named) -> Bench:
    bench = Bench(config(**named))
    bench.hold(0, 100)
    bench.command("kill", {"scope": "all", "level": level})
    bench.finish_kill()
    return bench


def word(bench: Bench) -> str:
    return ladder.state_word(bench.state.cold.kills, started=bench.state.cold.started)


def last(bench: Bench) -> tuple[str, str]:
    reply = bench.replies()[-1]
    return reply.status, reply.error_code


def test_re_arming_leads_to_ready_and_starting_is_another_act() -> None:
    bench = killed()
    bench.command("start")
    assert last(bench) == ("rejected", "LATCHED")
    bench.command("rearm", {"switch": "operator"})
    assert last(bench) == ("done", "") and word(bench) == "READY"
    assert isinstance(bench.submit(0, Side.BUY, 1), Denial)
    bench.command("start")
    assert last(bench) == ("done", "") and word(bench) == "ACTIVE"
    assert not isinstance(bench.submit(0, Side.BUY, 1), Denial)


@pytest.mark.parametrize(
    ("data", "reason", "who", "code"),
    [
        ({"switch": "operator"}, "", "alice", "NO_REASON"),
        ({"switch": "operator"}, "   ", "alice", "NO_REASON"),
        ({"switch": "operator"}, "because", " ", "NO_OPERATOR"),
        ({"switch": "drawdown"}, "because", "alice", "NOT_LATCHED"),
        ({"switch": "gravity"}, "because", "alice", "BAD_SWITCH"),
        ({}, "because", "alice", "BAD_SWITCH"),
    ],
)
def test_refused(data, reason, who, code) -> None:
    bench = killed()
    bench.command("rearm", data, reason=reason, who=who)
    assert last(bench) == ("rejected", code) and "operator@all" in bench.kills()


@pytest.mark.parametrize("phase", [KillPhase.CANCELLING, KillPhase.FLATTENING])
def test_not_in_the_middle_of_a_kill(phase) -> None:
    bench = Bench()
    bench.hold(0, 100)
    bench.working(0)
    bench.command("kill", {"scope": "all", "level": "flatten"})
    if phase is KillPhase.FLATTENING:
        bench.report(next(iter(bench.state.working)), kind=3)
        bench.answer_open()
    assert bench.kills()["operator@all"][1] is phase
    bench.command("rearm", {"switch": "all"})
    assert last(bench) == ("rejected", "STILL_HOLDS") and bench.kills()["operator@all"][1] is phase


def test_no_timer_re_arms_or_starts() -> None:
    bench = killed()
    for _ in range(50):
        bench.wait(3600.0)
        bench.price(0, 100.0)
    assert bench.kills()["operator@all"] == (TradingState.HALTED, KillPhase.LATCHED)
    bench.command("rearm", {"switch": "all"})
    for _ in range(50):
        bench.wait(3600.0)
    assert word(bench) == "READY"


def test_a_drawdown_holds_while_the_book_does_and_starts_anew_when_flat() -> None:
    bench = Bench(config(switches=only(drawdown=0.05)))
    bench.hold(0, 1000)
    bench.price(0, 94.0)
    bench.finish_kill()
    bench.command("rearm", {"switch": "drawdown"})
    assert last(bench) == ("rejected", "STILL_HOLDS") and "flatten first" in bench.replies()[-1].error_message
    assert float(bench.state.account["equity_peak"][0]) == 100_000.0, "a refused re-arm moves no peak"
    bench.hold(0, -1000, 94.0)
    bench.command("rearm", {"switch": "drawdown"})
    assert bench.kills() == {}
    bench.price(0, 94.5)
    assert bench.kills() == {}, "measured from the present equity on"
    bench.command("start")
    bench.hold(0, 1000, 94.5)
    bench.price(0, 89.0)
    assert "drawdown@all" in bench.kills(), "and armed again"


def test_a_refused_emergency_moves_no_peak() -> None:
    bench = Bench(config(switches=only(emergency=0.15)))
    bench.hold(0, 1000)
    bench.price(0, 84.0)
    bench.finish_kill(fill_price=84.0)
    assert bench.state.qty(0) == 0
    bench.command("rearm", {"switch": "emergency"})
    assert last(bench) == ("rejected", "STILL_HOLDS"), "the daily loss is still there"
    assert float(bench.state.account["equity_peak"][0]) == 100_000.0


def test_position_loss_needs_the_position_gone_and_arms_again() -> None:
    bench = Bench(config(switches=only(position_loss=0.02)))
    bench.hold(0, 100)
    bench.price(0, 97.0)
    bench.finish_kill(fill_price=97.0)
    bench.command("rearm", {"switch": "position_loss@symbol:AAA/USDT"})
    bench.command("start")
    assert bench.kills() == {}
    bench.hold(0, 100, 97.0)
    bench.price(0, 95.0)
    assert "position_loss@symbol:AAA/USDT" in bench.kills()


def test_all_re_arms_what_can_be_and_says_what_cannot() -> None:
    bench = Bench(config(switches=only(drawdown=0.05)))
    bench.hold(0, 1000)
    bench.command("kill", {"scope": "all", "level": "halt"})
    bench.price(0, 94.0)
    bench.finish_kill()
    bench.command("rearm", {"switch": "all"})
    assert "drawdown@all" in bench.kills()


# --- over a restart -----------------------------------------------------------------------------------------------------


def test_without_a_clean_stop_it_comes_up_halted() -> None:
    bench = Bench(clean=False)
    assert bench.kills()["startup@all"][0] is TradingState.HALTED and not bench.state.cold.started
    bench.finish_kill()
    bench.command("rearm", {"switch": "startup"})
    bench.command("start")
    assert word(bench) == "ACTIVE"


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("level", ["halt", "flatten"])
def test_a_latch_survives_every_start(clean, level) -> None:
    bench = killed(level)
    bench.do(Boot(bench.now, 2, clean, autostart=True))
    assert bench.kills()["operator@all"][0] >= TradingState.HALTED and not bench.state.cold.started
    assert bench.latches()[-1].record["latches"][0]["key"] == "operator@all"


def test_a_kill_in_the_middle_goes_on_after_a_restart_and_its_command_ends() -> None:
    bench = Bench()
    bench.hold(0, 100)
    order = bench.working(0)
    bench.command("kill", {"scope": "all", "level": "flatten"}, id="cord")
    bench.do(Boot(bench.now, 2, clean=False, autostart=True))
    assert order.cl_ord_id in bench.cancelled()
    bench.finish_kill()
    assert bench.state.qty(0) == 0
    assert [r.status for r in bench.replies("cord") if r.status != "progress"] == ["accepted", "done"]


def test_what_was_unknown_before_a_restart_is_asked_about_after_it() -> None:
    bench = Bench()
    order = bench.submit(0, Side.BUY, 10)
    bench.report(order.cl_ord_id, kind=6)
    bench.do(Boot(bench.now, 2, clean=True))
    said = [type(e).__name__ for e in bench.wait(3.2)]
    assert said.count("QueryOrder") == 3


def test_the_latch_is_durable_only_when_the_disk_has_said_so() -> None:
    bench = Bench()
    bench.command("kill", {"scope": "all", "level": "halt"})
    held, (record,) = bench.kill("operator@all"), bench.latches()[-1:]
    assert not held.durable
    bench.do(LatchStored(bench.now, record.seq, ok=False, reason="disk full"))
    assert not held.durable and bench.alerts("LATCH_NOT_STORED")
    bench.do(LatchStored(bench.now, record.seq - 1, ok=True))
    assert not held.durable
    bench.do(LatchStored(bench.now, record.seq, ok=True))
    assert held.durable


def test_strategies_are_not_asked_while_halted_and_are_again_after_the_start() -> None:
    bench = Bench(config(strategies=(strategy(),), signal_interval_s=1.0))
    bench.agree()
    bench.price(0, 100.0)
    host = bench.state.cold.hosts["hold-1"]
    bench.wait(2.0)
    asked = host.evaluations
    assert asked >= 2
    bench.command("kill", {"scope": "strategy:hold-1", "level": "halt"})
    bench.finish_kill()
    bench.wait(5.0)
    assert host.evaluations == asked
    bench.command("rearm", {"switch": "operator"})
    bench.wait(3.0)
    assert host.evaluations == asked, "READY asks nobody"
    bench.command("start")
    bench.wait(2.0)
    assert host.evaluations > asked


def test_a_reducing_strategy_may_still_offer_its_exits() -> None:
    bench = Bench(config(strategies=(strategy(),), signal_interval_s=1.0))
    bench.command("kill", {"scope": "all", "level": "reduce"})
    before = bench.state.cold.hosts["hold-1"].evaluations
    bench.wait(3.0)
    assert bench.state.cold.hosts["hold-1"].evaluations == before + 3
