"""Whether a stream has changed: detectors that take one value at a time and forget by themselves.

    PageHinkley     a cumulated departure from the running mean, up or down, beyond a threshold (Page 1954)
    Adwin           a window that drops its old part when the means of two parts differ (Bifet, Gavalda 2007)
    Kswin           the last values against a draw from those before, by Kolmogorov and Smirnov (Raab et al. 2020)
    HalfSpaceTrees  how empty the neighbourhood of a point was lately, 0 usual to 1 strange (Tan, Ting, Liu 2011)

Conventions and defaults are those of river, whose documented examples are tests here. ``update`` returns True where a
change is seen; the detector then begins anew with the next value. Draws come from a seed. A value that is not a finite
number is refused: a hole is not a change.
"""

from __future__ import annotations

import math
import random
from collections import deque
from functools import lru_cache

from core.analytics.errors import RiskInputError

_PADDING = 0.15  # of a node's range, kept free of splits on either side
_LEAST_SHARE = 0.1  # of a window: a node with less mass is not descended


def _finite(x: float) -> float:
    if not math.isfinite(x):
        raise RiskInputError(
            "NOT_FINITE", "a value of the stream is missing or infinite; leave it out on purpose"
        )
    return float(x)


class PageHinkley:
    """Both sides; ``threshold`` in the unit of the values."""

    def __init__(
        self, *, burn_in: int = 30, delta: float = 0.005, threshold: float = 50.0, forget: float = 0.9999
    ) -> None:
        if not (burn_in >= 1 and threshold > 0.0 and 0.0 < forget <= 1.0):
            raise RiskInputError(
                "BAD_OPTION", "burn_in from 1, threshold above 0, forget above 0 and at most 1"
            )
        self._burn_in, self._delta, self._threshold, self._forget = burn_in, delta, threshold, forget
        self._begin()

    def _begin(self) -> None:
        self._n, self._mean, self._up, self._down = 0, 0.0, 0.0, 0.0
        self._lowest, self._highest = math.inf, -1.0

    def update(self, x: float) -> bool:
        """Take one value."""
        x = _finite(x)
        self._n += 1
        self._mean += (x - self._mean) / self._n
        off = x - self._mean
        self._up = self._forget * self._up + off - self._delta
        self._down = self._forget * self._down + off + self._delta
        self._lowest, self._highest = min(self._lowest, self._up), max(self._highest, self._down)
        gone = max(self._up - self._lowest, self._highest - self._down)
        if self._n < self._burn_in or gone <= self._threshold:
            return False
        self._begin()
        return True


class Adwin:
    """Rows of buckets of 2^i values; ``delta`` is the chance of a false alarm that one comparison is allowed."""

    def __init__(self, *, delta: float = 0.002, every: int = 32, buckets: int = 5, least: int = 5) -> None:
        if not (0.0 < delta < 1.0 and every >= 1 and buckets >= 2 and least >= 1):
            raise RiskInputError(
                "BAD_OPTION", "delta between 0 and 1, every and least from 1, buckets from 2"
            )
        self._delta, self._every, self._buckets, self._least = delta, every, buckets, least
        self._begin()

    def _begin(self) -> None:
        self._rows: list[list[tuple[float, float]]] = [
            []
        ]  # (sum, squares about its mean); oldest first in a row
        self.width, self._ticks, self._total, self._squares = 0, 0, 0.0, 0.0

    @property
    def mean(self) -> float:
        """Of the window, nan while it is empty."""
        return self._total / self.width if self.width else math.nan

    def update(self, x: float) -> bool:
        """Take one value."""
        x = _finite(x)
        if self.width:
            self._squares += self.width * (x - self._total / self.width) ** 2 / (self.width + 1)
        self.width += 1
        self._total += x
        self._rows[0].append((x, 0.0))
        self._merge()
        self._ticks += 1
        if self._ticks % self._every or self.width <= 10:
            return False
        changed = False
        while self._cut():
            changed = True
        if changed:
            self._begin()
        return changed

    def _merge(self) -> None:
        """A row that is too full hands its two oldest to the next, as one."""
        for i, row in enumerate(self._rows):
            if len(row) <= self._buckets:
                return
            n = 2**i
            (a, va), (b, vb) = row.pop(0), row.pop(0)
            if i + 1 == len(self._rows):
                self._rows.append([])
            self._rows[i + 1].append((a + b, va + vb + n * n * (a / n - b / n) ** 2 / (2 * n)))

    def _cut(self) -> bool:
        """Drop the oldest bucket when some split of the window has two different means."""
        old, old_sum, new, new_sum = 0, 0.0, self.width, self._total
        log = math.log(2.0 * math.log(self.width) / self._delta)
        variance = self._squares / self.width
        for i in range(len(self._rows) - 1, -1, -1):
            for value, _ in self._rows[i]:
                old, new, old_sum, new_sum = old + 2**i, new - 2**i, old_sum + value, new_sum - value
                if old < self._least or new < self._least:
                    continue
                share = 1.0 / (old - self._least + 1) + 1.0 / (new - self._least + 1)
                bound = math.sqrt(2.0 * share * variance * log) + 2.0 / 3.0 * log * share
                if abs(old_sum / old - new_sum / new) > bound:
                    self._drop()
                    return True
        return False

    def _drop(self) -> None:
        i = len(self._rows) - 1
        n, (value, squares) = 2**i, self._rows[i].pop(0)
        self.width -= n
        self._total -= value
        if self.width:
            off = value / n - self._total / self.width
            self._squares -= squares + n * self.width * off * off / (n + self.width)
        while len(self._rows) > 1 and not self._rows[-1]:
            self._rows.pop()


class Kswin:
    """``last`` values against as many drawn from the ``window`` before them; ``alpha`` of one comparison."""

    def __init__(self, *, alpha: float = 0.005, window: int = 100, last: int = 30, seed: int = 1) -> None:
        if not (0.0 < alpha < 1.0 and last >= 2 and 2 * last <= window):
            raise RiskInputError(
                "BAD_OPTION", "alpha between 0 and 1, last from 2, window at least twice last"
            )
        self._window, self._last, self._seed = window, last, seed
        self._critical = max(critical_distance(last, alpha), math.floor(0.1 * last) + 1)
        self._values: deque[float] = deque(maxlen=window)
        self._draw = random.Random(seed)  # noqa: S311  (a sample, not a secret)

    def update(self, x: float) -> bool:
        """Take one value."""
        self._values.append(_finite(x))
        if len(self._values) < self._window:
            return False
        values = list(self._values)
        before = [values[i] for i in self._draw.sample(range(self._window - self._last), self._last)]
        if _distance(before, values[-self._last :]) < self._critical:
            return False
        self._values.clear()
        self._draw = random.Random(self._seed)  # noqa: S311
        return True


def _distance(a: list[float], b: list[float]) -> int:
    """Largest difference of the two counts of values up to some point."""
    steps = sorted([(x, 1) for x in a] + [(x, -1) for x in b])
    largest = height = 0
    for i, (x, side) in enumerate(steps):
        height += side
        if i + 1 == len(steps) or steps[i + 1][0] > x:
            largest = max(largest, abs(height))
    return largest


@lru_cache(maxsize=64)
def critical_distance(n: int, alpha: float) -> int:
    """Least d with P(D >= d / n) <= alpha for two samples of ``n``; n + 1 when there is none (Gnedenko, Korolyuk)."""
    for d in range(1, n + 1):
        if 2 * sum(
            (-1) ** (j + 1) * math.comb(2 * n, n + j * d) for j in range(1, n // d + 1)
        ) <= alpha * math.comb(2 * n, n):
            return d
    return n + 1


class HalfSpaceTrees:
    """Random splits of a box ``limits`` (low, high of each feature); mass of the last full window gives the score."""

    def __init__(
        self,
        limits: list[tuple[float, float]],
        *,
        trees: int = 10,
        height: int = 8,
        window: int = 250,
        seed: int = 1,
    ) -> None:
        good = all(math.isfinite(low) and math.isfinite(high) and low < high for low, high in limits)
        if not (limits and good and trees >= 1 and 1 <= height <= 16 and window >= 1):
            raise RiskInputError("BAD_OPTION", "limits low < high, trees and window from 1, height 1 to 16")
        draw = random.Random(seed)  # noqa: S311
        self._trees = [_grown(list(limits), height, draw) for _ in range(trees)]
        nodes = 2 ** (height + 1) - 1
        self._height, self._window, self._width = height, window, len(limits)
        self._now = [[0] * nodes for _ in range(trees)]
        self._held = [[0] * nodes for _ in range(trees)]
        self._count, self._full = 0, False

    def learn(self, x: list[float]) -> None:
        """Take one point in."""
        for tree, mass in zip(self._trees, self._now, strict=True):
            for node in self._path(tree, x):
                mass[node] += 1
        self._count += 1
        if self._count == self._window:
            self._held, self._now = self._now, [[0] * len(mass) for mass in self._now]
            self._count, self._full = 0, True

    def score(self, x: list[float]) -> float:
        """0 usual to 1 strange; 0 before a first window is full."""
        if not self._full:
            return 0.0
        total = 0.0
        for tree, mass in zip(self._trees, self._held, strict=True):
            for depth, node in enumerate(self._path(tree, x)):
                total += mass[node] * 2.0**depth
                if mass[node] < _LEAST_SHARE * self._window:
                    break
        return 1.0 - total / (len(self._trees) * self._window * (2.0 ** (self._height + 1) - 1.0))

    def _path(self, tree: dict[int, tuple[int, float]], x: list[float]) -> list[int]:
        """Nodes from the root to a leaf, numbered as a heap."""
        if len(x) != self._width:
            raise RiskInputError("BAD_SHAPE", f"{len(x)} values for {self._width} features")
        nodes = [0]
        for _ in range(self._height):
            feature, threshold = tree[nodes[-1]]
            nodes.append(2 * nodes[-1] + (1 if _finite(x[feature]) < threshold else 2))
        return nodes


def _grown(
    limits: list[tuple[float, float]], height: int, draw: random.Random
) -> dict[int, tuple[int, float]]:
    """{node: (feature, threshold)}, depth first, wide features more often."""
    found: dict[int, tuple[int, float]] = {}

    def grow(node: int, box: list[tuple[float, float]], left: int) -> None:
        if left == 0:
            return
        feature = draw.choices(range(len(box)), weights=[high - low for low, high in box])[0]
        low, high = box[feature]
        margin = _PADDING * (high - low)
        threshold = draw.uniform(low + margin, high - margin)
        found[node] = (feature, threshold)
        for child, side in ((2 * node + 1, (low, threshold)), (2 * node + 2, (threshold, high))):
            grow(child, [*box[:feature], side, *box[feature + 1 :]], left - 1)

    grow(0, list(limits), height)
    return found
