"""Benches: every module here with ``BENCHES: dict[str, Callable[[], Iterable[dict]]]`` is found by `andon bench`.

A row is ``{name, value, unit, peer, peer_value, ratio, goal, ok}``; the peer is measured in the same run.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

Row = dict[str, Any]
Bench = Callable[[], Iterable[Row]]
COLUMNS = ("name", "value", "unit", "goal", "ok", "peer", "peer_value", "ratio")


def discover() -> dict[str, Bench]:
    """All benches by name; importing them may load numpy and numba."""
    found: dict[str, Bench] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        benches: dict[str, Bench] = getattr(import_module(f"{__name__}.{module.name}"), "BENCHES", {})
        for name, bench in benches.items():
            assert name not in found, f"two benches are called {name}"
            found[name] = bench
    return found


def complete(row: Row) -> Row:
    """The row with all columns, in their order; what was not measured is None."""
    return {**{column: row.get(column) for column in COLUMNS}, **row}
