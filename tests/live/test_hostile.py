"""Bad luck and bad input around a real core: it says one clear line, loses nothing, and comes up stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from andon import Client
from tests.live.kit import IDLE, Home, alive, assert_one_line, environment, held, no_traceback, until

pytestmark = pytest.mark.slow


def refused(home: Home, *words: str, code: int, env: dict[str, str] | None = None) -> str:
    """A core that does not come up: one line, and its exit code."""
    core = home.start(*words, env=env)
    try:
        assert core.process.wait(60) == code, core.complaint()
    finally:
        core.outlive()
    assert core.said() == ""
    assert len(core.complaint().splitlines()) == 1, core.complaint()
    no_traceback(core.complaint())
    return core.complaint()


def traded(home: Home) -> dict[str, Any]:
    """A folder whose core has traded and ended in order; what it said last, with the quotes pulled."""
    with home.core() as core:
        home.trading()
        assert home.ask("stop").code == 0
        now = until(lambda: _idle(home), "no working orders")
        assert core.end() == 0
    return now


def _idle(home: Home) -> dict[str, Any] | None:
    now = home.status()
    return None if now["working_orders"] else now


def test_a_second_core_on_the_same_folder_is_refused_and_the_first_does_not_notice(home: Home) -> None:
    with home.core() as core:
        said = refused(home, code=1)
        assert str(core.pid) in said, "it names who is there"
        assert home.state() == "ACTIVE"
        assert core.end() == 0
    home.proven()


@pytest.mark.parametrize("damage", ["bit-flip", "truncation", "emptied", "nonsense", "an-old-copy"])
def test_a_damaged_journal_is_moved_aside_and_the_core_comes_up_halted(home: Home, damage: str) -> None:
    if damage == "an-old-copy":
        traded(home)
        shutil.copy(home.folder / "journal.db", home.place / "old.db")
    left = held(traded(home))
    journal = home.folder / "journal.db"
    content = bytearray(journal.read_bytes())
    if damage == "bit-flip":
        content[len(content) // 2] ^= 0x10
    elif damage == "truncation":
        del content[len(content) // 2 :]
    elif damage == "emptied":
        content.clear()
    elif damage == "nonsense":
        content[:] = np.random.default_rng(1).bytes(len(content))
    else:
        content[:] = (home.place / "old.db").read_bytes()
    journal.write_bytes(content)
    with home.core() as core:
        now = home.status()
        assert now["state"] == "HALTED"
        assert now["switches"]["startup"]["phase"] != "ARMED"
        assert now["reason"]
        assert "journal" in now["reason"], now["reason"]
        kept = list(home.folder.glob("journal.damaged-*.db"))
        assert len(kept) == 1
        assert kept[0].read_bytes() == bytes(content), "kept as it was found: it is evidence"
        books = held(now)
        if damage == "bit-flip":
            assert books == left, (
                "one flipped bit in the middle costs no position: the snapshot and the rest verify"
            )
        assert_one_line(home.ask("start"), 1)
        core.kill9()
        no_traceback(core.complaint())
    home.proven()
    with home.core():
        now = home.status()
        assert now["state"] == "HALTED", "the next start remembers"
        assert held(now) == books, "also what was held, from the new journal alone"


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b"garbage \xff\x00", b'{"state":"ACTIVE","latches":[]}']
)
def test_a_stop_record_that_cannot_be_trusted_halts(home: Home, content: bytes | None) -> None:
    traded(home)
    latch = home.folder / "latch.json"
    assert latch.is_file()
    latch.unlink()
    if content is not None:
        latch.write_bytes(content)
    with home.core() as core:
        now = home.status()
        assert now["state"] == "HALTED"
        assert "latch.json" in now["reason"]
        assert held(now) != {}, "positions are kept: only new risk is refused"
        no_traceback(core.complaint())


def test_a_latch_copied_from_a_better_day_does_not_start_it(home: Home) -> None:
    """Somebody puts back the stop record of before the kill: the journal knows a newer one."""
    with home.core() as core:
        home.trading()
        good = (home.folder / "latch.json").read_bytes()
        assert home.ask("kill", "--reason", "stop").code == 0
        assert core.end() == 0
    (home.folder / "latch.json").write_bytes(good)
    with home.core():
        assert home.state() == "HALTED"


def test_a_file_named_halt_stops_a_running_core_and_every_start(home: Home) -> None:
    with home.core() as core:
        home.trading()
        (home.folder / "HALT").touch()
        now = home.until_state("HALTED", timeout_s=5.0)
        assert "HALT" in now["reason"]
        until(lambda: home.status()["working_orders"] == 0, "cancelled")
        assert core.end() == 0
    for _ in range(2):
        with home.core() as core:
            assert home.state() == "HALTED"
            assert core.end() == 0
    (home.folder / "HALT").unlink()
    with home.core():
        assert home.state() == "HALTED", "removing the file re-arms nothing"
        assert home.ask("rearm", "all", "--reason", "found the cause").code == 0
        assert home.ask("start").code == 0
        assert home.state() == "ACTIVE"


BAD_SETTINGS = {
    "unknown-key": "[switches.drawdown]\nlimitt = 0.05\n",
    "unknown-section": "[swiches.drawdown]\nlimit = 0.05\n",
    "nan": "[switches.drawdown]\nlimit = nan\n",
    "infinity": "[gate]\norder_value_max = inf\n",
    "negative": "[switches.drawdown]\nlimit = -0.05\n",
    "zero": "[switches.drawdown]\nlimit = 0.0\n",
    "above-one": "[switches.drawdown]\nlimit = 5\n",
    "text": '[switches.drawdown]\nlimit = "five percent"\n',
    "no-toml": "this is = = not toml\n",
    "bytes": "\x00\x01",
    "crossed": "[switches.leverage]\nlimit = 4.0\ntarget = 4.5\n",
    "unknown-symbol": '[market]\nsymbols = ["NOPE/USDT"]\n',
    "unknown-strategy": '[strategies.x-1]\nkind = "martingale"\n',
    "strategy-symbol": '[strategies.x-1]\nkind = "hold"\nsymbols = ["NOPE/USDT"]\n',
    "zone": '[account]\nday_zone = "Mars/Olympus"\n',
    "nan-cash": "[account]\ncash = { USDT = nan }\n",
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_settings_that_make_no_sense_start_nothing(home: Home, name: str) -> None:
    refused(home.configure(BAD_SETTINGS[name]), code=2)
    assert not (home.folder / "journal.db").exists()


@pytest.mark.parametrize(
    "env",
    [
        {"BOT_SIGNAL_INTERVALL": "5"},
        {"BOT_SIGNAL_INTERVAL": "nan"},
        {"BOT_SIGNAL_INTERVAL": "-1"},
        {"BOT_SIGNAL_INTERVAL": "soon"},
        {"BOT_REDUCE_API_CALLS": "perhaps"},
        {"ANDON_SWITCHES__DRAWDOWN__LIMITT": "0.1"},
    ],
    ids=lambda env: "=".join(*env.items()),
)
def test_variables_that_make_no_sense_start_nothing(home: Home, env: dict[str, str]) -> None:
    refused(home, code=2, env=env)


def test_nothing_a_flag_or_variable_says_makes_it_live(home: Home) -> None:
    for env in (
        {"ANDON_ACCOUNT__ARMED": "true", "ANDON_ACCOUNT__ENV": "live"},
        {"ANDON_ACCOUNT__ENV": "live"},
    ):
        assert refused(home, env=env, code=2)
    refused(home.configure('[account]\nenv = "live"\narmed = true\n'), "--profile", "live", code=2)


def fuzz(path: str, count: int, seed: int) -> int:
    """Frames that are none, almost one, or someone else's; the number sent."""
    rng = np.random.default_rng(seed)
    ping = b"\x86\xa1v\x01\xa2id\xd9$00000000-0000-4000-8000-000000000000\xa4type\xa4ping\xa4data\x80\xa6reason\xa0\xaaexpires_ns\x00"
    with zmq.Context() as context:
        dealers = [context.socket(zmq.DEALER) for _ in range(4)]
        for dealer in dealers:
            dealer.linger = 2000
            dealer.connect(path)
        for n in range(count):
            frame = bytearray(ping if n % 3 else rng.bytes(int(rng.integers(0, 300))))
            for _ in range(int(rng.integers(1, 6))):
                if frame:
                    frame[int(rng.integers(len(frame)))] = int(rng.integers(256))
            if n % 5 == 0:
                frame = frame[: int(rng.integers(0, len(frame) + 1))]
            if n % 997 == 0:
                frame = bytearray(70_000)  # above what the wire allows
            parts = [bytes(frame)] if n % 11 else [bytes(frame), b"more", b"frames"]
            dealers[n % 4].send_multipart(parts)
            while n % 50 == 0 and dealers[n % 4].poll(0):
                dealers[n % 4].recv_multipart()
        for dealer in dealers:
            dealer.close()
    return count


def settled_rows(home: Home) -> dict[str, Any]:
    now = home.status()
    kept = ("state", "latched", "working_orders", "epoch")
    orders = {row["cl_ord_id"]: (row["status"], row["filled"]) for row in now["orders"]}
    return {**{key: now[key] for key in kept}, "positions": held(now), "orders": orders}


def test_twenty_thousand_frames_of_noise_change_nothing(home: Home) -> None:
    home.configure(IDLE)
    with home.core() as core:
        until(lambda: home.ask("order", "buy", "ETH/USDT", "1").code == 0, "a purchase")
        until(lambda: held(home.status()), "held")
        assert home.ask("order", "sell", "ETH/USDT", "1", "--price", "2750").code == 0
        until(lambda: "NEW" in {row["status"] for row in home.status()["orders"]}, "a resting order")
        before = settled_rows(home)
        address = json.loads((home.folder / "bus" / "core.json").read_text())
        sent = fuzz(address["command"], 20_000, 7)
        with Client.attach(data_dir=home.folder) as client:
            assert client.ping(timeout_s=20.0)["rtt_ms"] < 20_000
        after = settled_rows(home)
        assert after == before
        noise = [a for a in home.status()["alerts"] if a["id"].startswith("NOISE")]
        assert noise, "counted, and said so"
        records = core.end() == 0 and home.records()
        commands = [r for r in records if r["kind"] == "command"]
        assert len(commands) < 20, "what was refused is not a command"
        assert len(records) < sent, "and is not journalled frame by frame"
        no_traceback(core.complaint())
    home.proven()


def test_a_tape_that_cannot_be_read_starts_no_core(home: Home, tmp_path: Path) -> None:
    tape = tmp_path / "back.csv"
    tape.write_text(
        "ts_ns,price,qty,side,symbol\n1700000000000000002,100,1,BUY,BTC/USDT\n"
        "1700000000000000001,100,1,BUY,BTC/USDT\n"
    )
    said = refused(home, "--replay", str(tape), code=1)
    assert "line 3" in said


def test_a_folder_that_cannot_be_used_is_said_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.folder.write_text("a file where a folder should be")
    refused(home, code=1)


def test_a_command_whose_reader_goes_away_leaves_the_core_alone(home: Home) -> None:
    import subprocess
    import sys

    with home.core() as core:
        watch = subprocess.Popen(
            [sys.executable, "-m", "andon", "watch", "--json"],
            env=environment(home.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert watch.stdout is not None
        watch.stdout.readline()
        watch.stdout.close()
        assert watch.stderr is not None
        complaint = watch.stderr.read().decode()
        watch.wait(20)
        no_traceback(complaint)
        assert alive(core.pid)
        assert home.state() == "ACTIVE"
