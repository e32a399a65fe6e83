"""Overrides: two persons, a time, a table of what may be lifted, an audit line for each use."""

from __future__ import annotations

import math

import msgspec
import pytest

from bus.effects import Publish
from bus.enums import Role, Side
from bus.events import Boot, Command
from core.engine import gateview, snapshot
from core.engine.gate import Denial
from core.engine.gate.waive import OVERRIDABLE

from .kit import WIDE, Bench, config

BUY = Side.BUY


def bench(**named) -> Bench:
    limits = msgspec.structs.replace(WIDE, order_value_max=1_000.0, **named)
    return Bench(config(gate=limits, account_check_interval_s=1e6))


def say(at: Bench, type: str, data: dict, *, who: str = "ann", role: Role = Role.ADMIN, reason: str = "roll"):
    at.ids += 1
    at.do(Command(at.now, f"s{at.ids}", who, role, type, data, reason))
    return at.replies(f"s{at.ids}")[-1]


def ask(at: Bench, code: str = "VALUE_MAX", *, who: str = "ann", **data):
    return say(at, "request_override", {"code": code, "minutes": "10"} | data, who=who, role=Role.OPERATOR)


def lifted(at: Bench, code: str = "VALUE_MAX", **data) -> str:
    id_ = ask(at, code, **data).data["id"]
    assert say(at, "grant_override", {"id": id_}, who="bob").status == "done"
    return id_


def passes(at: Bench, lots: int = 20) -> bool:
    return not isinstance(at.submit(0, BUY, lots), Denial)


def test_a_request_alone_lifts_nothing() -> None:
    at = bench()
    assert ask(at).data["status"] == "waiting"
    assert not passes(at)


def test_granted_by_another_it_lifts_that_limit_and_is_audited_at_each_use() -> None:
    at = bench()
    id_ = lifted(at)
    assert passes(at) and passes(at)
    used = [
        e.data for e in at.all if isinstance(e, Publish) and e.type == "audit" and e.data.result == "used"
    ]
    assert len(used) == 2 and used[0].who == "bob" and "ann" in used[0].detail and id_ in used[0].detail
    assert at.state.cold.overrides[id_].uses == 2


@pytest.mark.parametrize("who", ["ann", " ann", "ANN", ""])
def test_the_same_person_cannot_grant(who) -> None:
    at = bench()
    id_ = ask(at).data["id"]
    assert say(at, "grant_override", {"id": id_}, who=who).error_code == "SAME_PERSON"
    assert not passes(at)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.OPERATOR])
def test_granting_is_for_admin(role) -> None:
    at = bench()
    id_ = ask(at).data["id"]
    assert say(at, "grant_override", {"id": id_}, who="bob", role=role).error_code == "NOT_PERMITTED"
    assert not passes(at)


def test_a_value_is_the_limit_that_holds_instead() -> None:
    at = bench()
    lifted(at, value="2500")
    assert passes(at, 25) and not passes(at, 26)


def test_it_holds_in_its_scope_only() -> None:
    at = bench()
    lifted(at, scope="symbol:BBB/USDT")
    assert not passes(at)
    assert not isinstance(at.submit(1, BUY, 20), Denial)


def test_it_lifts_its_own_code_and_no_other() -> None:
    at = bench(order_lots_max=15)
    lifted(at)
    denial = at.submit(0, BUY, 20)
    assert isinstance(denial, Denial) and denial.code == "LOTS_MAX"
    lifted(at, "LOTS_MAX")
    assert passes(at)


def test_the_clock_ends_it_even_before_its_timer_has_fired() -> None:
    at = bench()
    id_ = lifted(at)
    at.wait(599.0)
    at.price(0, 100.0)
    assert passes(at)
    at.state.cold.now_ns = at.state.cold.overrides[id_].until_ns
    at.state.markets["ts_ns"][0] = at.state.cold.now_ns
    assert id_ in at.state.cold.overrides and not passes(at)
    at.wait(2.0)
    assert at.state.cold.overrides == {}


def test_a_request_that_nobody_grants_lapses() -> None:
    at = bench()
    id_ = ask(at).data["id"]
    at.wait(901.0)
    assert say(at, "grant_override", {"id": id_}, who="bob").error_code == "UNKNOWN_OVERRIDE"


def test_granting_late_counts_from_the_grant() -> None:
    at = bench()
    id_ = ask(at).data["id"]
    at.wait(800.0)
    say(at, "grant_override", {"id": id_}, who="bob")
    at.wait(599.0)  # the timer of the request has fired meanwhile
    at.price(0, 100.0)
    assert passes(at)


def test_revoked_it_is_gone() -> None:
    at = bench()
    id_ = lifted(at)
    reply = say(at, "revoke_override", {"id": id_}, who="eve", role=Role.OPERATOR)
    assert (reply.status, reply.data["status"]) == ("done", "revoked")
    assert not passes(at)


def test_it_survives_a_restart_and_still_ends() -> None:
    at = bench()
    lifted(at)
    at.state = snapshot.load(snapshot.save(at.state))
    at.do(Boot(at.now, 2, True, autostart=True))
    at.agree()
    assert passes(at)
    at.wait(601.0)
    at.price(0, 100.0)
    assert at.state.cold.overrides == {} and not passes(at)


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        ({"code": "HALTED"}, "NOT_OVERRIDABLE"),
        ({"code": "RESTRICTED"}, "NOT_OVERRIDABLE"),
        ({"code": "STALE"}, "NOT_OVERRIDABLE"),
        ({"code": "DRAWDOWN_BUDGET"}, "NOT_OVERRIDABLE"),
        ({"code": "GROSS_LEVERAGE"}, "NOT_OVERRIDABLE"),
        ({"code": "RATE"}, "NOT_OVERRIDABLE"),
        ({"code": "REPEATED_EXECUTION"}, "NOT_OVERRIDABLE"),
        ({"code": "SELF_MATCH"}, "NOT_OVERRIDABLE"),
        ({"code": ""}, "NOT_OVERRIDABLE"),
        ({"minutes": "0"}, "BAD_MINUTES"),
        ({"minutes": "61"}, "BAD_MINUTES"),
        ({"minutes": "nan"}, "BAD_NUMBER"),
        ({"value": "inf"}, "BAD_NUMBER"),
        ({"scope": "symbol:ZZZ"}, "BAD_SCOPE"),
    ],
)
def test_what_cannot_be_asked_for(data, refused) -> None:
    at = bench()
    reply = ask(at, **{"code": "VALUE_MAX"} | data)
    assert reply.error_code == refused and at.state.cold.overrides == {}


def test_a_request_needs_a_reason() -> None:
    at = bench()
    reply = say(at, "request_override", {"code": "VALUE_MAX", "minutes": "5"}, reason=" ")
    assert reply.error_code == "NO_REASON"


@pytest.mark.parametrize("code", OVERRIDABLE)
def test_a_missing_limit_is_never_lifted(code) -> None:
    at = Bench(
        config(gate=msgspec.structs.replace(WIDE, order_value_max=math.nan, concentration_max=math.nan))
    )
    lifted(at, code)
    assert not passes(at)


def test_they_are_listed_in_the_gates_health() -> None:
    at = bench()
    id_ = lifted(at)
    view = gateview.gate_view(at.state)
    assert view.status == "warn" and id_ in view.detail
    [row] = view.values["overrides"]
    assert (row["id"], row["asked_by"], row["granted_by"]) == (id_, "ann", "bob")
