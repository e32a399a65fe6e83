"""A full disk stops the journal from writing, never from remembering, and never stops a halt."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from .kit import ROOT


def run(name: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.journal.full_disk", name, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_nothing_is_lost_over_a_full_disk(tmp_path: Path) -> None:
    saw = run("fill", tmp_path)
    assert saw["failed"][0].startswith("journal cannot write: ")
    assert "free disk space" in saw["failed"][0]
    assert saw["kept"] == saw["durable_at_failure"], "what was acknowledged is what is on disk"
    assert saw["still_behind"]
    assert saw["recovered"] == 1
    assert saw["closed"]
    assert (saw["lost"], saw["wrong"], saw["verdict"]) == (0, [], True)


def test_market_data_is_refused_before_orders_and_it_says_so(tmp_path: Path) -> None:
    saw = run("fill", tmp_path)
    assert saw["accepted_before"]
    assert "market data refused" in saw["refused"]
    assert "market data refused" in saw["failed"][1]
    assert len(saw["failed"]) == 2, "said once each, not with every try"
    assert saw["accepts_again"]


def test_closing_on_a_full_disk_ends_and_admits_what_is_missing(tmp_path: Path) -> None:
    saw = run("close", tmp_path)
    assert saw == {"closed": False, "pending": 500, "verdict": True}


def test_a_stop_record_that_fails_is_said_kept_and_written_later(tmp_path: Path) -> None:
    saw = run("latch", tmp_path)
    assert saw["answers"] == [[1, True], [2, False], [3, False], [2, True], [3, True]]
    assert "cannot write" in saw["reason"]
    assert (saw["kept"], saw["now"], saw["closed"]) == (1, 3, True)
