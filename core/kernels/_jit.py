"""The only importer of numba: one typed decorator, strict IEEE, cached.

No fastmath (it changes bits, and replay promises equal bits), no parallel (one core is the budget),
``error_model="numpy"`` so that a division by zero is inf or nan as in numpy and never an exception.
The cache lives in a folder named after this build, because numba does not notice a change in a
function imported from another file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

_HERE = Path(__file__).parent


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(_HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


if "NUMBA_CACHE_DIR" not in os.environ:
    _home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    os.environ["NUMBA_CACHE_DIR"] = str(Path(_home) / "andon" / f"kernels-{_fingerprint()}")

import numba  # noqa: E402  (the cache folder must be named first)

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile on first call; keep the signature visible to type checkers."""
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))
