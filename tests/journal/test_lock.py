"""One core per folder, and no folder that others could write to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.adapters.lock import DataDirError, DataDirLock, Held, last_epoch

from .kit import ROOT

HOLD = """
import sys
from pathlib import Path
from core.adapters.lock import DataDirLock
lock = DataDirLock(Path(sys.argv[1]))
lock.set_epoch(41)
print("held", flush=True)
sys.stdin.read()
"""


def test_it_makes_the_folder_for_us_alone(tmp_path: Path) -> None:
    with DataDirLock(tmp_path / "a" / "b") as lock:
        assert lock.path.stat().st_mode & 0o777 == 0o700
        assert (lock.path / "core.lock").stat().st_mode & 0o777 == 0o600
        assert (lock.path / "core.lock").read_text() == f"pid {os.getpid()} epoch 0\n"


def test_a_second_one_is_refused_by_name_and_told_what_to_do(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), pytest.raises(Held, match="one core per account") as caught:
        DataDirLock(tmp_path)
    assert caught.value.pid == os.getpid()
    assert f"process {os.getpid()}" in str(caught.value)
    assert "--data-dir" in str(caught.value)
    DataDirLock(tmp_path).release()


def test_another_process_holds_it_until_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Held) as caught:
            DataDirLock(tmp_path)
        assert caught.value.pid == other.pid
        assert (tmp_path / "core.lock").read_text() == f"pid {other.pid} epoch 41\n"
        other.kill()
        other.wait()
    with DataDirLock(tmp_path) as lock:
        assert lock.last_epoch == 41


def test_the_epoch_is_remembered(tmp_path: Path) -> None:
    assert last_epoch(tmp_path) == 0
    with DataDirLock(tmp_path) as lock:
        assert lock.last_epoch == 0
        lock.set_epoch(12)
    assert last_epoch(tmp_path) == 12
    with DataDirLock(tmp_path) as lock:
        assert lock.last_epoch == 12
    assert last_epoch(tmp_path) == 12


@pytest.mark.parametrize(
    "text", ["", "garbage", "pid x epoch 3\n", "pid 1 epoch 99999999999999999999\n", "\0" * 300]
)
def test_a_garbled_lock_file_is_no_obstacle(tmp_path: Path, text: str) -> None:
    (tmp_path / "core.lock").write_text(text)
    with DataDirLock(tmp_path) as lock:
        assert lock.last_epoch == 0


def test_a_folder_open_to_everybody_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(DataDirError, match="chmod 700"):
        DataDirLock(tmp_path)
    tmp_path.chmod(0o700)


def test_somebody_elses_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(DataDirError, match="belongs to user"):
        DataDirLock(tmp_path)


def test_what_is_no_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirError, match="choose another --data-dir") as caught:
            DataDirLock(path)
        assert "\n" not in str(caught.value)
    (tmp_path / "core.lock").symlink_to(tmp_path / "file")
    with pytest.raises(DataDirError, match="cannot open"):
        DataDirLock(tmp_path)
