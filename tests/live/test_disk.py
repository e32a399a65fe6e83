"""A disk that fills up under a trading core: it halts, the cancels still go, nothing acknowledged is lost."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.kit import ROOT, Core, Home, assert_one_line, environment, held, no_traceback, until

pytestmark = pytest.mark.slow
BUSY = "[market]\ntick_rate_per_s = 2000.0\n"


def journal_bytes(home: Home) -> int:
    return sum((home.folder / f"journal.db{end}").stat().st_size for end in ("", "-wal"))


def no_larger(core: Core, size_bytes: int) -> None:
    """From now on no file of this process may grow beyond: a write says so as a full disk does."""
    resource.prlimit(core.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def halted_by_the_disk(home: Home) -> dict[str, Any]:
    """Status once the journal switch has pulled and the venue has confirmed the cancels."""

    def look() -> dict[str, Any] | None:
        now = home.status()
        stopped = now["state"] == "HALTED" and now["switches"]["journal"]["phase"] == "LATCHED"
        return now if stopped and now["working_orders"] == 0 else None

    return until(look, "halted by the journal switch, no order working", 30.0)  # type: ignore[return-value]


def test_a_full_disk_halts_and_the_cancels_still_go(home: Home) -> None:
    home.configure(BUSY)
    with home.core() as core:
        home.trading()
        no_larger(core, 64 * 1024)
        now = halted_by_the_disk(home)
        until(lambda: home.status()["health"]["journal"]["status"] == "fail", "said by its health")
        assert any("journal" in alert["source"] + alert["id"].lower() for alert in now["alerts"])
        short = next((row["qty"] < 0 for row in now["positions"] if row["symbol"] == "ETH/USDT"), False)
        refused = home.ask("order", "sell" if short else "buy", "ETH/USDT", "1")  # never an exit: those pass
        assert refused.code == 1
        assert_one_line(home.ask("rearm", "all", "--reason", "not yet"), 1)
        assert home.ask("kill", "--level", "flatten", "--reason", "out").code in {0, 4}
        until(lambda: held(home.status()) == {}, "flat although the disk is full")

        no_larger(core, resource.RLIM_INFINITY)
        until(lambda: home.status()["health"]["journal"]["status"] == "ok", "written again")
        assert home.state() == "FLATTENING", "room on the disk starts nothing"
        until(lambda: home.ask("rearm", "all", "--reason", "disk has room").code == 0, "re-armed")
        assert home.ask("start").code == 0
        home.trading()
        assert core.end() == 0
        no_traceback(core.complaint())
    home.proven()
    kinds = [record["kind"] for record in home.records()]
    assert "journal_status" in kinds, "and the journal tells of its own failure"


def test_a_core_that_dies_on_a_full_disk_comes_up_stopped(home: Home) -> None:
    home.configure(BUSY)
    with home.core() as core:
        home.trading()
        durable = home.status()["heartbeat"]["durable_seq"]
        no_larger(core, 64 * 1024)
        halted_by_the_disk(home)
        core.kill9()
        no_traceback(core.complaint())
    home.proven()
    assert len(home.records()) >= durable, "what was durable is there"
    with home.core():
        assert home.state() == "HALTED"


def test_a_shutdown_on_a_full_disk_says_what_could_not_be_written(home: Home) -> None:
    home.configure(BUSY)
    with home.core() as core:
        home.trading()
        no_larger(core, 64 * 1024)
        halted_by_the_disk(home)
        code = core.end(40.0)
        assert code != 0, "not a clean end"
        no_traceback(core.complaint())
        assert "could not be written" in core.complaint()
        assert len(core.complaint().splitlines()) == 1
    with home.core():
        assert home.state() == "HALTED"


def test_no_room_to_begin_with(home: Home) -> None:
    """A start that cannot write its journal is no start."""
    home.folder.mkdir(mode=0o700)
    command = f"ulimit -f 0; exec '{sys.executable}' -m andon core --data-dir '{home.folder}'"
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment(home.folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    no_traceback(ended.stderr)
    assert "ready" not in ended.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 megabytes, where the machine lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "none", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no permission to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_real_file_system_that_is_full(home: Home, small_disk: Path) -> None:
    home.folder = small_disk / "data"
    home.configure(BUSY)
    with home.core() as core:
        home.trading()
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1024))
            except OSError:
                pass
        now = halted_by_the_disk(home)
        assert "journal" in now["latched"][0]
        ballast.unlink()
        until(lambda: home.status()["health"]["journal"]["status"] == "ok", "written again")
        assert home.state() == "HALTED"
        assert core.end() == 0
        no_traceback(core.complaint())
    home.proven()
