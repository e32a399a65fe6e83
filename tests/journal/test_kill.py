"""A process that dies at any moment loses nothing that it had acknowledged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .kit import ROOT


@pytest.mark.slow
def test_fifty_kills_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.journal.kill_rounds", str(tmp_path), "50", "20261101"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    saw = json.loads(run.stdout)
    assert saw["kills"] == 50
    assert saw["records"] > 1_000, "hardly anything was written: the kills prove nothing"
    assert saw["latches"] > 30
    assert (saw["lost"], saw["latches_lost"], saw["wrong"], saw["faults"]) == (0, 0, 0, []), saw
    assert saw["verdict"][:2] == [True, ""], saw
    assert saw["verdict"][2] > 0, "no tick block was rotated: the kills did not hit rotation"
