"""Anybody can write a client: forty lines without a word of ours follow the state to equality."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

from bus.address import core_file
from bus.client import Client

from .forty_lines import Core
from .toy import Toy

SOURCE = Path(__file__).with_name("forty_lines.py")


def follow(core: Core, until: Callable[[], object]) -> None:
    while not until():
        core.follow()


def test_it_is_forty_lines_and_imports_nothing_of_ours() -> None:
    text = SOURCE.read_text()
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert len(text.splitlines()) <= 40
    assert {alias.name for node in imports for alias in node.names} == {"uuid", "msgpack", "zmq"}


def test_it_follows_the_state_to_equality_and_pulls_the_cord(tmp_path: Path) -> None:
    with Toy(tmp_path, beat_s=0.02) as toy:
        core = Core(json.loads(core_file(tmp_path).read_text()))
        toy.put("BTC/USDT", -1)
        follow(core, lambda: core.epoch)
        for n in range(500):
            toy.put(f"S{n % 7}", n)
        follow(core, lambda: core.seq.get("position") == 501)
        replies = list(core.ask("kill", {"scope": "all", "level": "halt"}, "drill"))
        follow(core, lambda: "state" in core.state)
        toy.do(setattr, toy, "beating", False)
        with Client.attach(data_dir=tmp_path) as client:
            truth = client.snapshot()
        follow(core, lambda: core.seq == truth.seq)

        assert [reply["status"] for reply in replies][-1] == "done"
        assert core.state["state"]["data"]["state"] == "HALTED"
        assert {topic: message["data"] for topic, message in core.state.items()} == {
            topic: message.data for topic, message in truth.messages.items()
        }
        core.sub.close(0)
        core.dealer.close(0)
