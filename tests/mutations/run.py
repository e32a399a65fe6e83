"""``python -m tests.mutations.run [NAME…]``: every mutant in a process of its own, two at a time.

What takes long to import and is never mutated (numpy, numba, the kernels, pytest) is imported once; the mutants are
forked from there, and import the engine themselves. A program, not a function: forking wants a process without threads.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

from .mutants import Mutation, mutations
from .probe import CAUGHT, probe

WORKERS = 2
PATIENCE_S = 60
Result = tuple[Mutation, bool, str]


def preload() -> None:
    """Everything but the engine."""
    import hypothesis  # noqa: F401

    from core.adapters import sim_venue  # noqa: F401
    from core.kernels.warm import warm
    from core.strategies import registry  # noqa: F401

    warm()
    loaded = sorted(name for name in sys.modules if name.startswith("core.engine"))
    assert not loaded, f"mutated modules must come fresh: {loaded}"


def start(mutation: Mutation) -> tuple[int, int]:
    """Fork one mutant; returns (pid, descriptor of what it says)."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    signal.alarm(PATIENCE_S)  # a mutant that hangs is caught as well
    code, text = 4, "the probe broke"
    try:
        code, text = probe(mutation)
    except BaseException as error:  # a forked process ends here, whatever happens
        text = f"{type(error).__name__}: {error}"
    os.write(write, text[:2000].encode())
    os._exit(code)


def finish(mutation: Mutation, pid: int, read: int) -> Result:
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return mutation, os.WTERMSIG(status) == signal.SIGALRM, f"no end within {PATIENCE_S} s"
    return mutation, os.WEXITSTATUS(status) == CAUGHT, text


def run(chosen: list[Mutation]) -> Iterator[Result]:
    """Results in the order of the list, two mutants alive at a time."""
    preload()
    alive: list[tuple[Mutation, int, int]] = []
    for mutation in chosen:
        if len(alive) == WORKERS:
            yield finish(*alive.pop(0))
        alive.append((mutation, *start(mutation)))
    for left in alive:
        yield finish(*left)


def main(names: list[str]) -> int:
    chosen = [mutation for mutation in mutations() if not names or mutation.name in names]
    survived, began = 0, time.monotonic()
    for mutation, caught, text in run(chosen):
        survived += not caught
        print(
            f"{'caught  ' if caught else 'SURVIVED'} {mutation.name}: {' '.join(text.split())[:140]}",
            flush=True,
        )
    print(f"{len(chosen) - survived} of {len(chosen)} caught in {time.monotonic() - began:.0f} s")
    return 1 if survived or not chosen else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
