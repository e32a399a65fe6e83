"""`andon order --algo` and `andon algo`, against a toy core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bus.views import AlgoView
from bus.wire import Error, Request
from tests.cli.conftest import Andon, assert_one_line
from tests.cli.toy import Toy, done

TWAP = ("order", "buy", "BTC/USDT", "5", "--algo", "twap", "--over", "10m")
COUNTS: dict[str, Any] = {
    "parent": "p7-1", "algo": "twap", "qty": 5.0, "open": 0.25, "unknown": 0.0, "avg_px": 64_100.0, "children": 3,
    "denied": 0, "slippage_bps": 1.5, "reason": "", "note": "",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


def working(toy: Toy, request: Request) -> None:
    """Accepted, half done, done."""
    toy.reply(request, "accepted", parent="p7-1", algo="twap", decisions=[])
    toy.reply(request, "progress", **COUNTS | {"status": "RUNNING", "filled": 2.5})
    toy.reply(request, "done", **COUNTS | {"status": "DONE", "filled": 5.0, "open": 0.0})


def stopped(toy: Toy, request: Request) -> None:
    toy.reply(request, "accepted", parent="p7-1", algo="twap", decisions=[])
    error = Error(code="STOPPED", message="operator HALTED in all")
    toy.reply(request, "failed", error=error, **COUNTS | {"status": "STOPPED", "filled": 2.5})


def endless(toy: Toy, request: Request) -> None:
    toy.reply(request, "accepted", parent="p7-1", algo="twap", decisions=[])


def planned(toy: Toy, request: Request) -> None:
    plan = {
        "qty": 5.0,
        "schedule": [2.5, 5.0],
        "slice_s": 300.0,
        "estimate": {"cost_bps": 1.25},
        "model": "m",
    }
    for word in ("accepted", "done"):
        toy.reply(request, word, dry_run=True, decisions=[], **plan)


def test_its_progress_is_printed_until_it_is_done(andon: Andon, folder: Path) -> None:
    with Toy(folder, working) as toy:
        ended = andon(*TWAP, "--slices", "20", "--limit", "65000", "--catch-up", "0.5")
    assert ended.code == 0
    assert "p7-1 twap begins" in ended.out
    assert "RUNNING  2.5/5  open 0.25  avg 64,100  +1.5 bp  children 3" in ended.out
    assert "order done: p7-1  DONE  5/5" in ended.out
    data = toy.requests[0].data
    assert (data["algo"], data["type"], data["price"]) == ("twap", "limit", "65000")
    assert data["algo_params"] == {"over_s": 600.0, "slices": 20, "catch_up_max": "0.5"}


def test_json_has_a_line_for_every_word_of_the_core(andon: Andon, folder: Path) -> None:
    with Toy(folder, working):
        rows = andon(*TWAP, "--json").rows()
    assert [row["status"] for row in rows] == ["accepted", "progress", "done"]
    assert [row.get("filled") for row in rows] == [None, 2.5, 5.0]
    assert rows[-1]["algo_status"] == "DONE"


def test_one_that_was_stopped_fails_by_name(andon: Andon, folder: Path) -> None:
    with Toy(folder, stopped):
        ended = andon(*TWAP)
    assert ended.code == 1
    assert "STOPPED: operator HALTED in all" in ended.err


def test_one_that_ended_with_nothing_filled_is_not_done(andon: Andon, folder: Path) -> None:
    def nothing(toy: Toy, request: Request) -> None:
        toy.reply(request, "accepted", parent="p7-1", algo="twap", decisions=[])
        toy.reply(request, "done", **COUNTS | {"status": "DONE", "filled": 0.0, "open": 0.0})

    with Toy(folder, nothing):
        ended = andon(*TWAP)
    assert ended.code == 1
    assert "p7-1 has ended and nothing of it has filled" in ended.err


def test_detached_it_returns_at_once(andon: Andon, folder: Path) -> None:
    with Toy(folder, endless):
        ended = andon(*TWAP, "--detach")
    assert ended.code == 0
    assert "order accepted: p7-1" in ended.out


def test_without_an_end_it_says_where_to_look(andon: Andon, folder: Path) -> None:
    with Toy(folder, endless):
        ended = andon(*TWAP[:-2], "--over", "0.1s", "--timeout", "0.4")
    assert ended.code == 4
    assert "andon algo show p7-1" in ended.err


def test_a_dry_run_prints_the_plan_with_the_models_name(andon: Andon, folder: Path) -> None:
    with Toy(folder, planned) as toy:
        ended = andon(*TWAP, "--dry-run")
    assert ended.code == 0
    assert "2 slices of 300 s; done by the end of each: 2.5, 5" in ended.out
    assert "cost_bps 1.25  (m)" in ended.out
    assert toy.requests[0].data["dry_run"] is True


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--algo", "twap"), "--over"),
        (("--algo", "twapp"), "did you mean twap"),
        (("--over", "10m"), "--algo"),
        (("--detach",), "--algo"),
        (("--algo", "twap", "--over", "10x"), "not a time"),
        (("--algo", "twap", "--over", "0s"), "not a time"),
        (("--algo", "twap", "--over", "8d"), "at most 7d"),
        (("--algo", "twap", "--over", "1m", "--limit", "1", "--price", "2"), "the same"),
        (("--algo", "twap", "--over", "1m", "--stop-loss", "2"), "no stops"),
    ],
)
def test_options_that_do_not_go_together_are_refused(andon: Andon, words: tuple[str, ...], hint: str) -> None:
    ended = andon("order", "buy", "BTC/USDT", "1", *words)
    assert_one_line(ended, 2)
    assert hint in ended.err


def view(id_: str, **named: Any) -> AlgoView:
    fields: dict[str, Any] = {
        "id": id_, "algo": "vwap", "symbol": "BTC/USDT", "side": "sell", "status": "RUNNING", "strategy": "operator",
        "qty": 2.0, "filled": 0.5, "open": 0.1, "unknown": 0.0, "scheduled": 0.6, "price": None, "avg_px": 64_000.0,
        "arrival_px": 64_010.0, "decision_px": 64_010.0, "slippage_bps": None, "fees": 0.0, "children": 4, "denied": 1,
        "rejected": 0, "caught_up": 0, "slice": 3, "slices": 10, "reduce_only": False, "start_ns": 5, "end_ns": 10,
    }  # fmt: skip
    return AlgoView(**fields | named)


def test_list_and_show_read_the_snapshot(andon: Andon, folder: Path) -> None:
    with Toy(folder, done) as toy:
        toy.publish_soon("algo.p7-1", view("p7-1"))
        toy.publish_soon("algo.p7-2", view("p7-2", status="DONE", ended_ns=9))
        listed, shown = andon("algo", "list"), andon("algo", "show", "p7-2")
        rows = andon("algo", "list", "--json").rows()
        missing = andon("algo", "show", "p7-9")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["id", "p7-1", "p7-2"]
    assert "64,000.0000  ?" in listed.out.replace("   ", "  ")
    assert "status        DONE" in shown.out
    assert [row["id"] for row in rows] == ["p7-1", "p7-2"]
    assert_one_line(missing, 1)


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
def test_verbs_are_commands_of_their_own(andon: Andon, folder: Path, verb: str) -> None:
    with Toy(folder, done) as toy:
        ended = andon("algo", verb, "p7-1", "--reason", "why not")
    assert ended.code == 0
    request = toy.requests[0]
    assert (request.type, request.data, request.reason) == (f"{verb}_algo", {"id": "p7-1"}, "why not")


@pytest.mark.parametrize("words", [("cancel",), ("list", "p7-1"), ("stopp", "p7-1")])
def test_half_a_command_is_refused(andon: Andon, words: tuple[str, ...]) -> None:
    assert_one_line(andon("algo", *words), 2)
