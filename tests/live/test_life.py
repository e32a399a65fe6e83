"""A core's ordinary life, as its operator sees it: up, traded, stopped, kept stopped, let go again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from andon import Client
from tests.live.kit import IDLE, ROOT, Core, Home, assert_one_line, environment, held, no_traceback, until

pytestmark = pytest.mark.slow
HOLDS_WITHIN_S = 5.0  # the contract's, from the ready line
STATUS_KEYS = {
    "state",
    "epoch",
    "equity",
    "switches",
    "positions",
    "working_orders",
    "alerts",
    "health",
}
SIX = {"drawdown", "position_loss", "daily_loss", "emergency", "leverage", "margin"}


def test_a_new_folder_comes_up_active_and_trading_within_five_seconds(home: Home) -> None:
    with home.core() as core:
        ready_at = time.monotonic()
        [line] = [line for line in core.said().splitlines() if line.startswith("ready ")]
        now = home.trading(HOLDS_WITHIN_S)
        assert time.monotonic() - ready_at < HOLDS_WITHIN_S
        address = json.loads((home.folder / "bus" / "core.json").read_text())
        assert line == f"ready state={address['state']} command={address['command']} epoch={now['epoch']}"
        assert now.keys() >= STATUS_KEYS
        assert now["state"] == "ACTIVE"
        assert now["switches"].keys() >= SIX
        for name, switch in now["switches"].items():
            assert switch.keys() >= {"phase", "value", "limit", "headroom", "age_ms"}, name
        for row in now["positions"]:
            assert row.keys() >= {"symbol", "qty", "avg_px", "mark", "unrealized"}
        strategies = {order["strategy"] for order in now["orders"]}
        assert {"maker-1"} <= strategies <= {"maker-1", "momentum-1"}

        assert core.end() == 0, core.complaint()
        assert core.complaint() == ""
    home.proven()
    with home.core() as core:
        assert home.state() == "ACTIVE", "a clean stop is followed by a start that trades"
        assert home.status()["epoch"] == now["epoch"] + 1


@pytest.mark.parametrize("mode", ["keep", "replace"])
def test_a_protective_stop_does_not_make_the_end_of_the_core_unclean(home: Home, mode: str) -> None:
    home.configure(f'{IDLE}[orders]\nprotective_on_cancel_all = "{mode}"\n')

    def stops() -> list[dict[str, Any]]:
        return [row for row in home.status()["orders"] if row["protects"] and row["status"] == "NEW"]

    with home.core() as core:
        until(lambda: home.ask("order", "buy", "ADA/USDT", "1000", "--stop-loss", "0.2").code == 0, "bought")
        until(stops, "a stop")
        assert core.end() == 0, core.complaint()
        assert core.complaint() == ""
    with home.core():
        assert home.state() == "ACTIVE"
        assert [(row["qty"], row["stop"]) for row in until(stops, "the stop again")] == [(1000.0, 0.2)]


def test_the_state_survives_a_clean_restart_and_only_a_named_reason_leaves_it(home: Home) -> None:
    with home.core() as core:
        home.trading()
        before = home.json("kill", "--reason", "going home")
        assert (before["status"], before["unconfirmed"]) == ("done", 0)
        assert before["receipt"]
        stopped = home.status()
        assert (stopped["state"], stopped["working_orders"]) == ("HALTED", 0)
        assert core.end() == 0
    with home.core():
        again = home.status()
        assert again["state"] == "HALTED"
        assert "going home" in again["reason"]
        assert held(again) == pytest.approx(held(stopped))

        assert_one_line(home.ask("rearm", "all"), 2)
        assert_one_line(home.ask("rearm", "all", "--reason", "  "), 2)
        assert_one_line(home.ask("rearm", "no_such_switch", "--reason", "x"), 2)
        assert_one_line(home.ask("start"), 1)
        assert home.state() == "HALTED"
        assert home.json("rearm", "operator", "--reason", "back")["status"] == "done"
        assert home.state() == "READY", "re-arming is not starting"
        assert home.status()["working_orders"] == 0
        assert home.json("start")["status"] == "done"
        assert home.trading()["state"] == "ACTIVE"


def test_a_rearm_in_the_middle_of_a_kill_is_refused(home: Home) -> None:
    home.configure("[market]\nlatency_ms = 700.0\nlatency_jitter_ms = 0.0\n")
    with home.core():
        home.trading(30.0)
        killing = subprocess.Popen(
            [sys.executable, "-m", "andon", "kill", "--level", "flatten", "--reason", "slow venue", "--json"],
            cwd=ROOT,
            env=environment(home.folder),
            stdout=subprocess.PIPE,
            text=True,
        )
        home.until_state("FLATTENING")
        assert_one_line(home.ask("rearm", "all", "--reason", "too soon"), 1)
        assert home.state() == "FLATTENING"
        out, _ = killing.communicate(timeout=40)
        assert killing.returncode == 0
        phases = [json.loads(line).get("phase") for line in out.splitlines()]
        assert [p for p in dict.fromkeys(phases) if p] == ["CANCELLING", "FLATTENING", "LATCHED"]


def test_one_command_id_has_one_effect_ever(home: Home) -> None:
    """Also when it is asked again after the core has been started again."""
    home.configure("[strategies.maker-1]\nenabled = false\n[strategies.momentum-1]\nenabled = false\n")
    order = {"symbol": "ETH/USDT", "side": "buy", "qty": "1.5", "type": "market", "tif": "ioc"}
    kill_id, order_id = str(uuid.uuid4()), str(uuid.uuid4())
    with home.core() as core:
        with Client.attach(data_dir=home.folder) as client:
            until(lambda: client.snapshot().messages.get("quote.ETH/USDT"), "a price")
            first = list(client.submit_order(order, id=order_id))[-1]
            again = list(client.submit_order(order, id=order_id))[-1]
            assert (first.status, again.status) == ("done", "done")
            assert again.data == first.data
            killed = list(client.kill(reason="once", id=kill_id))[-1]
            repeat = list(client.kill(reason="once", id=kill_id))[-1]
            assert repeat.data == killed.data
        until(lambda: held(home.status()) == {"ETH/USDT": 1.5}, "one purchase")
        assert core.end() == 0
    with home.core():
        with Client.attach(data_dir=home.folder) as client:
            later = list(client.kill(reason="once", id=kill_id))[-1]
            bought = list(client.submit_order(order, id=order_id))[-1]
        assert (later.status, later.data["receipt"]) == (killed.status, killed.data["receipt"])
        assert (bought.status, bought.data.get("cl_ord_id")) == (first.status, first.data.get("cl_ord_id"))
        assert held(home.status()) == {"ETH/USDT": 1.5}


def test_while_halted_nothing_opens_and_the_exact_close_passes(home: Home) -> None:
    home.configure("[strategies.maker-1]\nenabled = false\n[strategies.momentum-1]\nenabled = false\n")
    with home.core():
        until(lambda: home.ask("order", "buy", "ETH/USDT", "2").code == 0, "a purchase")
        until(lambda: held(home.status()) == {"ETH/USDT": 2.0}, "two held")
        assert home.ask("kill", "--reason", "halt").code == 0

        for words in (
            ("buy", "ETH/USDT", "1"),
            ("sell", "ETH/USDT", "2.1"),  # through zero
            ("sell", "ETH/USDT", "18", "--reduce-only"),  # nine times the long
            ("sell", "BTC/USDT", "0.1"),
        ):
            refused = home.ask("order", *words)
            assert refused.code == 1, (words, refused.out)
            assert len(refused.err.splitlines()) == 1
            assert "DENY" in refused.out, "each layer's decision is printed"
        assert held(home.status()) == {"ETH/USDT": 2.0}

        closed = home.ask("close", "ETH/USDT", "--reason", "out")
        assert closed.code == 0, closed.err
        until(lambda: held(home.status()) == {}, "flat")
        assert home.state() == "HALTED"


def test_an_order_shows_what_each_layer_said(home: Home) -> None:
    with home.core():  # ADA: our own maker quotes ETH, and nobody trades with himself
        until(lambda: home.ask("order", "buy", "ADA/USDT", "100", "--dry-run").code == 0, "a price")
        done = home.ask("order", "buy", "ADA/USDT", "100")
        assert done.code == 0, done.err
        rows = [line.split() for line in done.out.splitlines()]
        layers = [row[0] for row in rows if len(row) > 1 and row[1] in {"pass", "DENY"}]
        assert layers[0] == "FORM"
        assert len(layers) >= 5
        assert len(layers) == len(set(layers))


BAD_ORDERS = [
    (("buy", "NOPE/USDT", "1"), (1,)),
    (("buy", "ETH/USDT", "nan"), (1, 2)),
    (("buy", "ETH/USDT", "inf"), (1, 2)),
    (("buy", "ETH/USDT", "-1"), (1, 2)),
    (("buy", "ETH/USDT", "0"), (1, 2)),
    (("buy", "ETH/USDT", "1.23456789"), (1,)),  # between two lots
    (("buy", "ETH/USDT", "1", "--price", "2600.001"), (1,)),  # between two ticks
    (("buy", "ETH/USDT", "1", "--price", "-5"), (1, 2)),
    (("buy", "ETH/USDT", "1", "--price", "5000"), (1,)),  # beyond the collar
    (("buy", "ETH/USDT", "1000000000"), (1,)),
]


def test_orders_that_make_no_sense_are_refused_in_one_line(home: Home) -> None:
    home.configure("[strategies.maker-1]\nenabled = false\n[strategies.momentum-1]\nenabled = false\n")
    with home.core() as core:
        until(lambda: home.ask("order", "buy", "ETH/USDT", "0.5", "--dry-run").code == 0, "a price")
        for words, codes in BAD_ORDERS:
            ended = home.ask("order", *words)
            assert ended.code in codes, (words, ended.code, ended.out, ended.err)
            assert len(ended.err.splitlines()) == 1, (words, ended.err)
            no_traceback(ended.out, ended.err)
        for words in (("close", "NOPE/USDT"), ("cancel", "a1-nobody-000000000000")):
            assert_one_line(home.ask(*words), 1)
        now = home.status()
        assert (held(now), now["working_orders"], now["state"]) == ({}, 0, "ACTIVE")
        no_traceback(core.complaint())


def test_watch_prints_one_object_a_line_with_the_wires_own_keys(home: Home) -> None:
    with home.core():
        seen = home.ask("watch", "--json", "--count", "120", "--seconds", "20")
        assert seen.code == 0, seen.err
        rows = seen.rows()
        assert len(rows) == 120
        assert all(row.keys() >= {"topic", "v", "epoch", "seq", "ts", "type", "data"} for row in rows)
        assert {row["v"] for row in rows} == {1}
        only = home.ask("watch", "heartbeat", "--json", "--count", "4", "--seconds", "20").rows()
        assert [row["topic"] for row in only] == ["heartbeat"] * 4
        assert only[-1]["data"]["progress"] > only[0]["data"]["progress"]
        raw = home.ask("watch", "--raw", "--json", "--count", "20", "--seconds", "20").rows()
        assert len(raw) == 20


SCOPES = ("strategy:maker-1", "symbol:BTC/USDT", "venue:sim", "all")
LEVELS = ("reduce", "halt", "flatten", "shutdown")
WORD = {"reduce": "REDUCING", "halt": "HALTED", "flatten": "FLATTENING", "shutdown": "SHUTDOWN"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One core for the sixteen kinds of kill, each left again by re-arming and starting."""
    home = Home(tmp_path_factory.mktemp("kills"))
    core: Core = home.start()
    try:
        core.ready()
        yield home  # type: ignore[misc]
    finally:
        core.outlive()
    no_traceback(core.complaint())


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scope", SCOPES)
def test_every_kill_is_confirmed_with_counts_and_a_receipt(running: Home, scope: str, level: str) -> None:
    running.trading()
    ended = running.ask("kill", "--scope", scope, "--level", level, "--reason", "every kind", "--json")
    assert ended.code == 0, ended.err
    first, *_, last = ended.rows()
    assert first["status"] == "accepted"
    assert last.keys() >= {"status", "level", "cancelled", "flat", "unconfirmed", "elapsed_ms", "receipt"}
    assert (last["status"], last["level"], last["unconfirmed"]) == ("done", level, 0)
    assert (last["cancelled"], last["flat"]) == (last["cancel_total"], last["flat_total"])
    now = running.status()
    assert f"operator@{scope}" in now["latched"]
    assert now["state"] == (WORD[level] if scope == "all" else "ACTIVE")
    inside = [row for row in now["orders"] if _open(row) and _in(row, scope) and not row["reduce_only"]]
    assert inside == []
    if level in {"flatten", "shutdown"} and scope in {"all", "venue:sim"}:
        assert held(now) == {}
    if level in {"flatten", "shutdown"} and scope.startswith("symbol:"):
        assert "BTC/USDT" not in held(now)
    assert running.json("rearm", "all", "--reason", "next kind")["status"] == "done"
    assert running.ask("start").code == 0


def _open(order: dict[str, object]) -> bool:
    return order["status"] not in {"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED"}


def _in(order: dict[str, object], scope: str) -> bool:
    kind, _, name = scope.partition(":")
    return kind == "all" or order[kind] == name


def test_a_kill_of_a_scope_that_is_not_there_is_refused(running: Home) -> None:
    for scope in ("strategy:nobody", "symbol:NOPE/USDT", "venue:moon"):
        assert_one_line(running.ask("kill", "--scope", scope, "--reason", "x"), 1)
    assert_one_line(running.ask("kill", "--scope", "planet:mars", "--reason", "x"), 2)
    assert_one_line(running.ask("kill", "--level", "annihilate", "--reason", "x"), 2)
    assert_one_line(running.ask("kill"), 2)
    assert_one_line(running.ask("kill", "--reason", ""), 2)


def test_a_data_folder_nobody_runs_on_is_said_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for words in (("status",), ("watch",), ("start",), ("order", "buy", "ETH/USDT", "1")):
        assert_one_line(home.ask(*words), 3)
