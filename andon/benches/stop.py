"""Breach to cancel, with everything real but the exchange: 1,000 working orders, 50,000 ticks/s, and a tick too far.

The clock starts when the breaching tick is given to the loop (``handed``) and stops when the venue adapter is given a
cancel, or when the stop record's fsync has returned. Measured alone, and with three clients attached that have been
stopped by SIGSTOP. Wall time on a machine with other work to do contains that work: ``cpu`` is what the loop's own
thread has spent, and the peers are what this machine does in the same minutes to a bare busy loop of that length
(first cancel) and to the same record written with nothing going on (latch).
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from andon.benches.followers import Stalled
from andon.benches.rows import Row, quantile, row
from andon.benches.stop_rig import Rig
from bus.enums import KillPhase
from core.adapters import journal_seal

ORDERS, TICKS_PER_S = 1_000, 50_000.0
TRIALS, TRIALS_STALLED, STALLED = 100, 40, 3
BREATHE_EVERY = 5  # trials
RECOVERED = 0.04  # drawdown
CPU_MS = 1.5  # of the bare busy loop


class Trial(msgspec.Struct):
    """One breach; ms since the tick was handed over."""

    first: float
    last: float
    latch: float
    cpu: float


class Peers(msgspec.Struct):
    """What the machine does to bare code in the same minutes; ms."""

    busy: list[float] = []
    write: list[float] = []


async def _trial(rig: Rig, orders: int, dice: random.Random) -> Trial:
    await rig.work(orders)
    rig.venue.cancels.clear()
    rig.latches.stored.clear()
    await asyncio.sleep(0.02 + 0.05 * dice.random())
    rig.arm_breach()
    kills = rig.state.cold.kills
    await rig.until(lambda: any(k.phase is KillPhase.LATCHED and k.durable for k in kills.values()))
    began, sent = rig.feed.handed, rig.venue.cancels
    assert len(sent) >= orders, "fewer cancels than working orders"
    return Trial(
        first=(sent[0] - began) * 1e3,
        last=(sent[orders - 1] - began) * 1e3,
        latch=(rig.latches.stored[0] - began) * 1e3,
        cpu=(rig.venue.first_cpu - rig.feed.handed_cpu) * 1e3,
    )


async def _recover(rig: Rig) -> None:
    await rig.until(
        lambda: float(rig.state.account["drawdown"][0]) < RECOVERED
    )  # the next tick undoes the drop
    rig.send("rearm", switch="all")
    await rig.until(lambda: not rig.state.cold.kills)
    rig.send("start")
    await rig.until(lambda: rig.state.cold.started)


def _bare(peers: Peers, folder: Path) -> None:
    """A busy loop of a known length, and the stop record's own write, on this machine now."""
    began, busy = time.perf_counter(), time.thread_time()
    while time.thread_time() - busy < CPU_MS * 1e-3:
        pass
    peers.busy.append((time.perf_counter() - began) * 1e3)
    raw = journal_seal.seal({"state": "HALTED", "latches": [{"key": "drawdown@all", "reason": "x" * 60}]})
    began = time.perf_counter()
    journal_seal.write(folder / "peer.json", raw, durable=True)
    peers.write.append((time.perf_counter() - began) * 1e3)


async def trials(
    folder: Path, orders: int, rate: float, count: int, stalled: int
) -> tuple[list[Trial], Peers]:
    """``count`` breaches on one running core."""
    rig, dice, peers = Rig(folder, rate), random.Random(count), Peers()
    await rig.start()
    done = []
    try:
        async with Stalled(folder, stalled) as clients:
            for n in range(count):
                if n % BREATHE_EVERY == 0:
                    await asyncio.to_thread(clients.breathe)
                done.append(await _trial(rig, orders, dice))
                await _recover(rig)
                for _ in range(2):
                    await asyncio.to_thread(_bare, peers, folder)
    finally:
        rig.close()
    return done, peers


def measure(orders: int, rate: float, count: int, stalled: int) -> Iterator[Row]:
    """The rows, at any size. The first trial warms up and is left out."""
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        done, peers = asyncio.run(trials(Path(folder), orders, rate, count + 1, stalled))
    name = f"stop{'.stalled' if stalled else ''}"
    for what, goal, peer, bare in (
        ("first_cancel", 2.0, f"busy loop of {CPU_MS} ms", peers.busy),
        ("last_cancel", 20.0, "", []),
        ("latch_durable", 20.0, "the same write, core idle", peers.write),
    ):
        values = [getattr(trial, what.partition("_")[0]) for trial in done[1:]]
        for percent in (50, 99, 100):
            label = f"{name}.{what}.{'max' if percent == 100 else f'p{percent}'}"
            beside = quantile(bare, percent) if bare else None
            limit = goal if percent == 99 else 100.0 if percent == 100 else None
            yield row(label, quantile(values, percent), "ms", limit, peer=peer, peer_value=beside)
    cpu = [trial.cpu for trial in done[1:]]
    yield row(f"{name}.first_cancel.cpu.p50", quantile(cpu, 50), "ms")
    yield row(f"{name}.first_cancel.cpu.p99", quantile(cpu, 99), "ms", 2.0)


def stop() -> Iterator[Row]:
    """1,000 orders, 50,000 ticks/s: first cancel p99 2 ms, last 20 ms, stop record durable p99 20 ms, max 100 ms."""
    for count, stalled in ((TRIALS, 0), (TRIALS_STALLED, STALLED)):
        yield from measure(ORDERS, TICKS_PER_S, count, stalled)


BENCHES = {"stop": stop}
