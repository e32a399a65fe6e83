"""The headless demo's judgement, against a toy that does, or does not, do what a core must."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from andon.headless import Story, report, watch_and_pull
from bus.client import Client
from bus.views import StateView
from bus.wire import Request
from tests.cli.toy import ACCOUNT, POSITION, Handler, Toy, good_kill


def stopping_kill(toy: Toy, request: Request) -> None:
    """A kill that ends flat."""
    now_ns = time.time_ns()
    flat = msgspec.structs.replace(POSITION, qty=0.0, qty_lots=0)
    toy.server.publish("position.BTC/USDT", "position", flat, now_ns)
    toy.server.publish("account", "account", msgspec.structs.replace(ACCOUNT, working_orders=0), now_ns)
    toy.server.publish("state", "state", StateView(state="HALTED", level=2, started=False), now_ns)
    good_kill(toy, request)


def refused_kill(toy: Toy, request: Request) -> None:
    toy.reply(request, "rejected")


def story(folder: Path, handler: Handler, fills: int = 3) -> Story:
    with Toy(folder, handler) as toy:
        for _ in range(fills):
            toy.publish_soon("fill", {"exec_id": "x"})
        with Client.attach(data_dir=folder) as client:
            return watch_and_pull(client, 0.5, lambda text: None)


def test_a_stop_that_works_is_as_expected_on_one_screen(tmp_path: Path) -> None:
    seen = story(tmp_path, stopping_kill)
    assert seen.wrong == []
    lines = report(seen)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 110
    text = "\n".join(lines)
    assert "as expected" in text
    assert "CANCELLING 12/50  unconfirmed 38" in text
    assert "NOT" not in text


@pytest.mark.parametrize(
    ("handler", "fills", "why"),
    [
        (good_kill, 3, "positions are still open"),
        (good_kill, 3, "orders are still working"),
        (good_kill, 3, "the core is ACTIVE"),
        (refused_kill, 3, "the kill was not confirmed"),
        (stopping_kill, 0, "nothing was traded"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, handler: Handler, fills: int, why: str) -> None:
    seen = story(tmp_path, handler, fills)
    assert any(text.startswith(why) for text in seen.wrong), seen.wrong
    assert any(line.startswith("NOT as expected") for line in report(seen))
