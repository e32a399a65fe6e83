"""status, watch, order and the life cycle against a bus with a toy behind it; keys and doctor on an empty folder."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Andon, assert_one_line
from tests.cli.toy import EPOCH, Toy, deaf, done, refusing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def toy(folder: Path) -> Iterator[Toy]:
    with Toy(folder, done) as running:
        yield running


def test_status_has_the_contracts_keys(andon: Andon, toy: Toy) -> None:
    [seen] = andon("status", "--json").rows()
    assert {"state", "epoch", "equity", "switches", "positions", "working_orders", "alerts", "health"} <= set(
        seen
    )
    assert (seen["state"], seen["epoch"], seen["equity"], seen["working_orders"]) == (
        "ACTIVE",
        EPOCH,
        1_000_250.5,
        2,
    )
    assert {"phase", "value", "limit", "headroom", "age_ms"} <= set(seen["switches"]["drawdown"])
    [position] = seen["positions"]
    assert {
        "symbol": "BTC/USDT",
        "qty": 0.5,
        "avg_px": 60_000.0,
        "mark": 60_101.0,
        "unrealized": 50.5,
    }.items() <= (position.items())


def test_what_is_not_known_is_shown_as_unknown(andon: Andon, toy: Toy) -> None:
    margin = andon("status", "--json").rows()[0]["switches"]["margin"]
    assert (margin["value"], margin["headroom"], margin["age_ms"]) == (None, None, None)
    [line] = [line for line in andon("status").out.splitlines() if line.startswith("margin")]
    assert line.split() == ["margin", "ARMED", "?", "1.20", "?", "?"]


def test_status_on_a_screen_cannot_drive_the_terminal(andon: Andon, toy: Toy) -> None:
    ended = andon("status")
    assert ended.code == 0
    assert "BTC/USDT" in ended.out
    assert "\x1b" not in ended.out
    assert "\x07" not in ended.out
    assert "\\x1b[31mred" in ended.out


def test_watch_shows_the_state_then_what_changes(andon: Andon, toy: Toy) -> None:
    rows = andon("watch", "--json", "--count", "8").rows()
    assert {"topic", "v", "epoch", "seq", "ts", "type", "data"} == set(rows[0])
    assert {"account", "position.BTC/USDT", "switch.drawdown", "state"} <= {row["topic"] for row in rows}


def test_watch_takes_whole_words(andon: Andon, toy: Toy) -> None:
    rows = andon("watch", "switch", "--json", "--count", "2").rows()
    assert {row["topic"] for row in rows} == {"switch.drawdown", "switch.margin"}
    assert andon("watch", "sta", "--seconds", "0.6").out == ""


def test_watch_raw_needs_no_schema(andon: Andon, toy: Toy) -> None:
    rows = andon("watch", "--raw", "heartbeat", "--json", "--count", "2").rows()
    assert [row["topic"] for row in rows] == ["heartbeat"] * 2
    assert rows[1]["seq"] == rows[0]["seq"] + 1
    assert rows[0]["data"]["account"] == "toy"


def test_watch_ends_in_time_even_in_silence(andon: Andon, toy: Toy) -> None:
    assert andon("watch", "nothing", "--seconds", "0.5").code == 0


@pytest.mark.parametrize(
    ("words", "type", "data"),
    [
        (("rearm", "drawdown", "--reason", "r"), "rearm", {"switch": "drawdown"}),
        (("rearm", "all", "--reason", "r"), "rearm", {"switch": "all"}),
        (
            ("rearm", "position_loss@symbol:A/B", "--reason", "r"),
            "rearm",
            {"switch": "position_loss@symbol:A/B"},
        ),
        (("start",), "start", {}),
        (("stop", "--reason", "r"), "stop", {}),
        (("cancel", "A1-2"), "cancel_order", {"cl_ord_id": "A1-2"}),
        (("cancel", "--all"), "cancel_all", {}),
        (("close", "BTC/USDT"), "close_position", {"symbol": "BTC/USDT"}),
    ],
)
def test_verbs_send_the_contracts_requests(
    andon: Andon, toy: Toy, words: tuple[str, ...], type: str, data: dict[str, object]
) -> None:
    assert andon(*words).code == 0
    [request] = toy.requests
    assert (request.type, request.data) == (type, data)
    assert request.reason == ("r" if "r" in words else "")


def test_an_order_crosses_as_decimal_strings(andon: Andon, toy: Toy) -> None:
    assert andon("order", "buy", "BTC/USDT", "0.30", "--price", "60000.10", "--reduce-only").code == 0
    assert toy.requests[0].data == {
        "symbol": "BTC/USDT",
        "side": "buy",
        "qty": "0.30",
        "type": "limit",
        "price": "60000.10",
        "tif": "gtc",
        "reduce_only": True,
        "strategy": "operator",
        "algo": "",
        "intent": "",
    }


def test_a_denied_order_shows_each_layer_and_is_1(andon: Andon, folder: Path) -> None:
    with Toy(folder, refusing):
        ended = andon("order", "buy", "BTC/USDT", "50")
        as_json = andon("order", "buy", "BTC/USDT", "50", "--json")
    assert_one_line(ended, 1)
    assert [line.split()[:2] for line in ended.out.splitlines()[1:]] == [["FORM", "pass"], ["SIZE", "DENY"]]
    assert as_json.code == 1
    [row] = as_json.rows()
    assert row["decisions"][1] == {
        "layer": "SIZE",
        "ok": False,
        "code": "order_value",
        "value": 3e6,
        "limit": 250_000.0,
    }


def test_an_order_without_an_answer_is_4_not_lost(andon: Andon, folder: Path) -> None:
    with Toy(folder, deaf):
        assert_one_line(andon("order", "buy", "BTC/USDT", "1", "--timeout", "0.5"), 4)


@pytest.mark.parametrize(
    "words", [("status",), ("watch",), ("start",), ("cancel", "--all"), ("order", "buy", "X", "1")]
)
def test_without_a_core_every_client_is_3_and_says_how_to_start_one(
    andon: Andon, words: tuple[str, ...]
) -> None:
    ended = andon(*words)
    assert_one_line(ended, 3)
    assert "andon core" in ended.err


def test_a_new_key_is_the_owners_alone_and_its_secret_is_not_printed(andon: Andon, folder: Path) -> None:
    ended = andon("keys", "new", "desk", "--role", "operator", "--json")
    [row] = ended.rows()
    path = Path(row["file"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    import json

    secret = json.loads(path.read_text())["secret"]
    assert secret not in ended.out + ended.err
    assert andon("keys", "list", "--json").rows() == [
        {"name": "desk", "role": "operator", "public_key": row["public_key"]}
    ]


def test_a_key_is_made_once(andon: Andon) -> None:
    assert andon("keys", "new", "desk", "--role", "viewer").code == 0
    assert_one_line(andon("keys", "new", "desk", "--role", "admin"), 1)


def test_doctor_on_a_fresh_folder_finds_nothing_wrong(andon: Andon) -> None:
    ended = andon("doctor", "--json")
    rows = {row["check"]: row for row in ended.rows()}
    assert ended.code == 0, rows
    assert {"python", "zmq", "kernels", "folder", "disk", "clock", "terminal", "config", "core"} <= set(rows)
    assert {row["status"] for row in rows.values()} <= {"ok", "warn", "skip"}


def test_every_doctors_finding_has_a_fix(andon: Andon, folder: Path) -> None:
    folder.chmod(0o777)
    (folder / "HALT").write_text("{}")
    ended = andon("doctor", "--json", env={"BOT_NO_SUCH": "1"})
    rows = {row["check"]: row for row in ended.rows()}
    assert ended.code == 1
    assert (rows["folder"]["status"], rows["config"]["status"], rows["halt mark"]["status"]) == (
        "fail",
        "fail",
        "warn",
    )
    assert all(row["fix"] for row in rows.values() if row["status"] in {"fail", "warn"})


def test_doctor_sees_a_core_that_answers(andon: Andon, toy: Toy) -> None:
    rows = {row["check"]: row for row in andon("doctor", "--json").rows()}
    assert rows["core"]["status"] == "ok"


def test_doctor_prints_settings_with_their_sources(andon: Andon) -> None:
    ended = andon("doctor", "--print-config", "--json", env={"BOT_SIGNAL_INTERVAL": "5"})
    row = ended.rows()[0]["settings"]["engine.signal_interval_s"]
    assert row == {"value": 5.0, "source": "env:BOT_SIGNAL_INTERVAL"}
