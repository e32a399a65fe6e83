"""The analyst's kernels, compiled where it hurts nobody.

Compiling holds the interpreter for seconds, in whatever thread it happens: beside a running loop it would delay the
cord. So where this build's kernels have not been compiled yet, a process of its own does it first, into the cache that
both share; then they are only loaded, a few milliseconds each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from core.kernels.warm import warm_risk

COMPILE_S_MAX = 300.0
_MARK = "risk-kernels-compiled"


def load_risk_kernels() -> None:
    """Ready the analyst's kernels. Called in its thread."""
    mark = Path(os.environ["NUMBA_CACHE_DIR"]) / _MARK
    if not mark.exists() and _compile_elsewhere():
        try:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        except OSError:  # a cache that cannot be written: every start compiles, slowly but elsewhere
            pass
    warm_risk()


def _compile_elsewhere() -> bool:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", "from core.kernels.warm import warm_risk; warm_risk()"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((root, os.environ.get("PYTHONPATH", "")))}
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter, our own words)
            command, capture_output=True, timeout=COMPILE_S_MAX, check=False, env=environ
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
