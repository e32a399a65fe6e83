"""The bench at a size that takes a moment."""

from __future__ import annotations

from andon.benches.attribution import measure
from tests.bench.test_benches import judged


def test_attribution_rows() -> None:
    found = judged(measure(8, 2))
    assert found.keys() == {"attribution.update", "attribution.booking", "attribution.message"}
    assert found["attribution.update"]["ratio"] > 0.0
