"""Coming up: what the folder proves decides; a stop known to any store is never the one that is forgotten."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bus.enums import TradingState
from config.load import load
from core.adapters.catalogue import embedded_catalogue
from core.adapters.latch_store import LatchStore
from core.app.setup import engine_config
from core.app.startup import Start, prepare
from core.engine import ladder
from core.engine.step import step

NOW_NS = 1_700_000_000_000_000_000
LOADED = load("paper", None, {}, {})
KILL = {
    "key": "operator@all",
    "level": "FLATTENING",
    "phase": "CANCELLING",
    "reason": "get out",
    "operator": "alice",
}


def come_up(folder: Path) -> Start:
    config = engine_config(LOADED.settings, embedded_catalogue(), env="PAPER", now_ns=NOW_NS)
    return prepare(folder, config, LOADED, NOW_NS)


def store(folder: Path, latches: list[dict[str, str]]) -> None:
    latch_store, stored = LatchStore(folder, 1), threading.Event()
    latch_store.write(1, {"state": "HALTED", "latches": latches}, lambda *_: stored.set())
    assert stored.wait(5.0)
    assert latch_store.close()


def test_a_new_folder_is_clean_and_starts(tmp_path: Path) -> None:
    start = come_up(tmp_path)
    step(start.state, start.boot)

    assert start.boot.clean
    assert start.state.cold.started


def test_a_stop_that_reached_the_stop_record_and_not_the_journal_holds_at_its_level(tmp_path: Path) -> None:
    store(tmp_path, [KILL])

    start = come_up(tmp_path)
    step(start.state, start.boot)

    kill = start.state.cold.kills["operator@all"]
    assert not start.boot.clean
    assert kill.level is TradingState.FLATTENING
    assert kill.operator == "alice"
    assert not start.state.cold.started
    assert ladder.state_word(start.state.cold.kills, started=True) == "FLATTENING"


@pytest.mark.parametrize(
    "row", [{}, {"key": "nonsense"}, {"key": "drawdown@moon:1"}, {"key": "operator@all", "level": "??"}]
)
def test_a_stop_record_that_makes_no_sense_halts_all_the_same(tmp_path: Path, row: dict[str, str]) -> None:
    store(tmp_path, [row])

    start = come_up(tmp_path)
    step(start.state, start.boot)

    level = ladder.level_of(start.state.cold.kills, ())
    assert level >= TradingState.HALTED
