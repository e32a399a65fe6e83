"""Ten thousand lives of one parent each, with every fault the order table knows, judged after every event."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .happenings import EVENTS
from .lives import Life

CHUNKS, LIVES = 8, 1_300  # more than 10,000 in all
REPLAY_EVERY = 10
RARE = ("too_much", "end", "cancel_all")  # seldom drawn, seldom possible: not in every chunk


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_lives(chunk: int) -> None:
    total: Counter[str] = Counter()
    for seed in range(chunk * LIVES, (chunk + 1) * LIVES):
        total.update(Life(seed, record=seed % REPLAY_EVERY == 0).run().counts)

    missing = [name for name in EVENTS if not total[name] and name not in RARE]
    assert not missing, f"never happened: {missing}"
    for algo in ("twap", "vwap", "pov", "is", "iceberg", "sor"):
        assert total[f"algo {algo}"] > 50
    assert total["children"] > LIVES
    assert min(total[f"ended {word}"] for word in ("DONE", "CANCELLED", "STOPPED", "FAILED")) > 10


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(rng=st.randoms(use_true_random=False))
def test_a_life_that_breaks_is_shrunk(rng) -> None:
    """The same lives drawn by Hypothesis: fewer, and what breaks comes back as small as it can be."""
    Life(0, rng=rng).run()
