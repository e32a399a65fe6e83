"""The kernels are ordinary Python too: with the JIT off they leave the same bytes, and the direct entry as well."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from core.kernels._jit import direct
from core.kernels.batch import run_block
from core.kernels.sizing import kelly_lots
from core.kernels.warm import warm

from .kit import Book
from .test_batch import loaded, walk

ROOT = Path(__file__).parents[2]


def digest() -> str:
    """Hash of every table after a run that trips, fills, pays funding and meets garbage, on both bases."""
    out = hashlib.sha256()
    for basis_equity in (0, 1):
        book = loaded(3, basis_equity)
        ticks = walk(3, 120)
        start = 0
        while start < len(ticks):
            start = book.run(ticks, start)
            book.fill(start % 6, -3, 50.0, 0.1)
            book.fund(start % 6, 0.0001)
            book.switches["armed"][book.switches["tripped"] != 0] = 0
            out.update(book.bytes())
    out.update(str([kelly_lots(mu, 1e-6, 9.0, 0.5, 1e5, 3.7, 2e4) for mu in (-1e-3, 1e-9, 2e-7)]).encode())
    return out.hexdigest()


def test_compiled_and_interpreted_kernels_leave_the_same_bytes() -> None:
    code = "from tests.kernels.test_jit import digest; print(digest())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == digest()


def test_the_direct_entry_does_what_the_dispatcher_does() -> None:
    ticks = walk(5, 200)
    plain, bare = loaded(5), loaded(5)
    entry = direct(run_block, ticks, 0, *bare.tables, bare.switches)
    assert entry(ticks, 0, *bare.tables, bare.switches) == plain.run(ticks)
    assert bare.bytes() == plain.bytes()


def test_warming_touches_every_kernel() -> None:
    assert warm() > 0
    assert run_block.signatures  # type: ignore[attr-defined]
    assert isinstance(loaded(1), Book)
