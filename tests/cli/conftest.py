"""The real command, as a subprocess, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Andon = Callable[..., Ended]


def environment(home: Path, **extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BOT_", "ANDON_", "DEMO_"))}
    return {**kept, "ANDON_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **extra}


def run_andon(*words: str | bytes, home: Path, env: dict[str, str] | None = None, **options: Any) -> Ended:
    command = [sys.executable, "-m", "andon", *words]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(home, **(env or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        **options,
    )
    return Ended(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


@pytest.fixture
def andon(tmp_path: Path) -> Andon:
    """``andon(*words)`` on an empty data folder."""
    return lambda *words, env=None: run_andon(*words, home=tmp_path / "data", env=env)


def assert_one_line(ended: Ended, code: int) -> None:
    assert ended.code == code, (ended.code, ended.out, ended.err)
    assert len(ended.err.splitlines()) == 1, ended.err
    assert "Traceback" not in ended.err + ended.out
