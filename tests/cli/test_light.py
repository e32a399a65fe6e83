"""What each way in may load: the cord must not wait for compilers and tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, environment

HEAVY = {"numpy", "numba", "pandas", "textual", "ccxt", "asyncio", "core", "matplotlib"}


def loaded_by(home: Path, *words: str) -> set[str]:
    code = f"import sys; from andon.cli import main; main({list(words)!r}); sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("kill", "--reason", "x"),
        ("kill", "--help"),
        ("status",),
        ("order", "buy", "BTC/USDT", "1"),
        ("rearm", "all", "--reason", "x"),
        ("keys", "list"),
        ("watch", "--raw"),
    ],
)
def test_client_commands_load_nothing_heavy(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert not HEAVY & loaded_by(tmp_path, *words)


def test_the_public_client_is_loaded_on_first_use(tmp_path: Path) -> None:
    code = "import sys, andon; assert 'bus' not in sys.modules; from andon import Client; print(Client.__module__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("bus.")
