"""``python -m tests.sim SEED [COUNT]``: run worlds by hand; prints what each saw, or how it broke."""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter

from .watch import Broken
from .world import World


def main(arguments: list[str]) -> int:
    first, count = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1
    broken: dict[int, str] = {}
    trips: Counter[str] = Counter()
    steps = 0
    began = time.perf_counter()
    for seed in range(first, first + count):
        world = World(seed)
        try:
            world.run()
        except Broken as error:
            broken[seed] = str(error)
            if count == 1 or len(arguments) > 2:
                traceback.print_exc()
        steps += world.watch.steps
        trips.update(world.watch.trips)
    seconds = time.perf_counter() - began
    for seed, text in list(broken.items())[:40]:
        print(seed, text[:400])
    kinds = Counter(text[:60] for text in broken.values())
    print(
        f"{count} worlds, {steps} steps, {seconds:.1f} s, {1e3 * seconds / count:.1f} ms each, {len(broken)} broken"
    )
    print("trips", dict(trips))
    print("kinds", Counter(text.partition(":")[0] for text in broken.values()), kinds.most_common(3))
    return bool(broken)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
