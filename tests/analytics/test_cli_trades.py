"""`andon risk trades`: round trips of a journal, held against what the core's ledger says of the same trading."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from andon.cli import main
from bus.enums import Side
from core.app.last_state import last_state
from core.app.trades import Fills, fills_of
from core.engine.records import Filled
from core.engine.state import Holding


def state(
    shares: dict[str, int], *fills: tuple[Side, int, float, float], inverse: bool = False
) -> SimpleNamespace:
    """What a step left behind: shares of instrument 0, and its executions (side, lots, price, fee)."""
    spec = SimpleNamespace(symbol="BTC/USDT", settle="USDT", lot_size=0.5, inverse=inverse)
    held = {name: Holding(name, 0, lots) for name, lots in shares.items()}
    rows = [
        Filled(SimpleNamespace(instrument=0, side=s), n, px, fee, False, False, "x")
        for s, n, px, fee in fills
    ]
    cold = SimpleNamespace(holdings=held, now_ns=7)
    return SimpleNamespace(specs=[spec], cold=cold, filled=rows, touched={0: None}, mark=lambda i: 99.0)


def told(by: str, *states: SimpleNamespace) -> list[tuple[str, int, float, float]]:
    found = Fills(by)
    for one in states:
        found.on_step(one, None, [])
    return [(f.strategy, f.lots, f.price, f.fee) for f in found.by_ccy.get("USDT", [])]


def test_an_exit_that_a_kill_ordered_closes_the_shares_of_those_who_held() -> None:
    steps = (
        state({"a": 3}, (Side.BUY, 3, 100.0, 0.3)),
        state({"a": 3, "b": 1}, (Side.BUY, 1, 100.0, 0.1)),
        state({"a": 0, "b": 0}, (Side.SELL, 4, 90.0, 0.4)),
    )
    assert told("strategy", *steps) == [
        ("a", 3, 100.0, 0.3), ("b", 1, 100.0, 0.1), ("a", -3, 90.0, pytest.approx(0.3)), ("b", -1, 90.0, 0.1),
    ]  # fmt: skip
    assert told("symbol", *steps) == [("", 3, 100.0, 0.3), ("", 1, 100.0, 0.1), ("", -4, 90.0, 0.4)]


def test_shares_that_cross_inside_pay_no_fee_and_the_venues_word_is_taken_at_the_mark() -> None:
    crossed = (
        state({"a": 2}, (Side.BUY, 2, 100.0, 0.2)),
        state({"a": 2, "b": -3}, (Side.SELL, 3, 100.0, 0.3)),
    )
    assert told("strategy", *crossed, state({"a": 0, "b": 0}, (Side.BUY, 1, 80.0, 0.1)))[2:] == [
        ("a", -2, 80.0, 0.0), ("b", 3, 80.0, pytest.approx(0.1)),
    ]  # fmt: skip
    assert told("strategy", state({"unexplained": -2})) == [("unexplained", -2, 99.0, 0.0)]


def test_inverse_contracts_are_counted_and_left_out() -> None:
    found = Fills("symbol")
    found.on_step(state({"a": 1}, (Side.BUY, 1, 100.0, 0.0), inverse=True), None, [])
    assert (found.by_ccy, found.left_out) == ({}, {"BTC/USDT": 1})


@pytest.mark.parametrize("by", ["strategy", "symbol"])
def test_no_journal_is_one_line(by: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["risk", "trades", "--by", by, "--journal", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "no journal" in said


@pytest.mark.slow
def test_fills_and_what_is_held_are_worth_what_the_ledger_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--data-dir", str(tmp_path)]
    assert main(["core", "--profile", "paper", "--headless-seconds", "12", "--quiet", *folder]) == 0
    end = last_state(tmp_path)
    marks = {spec.symbol: end.mark(i) for i, spec in enumerate(end.specs)}
    for by in ("strategy", "symbol"):
        worth: dict[str, float] = {}
        for fill in fills_of(tmp_path, by).by_ccy["USDT"]:
            name = getattr(fill, by)
            gain = fill.lots * fill.lot_value * (marks[fill.symbol] - fill.price) - fill.fee
            worth[name] = worth.get(name, 0.0) + gain
        capsys.readouterr()
        assert main(["pnl", "--by", by, "--journal", str(tmp_path), "--json"]) == 0
        assert worth == pytest.approx(json.loads(capsys.readouterr().out)["rows"], abs=1e-6)
        assert main(["risk", "trades", "--by", by, "--json", *folder]) == 0
        rows = json.loads(capsys.readouterr().out)["rows"]
        assert rows[-1]["n"] == sum(row["n"] for row in rows[:-1]) and set(worth) == {
            r["name"] for r in rows[:-1]
        }
