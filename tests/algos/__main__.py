"""``python -m tests.algos SEED [COUNT]``: run lives by hand; prints what happened in them, or how they broke."""

from __future__ import annotations

import sys
import time
from collections import Counter

from .judge import Broken
from .lives import Life


def main() -> None:
    first, count = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    total: Counter[str] = Counter()
    events, broken, began = 0, [], time.perf_counter()
    for seed in range(first, first + count):
        life = Life(seed, record=seed % 10 == 0)
        try:
            life.run()
        except Broken as error:
            broken.append(str(error))
            if count == 1:
                raise
        total.update(life.counts)
        events += life.booted
    seconds = time.perf_counter() - began
    print("\n".join(broken[:25]))
    print(
        f"{count} lives, {events} events, {seconds:.1f} s, {1e3 * seconds / count:.2f} ms each, {len(broken)} broken"
    )
    print(Counter(text.partition(" ")[2][:12] for text in broken), dict(sorted(total.items())))


if __name__ == "__main__":
    main()
