"""The environment of the libraries risk measures are compared with: none of them is a dependency of the project.

Made once, under the user's cache folder, named by what is in it; run as a child that is told "this call, that
array" and answers with seconds. Arrays travel once, in a file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
PINS = (
    "bottleneck==1.6.0",
    "empyrical-reloaded==0.7.1",
    "numpy==2.4.6",
    "pandas==3.1.1",
    "quantstats==0.0.86",
)
_HERE = Path(__file__).parent
_INSTALL_S_MAX = 300


class NoPeers(Exception):
    """The environment cannot be made; the text says why."""


def python(pins: Sequence[str] = PINS) -> Path:
    """The interpreter of an environment with ``pins``, made if need be. Raises NoPeers."""
    name = hashlib.sha256(" ".join((*pins, sys.version)).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "andon"
    folder = cache / f"peers-{name}"
    interpreter = folder / "bin" / "python"
    if not (folder / "ready").exists():
        cache.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        for command in _commands(folder, interpreter, pins):
            _run(command)
        (folder / "ready").touch()
    return interpreter


def _commands(folder: Path, interpreter: Path, pins: Sequence[str]) -> list[list[str]]:
    uv = shutil.which(
        "uv", path=f"{_HERE.parents[1] / '.uv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    if uv is None:
        return [
            [sys.executable, "-m", "venv", str(folder)],
            [str(interpreter), "-m", "pip", "install", "-q", *pins],
        ]
    return [
        [uv, "venv", "-q", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "-q", "--python", str(interpreter), *pins],
    ]


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPeers(f"{command[0]}: {type(error).__name__}") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or "no word").splitlines()[-1]
        raise NoPeers(f"{Path(command[0]).name} could not install the peers: {said[:120]}")


class Peers:
    """A running child. ``with Peers(arrays) as peers: seconds = peers("empyrical", ["0", "1"])``."""

    def __init__(self, arrays: dict[str, Floats]) -> None:
        interpreter = python()
        self._folder = tempfile.TemporaryDirectory(prefix="andon-peers-")
        np.savez(Path(self._folder.name) / "arrays.npz", **arrays)  # type: ignore[arg-type]
        self._child = subprocess.Popen(
            [str(interpreter), "-I", str(_HERE / "risk_peers.py"), self._folder.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.communicate(timeout=30)  # its input closes, and it ends
        self._folder.cleanup()

    def __call__(self, peer: str, arrays: Sequence[str]) -> list[float]:
        """Seconds that ``peer`` takes for each of ``arrays``, one after the other."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(f"{peer} {' '.join(arrays)}\n")
            self._child.stdin.flush()
            answer = self._child.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise NoPeers(f"the child that runs {peer} has ended")
        return [float(word) for word in answer.split()]
