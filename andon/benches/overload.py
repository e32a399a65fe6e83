"""20,000 order requests a second for half a minute: who refuses them, what it costs, and whether the cord still works.

A paper core, a client that does not listen (flood.py), and ``andon kill`` from a third process again and again:
before the flood and in it. What is refused must be refused by name, memory must not grow with the flood, and the kill
must take what it takes without it. The orders are small and proper; it is their number that is wrong.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from andon.benches.child import Asker, Core, address_of, resting_orders
from andon.benches.kill import Pulled, pull
from andon.benches.rows import Row, quantile, row
from andon.errors import CliError
from bus.client import Client

RATE_PER_S, SECONDS, KILLS, ORDERS = 20_000.0, 30.0, 6, 20
TICKS_PER_S = 1_000.0
FLOODED = 50  # different orders, again and again
BY_NAME = ("throttled", "busy")  # at the door; whatever the gate says is in capitals


class Memory(threading.Thread):
    """Resident memory of a process, once a second; MB."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self.stopped = pid, threading.Event()
        self.values: list[float] = []

    def run(self) -> None:
        while not self.stopped.wait(1.0):
            pages = int(Path(f"/proc/{self._pid}/statm").read_text(encoding="ascii").split()[1])
            self.values.append(pages * 4096 / 1e6)


def kills(folder: Path, count: int, pause_s: float, *, place: bool) -> list[Pulled]:
    """Place (a flood does that by itself), pull, re-arm, start; with a pause between."""
    asker, taken = Asker(address_of(folder)), []
    wanted = resting_orders(folder, ORDERS) if place else []
    try:
        for _ in range(count):
            asker.place(wanted)
            taken.append(pull(folder, None))
            with Client.attach(data_dir=folder) as client:
                client.rearm("all", reason="bench")
                client.start(reason="bench")
            time.sleep(pause_s)
    finally:
        asker.close()
    return taken


def flooded(core: Core, seconds: float, count: int) -> tuple[dict[str, Any], list[Pulled], list[float]]:
    """(what the flood was answered, the kills in it, resident MB by second)."""
    orders = resting_orders(core.folder, FLOODED)
    job = {
        "endpoint": address_of(core.folder).command,
        "rate": RATE_PER_S,
        "seconds": seconds,
        "orders": orders,
    }
    command = [sys.executable, "-m", "andon.benches.flood", json.dumps(job)]
    memory = Memory(core.process.process.pid)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        memory.start()
        time.sleep(1.0)
        taken = kills(core.folder, count, max((seconds - 4.0) / count - 1.0, 0.0), place=False)
        said, _ = child.communicate(timeout=seconds + 60.0)
    memory.stopped.set()
    if child.returncode != 0:
        raise CliError("andon bench: the flood ended early", "run it again on a quiet machine")
    return json.loads(said), taken, memory.values


def measure(folder: Path, seconds: float, count: int) -> Iterator[Row]:
    """The rows, at any length."""
    with Core(folder / "flooded", TICKS_PER_S, throttled=True) as core:
        calm = kills(core.folder, count, 0.5, place=True)
        said, busy, memory = flooded(core, seconds, count)
    codes: dict[str, int] = said["codes"]
    answered, admitted = sum(codes.values()), codes.get("done", 0)
    yield row("overload.requests", said["per_s"], "per s", 0.9 * RATE_PER_S, at_least=True)
    yield row(
        "overload.refused_by_name", (answered - admitted) / said["sent"], "fraction", 0.9, at_least=True
    )
    for code in sorted(codes):
        yield row(f"overload.answer.{code.lower()}", codes[code], "requests")
    half = len(memory) // 2
    yield row("overload.memory_growth", max(memory[half:]) - max(memory[: half or 1]), "MB", 20.0)
    yield row("overload.memory_max", max(memory), "MB", 350.0)
    for what in ("accepted", "confirmed"):
        before = quantile([getattr(one, what) for one in calm], 50)
        during = quantile([getattr(one, what) for one in busy], 50)
        yield row(
            f"overload.kill.{what}.p50", during, "ms", 100.0, peer="the same, no flood", peer_value=before
        )
        yield row(f"overload.kill.{what}.max", max(getattr(one, what) for one in busy), "ms", 100.0)


def overload() -> Iterator[Row]:
    """20,000 requests a second for 30 s: refused by name, memory flat, kill as before."""
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        yield from measure(Path(folder), SECONDS, KILLS)


BENCHES = {"overload": overload}
