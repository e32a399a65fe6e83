"""The simulated day: parts sum to the account at every instant. ``python -m tests.attribution.day 72 2`` for a longer one."""

from __future__ import annotations

import pytest

from core.engine import pnlview

from .day import Seen, live


def check(seen: Seen, hours: int) -> None:
    print(f"{seen.looks} looks, largest difference {seen.worst_units} units, {seen.worst_residual:.3g} USDT")
    found = pnlview.attributed(seen.state)
    assert seen.worst_units == 0 and seen.worst_residual < 1e-6
    assert seen.looks > 2000 * hours and seen.fills > 300 * hours and seen.fundings > 5 * hours
    assert {name for name, amount in seen.parts.items() if amount} == {
        "price",
        "spread",
        "fees",
        "funding",
        "fx",
    }
    assert len([key for key, row in found.hour.items() if any(row)]) == hours
    assert len(found.strategy) == 5, "four strategies and the cash"
    assert found.factor["factor.market"] and found.factor["factor.chains"] and found.factor["idiosyncratic"]
    assert seen.state.cold.ledger.residual_worst < 1e-6


def test_two_hours() -> None:
    check(live(2.0), 2)


@pytest.mark.slow
def test_a_day_with_twelve_symbols_four_strategies_funding_and_three_currencies() -> None:
    seen = live(24.0)
    check(seen, 24)
    found = pnlview.attributed(seen.state)
    assert set(found.session) == {"asia", "europe", "us"} and all(any(row) for row in found.session.values())
