"""The same commands against the real core: one core, one story, in order."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from andon.child import CoreChild
from tests.cli.conftest import Ended, assert_one_line, run_andon

pytestmark = pytest.mark.slow
HOLDS_WITHIN_S = 5.0  # the contract's


def started(folder: Path) -> CoreChild:
    folder.mkdir(mode=0o700, exist_ok=True)
    child = CoreChild(folder, ["--profile", "paper", "--headless-seconds", "120", "--seed", "3"], {})
    try:
        child.wait_ready()
    except BaseException:
        child.stop()
        raise
    return child


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CoreChild]:
    for name in [name for name in os.environ if name.startswith(("BOT_", "ANDON_"))]:
        monkeypatch.delenv(name)
    child = started(tmp_path / "data")
    yield child
    child.stop()


def ask(home: Path, *words: str) -> Ended:
    return run_andon(*words, home=home / "data")


def seen(home: Path) -> dict[str, object]:
    [row] = ask(home, "status", "--json").rows()
    return row


def held(status: dict[str, object]) -> list[object]:
    return [row for row in status["positions"] if row["qty"]]  # type: ignore[attr-defined]


def test_a_core_trades_is_stopped_and_stays_stopped_over_a_restart(core: CoreChild, tmp_path: Path) -> None:
    until = time.monotonic() + HOLDS_WITHIN_S
    while not (held(now := seen(tmp_path)) and now["working_orders"]) and time.monotonic() < until:
        time.sleep(0.1)
    assert now["state"] == "ACTIVE"
    assert held(now)

    killed = ask(tmp_path, "kill", "--level", "flatten", "--reason", "test", "--json")
    assert killed.code == 0, killed.err
    final = killed.rows()[-1]
    assert (final["status"], final["unconfirmed"], final["level"]) == ("done", 0, "flatten")
    time.sleep(0.3)
    now = seen(tmp_path)
    assert (held(now), now["working_orders"]) == ([], 0)
    assert_one_line(ask(tmp_path, "start"), 1)

    core.stop()
    assert core.code == 0, core.words
    again = started(tmp_path / "data")
    try:
        assert seen(tmp_path)["state"] not in {"ACTIVE", "READY"}
        assert ask(tmp_path, "rearm", "all", "--reason", "test").code == 0
        assert seen(tmp_path)["state"] == "READY"
        assert ask(tmp_path, "start").code == 0
        assert seen(tmp_path)["state"] == "ACTIVE"
    finally:
        again.stop()
    assert ask(tmp_path, "audit", "verify").code == 0


def test_a_kill_that_found_nobody_halts_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    assert ask(tmp_path, "kill", "--reason", "nobody home").code == 3
    child = started(folder)
    try:
        assert seen(tmp_path)["state"] not in {"ACTIVE", "READY"}
    finally:
        child.stop()


def test_the_headless_demo_is_as_expected_and_leaves_nothing(tmp_path: Path) -> None:
    places = {"TMPDIR": str(tmp_path)}
    ended = run_andon("demo", "--json", "--seconds", "8", home=tmp_path / "data", env=places)
    assert ended.code == 0, ended.out + ended.err
    story = json.loads(ended.out)
    assert (story["ok"], story["kill"]["status"], story["kill"]["unconfirmed"]) == (True, "done", 0)
    assert story["before"]["fills"] > 0
    assert not list(tmp_path.glob("andon-demo-*"))
    assert not (tmp_path / "data").exists(), "the demo never touches the user's own folder"
