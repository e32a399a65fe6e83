"""The cord from a second process: ``andon kill`` against a real core with 1,000 working orders at 50,000 ticks/s.

``accepted`` and ``confirmed`` are what ``andon kill --json`` prints itself: ms from sending the request to the core's
first answer, and to its last, which comes when the venue has confirmed every cancel and has shown that nothing
is left (the simulated venue's latency is set to zero). A kill that does not exit 0 with every cancel confirmed ends
the bench. Beside it, on the same cores: the round trip of a command that the engine itself refuses, and how long the
audit line it causes takes to a subscriber, from the core's own stamp.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from andon.benches.child import Asker, Core, address_of, resting_orders
from andon.benches.echo import round_trips
from andon.benches.followers import Stalled
from andon.benches.rows import Row, quantile, row
from andon.errors import CliError
from bus.client import Client

ORDERS, TICKS_PER_S, CALM_TICKS_PER_S = 1_000, 50_000.0, 200.0
ROUNDS, STALLED, TRIPS = 10, 3, 600
KILL_S = 60.0


class Pulled(msgspec.Struct):
    """One ``andon kill``; ms."""

    accepted: float
    confirmed: float
    wall: float


def pull(folder: Path, orders: int | None) -> Pulled:
    """Run the command and judge what it says; ``orders`` None = any number of them. CliError when unconfirmed."""
    command = [
        sys.executable,
        "-m",
        "andon",
        "kill",
        "--reason",
        "bench",
        "--json",
        "--data-dir",
        str(folder),
    ]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=KILL_S, check=False)
    wall = (time.perf_counter() - began) * 1e3
    said = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = orders is not None and said[-1].get("cancelled") != orders
    if done.returncode != 0 or wrong or said[-1]["unconfirmed"]:
        why = f"exit {done.returncode}, {done.stderr.strip()} {said[-1:]}"
        raise CliError(f"andon bench: a kill was not confirmed: {why}", "see andon drill")
    return Pulled(accepted=said[0]["elapsed_ms"], confirmed=said[-1]["elapsed_ms"], wall=wall)


def rounds(folder: Path, orders: int, count: int, stalled: Stalled | None = None) -> list[Pulled]:
    """Place, pull, re-arm, start; ``count`` times."""
    asker = Asker(address_of(folder))
    wanted = resting_orders(folder, orders)
    pulled = []
    try:
        for _ in range(count):
            if stalled is not None:
                stalled.breathe()
            asker.place(wanted)
            pulled.append(pull(folder, orders))
            with Client.attach(data_dir=folder) as client:
                client.rearm("all", reason="bench")
                client.start(reason="bench")
    finally:
        asker.close()
    return pulled


def _pull_rows(name: str, pulled: list[Pulled]) -> Iterator[Row]:
    for what in ("accepted", "confirmed", "wall"):
        values = [getattr(one, what) for one in pulled]
        goal = None if what == "wall" else 100.0
        yield row(f"{name}.{what}.p50", quantile(values, 50), "ms")
        yield row(f"{name}.{what}.max", max(values), "ms", goal)


def trips(folder: Path, count: int) -> list[tuple[float, float]]:
    """(round trip, event to subscriber) of commands the engine refuses; ms."""
    asker = Asker(address_of(folder))
    try:
        time.sleep(0.3)  # until the subscription has reached the core
        return [asker.trip("acknowledge_alert", {"id": f"none-{n}"}) for n in range(count + 10)][10:]
    finally:
        asker.close()


def _trip_rows(name: str, taken: list[tuple[float, float]], bare: list[float]) -> Iterator[Row]:
    for at, what, goal in ((0, "command", 10.0), (1, "event", 50.0)):
        values = [one[at] for one in taken]
        for percent in (50, 99):
            peer, beside = ("bare ZeroMQ echo", quantile(bare, percent)) if at == 0 else ("", None)
            yield row(
                f"{name}.{what}.p{percent}",
                quantile(values, percent),
                "ms",
                goal,
                peer=peer,
                peer_value=beside,
            )


def measure(folder: Path, orders: int, rate: float, count: int, trip_count: int) -> Iterator[Row]:
    """The rows, at any size."""
    bare = round_trips(f"ipc://{folder}/echo.ipc", trip_count)
    with Core(folder / "calm", CALM_TICKS_PER_S) as core:
        yield from _trip_rows("trip.calm", trips(core.folder, trip_count), bare)
    with Core(folder / "busy", rate) as core:
        yield from _trip_rows("trip.busy", trips(core.folder, trip_count), bare)
        yield from _pull_rows("kill", rounds(core.folder, orders, count))
        stalled = Stalled(core.folder, STALLED)
        stalled.start()
        try:
            stalled.stall()
            yield from _pull_rows("kill.stalled", rounds(core.folder, orders, count, stalled))
            yield from _trip_rows("trip.stalled", trips(core.folder, trip_count), bare)
        finally:
            stalled.end()


def kill() -> Iterator[Row]:
    """andon kill, 1,000 orders, 50,000 ticks/s: confirmed in 100 ms; command p99 10 ms, event 50 ms."""
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        yield from measure(Path(folder), ORDERS, TICKS_PER_S, ROUNDS, TRIPS)


BENCHES = {"kill": kill}
