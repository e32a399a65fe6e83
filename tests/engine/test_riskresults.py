"""Results of the analyst as the engine takes them: late, overtaken, malformed; alarms; questions; replay and snapshot."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bus.effects import Publish, WhatIf
from bus.events import Boot, Event, RiskResult
from core.app.drive import effects_digest
from core.engine import snapshot
from core.engine.riskresults import ORDERS_MAX
from core.engine.step import step
from tests.engine.kit import SECOND, T0, Bench, config

MS = 1_000_000


def profile(level: str = "LOW", score: float | None = 10.0, **named: Any) -> dict[str, Any]:
    return {"level": level, "score": score, "driver": "leverage", "recommendations": []} | named


def var(**named: Any) -> dict[str, Any]:
    return {"var": 1_000.0, "es": 1_200.0, "alpha": 0.01, "n": 250, "marginal": {"AAA/USDT": 0.02}} | named


def give(bench: Bench, kind: str, data: Any, *, age_ms: float = 5.0, **named: Any) -> RiskResult:
    event = RiskResult(bench.now, kind, named.pop("as_of_ns", bench.now - int(age_ms * MS)), data, **named)
    bench.do(event)
    return event


def risk_views(bench: Bench) -> list[Any]:
    return [e.data for e in bench.effects if isinstance(e, Publish) and e.topic == "risk"]


def test_a_result_is_kept_and_published_with_its_age() -> None:
    bench = Bench()
    bench.wait(1.0)

    given = give(bench, "profile", profile("MEDIUM", 31.0), age_ms=400.0, elapsed_ms=35.0)

    assert bench.state.risk["profile"] == given
    (view,) = risk_views(bench)
    assert (view.level, view.score, view.age_ms["profile"], view.elapsed_ms["profile"]) == (
        "MEDIUM",
        31.0,
        400.0,
        35.0,
    )


def test_a_late_result_is_taken_and_an_overtaken_one_is_not() -> None:
    bench = Bench()
    bench.wait(60.0)
    give(bench, "var", var(var=1.0), age_ms=20_000.0)
    assert bench.state.risk["var"].data["var"] == 1.0  # 20 s old and the only one there is

    give(bench, "var", var(var=2.0), age_ms=10_000.0)
    give(bench, "var", var(var=3.0), age_ms=15_000.0)

    assert bench.state.risk["var"].data["var"] == 2.0
    assert bench.state.cold.risk_overtaken == 1
    assert not risk_views(bench)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("profile", {"level": "LOW"}),
        ("profile", profile("DREADFUL")),
        ("profile", profile("HIGH", None)),
        ("profile", profile(score=float("nan"))),
        ("profile", profile(score=101.0)),
        ("profile", profile(score="10")),
        ("profile", profile(recommendations="cut")),
        ("profile", profile(level=["LOW"])),
        ("profile", None),
        ("profile", [1, 2]),
        ("var", var(var="much")),
        ("var", var(es=float("inf"))),
        ("var", var(alpha=0.99)),
        ("var", var(alpha=True)),
        ("var", var(n=-1)),
        ("var", var(n=2.5)),
        ("var", var(marginal={"AAA/USDT": None})),
        ("var", var(marginal=[1.0])),
        ("var", var(unit={"AAA/USDT": float("nan")})),
        ("stress", {"scenarios": "all"}),
        ("stress", {"scenarios": [1]}),
        ("factors", {"betas": {"AAA/USDT": "1"}}),
        ("weather", {}),
        (7, {}),
    ],
)
def test_what_is_no_result_changes_nothing_but_an_alarm(kind: Any, data: Any) -> None:
    bench = Bench()
    bench.wait(1.0)
    give(bench, "var", var())
    held = dict(bench.state.risk)

    give(bench, kind, data)

    assert bench.state.risk == held
    (alert,) = bench.alerts("RISK_STALE")
    assert alert.status == "UNACK"
    assert not risk_views(bench)


@pytest.mark.parametrize("as_of_ns", [-1, T0 + 3600 * SECOND, "now", None])
def test_a_result_of_a_time_that_cannot_be_is_refused(as_of_ns: Any) -> None:
    bench = Bench()
    bench.wait(1.0)

    give(bench, "profile", profile(), as_of_ns=as_of_ns)

    assert "profile" not in bench.state.risk
    assert bench.alerts("RISK_STALE")


def test_too_little_history_is_a_result_without_a_number() -> None:
    bench = Bench()

    give(bench, "var", var(var=None, es=None, n=12, note="n=12 of 60 needed", marginal={}))

    assert bench.state.risk["var"].data["var"] is None
    (view,) = risk_views(bench)
    assert view.var["note"] == "n=12 of 60 needed"
    assert not bench.alerts("RISK_STALE")


def test_the_alarm_comes_with_high_and_critical_once_each_and_goes_with_medium() -> None:
    bench = Bench()
    advice = [{"text": "cut AAA/USDT by 4.2 → score 41"}]
    for level, score in (
        ("MEDIUM", 40.0),
        ("HIGH", 55.0),
        ("HIGH", 58.0),
        ("CRITICAL", 80.0),
        ("HIGH", 60.0),
    ):
        bench.wait(1.0)
        give(bench, "profile", profile(level, score, recommendations=advice))
    raised = [a for a in bench.alerts("RISK_LEVEL") if a.status == "UNACK"]

    assert [a.message.partition(":")[0] for a in raised] == ["HIGH", "CRITICAL"]
    assert "cut AAA/USDT by 4.2" in raised[0].message

    bench.wait(1.0)
    give(bench, "profile", profile("UNKNOWN", None))
    assert bench.state.cold.alerts["RISK_LEVEL:risk"].status == "UNACK"  # not known is not better
    bench.wait(1.0)
    give(bench, "profile", profile("MEDIUM", 44.0))
    assert bench.state.cold.alerts["RISK_LEVEL:risk"].status == "CLEARED"


def test_a_worker_that_fails_is_an_alarm_and_orders_go_on() -> None:
    bench = Bench()
    give(bench, "health", {"ok": False, "detail": "ValueError: boom"})
    assert [a.status for a in bench.alerts("RISK_STALE")] == ["UNACK"]
    assert risk_views(bench)[0].worker == "ValueError: boom"
    assert not bench.state.cold.kills

    bench.hold(0, 10)
    assert bench.state.qty(0) == 10

    give(bench, "health", {"ok": True, "detail": "ok"})
    assert bench.state.cold.alerts["RISK_STALE:risk"].status == "CLEARED"
    give(bench, "health", {"ok": True})
    assert not bench.effects  # nothing new to say


# -- questions


def test_a_question_goes_out_and_its_answer_ends_the_command() -> None:
    bench = Bench()
    bench.command("what_if", {"orders": [{"symbol": "AAA/USDT", "side": "sell", "qty": "3"}]}, id="q1")
    asked = [e for e in bench.effects if isinstance(e, WhatIf)]
    assert asked == [WhatIf("q1", ((0, -3, 0.0),), {})]
    assert [r.status for r in bench.replies("q1")] == ["accepted"]

    bench.wait(0.5)
    give(bench, "what_if", {"id": "q1", "before": {}, "after": {}}, age_ms=500.0)

    assert [r.status for r in bench.replies("q1")] == ["accepted", "done"]
    assert bench.replies("q1")[-1].data["age_ms"] == 500.0
    bench.wait(10.0)
    give(bench, "what_if", {"id": "q1", "after": {}})  # a second answer is nobody's
    assert len(bench.replies("q1")) == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({}, "BAD_WHAT_IF"),
        ({"orders": "buy"}, "BAD_WHAT_IF"),
        ({"orders": [{"symbol": "AAA/USDT", "side": "buy", "qty": "1"}] * (ORDERS_MAX + 1)}, "BAD_WHAT_IF"),
        ({"orders": [{"symbol": "ZZZ", "side": "buy", "qty": "1"}]}, "UNKNOWN_SYMBOL"),
        ({"orders": [{"symbol": "AAA/USDT", "side": "hold", "qty": "1"}]}, "BAD_ORDER"),
        ({"orders": [{"symbol": "AAA/USDT", "side": "buy", "qty": "0"}]}, "BAD_ORDER"),
        ({"orders": [{"symbol": "AAA/USDT", "side": "buy", "qty": "0.5"}]}, "BAD_ORDER"),
        ({"orders": [{"symbol": "AAA/USDT", "side": "buy", "qty": "nan"}]}, "BAD_NUMBER"),
        ({"orders": [{"symbol": "AAA/USDT", "side": "buy", "qty": "1", "price": "-2"}]}, "BAD_ORDER"),
        ({"scenario": 7}, "BAD_WHAT_IF"),
    ],
)
def test_a_question_that_makes_no_sense_is_rejected_by_name(data: dict[str, Any], code: str) -> None:
    bench = Bench()

    bench.command("what_if", data, id="q")

    (reply,) = bench.replies("q")
    assert (reply.status, reply.error_code) == ("rejected", code)
    assert not [e for e in bench.effects if isinstance(e, WhatIf)]


def test_a_question_nobody_answers_fails_in_time_and_one_that_failed_says_why() -> None:
    bench = Bench()
    bench.command("what_if", {"scenario": "market_crash"}, id="q1")
    bench.command("what_if", {"scenario": {"market": -0.5}}, id="q2")
    give(bench, "what_if", {"id": "q2", "code": "BAD_SCENARIO", "error": "no such thing"})
    bench.wait(4.0)
    assert [r.status for r in bench.replies("q1")] == ["accepted"]
    bench.wait(2.0)

    assert bench.replies("q1")[-1].error_code == "TIMEOUT"
    assert bench.replies("q2")[-1].error_code == "BAD_SCENARIO"
    assert not bench.state.cold.asking


def test_questions_are_bounded_and_a_restart_ends_them() -> None:
    bench = Bench()
    for k in range(20):
        bench.command("what_if", {"scenario": "market_crash"}, id=f"q{k}")
    assert [bench.replies(f"q{k}")[-1].status for k in (15, 16)] == ["accepted", "rejected"]

    bench.do(Boot(bench.now, 2, True))

    assert bench.replies("q0")[-1].error_code == "RESTARTED"
    assert not bench.state.cold.asking


# -- replay and snapshot


def test_replay_and_snapshot_come_to_the_same_state() -> None:
    """A gate that decides by a result must find it after a restart exactly as before: so it is part of the snapshot."""
    bench = Bench()
    events: list[Event] = []
    for k in range(6):
        bench.wait(1.0)
        events.append(give(bench, "profile", profile("HIGH", 50.0 + k), age_ms=30.0))
        events.append(give(bench, "var", var(var=float(k), unit={"AAA/USDT": 0.1}), age_ms=30.0))
    loaded = snapshot.load(snapshot.save(bench.state))
    assert loaded.risk == bench.state.risk
    assert snapshot.fingerprint(loaded) == snapshot.fingerprint(bench.state)

    decode = msgspec.msgpack.Decoder(Event).decode
    for _ in range(3):  # the live objects and what the journal gives back have the same effects
        bench.now += SECOND
        event = RiskResult(bench.now, "var", bench.now - MS, var(methods={"normal": [1.0, 2.0]}))
        live, again = step(bench.state, event), step(loaded, decode(msgspec.msgpack.encode(event)))
        assert effects_digest(live) == effects_digest(again)
    assert snapshot.fingerprint(loaded) == snapshot.fingerprint(bench.state)


def test_a_new_process_shows_what_was_known_with_its_age() -> None:
    bench = Bench(config())
    bench.wait(1.0)
    give(bench, "profile", profile("MEDIUM", 30.0), age_ms=0.0)
    bench.now += 100 * SECOND

    bench.do(Boot(bench.now, 2, True))

    (view,) = risk_views(bench)
    assert view.age_ms["profile"] == 100_000.0
