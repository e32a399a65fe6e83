"""From nothing to ready: the core with a warm kernel cache, its memory, and the console's first picture.

Ready is when ``andon core`` prints its line, counted from the start of its process; every start is on a new folder, the
first fills the kernel cache and is left out. First paint is counted from the start of ``andon tui`` in a
pseudo-terminal until it shows the account's equity; the import alone is measured inside a fresh interpreter, beside
the import of Textual, without which there is no console.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from andon.benches.child import Core
from andon.benches.rows import Row, quantile, row, skipped
from andon.errors import CliError

STARTS, SETTLE_S, IMPORTS, PAINTS = 5, 10.0, 5, 5
PAINT_S_MAX = 15.0
SIZE = struct.pack("HHHH", 40, 120, 0, 0)
SHOWN = b"quity"  # Equity or equity, in whatever colours


def starts(folder: Path, count: int) -> list[float]:
    """Seconds to ready of ``count`` starts, after one that warms the cache."""
    taken = []
    for n in range(count + 1):
        began = time.perf_counter()
        with Core(folder / f"start-{n}", 200.0):
            taken.append(time.perf_counter() - began)
    return taken[1:]


def rss_mb(pid: int) -> float | None:
    """Resident memory of a process; None where there is no /proc."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), None)


def imports(module: str, count: int) -> list[float]:
    """Seconds to import ``module`` in a fresh interpreter, as that interpreter counts them."""
    code = f"import time; a = time.perf_counter(); import {module}; print(time.perf_counter() - a)"
    command = [sys.executable, "-c", code]
    return [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(count)
    ]


def paint(folder: Path) -> float:
    """Seconds from the start of a console's process to a picture with the account's equity in it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, SIZE)
    began = time.perf_counter()
    console = subprocess.Popen(
        [sys.executable, "-m", "andon", "tui", "--data-dir", str(folder)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(slave)
    try:
        return _watch(master, began)
    finally:
        console.kill()
        console.wait()
        os.close(master)


def _watch(master: int, began: float) -> float:
    seen = b""
    while (left := began + PAINT_S_MAX - time.perf_counter()) > 0:
        if not select.select([master], [], [], left)[0]:
            break
        try:
            seen += os.read(master, 65_536)
        except OSError:
            break
        if SHOWN in seen:
            return time.perf_counter() - began
    raise CliError(f"andon bench: the console painted nothing: {seen[-120:]!r}", "try andon tui by hand")


def measure(folder: Path, count: int, settle_s: float, paints: int) -> Iterator[Row]:
    """The rows, at any size."""
    taken = starts(folder, count)
    yield row("core.ready.p50", quantile(taken, 50), "s", 2.0)
    yield row("core.ready.max", max(taken), "s")
    loaded, textual = imports("tui.app", count), imports("textual.app", count)
    yield row(
        "tui.import.p50",
        quantile(loaded, 50),
        "s",
        0.5,
        peer="import textual.app",
        peer_value=quantile(textual, 50),
    )
    with Core(folder / "settled", 200.0) as core:
        settled_at = time.monotonic() + settle_s
        painted = [paint(core.folder) for _ in range(paints)]
        yield row("tui.first_paint.p50", quantile(painted, 50), "s", 0.5)
        yield row("tui.first_paint.max", max(painted), "s")
        time.sleep(max(settled_at - time.monotonic(), 0.0))
        resident = rss_mb(core.process.process.pid)
        if resident is None:
            yield skipped("core.rss", "MB", "no /proc on this system")
        else:
            yield row("core.rss", resident, "MB", 350.0)


def core() -> Iterator[Row]:
    """Ready in 2 s with a warm kernel cache, resident 350 MB after 10 s, console's first paint in 0.5 s."""
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        yield from measure(Path(folder), STARTS, SETTLE_S, PAINTS)


BENCHES = {"core": core}
