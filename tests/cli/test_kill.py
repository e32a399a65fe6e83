"""The cord from a shell: what is shown, and above all what exit code comes out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bus.address import Address, write_core
from bus.wire import Request
from tests.cli.conftest import ROOT, Andon, assert_one_line, environment
from tests.cli.toy import Toy, deaf, good_kill, refusing, silent_kill

KEYS = {"status", "level", "cancelled", "flat", "unconfirmed", "elapsed_ms", "receipt"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


def test_a_confirmed_kill_is_0_and_streams_its_phases(andon: Andon, folder: Path) -> None:
    with Toy(folder, good_kill) as toy:
        ended = andon("kill", "--level", "flatten", "--reason", "test")
    assert ended.code == 0, ended.err
    assert "CANCELLING 12/50  unconfirmed 38" in ended.out
    assert "FLATTENING 3/8  unconfirmed 5" in ended.out
    assert "DONE flatten: cancelled 50/50, flat 8/8" in ended.out
    assert [(r.type, r.data, r.reason) for r in toy.requests] == [
        ("kill", {"scope": "all", "level": "flatten"}, "test")
    ]
    assert not (folder / "HALT").exists()


def test_the_default_is_halt_of_everything(andon: Andon, folder: Path) -> None:
    with Toy(folder, good_kill) as toy:
        assert andon("kill", "--reason", "test").code == 0
    assert toy.requests[0].data == {"scope": "all", "level": "halt"}


def test_json_ends_with_the_contracts_keys(andon: Andon, folder: Path) -> None:
    with Toy(folder, good_kill):
        rows = andon("kill", "--reason", "test", "--json").rows()
    assert [row["status"] for row in rows] == ["accepted", "progress", "progress", "done"]
    assert set(rows[-1]) >= KEYS
    final = rows[-1]
    assert (final["cancelled"], final["flat"], final["unconfirmed"], final["receipt"]) == (50, 8, 0, "K7-1")


def test_accepted_but_not_confirmed_in_time_is_4(andon: Andon, folder: Path) -> None:
    with Toy(folder, silent_kill):
        ended = andon("kill", "--reason", "test", "--timeout", "0.5")
    assert_one_line(ended, 4)
    assert "CANCELLING 12/50  unconfirmed 38" in ended.err
    assert not (folder / "HALT").exists()


def test_unconfirmed_orders_are_never_0(andon: Andon, folder: Path) -> None:
    def optimist(toy: Toy, request: object) -> None:
        toy.reply(request, "done", phase="LATCHED", unconfirmed=1)  # type: ignore[arg-type]

    with Toy(folder, optimist):
        assert andon("kill", "--reason", "test").code == 4


def test_a_refused_kill_is_1_with_the_cores_words(andon: Andon, folder: Path) -> None:
    with Toy(folder, refusing):
        ended = andon("kill", "--reason", "test")
    assert_one_line(ended, 1)
    assert "order_value" in ended.err


def test_no_core_is_3_and_leaves_the_mark(andon: Andon, folder: Path) -> None:
    ended = andon("kill", "--reason", "test")
    assert_one_line(ended, 3)
    record = json.loads((folder / "HALT").read_text())
    assert (record["level"], record["scope"], record["reason"]) == ("halt", "all", "test")
    assert str(folder / "HALT") in ended.err


def test_a_kill_of_one_strategy_leaves_no_mark_for_everything(andon: Andon, folder: Path) -> None:
    assert andon("kill", "--scope", "strategy:x", "--reason", "test").code == 3
    assert not (folder / "HALT").exists()


def test_a_core_that_hears_nothing_is_3_with_the_mark(andon: Andon, folder: Path) -> None:
    with Toy(folder, deaf):
        ended = andon("kill", "--reason", "test", "--timeout", "0.5")
    assert ended.code == 3
    assert "Traceback" not in ended.err
    assert (folder / "HALT").exists()


def test_a_core_that_wakes_up_late_still_gets_the_one_kill(andon: Andon, folder: Path) -> None:
    def sleeper(toy: Toy, request: Request) -> None:
        toy.after(3.5, lambda: good_kill(toy, request))

    with Toy(folder, sleeper) as toy:
        ended = andon("kill", "--reason", "test")
    assert ended.code == 0, ended.err
    assert "no answer yet" in ended.err
    assert len(toy.requests) == 1
    assert (folder / "HALT").exists()


def test_a_dead_cores_address_is_3_at_once(andon: Andon, folder: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_core(folder, Address("ipc:///nowhere/s", "ipc:///nowhere/c", 1, gone.pid))
    assert_one_line(andon("kill", "--reason", "test"), 3)
    assert (folder / "HALT").exists()


def test_a_broken_configuration_does_not_stop_a_stop(andon: Andon, folder: Path) -> None:
    (folder / "andon.toml").write_text("this is = not toml [")
    with Toy(folder, good_kill):
        ended = andon("kill", "--reason", "test", env={"BOT_NO_SUCH": "1"})
    assert ended.code == 0


def test_direct_says_what_there_is_to_do(andon: Andon) -> None:
    assert_one_line(andon("kill", "--direct", "--reason", "test"), 1)


def test_a_reader_that_goes_away_does_not_end_the_wait(folder: Path) -> None:
    command = f"{sys.executable} -m andon kill --reason test | true; exit ${{PIPESTATUS[0]}}"
    with Toy(folder, good_kill):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=environment(folder),
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_all_cores_pulls_every_cord_and_the_worst_decides(andon: Andon, tmp_path: Path) -> None:
    home = tmp_path / "data"
    folders = [home / "one", home / "two"]
    for each in folders:
        each.mkdir(parents=True, mode=0o700)
    with Toy(folders[0], good_kill) as one:
        with Toy(folders[1], good_kill) as two:
            ended = andon("kill", "--all-cores", "--reason", "test", "--json")
            assert ended.code == 0, ended.err
            assert len(one.requests) == len(two.requests) == 1
            finals = [row for row in ended.rows() if row["status"] == "done"]
            assert {row["core"] for row in finals} == {"one", "two"}
    with Toy(folders[0], good_kill), Toy(folders[1], silent_kill):
        assert andon("kill", "--all-cores", "--reason", "test", "--timeout", "0.5").code == 4


def test_all_cores_without_any_is_3(andon: Andon) -> None:
    assert_one_line(andon("kill", "--all-cores", "--reason", "test"), 3)
