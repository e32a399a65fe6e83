"""What a person is told about one order, and about a re-arm, whatever the core answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bus.wire import Error
from tests.cli.conftest import Andon, assert_one_line
from tests.cli.toy import Toy, accepted_only, done, filled, half_rearmed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


def test_an_order_accepted_and_not_ended_names_itself(andon: Andon, folder: Path) -> None:
    with Toy(folder, accepted_only):
        ended = andon("order", "buy", "BTC/USDT", "1", "--timeout", "0.5")
    assert_one_line(ended, 4)
    assert "7-1" in ended.err


def test_a_filled_order_shows_what_the_gate_and_the_venue_said(andon: Andon, folder: Path) -> None:
    with Toy(folder, filled):
        ended = andon("order", "buy", "BTC/USDT", "0.5")
        [row] = andon("order", "buy", "BTC/USDT", "0.5", "--json").rows()
    assert ended.code == 0
    assert "FORM   pass" in ended.out
    assert "cl_ord_id 7-1, order_status FILLED, filled 0.5" in ended.out
    assert (row["status"], row["order_status"], row["decisions"][0]["ok"]) == ("done", "FILLED", True)


def test_a_dry_run_says_so_on_the_wire(andon: Andon, folder: Path) -> None:
    with Toy(folder, done) as toy:
        assert andon("order", "buy", "BTC/USDT", "0.5", "--dry-run").code == 0
    assert toy.requests[0].data["dry_run"] is True


DENIED = {
    "layer": "SIZE",
    "ok": False,
    "code": "VALUE_MAX",
    "value": 6e6,
    "limit": 250_000.0,
    "detail": "too much",
}
PASSED = {"layer": "FORM", "ok": True, "code": "OK", "value": 1.0, "limit": None, "detail": ""}


def test_a_dry_run_ends_with_the_verdict(andon: Andon, folder: Path) -> None:
    for decisions, said in (
        ([PASSED, DENIED], "it would be refused: SIZE VALUE_MAX"),
        ([PASSED], "it would pass"),
    ):
        with Toy(folder, lambda toy, r, d=decisions: toy.reply(r, "done", dry_run=True, decisions=d)):  # type: ignore[misc]
            assert said in andon("order", "buy", "BTC/USDT", "100", "--dry-run").out


def test_a_refusal_says_value_and_limit_in_its_one_line(andon: Andon, folder: Path) -> None:
    error = Error(code="VALUE_MAX", message="SIZE: too much")
    with Toy(folder, lambda toy, r: toy.reply(r, "rejected", error=error, decisions=[PASSED, DENIED])):
        ended = andon("order", "buy", "BTC/USDT", "100", "--json")
    assert ended.code == 1
    assert "VALUE_MAX: SIZE: too much: value 6e+06, limit 250,000; see" in ended.err


def test_rearming_half_of_it_is_not_done(andon: Andon, folder: Path) -> None:
    with Toy(folder, half_rearmed):
        ended = andon("rearm", "all", "--reason", "r")
    assert_one_line(ended, 1)
    assert "leverage" in ended.err


@pytest.mark.parametrize(
    ("words", "type", "data"),
    [
        (
            "amend 7-1 --qty 0.4 --price 61000",
            "amend_order",
            {"cl_ord_id": "7-1", "qty": "0.4", "price": "61000"},
        ),
        (
            "amend 7-1 --stop 58500 --dry-run",
            "amend_order",
            {"cl_ord_id": "7-1", "stop": "58500", "dry_run": True},
        ),
        (
            "order sell BTC/USDT 0.5 --stop 58000",
            "submit_order",
            {"type": "stop", "stop": "58000", "tif": "gtc"},
        ),
        (
            "order buy BTC/USDT 0.5 --take-profit 66000 --stop-loss 58000",
            "submit_list",
            {
                "kind": "bracket",
                "take_profit": "66000",
                "stop_loss": "58000",
                "type": "market",
                "side": "buy",
            },
        ),
        (
            "oco sell BTC/USDT 0.5 --price 66000 --stop 58000",
            "submit_list",
            {"kind": "oco", "take_profit": "66000", "stop_loss": "58000", "side": "sell", "qty": "0.5"},
        ),
    ],
)
def test_what_goes_over_the_wire(andon: Andon, folder: Path, words: str, type: str, data: dict) -> None:
    with Toy(folder, done) as toy:
        assert andon(*words.split()).code == 0
    [request] = toy.requests
    assert request.type == type and data.items() <= request.data.items()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("amend 7-1", "give --qty, --price or --stop"),
        ("order buy BTC/USDT 1 --type stop", "add --stop P"),
        ("order buy BTC/USDT 1 --type limit --price 5 --stop 4", "drop --stop"),
        ("oco sell BTC/USDT 1 --price 5", "--stop"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(andon: Andon, folder: Path, words: str, hint: str) -> None:
    ended = andon(*words.split())
    assert_one_line(ended, 2)
    assert hint in ended.err
