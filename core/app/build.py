"""Which build this is: a fingerprint of the sources that decide what the engine does."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_DECIDING = ("core/engine", "core/kernels", "core/strategies", "bus")


@cache
def build_sha256() -> str:
    """SHA-256 over the engine's, kernels', strategies' and vocabulary's sources, hex."""
    digest = hashlib.sha256()
    for folder in _DECIDING:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
